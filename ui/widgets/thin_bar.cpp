#include "ui/widgets/thin_bar.h"

#include <QPainter>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {

ThinBar::ThinBar(Theme& theme, QWidget* parent)
    : Control(theme, parent)
{
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

ThinBar::~ThinBar() = default;

void ThinBar::setFraction(double fraction)
{
    m_fraction = fraction >= 0 ? std::min(fraction, 1.0) : -1;
    setAccessibleDescription(
        m_fraction < 0 ? tr("under way") : tr("%1 %").arg(std::lround(100 * m_fraction)));
    update();
}

void ThinBar::paintEvent(QPaintEvent*)
{
    const Palette& p = look();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    const QRectF bar(0, (height() - p.grooveHeight) / 2.0, width(), p.grooveHeight);
    const double radius = bar.height() / 2;
    painter.setBrush(p.control);
    painter.drawRoundedRect(bar, radius, radius);
    painter.setBrush(p.accent);
    if (m_fraction < 0)
        painter.drawRoundedRect(
            QRectF(bar.left() + bar.width() / 3, bar.top(), bar.width() / 3, bar.height()), radius, radius);
    else if (m_fraction > 0)
        painter.drawRoundedRect(
            QRectF(bar.left(), bar.top(), std::max(bar.height(), bar.width() * m_fraction), bar.height()),
            radius, radius);
}

QSize ThinBar::sizeHint() const { return { look().ipx(120), look().ipx(12) }; }

} // namespace lodestone::ui
