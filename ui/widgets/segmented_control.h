// One of a few, always in sight: "Weighted | Projection", and the chips "All | Disagree 7 | Flipped 3 |
// Unsure 5".
#pragma once

#include <QStringList>
#include <QVector>
#include <QWidget>
#include <optional>

class QAbstractButton;
class QButtonGroup;

namespace lodestone::ui {

/// Buttons named "segment0", "segment1", ... (object names). Left and right arrows move; setCurrent does not
/// emit.
class SegmentedControl : public QWidget {
    Q_OBJECT
public:
    explicit SegmentedControl(QWidget* parent = nullptr);
    ~SegmentedControl() override;

    void setSegments(const QStringList& texts); ///< the first becomes current
    void setCount(int segment, std::optional<int> count); ///< written after the text
    void setCurrent(int segment);
    int current() const;
    QAbstractButton* segment(int index) const; ///< null when there is none
    QSize sizeHint() const override; ///< with the usual margins
    QSize minimumSizeHint() const override; ///< with the narrow margins that a narrow place gets

Q_SIGNALS:
    void currentChanged(int segment);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void fitMargins();
    int widthWithMargins(bool tight) const; ///< pixels that all segments take

    QStringList m_texts;
    QVector<QAbstractButton*> m_buttons; // owned by the widget tree
    QButtonGroup* m_group = nullptr;
};

} // namespace lodestone::ui
