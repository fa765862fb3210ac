#include "ui/widgets/interval_rows.h"

#include "core/plot/ticks.h"
#include "ui/plots/theme.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {

IntervalRows::IntervalRows(Theme& theme, QWidget* parent)
    : Control(theme, parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

IntervalRows::~IntervalRows() = default;

void IntervalRows::setRows(QVector<IntervalRow> rows)
{
    m_rows = std::move(rows);
    m_low = 0;
    m_high = 0;
    for (const IntervalRow& row : m_rows)
        for (const double value : { row.value, row.low, row.high })
            if (std::isfinite(value)) {
                m_low = std::min(m_low, value);
                m_high = std::max(m_high, value);
            }
    if (!(m_high > m_low))
        m_high = m_low + 1;
    const double pad = 0.04 * (m_high - m_low);
    m_low -= m_low < 0 ? pad : 0;
    m_high += pad;
    m_current = m_current < m_rows.size() ? m_current : -1;
    describe();
    updateGeometry();
    update();
}

void IntervalRows::setAxisTitle(const QString& title)
{
    m_axis = title;
    update();
}

void IntervalRows::setCompact(bool on)
{
    m_compact = on;
    updateGeometry();
    update();
}

int IntervalRows::rowHeight() const { return look().ipx(m_compact ? 24 : 34); }

QRectF IntervalRows::plot() const
{
    const double left = std::min(look().px(230), width() * 0.36);
    const QFontMetricsF metrics(theme().font(look().fontText, QFont::Medium));
    double right = look().px(150); // for the rows' numbers
    for (const IntervalRow& row : m_rows)
        right = std::max(right, metrics.horizontalAdvance(row.text) + look().px(20));
    return { left, look().px(m_compact ? 4 : 40), std::max(40.0, width() - left - right),
             static_cast<double>(m_rows.size()) * rowHeight() };
}

QRect IntervalRows::rowRect(int row) const
{
    return { 0, static_cast<int>(plot().top()) + row * rowHeight(), width(), rowHeight() };
}

double IntervalRows::positionOf(double value) const
{
    const QRectF area = plot();
    return area.left() + area.width() * (value - m_low) / (m_high - m_low);
}

QSize IntervalRows::sizeHint() const
{
    return { look().ipx(700),
             static_cast<int>(m_rows.size()) * rowHeight() + look().ipx(m_compact ? 8 : 44) };
}

QSize IntervalRows::minimumSizeHint() const { return { look().ipx(360), sizeHint().height() }; }

void IntervalRows::restyle()
{
    updateGeometry();
    update();
}

void IntervalRows::describe()
{
    QStringList lines;
    for (const IntervalRow& row : m_rows)
        lines << QStringLiteral("%1: %2").arg(row.title, std::isfinite(row.value) ? row.text : row.note);
    setAccessibleDescription(lines.join(QStringLiteral("; ")));
}

void IntervalRows::choose(int row)
{
    if (row < 0 || row >= m_rows.size() || row == m_current)
        return;
    m_current = row;
    update();
    Q_EMIT currentChanged(row);
}

bool IntervalRows::event(QEvent* event)
{
    if (event->type() != QEvent::ToolTip)
        return Control::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    QString words;
    for (int i = 0; i < m_rows.size(); ++i)
        if (rowRect(i).contains(help->pos()))
            words = m_rows[i].title
                + (m_rows[i].note.isEmpty() ? QString() : QLatin1Char('\n') + m_rows[i].note);
    QToolTip::showText(help->globalPos(), words, this);
    return true;
}

void IntervalRows::mousePressEvent(QMouseEvent* event)
{
    choose(static_cast<int>((event->position().y() - plot().top()) / rowHeight()));
}

void IntervalRows::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Down)
        choose(m_current + 1);
    else if (event->key() == Qt::Key_Up)
        choose(m_current < 0 ? static_cast<int>(m_rows.size()) - 1 : m_current - 1);
    else {
        Control::keyPressEvent(event);
        return;
    }
    Control::keyPressEvent(event);
    event->accept();
}

