#include "ui/panels/start_panel.h"

#include "ui/plots/theme.h"

#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

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
            tr("176 pairs about kindness, honesty, harm and help. No model, no network."), Look::Primary),
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
    connect(&session, &Session::modelChanged, this, &StartPanel::refresh);
    outer->addStretch(2);
    refresh();
}

void StartPanel::refresh()
{
    const bool present = m_session.modelPresent();
    m_fetch->setEnabled(!present);
    m_fetch->setToolTip(present ? tr("The model is already in the cache") : QString());
    m_pairs->setEnabled(present);
    m_pairs->setToolTip(present ? QString() : tr("Needs the model: fetch it first"));
}

} // namespace lodestone::ui
