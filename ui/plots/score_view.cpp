#include "ui/plots/score_view.h"

#include "ui/plots/csv.h"
#include "ui/plots/theme.h"

#include <QFontMetricsF>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {

ScoreView::ScoreView(Theme& theme, QWidget* parent)
    : ChartView(theme, parent)
{
    setAccessibleName(tr("Scores beside their baselines"));
    setWindow({ 0, 1 }, { 0, 1 });
}

ScoreView::~ScoreView() = default;

void ScoreView::setScores(QVector<ScoreMark> marks, QVector<ReferenceLine> baselines, const QString& title)
{
    m_marks = std::move(marks);
    m_baselines = std::move(baselines);
    AxisSpec x, y;
    x.title = title;
    x.ticks = 8;
    const auto count = static_cast<int>(m_marks.size());
    y.visible = false; // Qt Charts cuts names to a row's height; they are painted beside the rows
    double low = 0.45, high = 0.6;
    for (const ScoreMark& mark : std::as_const(m_marks))
        for (const double value : { mark.value, mark.low, mark.high, mark.beside })
            if (std::isfinite(value)) {
                low = std::min(low, value);
                high = std::max(high, value);
            }
    for (const ReferenceLine& line : std::as_const(m_baselines))
        if (std::isfinite(line.at)) {
            low = std::min(low, line.at);
            high = std::max(high, line.at);
        }
    setWindow(
        // Shares and AUCs end at 0; only cosines go below.
        { low < 0 ? std::max(-1.0, low - 0.03) : std::max(0.0, low - 0.03), std::min(1.0, high + 0.03) },
        { -0.5, std::max(0.5, count - 0.5) });
    setAxes(x, y);
    arrange();
    QStringList parts;
    for (const ScoreMark& mark : std::as_const(m_marks))
        if (std::isfinite(mark.value))
            parts << tr("%1 %2").arg(mark.name, ui::number(mark.value, 2));
    for (const ReferenceLine& line : std::as_const(m_baselines))
        parts << tr("baseline %1 %2").arg(line.label, ui::number(line.at, 2));
    setAccessibleDescription(parts.join(QLatin1String("; ")));
}

void ScoreView::setShares(bool on)
{
    m_shares = on;
    viewport()->update();
}

std::vector<ScoreView::Label> ScoreView::labels() const
{
    const QFontMetricsF metrics(theme().font(look().fontSmall));
    std::vector<Label> result;
    for (const ReferenceLine& line : m_baselines)
        if (std::isfinite(line.at))
            result.push_back({ line.at, metrics.horizontalAdvance(line.label), 0, line.label, line.ink });
    std::sort(result.begin(), result.end(), [](const Label& a, const Label& b) { return a.x < b.x; });
    for (std::size_t i = 0; i < result.size(); ++i)
        for (bool moved = true; moved;) {
            moved = false;
            for (std::size_t j = 0; j < i; ++j) {
                const double distance
                    = std::abs(toWidget({ result[i].x, 0 }).x() - toWidget({ result[j].x, 0 }).x());
                if (result[i].level == result[j].level
                    && distance < (result[i].width + result[j].width) / 2 + look().px(8)) {
                    ++result[i].level;
                    moved = true;
                }
            }
        }
    return result;
}

void ScoreView::arrange()
{
    int levels = 0;
    for (const Label& label : labels())
        levels = std::max(levels, label.level + 1);
    const QFontMetricsF metrics(theme().font(look().fontSmall));
    double names = 0;
    for (const ScoreMark& mark : std::as_const(m_marks))
        names = std::max(names, metrics.horizontalAdvance(mark.name));
    setExtraMargins({ names + look().px(8), levels * metrics.lineSpacing(), look().px(24), 0 });
    const QMarginsF margins = extraMargins();
    setMinimumHeight(static_cast<int>(
        margins.top() + static_cast<double>(m_marks.size()) * metrics.lineSpacing() + look().px(56)));
}

void ScoreView::restyle()
{
    ChartView::restyle();
    arrange();
}

