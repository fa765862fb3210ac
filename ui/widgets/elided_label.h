// Text that may be longer than its place: cut with an ellipsis after a number of lines, whole in the tool
// tip.
#pragma once

#include <QFrame>

namespace lodestone::ui {

class ElidedLabel : public QFrame {
    Q_OBJECT
public:
    explicit ElidedLabel(const QString& text = {}, QWidget* parent = nullptr);
    ~ElidedLabel() override;

    void setText(const QString& text);
    QString text() const { return m_text; }
    void setMaximumLines(int lines); ///< at first 1
    bool isElided() const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;
    bool hasHeightForWidth() const override { return m_lines > 1; }
    int heightForWidth(int width) const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void updateTip();
    /// The lines that fit into `width`, the last one elided when text is left over.
    QStringList lines(int width, bool& elided) const;

    QString m_text;
    int m_lines = 1;
};

} // namespace lodestone::ui
