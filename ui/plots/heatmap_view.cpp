#include "ui/plots/heatmap_view.h"

#include "ui/plots/csv.h"
#include "ui/plots/theme.h"

#include <QFontMetricsF>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {

namespace {

constexpr double widestLabel = 160; // pixels at scale 1; longer labels are elided
constexpr double widestCell = 96;
constexpr double highestCell = 40;
constexpr double dot = 8;

} // namespace

HeatmapView::HeatmapView(Theme& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Table of numbers"));
    connect(&m_theme, &Theme::changed, this, [this] {
        updateGeometry();
        update();
    });
}

HeatmapView::~HeatmapView() = default;

bool HeatmapView::setData(QStringList rows, QStringList columns, std::vector<double> values)
{
    if (values.size() != static_cast<std::size_t>(rows.size()) * static_cast<std::size_t>(columns.size()))
        return false;
    m_rows = std::move(rows);
    m_columns = std::move(columns);
    m_values = std::move(values);
    m_hovered.reset();
    const auto outside = [this](const std::pair<int, int>& cell) {
        return cell.first >= m_rows.size() || cell.second >= m_columns.size();
    };
    if (m_selected && outside(*m_selected))
        m_selected.reset();
    if (outside(m_focus))
        m_focus = { 0, 0 };
    describe();
    updateGeometry();
    update();
    return true;
}

void HeatmapView::setScale(double low, double middle, double high)
{
    if (!(low < middle && middle < high))
        return;
    m_low = low;
    m_middle = middle;
    m_high = high;
    update();
}

void HeatmapView::setFormat(int decimals, bool bare)
{
    m_decimals = decimals;
    m_bare = bare;
    update();
}

void HeatmapView::setTitles(QString rowTitle, QString columnTitle)
{
    m_rowTitle = std::move(rowTitle);
    m_columnTitle = std::move(columnTitle);
    updateGeometry();
    update();
}

void HeatmapView::setInks(QVector<Ink> rows, QVector<Ink> columns)
{
    m_rowInks = std::move(rows);
    m_columnInks = std::move(columns);
    updateGeometry();
    update();
}

void HeatmapView::setSelectedCell(std::optional<std::pair<int, int>> cell)
{
    m_selected = cell;
    update();
}

double HeatmapView::value(int row, int column) const
{
    if (row < 0 || column < 0 || row >= m_rows.size() || column >= m_columns.size())
        return std::nan("");
    return m_values
        [static_cast<std::size_t>(row) * static_cast<std::size_t>(m_columns.size())
         + static_cast<std::size_t>(column)];
}

int HeatmapView::rowLabelWidth() const
{
    const Palette& p = m_theme.palette();
    const QFontMetricsF metrics(m_theme.font(p.fontSecondary));
    double width = 0;
    for (const QString& label : m_rows)
        width = std::max(width, metrics.horizontalAdvance(label));
    width = std::min(width, p.px(widestLabel));
    if (!m_rowInks.isEmpty())
        width += p.px(dot + 6);
    return static_cast<int>(
        std::ceil(width + p.px(10) + (m_rowTitle.isEmpty() ? 0 : metrics.height() + p.px(4))));
}

int HeatmapView::columnLabelHeight() const
{
    const Palette& p = m_theme.palette();
    const double line = QFontMetricsF(m_theme.font(p.fontSecondary)).height();
    return static_cast<int>(std::ceil(line + p.px(8) + (m_columnTitle.isEmpty() ? 0 : line + p.px(4))));
}

QRectF HeatmapView::gridRect() const
{
    const Palette& p = m_theme.palette();
    const double left = rowLabelWidth();
    const double top = columnLabelHeight();
    const auto columns = static_cast<double>(std::max<qsizetype>(1, m_columns.size()));
    const auto rows = static_cast<double>(std::max<qsizetype>(1, m_rows.size()));
    const double cellWidth
        = std::floor(std::clamp((width() - left - p.px(2)) / columns, p.px(16), p.px(widestCell)));
    const double cellHeight
        = std::floor(std::clamp((height() - top - p.px(2)) / rows, p.px(15), p.px(highestCell)));
    return { left, top, cellWidth * columns, cellHeight * rows };
}

QRect HeatmapView::cellRect(int row, int column) const
{
    if (m_rows.isEmpty() || m_columns.isEmpty())
        return {};
    const QRectF grid = gridRect();
    const double cellWidth = grid.width() / static_cast<double>(m_columns.size());
    const double cellHeight = grid.height() / static_cast<double>(m_rows.size());
    return QRectF(grid.left() + column * cellWidth, grid.top() + row * cellHeight, cellWidth, cellHeight)
        .toRect();
}

