#include "ui/widgets/elided_label.h"

#include <QEvent>
#include <QFontMetrics>
#include <QPainter>
#include <QTextLayout>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {

ElidedLabel::ElidedLabel(const QString& text, QWidget* parent)
    : QFrame(parent)
{
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Preferred);
    setText(text);
}

ElidedLabel::~ElidedLabel() = default;

void ElidedLabel::setText(const QString& text)
{
    m_text = text;
    setAccessibleName(text);
    updateTip();
    updateGeometry();
    update();
}

bool ElidedLabel::isElided() const
{
    bool elided = false;
    lines(contentsRect().width(), elided);
    return elided;
}

void ElidedLabel::updateTip() { setToolTip(isElided() ? m_text : QString()); }

void ElidedLabel::setMaximumLines(int lines)
{
    m_lines = std::max(1, lines);
    QSizePolicy policy = sizePolicy();
    policy.setHeightForWidth(m_lines > 1);
    setSizePolicy(policy);
    updateTip();
    updateGeometry();
    update();
}

QStringList ElidedLabel::lines(int width, bool& elided) const
{
    elided = false;
    QStringList result;
    const QFontMetrics metrics(font());
    if (width < 1)
        return result;
    QString text = m_text;
    if (m_lines == 1) {
        text.replace(QLatin1Char('\n'), QLatin1Char(' '));
        const QString cut = metrics.elidedText(text, Qt::ElideRight, width);
        elided = cut != text;
        return { cut };
    }
    text.replace(QLatin1Char('\n'), QChar::LineSeparator);
    QTextLayout layout(text, font());
    QTextOption option;
    option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    layout.setTextOption(option);
    layout.beginLayout();
    for (QTextLine line = layout.createLine(); line.isValid(); line = layout.createLine()) {
        line.setLineWidth(width);
        const int start = line.textStart();
        const bool last = result.size() + 1 == m_lines;
        const bool more = start + line.textLength() < text.size();
        if (last && more) {
            QString rest = text.mid(start);
            rest.replace(QChar::LineSeparator, QLatin1Char(' '));
            result.append(metrics.elidedText(rest, Qt::ElideRight, width));
            elided = true;
            break;
        }
        result.append(text.mid(start, line.textLength()).remove(QChar::LineSeparator));
    }
    layout.endLayout();
    return result;
}

void ElidedLabel::paintEvent(QPaintEvent* event)
{
    QFrame::paintEvent(event);
    QPainter painter(this);
    painter.setPen(palette().color(isEnabled() ? QPalette::Active : QPalette::Disabled, foregroundRole()));
    const QRect area = contentsRect();
    bool elided = false;
    const QStringList parts = lines(area.width(), elided);
    const int step = fontMetrics().lineSpacing();
    int y = area.top();
    if (m_lines == 1)
        y += std::max(0, (area.height() - fontMetrics().height()) / 2);
    for (const QString& part : parts) {
        painter.drawText(
            QRect(area.left(), y, area.width(), fontMetrics().height()), Qt::AlignLeft | Qt::AlignVCenter,
            part);
        y += step;
    }
}

void ElidedLabel::changeEvent(QEvent* event)
{
    QFrame::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange)
        updateGeometry();
}

void ElidedLabel::resizeEvent(QResizeEvent* event)
{
    QFrame::resizeEvent(event);
    updateTip();
}

int ElidedLabel::heightForWidth(int width) const
{
    const QMargins margins = contentsMargins();
    bool elided = false;
    const auto count = static_cast<int>(lines(width - margins.left() - margins.right(), elided).size());
    return std::max(1, count) * fontMetrics().lineSpacing() + margins.top() + margins.bottom();
}

QSize ElidedLabel::sizeHint() const
{
    const QMargins margins = contentsMargins();
    const int whole = fontMetrics().horizontalAdvance(m_text) + 1;
    const int share = m_lines == 1 ? whole : std::min(whole, 40 * fontMetrics().averageCharWidth());
    const int width = share + margins.left() + margins.right();
    return { width,
             m_lines == 1 ? fontMetrics().height() + margins.top() + margins.bottom()
                          : heightForWidth(width) };
}

QSize ElidedLabel::minimumSizeHint() const
{
    const QMargins margins = contentsMargins();
    return { fontMetrics().horizontalAdvance(QStringLiteral("mm…")) + margins.left() + margins.right(),
             fontMetrics().height() + margins.top() + margins.bottom() };
}

} // namespace lodestone::ui
