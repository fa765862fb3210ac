#include "ui/widgets/swatch.h"

#include "ui/plots/theme.h"

#include <QFontMetricsF>
#include <QPainter>
#include <cmath>

namespace lodestone::ui {

Swatch::Swatch(Theme& theme, Ink ink, Marker marker, const QString& text, QWidget* parent)
    : Control(theme, parent)
    , m_ink(ink)
    , m_marker(marker)
{
    setText(text);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

Swatch::~Swatch() = default;

void Swatch::setInk(Ink ink)
{
    m_ink = ink;
    update();
}

void Swatch::setMarker(Marker marker)
{
    m_marker = marker;
    update();
}

void Swatch::setText(const QString& text)
{
    m_text = text;
    setAccessibleName(text);
    updateGeometry();
    update();
}

void Swatch::paintEvent(QPaintEvent*)
{
    const Palette& p = look();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QPointF centre(p.px(6), height() / 2.0);
    if (m_marker == Marker::Square) {
        const double half = p.px(5);
        painter.setPen(Qt::NoPen);
        painter.setBrush(p.colour(m_ink));
        painter.drawRoundedRect(
            QRectF(centre - QPointF(half, half), QSizeF(2 * half, 2 * half)), p.px(3), p.px(3));
    } else {
        painter.fillPath(markerPath(m_marker, centre, p.px(4.2)), p.colour(m_ink));
    }
    if (m_text.isEmpty())
        return;
    painter.setFont(theme().font(p.fontSecondary));
    painter.setPen(p.secondary);
    painter.drawText(
        QRectF(p.px(16), 0, width() - p.px(16), height()), Qt::AlignLeft | Qt::AlignVCenter, m_text);
}

QSize Swatch::sizeHint() const
{
    const Palette& p = look();
    const QFontMetricsF metrics(theme().font(p.fontSecondary));
    const double text = m_text.isEmpty() ? 0 : p.px(4) + metrics.horizontalAdvance(m_text) + 1;
    return { static_cast<int>(std::ceil(p.px(12) + text)),
             static_cast<int>(std::ceil(std::max(p.px(16), metrics.height()))) };
}

} // namespace lodestone::ui