void IntervalRows::paintEvent(QPaintEvent*)
{
    if (m_rows.isEmpty())
        return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF area = plot();
    const QFont name = theme().font(look().fontText), small = theme().font(look().fontSmall),
                strong = theme().font(look().fontText, QFont::Medium);
    // The scale stands above: a list longer than its place scrolls from the top.
    painter.setFont(small);
    const plot::Ticks ticks = plot::niceTicks(m_low, m_high, 5);
    for (const double tick : ticks.values) {
        const double x = positionOf(tick);
        painter.setPen(QPen(std::abs(tick) < 1e-12 ? look().axis : look().grid, 1));
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
        if (m_compact)
            continue;
        painter.setPen(look().secondary);
        painter.drawText(
            QRectF(x - look().px(40), area.top() - look().px(18), look().px(80), look().px(16)),
            Qt::AlignCenter, ui::number(tick, ticks.decimals));
    }
    // The axis' name is often wider than the axis, and has the whole width.
    if (!m_compact) {
        painter.setPen(look().secondary);
        painter.drawText(
            QRectF(0, look().px(4), width() - look().px(8), look().px(18)), Qt::AlignRight | Qt::AlignVCenter,
            QFontMetricsF(small).elidedText(m_axis, Qt::ElideRight, width() - look().px(8)));
    }
    for (int i = 0; i < m_rows.size(); ++i) {
        const IntervalRow& row = m_rows[i];
        const QRectF cell(rowRect(i));
        if (i == m_current) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(withAlpha(look().accent, 0.10));
            painter.drawRoundedRect(cell.adjusted(0, 1, 0, -1), look().radiusControl, look().radiusControl);
        }
        const bool two = !m_compact && !row.note.isEmpty();
        const double textWidth = area.left() - look().px(16);
        const auto elided = [&](const QString& text, const QFont& font) {
            return QFontMetricsF(font).elidedText(text, Qt::ElideRight, textWidth);
        };
        painter.setFont(name);
        painter.setPen(look().text);
        painter.drawText(
            QRectF(
                look().px(8), cell.top() + (two ? look().px(2) : 0), textWidth,
                two ? cell.height() / 2 : cell.height()),
            Qt::AlignVCenter, elided(row.title, name));
        if (two) {
            painter.setFont(small);
            painter.setPen(look().faint);
            painter.drawText(
                QRectF(look().px(8), cell.center().y(), textWidth, cell.height() / 2 - look().px(2)),
                Qt::AlignVCenter, elided(row.note, small));
        }
        if (!std::isfinite(row.value))
            continue;
        const QColor colour = look().colour(row.ink);
        const double y = cell.center().y(), x = positionOf(row.value);
        if (std::isfinite(row.low) && std::isfinite(row.high)) {
            painter.setPen(QPen(colour, look().lineWidth, Qt::SolidLine, Qt::FlatCap));
            const double a = positionOf(row.low), b = positionOf(row.high), cap = look().px(4);
            painter.drawLine(QPointF(a, y), QPointF(b, y));
            painter.drawLine(QPointF(a, y - cap), QPointF(a, y + cap));
            painter.drawLine(QPointF(b, y - cap), QPointF(b, y + cap));
        }
        painter.setPen(QPen(colour, look().lineWidth));
        painter.setBrush(row.hollow ? look().ground : colour);
        painter.drawEllipse(QPointF(x, y), look().px(4.5), look().px(4.5));
        painter.setFont(strong);
        painter.setPen(look().text);
        painter.drawText(
            QRectF(
                area.right() + look().px(10), cell.top(), width() - area.right() - look().px(10),
                cell.height()),
            Qt::AlignVCenter, row.text);
    }
    if (focusVisible())
        drawFocusRing(painter, QRectF(rect()).adjusted(1, 1, -1, -1), look().radiusControl);
}

} // namespace lodestone::ui