std::optional<std::pair<int, int>> HeatmapView::cellAt(QPoint place) const
{
    const QRectF grid = gridRect();
    if (m_rows.isEmpty() || m_columns.isEmpty() || !grid.contains(place))
        return std::nullopt;
    const int column
        = static_cast<int>((place.x() - grid.left()) / grid.width() * static_cast<double>(m_columns.size()));
    const int row
        = static_cast<int>((place.y() - grid.top()) / grid.height() * static_cast<double>(m_rows.size()));
    return std::pair(
        std::min(row, static_cast<int>(m_rows.size()) - 1),
        std::min(column, static_cast<int>(m_columns.size()) - 1));
}

double HeatmapView::position(double value) const
{
    return std::clamp(
        value < m_middle ? (value - m_middle) / (m_middle - m_low) : (value - m_middle) / (m_high - m_middle),
        -1.0, 1.0);
}

void HeatmapView::paintEvent(QPaintEvent*)
{
    const Palette& p = m_theme.palette();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF grid = gridRect();
    const QFont labelFont = m_theme.font(p.fontSecondary);
    const QFontMetricsF metrics(labelFont);
    painter.setFont(labelFont);
    painter.setPen(p.secondary);
    if (!m_columnTitle.isEmpty())
        painter.drawText(
            QRectF(grid.left(), 0, grid.width(), metrics.height()), Qt::AlignCenter, m_columnTitle);
    if (!m_rowTitle.isEmpty()) {
        painter.save();
        painter.translate(0, grid.center().y());
        painter.rotate(-90);
        painter.drawText(
            QRectF(-grid.height() / 2, 0, grid.height(), metrics.height()), Qt::AlignCenter, m_rowTitle);
        painter.restore();
    }
    const auto drawDot = [&](QPointF centre, Ink ink) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(p.colour(ink));
        const double half = p.px(dot) / 2;
        painter.drawRoundedRect(
            QRectF(centre - QPointF(half, half), QSizeF(2 * half, 2 * half)), p.px(2), p.px(2));
    };
    const double labelGap = p.px(10);
    for (int row = 0; row < m_rows.size(); ++row) {
        const QRectF cell = cellRect(row, 0);
        double right = cell.left() - labelGap;
        const double room = std::min(p.px(widestLabel), right);
        const QString text = metrics.elidedText(m_rows[row], Qt::ElideRight, room);
        painter.setPen(m_hovered && m_hovered->first == row ? p.text : p.secondary);
        painter.drawText(
            QRectF(right - room, cell.top(), room, cell.height()), Qt::AlignRight | Qt::AlignVCenter, text);
        if (row < m_rowInks.size())
            drawDot(
                { right - metrics.horizontalAdvance(text) - p.px(6 + dot / 2), cell.center().y() },
                m_rowInks[row]);
    }
    for (int column = 0; column < m_columns.size(); ++column) {
        const QRectF cell = cellRect(0, column);
        const bool dotted = column < m_columnInks.size();
        const double dotRoom = dotted ? p.px(dot + 6) : 0;
        const QString text
            = metrics.elidedText(m_columns[column], Qt::ElideRight, cell.width() - p.px(8) - dotRoom);
        const double textWidth = metrics.horizontalAdvance(text);
        const double left = cell.center().x() - (textWidth + dotRoom) / 2;
        const double baseline = grid.top() - p.px(8);
        painter.setPen(m_hovered && m_hovered->second == column ? p.text : p.secondary);
        painter.drawText(QPointF(left + dotRoom, baseline), text);
        if (dotted)
            drawDot({ left + p.px(dot / 2), baseline - metrics.capHeight() / 2 }, m_columnInks[column]);
    }
    const QFont cellFont = m_theme.font(p.fontSecondary, QFont::Medium);
    painter.setFont(cellFont);
    for (int row = 0; row < m_rows.size(); ++row) {
        for (int column = 0; column < m_columns.size(); ++column) {
            const double number = value(row, column);
            const QRectF cell = QRectF(cellRect(row, column)).adjusted(p.px(1), p.px(1), -p.px(1), -p.px(1));
            painter.setPen(Qt::NoPen);
            if (!std::isfinite(number)) {
                painter.setBrush(Qt::NoBrush);
                painter.setPen(p.faint);
                painter.drawText(cell, Qt::AlignCenter, QStringLiteral("–"));
                continue;
            }
            const QColor back = rampColour(p, position(number));
            painter.setBrush(back);
            painter.drawRoundedRect(cell, p.px(3), p.px(3));
            const QString text = ui::number(number, m_decimals, false, m_bare);
            if (QFontMetricsF(cellFont).horizontalAdvance(text) <= cell.width()) {
                painter.setPen(readableOn(back));
                painter.drawText(cell, Qt::AlignCenter, text);
            }
        }
    }
    const auto frame = [&](const std::pair<int, int>& cell, const QColor& colour, double width) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(colour, width));
        painter.drawRoundedRect(QRectF(cellRect(cell.first, cell.second)), p.px(4), p.px(4));
    };
    if (m_hovered)
        frame(*m_hovered, p.text, p.px(1.5));
    if (m_selected)
        frame(*m_selected, p.accent, p.px(2));
    if (m_focusVisible && hasFocus() && !m_rows.isEmpty() && !m_columns.isEmpty())
        frame(m_focus, p.accent, p.px(2));
}

