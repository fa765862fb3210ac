// Draws one judged pair as a card: prompt, both replies, the probability as a bar.
#pragma once

#include <QStyledItemDelegate>

namespace lodestone::ui {

class Theme;

class JudgmentDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    JudgmentDelegate(Theme& theme, QObject* parent);
    void
    paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    int linesShown(const QStyleOptionViewItem& option) const;
    Theme& m_theme;
};

} // namespace lodestone::ui