void ScoreView::paintOver(QPainter& painter)
{
    const Palette& p = look();
    const QRectF area = plotArea();
    const QFont small = theme().font(p.fontSmall);
    const QFontMetricsF metrics(small);
    painter.setFont(small);
    for (const Label& label : labels()) {
        const double x = toWidget({ label.x, 0 }).x();
        QPen pen(p.colour(label.ink), p.px(1));
        pen.setDashPattern({ 4, 4 });
        painter.setPen(pen);
        painter.drawLine(
            QPointF(x, area.top() - label.level * metrics.lineSpacing()), QPointF(x, area.bottom()));
        const double left = std::clamp(
            x - label.width / 2, area.left(), std::max(area.left(), viewport()->width() - label.width));
        drawHaloText(
            painter, { left, area.top() - label.level * metrics.lineSpacing() - metrics.descent() - p.px(1) },
            label.text, small, p.textColour(label.ink));
    }
    for (int i = 0; i < m_marks.size(); ++i) {
        const ScoreMark& mark = m_marks[i];
        const double y = static_cast<double>(m_marks.size()) - 1 - i;
        const double middle = toWidget({ 0, y }).y();
        painter.setPen(QPen(p.grid, 1));
        painter.drawLine(QPointF(area.left(), middle), QPointF(area.right(), middle));
        painter.setPen(p.text);
        painter.drawText(
            QRectF(0, middle - metrics.lineSpacing(), area.left() - p.px(6), 2 * metrics.lineSpacing()),
            Qt::AlignRight | Qt::AlignVCenter, mark.name);
        if (std::isfinite(mark.beside)) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(p.secondary);
            painter.drawEllipse(toWidget({ mark.beside, y }), p.px(3), p.px(3));
        }
        if (!std::isfinite(mark.value))
            continue;
        const QPointF at = toWidget({ mark.value, y });
        const QColor colour = p.colour(mark.ink);
        if (std::isfinite(mark.low) && std::isfinite(mark.high)) {
            const double from = toWidget({ mark.low, y }).x(), to = toWidget({ mark.high, y }).x();
            const double cap = p.px(4);
            painter.setPen(QPen(colour, p.lineWidth));
            painter.drawLine(QPointF(from, at.y()), QPointF(to, at.y()));
            painter.drawLine(QPointF(from, at.y() - cap), QPointF(from, at.y() + cap));
            painter.drawLine(QPointF(to, at.y() - cap), QPointF(to, at.y() + cap));
        }
        painter.setPen(QPen(surfaceColour(), p.px(1.5)));
        painter.setBrush(colour);
        painter.drawEllipse(at, p.px(4.5), p.px(4.5));
        painter.setPen(p.text);
        const QString text = m_shares ? QString::number(std::lround(100 * mark.value))
                                      : ui::number(mark.value, 2, false, true);
        painter.drawText(QPointF(area.right() + p.px(6), at.y() + metrics.ascent() / 2 - p.px(1)), text);
    }
}

QString ScoreView::csv() const
{
    const bool beside = std::any_of(
        m_marks.begin(), m_marks.end(), [](const ScoreMark& mark) { return std::isfinite(mark.beside); });
    QString text = QStringLiteral("name,value,low,high");
    text += beside ? QStringLiteral(",beside\n") : QStringLiteral("\n");
    for (const ScoreMark& mark : m_marks) {
        text += csvField(mark.name) + QLatin1Char(',') + csvField(mark.value) + QLatin1Char(',')
            + csvField(mark.low) + QLatin1Char(',') + csvField(mark.high);
        if (beside)
            text += QLatin1Char(',') + csvField(mark.beside);
        text += QLatin1Char('\n');
    }
    for (const ReferenceLine& line : m_baselines)
        text += csvField(line.label) + QLatin1Char(',') + csvField(line.at)
            + (beside ? QStringLiteral(",,,\n") : QStringLiteral(",,\n"));
    return text;
}

} // namespace lodestone::ui