void HeatmapView::mouseMoveEvent(QMouseEvent* event)
{
    const auto cell = cellAt(event->position().toPoint());
    if (cell == m_hovered)
        return;
    m_hovered = cell;
    update();
    Q_EMIT cellHovered(cell ? cell->first : -1, cell ? cell->second : -1);
}

void HeatmapView::mouseReleaseEvent(QMouseEvent* event)
{
    const auto cell = cellAt(event->position().toPoint());
    if (event->button() != Qt::LeftButton || !cell)
        return;
    m_focus = *cell;
    Q_EMIT cellClicked(cell->first, cell->second);
}

void HeatmapView::leaveEvent(QEvent*)
{
    if (!m_hovered)
        return;
    m_hovered.reset();
    update();
    Q_EMIT cellHovered(-1, -1);
}

void HeatmapView::keyPressEvent(QKeyEvent* event)
{
    if (m_rows.isEmpty() || m_columns.isEmpty())
        return event->ignore();
    std::pair<int, int> next = m_focus;
    switch (event->key()) {
    case Qt::Key_Left:
        --next.second;
        break;
    case Qt::Key_Right:
        ++next.second;
        break;
    case Qt::Key_Up:
        --next.first;
        break;
    case Qt::Key_Down:
        ++next.first;
        break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        Q_EMIT cellClicked(m_focus.first, m_focus.second);
        return;
    default:
        return event->ignore();
    }
    next.first = std::clamp(next.first, 0, static_cast<int>(m_rows.size()) - 1);
    next.second = std::clamp(next.second, 0, static_cast<int>(m_columns.size()) - 1);
    m_focusVisible = true;
    update();
    if (next == m_focus)
        return;
    m_focus = next;
    Q_EMIT cellHovered(next.first, next.second);
}

void HeatmapView::focusInEvent(QFocusEvent* event)
{
    m_focusVisible = event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason;
    update();
}

void HeatmapView::focusOutEvent(QFocusEvent*)
{
    m_focusVisible = false;
    update();
}

void HeatmapView::describe()
{
    QStringList lines;
    for (int row = 0; row < m_rows.size(); ++row)
        for (int column = 0; column < m_columns.size(); ++column)
            if (std::isfinite(value(row, column)) && lines.size() < 100)
                lines.append(tr("%1 and %2: %3")
                                 .arg(
                                     m_rows[row], m_columns[column],
                                     ui::number(value(row, column), m_decimals, false, m_bare)));
    setAccessibleDescription(lines.join(QLatin1String("; ")));
}

QString HeatmapView::csv() const
{
    QString text;
    for (const QString& column : m_columns)
        text += QLatin1Char(',') + csvField(column);
    text += QLatin1Char('\n');
    for (int row = 0; row < m_rows.size(); ++row) {
        text += csvField(m_rows[row]);
        for (int column = 0; column < m_columns.size(); ++column)
            text += QLatin1Char(',') + csvField(value(row, column));
        text += QLatin1Char('\n');
    }
    return text;
}

QImage HeatmapView::image(double scale)
{
    QImage result((QSizeF(size()) * scale).toSize(), QImage::Format_ARGB32_Premultiplied);
    result.setDevicePixelRatio(scale);
    result.fill(m_theme.palette().panel);
    render(&result, {}, {}, QWidget::DrawChildren);
    return result;
}

QSize HeatmapView::sizeHint() const
{
    const Palette& p = m_theme.palette();
    return { rowLabelWidth() + p.ipx(64) * static_cast<int>(m_columns.size()) + p.ipx(4),
             columnLabelHeight() + p.ipx(28) * static_cast<int>(m_rows.size()) + p.ipx(4) };
}

QSize HeatmapView::minimumSizeHint() const
{
    const Palette& p = m_theme.palette();
    return { rowLabelWidth() + p.ipx(28) * static_cast<int>(m_columns.size()) + p.ipx(4),
             columnLabelHeight() + p.ipx(15) * static_cast<int>(m_rows.size()) + p.ipx(4) };
}

} // namespace lodestone::ui
