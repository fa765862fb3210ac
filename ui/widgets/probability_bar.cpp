#include "ui/widgets/probability_bar.h"

#include "ui/plots/theme.h"

#include <QFontMetricsF>
#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestone::ui {

namespace {

constexpr double trackHeight = 6;
constexpr double tickHeight = 12;

int wholePercent(double probability) { return static_cast<int>(std::lround(100 * probability)); }

} // namespace

ProbabilityBar::ProbabilityBar(Theme& theme, QWidget* parent)
    : Control(theme, parent)
    , m_probability(std::numeric_limits<double>::quiet_NaN())
{
    setAccessibleName(tr("Which reply the judge prefers"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    describe();
}

ProbabilityBar::~ProbabilityBar() = default;

void ProbabilityBar::setProbability(double probability, std::optional<std::pair<double, double>> interval)
{
    m_probability = std::isfinite(probability) ? std::clamp(probability, 0.0, 1.0) : probability;
    m_interval = interval;
    describe();
    update();
}

void ProbabilityBar::setNote(const QString& note)
{
    m_note = note;
    describe();
    update();
}

void ProbabilityBar::setLabelsShown(bool on)
{
    m_labels = on;
    updateGeometry();
    update();
}

void ProbabilityBar::setInks(Ink a, Ink b)
{
    m_a = a;
    m_b = b;
    update();
}

void ProbabilityBar::describe()
{
    const QString answer = std::isfinite(m_probability)
        ? tr("A %1 %, B %2 %").arg(wholePercent(m_probability)).arg(100 - wholePercent(m_probability))
        : tr("no answer yet");
    setAccessibleDescription(m_note.isEmpty() ? answer : answer + QLatin1String("; ") + m_note);
}

void ProbabilityBar::paintEvent(QPaintEvent*)
{
    const Palette& p = look();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const double top = p.px((tickHeight - trackHeight) / 2);
    const QRectF bar(0, top, width(), p.px(trackHeight));
    const bool known = std::isfinite(m_probability);
    QPainterPath outline;
    outline.addRoundedRect(bar, p.px(2), p.px(2));
    painter.save();
    painter.setClipPath(outline);
    painter.fillRect(bar, known ? p.colour(m_b) : p.control);
    if (known) {
        const double split = bar.width() * m_probability;
        painter.fillRect(QRectF(bar.left(), bar.top(), split, bar.height()), p.colour(m_a));
        // A gap tells the parts apart without hue.
        if (m_probability > 0 && m_probability < 1)
            painter.fillRect(
                QRectF(bar.left() + split - p.px(0.75), bar.top(), p.px(1.5), bar.height()), p.panel);
    }
    painter.restore();
    painter.fillRect(
        QRectF(std::round(bar.center().x() - p.px(0.5)), 0, std::max(1.0, p.px(1)), p.px(tickHeight)),
        p.text);
    if (known && m_interval) {
        const double low = bar.width() * std::clamp(m_interval->first, 0.0, 1.0);
        const double high = bar.width() * std::clamp(m_interval->second, 0.0, 1.0);
        const double y = bar.center().y();
        painter.setPen(QPen(p.text, p.px(1.4)));
        painter.drawLine(QPointF(low, y), QPointF(high, y));
        for (const double end : { low, high }) {
            const double x = std::clamp(end, p.px(1), width() - p.px(1));
            painter.drawLine(QPointF(x, y - p.px(4)), QPointF(x, y + p.px(4)));
        }
    }
    if (!m_labels)
        return;
    const QFont font = theme().font(p.fontSmall);
    painter.setFont(font);
    const QRectF line(0, p.px(tickHeight + 4), width(), QFontMetricsF(font).height());
    if (known) {
        const bool first = m_probability >= 0.5;
        painter.setPen(first ? p.text : p.secondary);
        painter.drawText(
            line, Qt::AlignLeft | Qt::AlignVCenter, tr("A %1 %").arg(wholePercent(m_probability)));
        painter.setPen(first ? p.secondary : p.text);
        painter.drawText(
            line, Qt::AlignRight | Qt::AlignVCenter, tr("B %1 %").arg(100 - wholePercent(m_probability)));
    }
    painter.setPen(p.secondary);
    painter.drawText(line, Qt::AlignHCenter | Qt::AlignVCenter, m_note);
}

QSize ProbabilityBar::sizeHint() const
{
    const Palette& p = look();
    const double text = m_labels ? p.px(4) + QFontMetricsF(theme().font(p.fontSmall)).height() : 0;
    return { p.ipx(200), static_cast<int>(std::ceil(p.px(tickHeight) + text)) };
}

QSize ProbabilityBar::minimumSizeHint() const { return { look().ipx(96), sizeHint().height() }; }

} // namespace lodestone::ui
