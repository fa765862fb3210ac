#include "ui/plots/scatter_view.h"
#include "ui/plots/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QToolTip>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

// What the user does with the cloud: hover, pin, select, pan and zoom, by mouse and by keyboard.

namespace lodestone::ui {

void ScatterView::hover(int point, bool tell)
{
    if (m_hovered == point)
        return;
    m_hovered = point;
    viewport()->update();
    if (!tell)
        return;
    Q_EMIT hovered(point);
    if (!m_tip)
        return;
    if (point < 0)
        QToolTip::hideText();
    else
        QToolTip::showText(viewport()->mapToGlobal(positionOf(point)), m_tip(point), viewport());
}

void ScatterView::pin(int point)
{
    m_pinned = point;
    if (point >= 0)
        m_focus = point;
    viewport()->update();
    Q_EMIT clicked(point);
}

void ScatterView::select(std::vector<int> points, bool add)
{
    QVector<int> result(points.begin(), points.end());
    if (add) {
        result += m_selection;
        std::sort(result.begin(), result.end());
        result.erase(std::unique(result.begin(), result.end()), result.end());
    }
    setSelection(result);
    Q_EMIT selected(m_selection);
}

void ScatterView::step(double x, double y)
{
    int next = -1;
    if (m_focus < 0 || m_focus >= pointCount()) {
        // The first arrow starts in the middle of what is on screen.
        m_focus = -1;
        const double width = windowX().high - windowX().low;
        const double height = windowY().high - windowY().low;
        next = m_pinned >= 0
            ? m_pinned
            : index().nearest({ windowX().low + width / 2, windowY().low + height / 2 }, width, height);
    } else {
        const auto i = static_cast<std::size_t>(m_focus);
        next = index().nearestInDirection(
            { m_x[i], m_y[i] }, x, y, (windowX().high - windowX().low) / plotArea().width(),
            (windowY().high - windowY().low) / plotArea().height());
    }
    if (next < 0)
        return;
    m_focus = next;
    hover(next, true);
    viewport()->update();
}

void ScatterView::mousePressEvent(QMouseEvent* event)
{
    m_pressed = m_last = event->position();
    m_moved = false;
    const bool pans = event->button() == Qt::MiddleButton
        || (event->button() == Qt::LeftButton && (m_space || m_tool == Tool::Pan));
    if (pans) {
        m_drag = Drag::Pan;
        viewport()->setCursor(Qt::ClosedHandCursor);
    } else if (event->button() == Qt::LeftButton && plotArea().contains(m_pressed)) {
        m_drag = Drag::Select;
        m_add = event->modifiers().testFlag(Qt::ShiftModifier);
        m_lasso = QPolygonF{ m_pressed };
    } else {
        event->ignore();
        return;
    }
    event->accept();
}

void ScatterView::mouseMoveEvent(QMouseEvent* event)
{
    const QPointF now = event->position();
    if (m_drag == Drag::None) {
        const int guest = guestAt(now);
        hover(guest < 0 ? pointAt(now.toPoint()) : -1, true);
        if (guest != m_hoveredGuest) {
            m_hoveredGuest = guest;
            if (guest >= 0)
                QToolTip::showText(
                    viewport()->mapToGlobal(toWidget(m_guests[guest].at).toPoint()), m_guests[guest].tip,
                    viewport());
            else if (m_hovered < 0)
                QToolTip::hideText();
        }
        return;
    }
    // A hand that shakes during a click draws no box.
    if (!m_moved && (now - m_pressed).manhattanLength() >= look().px(4))
        m_moved = true;
    if (m_drag == Drag::Pan) {
        const QPointF shift = toData(m_last) - toData(now);
        m_fitted = false;
        m_layerStale = true;
        setWindow(
            { windowX().low + shift.x(), windowX().high + shift.x() },
            { windowY().low + shift.y(), windowY().high + shift.y() });
    } else if (m_tool == Tool::Lasso) {
        m_lasso << QPointF(
            std::clamp(now.x(), plotArea().left(), plotArea().right()),
            std::clamp(now.y(), plotArea().top(), plotArea().bottom()));
    }
    m_last = now;
    viewport()->update();
}

void ScatterView::mouseReleaseEvent(QMouseEvent* event)
{
    const Drag drag = m_drag;
    m_drag = Drag::None;
    viewport()->unsetCursor();
    viewport()->update();
    if (drag == Drag::None)
        return;
    if (!m_moved) {
        // In the pan tool, too, a click without a drag means the point.
        if (event->button() == Qt::LeftButton)
            pin(pointAt(event->position().toPoint()));
        return;
    }
    if (drag != Drag::Select)
        return;
    if (m_tool == Tool::Lasso) {
        std::vector<plot::Point> corners;
        for (const QPointF& corner : std::as_const(m_lasso)) {
            const QPointF at = toData(corner);
            corners.push_back({ at.x(), at.y() });
        }
        select(index().inPolygon(corners), m_add);
    } else {
        const QPointF a = toData(m_pressed);
        const QPointF b = toData(event->position());
        select(index().inRectangle({ a.x(), a.y() }, { b.x(), b.y() }), m_add);
    }
}

void ScatterView::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton)
        return;
    m_drag = Drag::None;
    fit();
}

void ScatterView::wheelEvent(QWheelEvent* event)
{
    const double turns = event->angleDelta().y() / 120.0;
    if (turns != 0 && plotArea().contains(event->position()))
        zoom(std::pow(1.2, turns), event->position());
    event->accept();
}

void ScatterView::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Left:
        return step(-1, 0);
    case Qt::Key_Right:
        return step(1, 0);
    case Qt::Key_Up:
        return step(0, 1);
    case Qt::Key_Down:
        return step(0, -1);
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (m_focus >= 0)
            pin(m_focus);
        return;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return zoom(1.25, plotArea().center());
    case Qt::Key_Minus:
        return zoom(0.8, plotArea().center());
    case Qt::Key_0:
    case Qt::Key_Home:
        return fit();
    case Qt::Key_Space:
        if (!event->isAutoRepeat()) {
            m_space = true;
            viewport()->setCursor(Qt::OpenHandCursor);
        }
        return;
    case Qt::Key_Escape:
        if (m_drag != Drag::None) {
            m_drag = Drag::None;
            viewport()->update();
            return;
        }
        if (m_pinned < 0 && m_selection.isEmpty())
            break;
        if (!m_selection.isEmpty())
            select({}, false);
        if (m_pinned >= 0)
            pin(-1);
        return;
    default:
        break;
    }
    ChartView::keyPressEvent(event);
}

void ScatterView::keyReleaseEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Space && !event->isAutoRepeat()) {
        m_space = false;
        viewport()->unsetCursor();
        return;
    }
    event->ignore();
}

void ScatterView::leaveEvent(QEvent* event)
{
    hover(-1, true);
    ChartView::leaveEvent(event);
}

} // namespace lodestone::ui
