#include "ui/widgets/message_bar.h"

#include "ui/plots/theme.h"

#include <QGridLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QToolButton>

namespace lodestone::ui {

MessageBar::MessageBar(Theme& theme, QWidget* parent)
    : QFrame(parent)
    , m_theme(theme)
    , m_icon(new QLabel(this))
    , m_text(new QLabel(this))
    , m_details(new QLabel(this))
    , m_toggle(new QToolButton(this))
    , m_action(new QPushButton(this))
    , m_close(new QToolButton(this))
{
    m_text->setObjectName(QStringLiteral("messageText"));
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_details->setObjectName(QStringLiteral("messageDetails"));
    m_details->setWordWrap(true);
    m_details->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    setLook(*m_details, Look::Secondary);
    m_toggle->setObjectName(QStringLiteral("messageDetailsToggle"));
    m_toggle->setCheckable(true);
    m_toggle->setText(tr("Details"));
    setLook(*m_toggle, Look::Ghost);
    m_action->setObjectName(QStringLiteral("messageAction"));
    setLook(*m_action, Look::Chip);
    m_close->setObjectName(QStringLiteral("messageClose"));
    m_close->setIcon(theme.icon(QStringLiteral("close")));
    m_close->setAccessibleName(tr("Close the message"));
    m_close->setToolTip(tr("Close"));
    setLook(*m_close, Look::Ghost);
    auto* grid = new QGridLayout(this);
    grid->addWidget(m_icon, 0, 0, Qt::AlignVCenter);
    grid->addWidget(m_text, 0, 1);
    grid->addWidget(m_toggle, 0, 2, Qt::AlignVCenter);
    grid->addWidget(m_action, 0, 3, Qt::AlignVCenter);
    grid->addWidget(m_close, 0, 4, Qt::AlignVCenter);
    grid->addWidget(m_details, 1, 1, 1, 4);
    grid->setColumnStretch(1, 1);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    connect(m_toggle, &QToolButton::toggled, m_details, &QLabel::setVisible);
    connect(m_action, &QPushButton::clicked, this, &MessageBar::actionTriggered);
    connect(m_close, &QToolButton::clicked, this, &MessageBar::dismiss);
    connect(&m_theme, &Theme::changed, this, [this] { restyle(); });
    restyle();
    hide();
}

MessageBar::~MessageBar() = default;

void MessageBar::showMessage(Tone tone, const QString& text, const QString& details, const QString& action)
{
    m_tone = tone;
    m_text->setText(text);
    m_details->setText(details);
    m_toggle->setChecked(false);
    m_toggle->setVisible(!details.isEmpty());
    m_details->hide();
    m_action->setText(action);
    m_action->setVisible(!action.isEmpty());
    setAccessibleName(text);
    restyle();
    show();
}

void MessageBar::clear()
{
    m_text->clear();
    hide();
}

QString MessageBar::text() const { return isHidden() ? QString() : m_text->text(); }

void MessageBar::dismiss()
{
    clear();
    Q_EMIT closed();
}

void MessageBar::restyle()
{
    const Palette& p = m_theme.palette();
    const char* const names[] = { "info", "info", "success", "warning", "error" };
    const QColor colour = m_tone == Tone::Neutral ? p.accent : p.colour(m_tone);
    m_icon->setPixmap(m_theme.pixmap(
        QString::fromLatin1(names[static_cast<int>(m_tone)]), colour, p.iconSize, devicePixelRatioF()));
    if (auto* grid = qobject_cast<QGridLayout*>(layout())) {
        grid->setContentsMargins(p.padPanel, p.ipx(6), p.gap, p.ipx(6));
        grid->setHorizontalSpacing(p.gap);
        grid->setVerticalSpacing(p.gapSmall);
    }
    update();
}

void MessageBar::paintEvent(QPaintEvent*)
{
    const Palette& p = m_theme.palette();
    const QColor colour = m_tone == Tone::Neutral ? p.accent : p.colour(m_tone);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(mixed(p.panel, colour, 0.45), 1));
    painter.setBrush(mixed(p.panel, colour, 0.08));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), p.radiusCard, p.radiusCard);
}

void MessageBar::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape)
        return dismiss();
    QFrame::keyPressEvent(event);
}

} // namespace lodestone::ui
