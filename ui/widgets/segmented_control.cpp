#include "ui/widgets/segmented_control.h"

#include "ui/plots/theme.h"

#include <QButtonGroup>
#include <QCoreApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPushButton>
#include <QResizeEvent>
#include <QStyle>
#include <algorithm>

namespace lodestone::ui {
namespace {

constexpr int spareMargin = 6; // pixels on either side that the style sheet takes from a tight segment

} // namespace

SegmentedControl::SegmentedControl(QWidget* parent)
    : QWidget(parent)
    , m_group(new QButtonGroup(this))
{
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(1, 1, 1, 1); // inside the frame's line
    row->setSpacing(0);
    setProperty("look", QStringLiteral("segments"));
    setAttribute(Qt::WA_StyledBackground);
    setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    connect(m_group, &QButtonGroup::idToggled, this, [this](int id, bool on) {
        // Only what the user toggles is told: setCurrent blocks the group.
        if (on)
            Q_EMIT currentChanged(id);
    });
}

SegmentedControl::~SegmentedControl() = default;

void SegmentedControl::setSegments(const QStringList& texts)
{
    const QSignalBlocker quiet(m_group);
    qDeleteAll(m_buttons);
    m_buttons.clear();
    m_texts = texts;
    for (int i = 0; i < texts.size(); ++i) {
        auto* button = new QPushButton(texts[i], this);
        button->setObjectName(QStringLiteral("segment%1").arg(i));
        button->setCheckable(true);
        setLook(*button, Look::Segment);
        button->setAutoDefault(false);
        button->installEventFilter(this);
        layout()->addWidget(button);
        m_group->addButton(button, i);
        m_buttons.append(button);
        button->setChecked(i == 0);
    }
    fitMargins();
}

void SegmentedControl::setCount(int segment, std::optional<int> count)
{
    if (segment < 0 || segment >= m_buttons.size())
        return;
    m_buttons[segment]->setText(
        count ? m_texts[segment] + QLatin1Char(' ') + QString::number(*count) : m_texts[segment]);
    fitMargins();
}

void SegmentedControl::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    fitMargins();
}

int SegmentedControl::widthWithMargins(bool tight) const
{
    int width = 2;
    for (const QAbstractButton* button : m_buttons)
        width += button->sizeHint().width() + (button->property("tight").toBool() ? 2 * spareMargin : 0)
            - (tight ? 2 * spareMargin : 0);
    return width;
}

QSize SegmentedControl::sizeHint() const { return { widthWithMargins(false), QWidget::sizeHint().height() }; }

QSize SegmentedControl::minimumSizeHint() const
{
    return { widthWithMargins(true), QWidget::minimumSizeHint().height() };
}

void SegmentedControl::fitMargins()
{
    const bool tight = width() < widthWithMargins(false);
    for (QAbstractButton* button : m_buttons)
        if (button->property("tight").toBool() != tight) {
            button->setProperty("tight", tight);
            button->style()->unpolish(button);
            button->style()->polish(button);
            QEvent changed(QEvent::StyleChange); // or it remembers how wide it was
            QCoreApplication::sendEvent(button, &changed);
        }
    updateGeometry();
}

void SegmentedControl::setCurrent(int segment)
{
    if (segment < 0 || segment >= m_buttons.size())
        return;
    const QSignalBlocker quiet(m_group);
    m_buttons[segment]->setChecked(true);
}

int SegmentedControl::current() const { return m_group->checkedId(); }

QAbstractButton* SegmentedControl::segment(int index) const { return m_buttons.value(index, nullptr); }

bool SegmentedControl::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() != QEvent::KeyPress)
        return QWidget::eventFilter(watched, event);
    const int key = static_cast<QKeyEvent*>(event)->key();
    const int step = key == Qt::Key_Right || key == Qt::Key_Down ? 1
        : key == Qt::Key_Left || key == Qt::Key_Up               ? -1
                                                                 : 0;
    if (step == 0)
        return QWidget::eventFilter(watched, event);
    const int next = std::clamp(current() + step, 0, static_cast<int>(m_buttons.size()) - 1);
    m_buttons[next]->setFocus(Qt::TabFocusReason);
    m_buttons[next]->setChecked(true);
    return true;
}

} // namespace lodestone::ui
