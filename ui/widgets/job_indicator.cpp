#include "ui/widgets/job_indicator.h"

#include "ui/plots/theme.h"
#include "ui/widgets/thin_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <cmath>

namespace lodestone::ui {

JobIndicator::JobIndicator(Theme& theme, QWidget* parent)
    : QWidget(parent)
    , m_text(new QLabel(this))
    , m_left(new QLabel(this))
    , m_bar(new ThinBar(theme, this))
    , m_cancel(new QPushButton(tr("Cancel"), this))
{
    m_text->setObjectName(QStringLiteral("jobText"));
    setLook(*m_text, Look::Secondary);
    m_left->setObjectName(QStringLiteral("jobLeft"));
    setLook(*m_left, Look::Secondary);
    m_cancel->setObjectName(QStringLiteral("jobCancel"));
    m_cancel->setAutoDefault(false);
    setLook(*m_cancel, Look::Ghost);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(theme.palette().padPanel);
    row->addWidget(m_text);
    row->addWidget(m_bar);
    row->addWidget(m_left);
    row->addWidget(m_cancel);
    setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    connect(m_cancel, &QPushButton::clicked, this, &JobIndicator::cancelRequested);
    connect(
        &theme, &Theme::changed, this, [this, &theme] { layout()->setSpacing(theme.palette().padPanel); });
    hide();
}

JobIndicator::~JobIndicator() = default;

void JobIndicator::setJob(const QString& text, double fraction, double secondsLeft)
{
    const bool fresh = isHidden();
    m_text->setText(text);
    m_bar->setFraction(fraction);
    m_left->setText(timeLeft(secondsLeft));
    m_bar->setAccessibleName(text);
    if (fresh) {
        m_cancel->setText(tr("Cancel"));
        m_cancel->setEnabled(true);
        show();
    }
}

void JobIndicator::setCancelling()
{
    m_cancel->setText(tr("Stopping"));
    m_cancel->setEnabled(false);
}

void JobIndicator::clear() { hide(); }

QString JobIndicator::timeLeft(double seconds)
{
    if (!(seconds >= 0) || !std::isfinite(seconds))
        return {};
    const auto whole = static_cast<long long>(std::ceil(seconds));
    const auto two
        = [](long long value) { return QString::number(value).rightJustified(2, QLatin1Char('0')); };
    const long long hours = whole / 3600;
    const QString minutes = hours > 0 ? QString::number(hours) + QLatin1Char(':') + two(whole / 60 % 60)
                                      : QString::number(whole / 60);
    return tr("%1:%2 left").arg(minutes, two(whole % 60));
}

} // namespace lodestone::ui
