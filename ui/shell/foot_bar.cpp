#include "ui/shell/foot_bar.h"

#include "ui/plots/theme.h"
#include "ui/widgets/job_indicator.h"

#include <QHBoxLayout>
#include <QLabel>
#include <cmath>

namespace lodestone::ui {

FootBar::FootBar(Theme& theme, Session& session, QWidget* parent)
    : QFrame(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("footBar"));
    setLook(*this, Look::FootBar);
    const Palette& look = theme.palette();
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(look.padPanel, look.gapSmall, look.padPanel, look.gapSmall);
    row->setSpacing(look.ipx(16));
    const auto label = [&](const char* object) {
        auto* text = new QLabel(this);
        text->setObjectName(QLatin1String(object));
        setLook(*text, Look::Secondary);
        return text;
    };
    m_modelState = label("modelState");
    m_job = new JobIndicator(theme, this);
    m_job->setObjectName(QStringLiteral("job"));
    m_selected = label("selected");
    m_seed = label("seed");
    m_seed->setTextInteractionFlags(Qt::TextSelectableByMouse);
    row->addWidget(m_modelState);
    row->addWidget(m_job);
    row->addStretch(1);
    row->addWidget(m_selected);
    row->addWidget(m_seed);

    for (Lane* lane : { &session.modelLane(), &session.sweepLane(), &session.recomputeLane() }) {
        connect(lane, &Lane::progressed, this, [this](const QString&, const Progress& progress) {
            showProgress(progress);
        });
        // Another job than the one that was stopped: it can be stopped too.
        connect(lane, &Lane::started, m_job, &JobIndicator::clear);
        connect(lane, &Lane::finished, this, [this] {
            if (!m_session.modelLane().busy() && !m_session.sweepLane().busy()
                && !m_session.recomputeLane().busy())
                m_job->clear();
        });
    }
    connect(m_job, &JobIndicator::cancelRequested, this, [this] {
        m_job->setCancelling();
        m_session.modelLane().cancelAll();
        m_session.sweepLane().cancelAll();
    });
    connect(&session, &Session::snapshotChanged, this, &FootBar::refresh);
    connect(&session, &Session::modelChanged, this, &FootBar::refresh);
    connect(&session.selection(), &Selection::rowsChanged, this, &FootBar::refresh);
    refresh();
}

void FootBar::refresh()
{
    m_modelState->setText(m_session.modelDescription());
    if (!m_session.hasStudy())
        return;
    const int selected = static_cast<int>(m_session.selection().rows().size());
    m_selected->setText(
        selected > 0
            ? tr("%1 of %2 selected").arg(selected).arg(m_session.foundation()->study->set().responses.size())
            : QString());
    const QString hash = QString::fromStdString(m_session.foundation()->study->fingerprint().hex());
    m_seed->setText(
        tr("seed %1 · study %2…%3").arg(m_session.inputs().seed).arg(hash.left(4), hash.right(2)));
    m_seed->setToolTip(
        m_session.snapshot()
            ? tr("study %1\nsnapshot %2")
                  .arg(hash, QString::fromStdString(m_session.snapshot()->fingerprint().hex()))
            : hash);
}

void FootBar::showProgress(const Progress& progress)
{
    QString text = QString::fromStdString(progress.what);
    const bool bytes = progress.unit == "bytes";
    if (progress.total > 0)
        text += bytes
            ? tr(" %1 of %2 MB").arg(std::lround(progress.done / 1e6)).arg(std::lround(progress.total / 1e6))
            : tr(" %1 of %2").arg(std::lround(progress.done)).arg(std::lround(progress.total));
    if (progress.perSecond > 1 && !bytes)
        text += tr(", %1 %2/s")
                    .arg(std::lround(progress.perSecond))
                    .arg(QString::fromStdString(progress.unit));
    m_job->setJob(text, progress.total > 0 ? progress.done / progress.total : -1, progress.secondsLeft);
}

} // namespace lodestone::ui
