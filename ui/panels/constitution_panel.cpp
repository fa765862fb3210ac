#include "ui/panels/constitution_panel.h"

#include "ui/cards/principle_card.h"
#include "ui/plots/theme.h"
#include "ui/widgets/segmented_control.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QScrollArea>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {

ConstitutionPanel::ConstitutionPanel(Theme& theme, Session& session, QWidget* parent)
    : QFrame(parent)
    , m_theme(theme)
    , m_session(session)
{
    setObjectName(QStringLiteral("constitutionPanel"));
    setLook(*this, Look::Panel);
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.padPanel, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    auto* head = new QHBoxLayout;
    auto* title = new QLabel(tr("Constitution"), this);
    setLook(*title, Look::Title);
    m_presets = new QToolButton(this);
    m_presets->setObjectName(QStringLiteral("presets"));
    m_presets->setPopupMode(QToolButton::InstantPopup);
    m_presets->setToolTip(tr("Open one of the shipped constitutions, or set it beside this one"));
    setLook(*m_presets, Look::Chip);
    auto* menu = new QMenu(m_presets);
    auto* compare = new QMenu(tr("Compare with"), menu);
    std::error_code error;
    std::vector<std::filesystem::path> shipped; // by name: a folder has no order of its own
    for (const auto& entry :
         std::filesystem::directory_iterator(session.resources() / "constitutions", error))
        shipped.push_back(entry.path());
    std::sort(shipped.begin(), shipped.end());
    for (const std::filesystem::path& file : shipped) {
        const auto preset = constitution::readConstitution(file);
        if (!preset)
            continue;
        auto* action = menu->addAction(QString::fromStdString(preset->name));
        action->setObjectName(QStringLiteral("preset-") + QString::fromStdString(file.stem().string()));
        connect(action, &QAction::triggered, this, [this, path = file] { m_session.loadConstitution(path); });
        auto* beside = compare->addAction(action->text());
        beside->setObjectName(QStringLiteral("beside-") + QString::fromStdString(file.stem().string()));
        connect(beside, &QAction::triggered, this, [this, path = file] {
            Q_EMIT compareRequested(QString::fromStdString(path.string()));
        });
    }
    menu->addSeparator();
    menu->addMenu(compare);
    connect(compare->addAction(tr("A file …")), &QAction::triggered, this, [this] {
        Q_EMIT compareRequested({});
    });
    m_presets->setMenu(menu);
    head->addWidget(title);
    head->addStretch(1);
    head->addWidget(m_presets);
    column->addLayout(head);

    auto* row = new QHBoxLayout;
    m_mapping = new SegmentedControl(this);
    m_mapping->setObjectName(QStringLiteral("mapping"));
    m_mapping->setSegments({ tr("Weighted"), tr("Projection") });
    m_mapping->setToolTip(
        tr("Weighted: the judge is the weighted sum of the principles' directions.\nProjection: the model's "
           "own neutral judgment, restricted to their span; weights do not count."));
    m_add = new QPushButton(tr("+ Principle"), this);
    m_add->setObjectName(QStringLiteral("addPrinciple"));
    setLook(*m_add, Look::Chip);
    row->addWidget(m_mapping);
    row->addStretch(1);
    row->addWidget(m_add);
    column->addLayout(row);

    auto* scroll = new QScrollArea(this);
    scroll->setObjectName(QStringLiteral("cards"));
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* holder = new QWidget(scroll);
    setLook(*holder, Look::Panel);
    m_cards = new QVBoxLayout(holder);
    m_cards->setContentsMargins(0, 0, 0, 0);
    m_cards->setSpacing(look.gap);
    m_cards->addStretch(1);
    scroll->setWidget(holder);
    column->addWidget(scroll, 1);

    auto* foot = new QHBoxLayout;
    m_conflicts = new QLabel(this);
    m_conflicts->setObjectName(QStringLiteral("conflicts"));
    setLook(*m_conflicts, Look::Small);
    m_conflicts->setToolTip(
        tr("The two active principles whose directions are furthest from independent (Sigma-cosine)"));
    m_table = new QToolButton(this);
    m_table->setObjectName(QStringLiteral("constitutionTable"));
    m_table->setText(tr("Table"));
    setLook(*m_table, Look::Ghost);
    foot->addWidget(m_conflicts, 1);
    foot->addWidget(m_table);
    column->addLayout(foot);

    connect(m_add, &QPushButton::clicked, this, &ConstitutionPanel::addPrinciple);
    connect(m_table, &QToolButton::clicked, this, &ConstitutionPanel::tableRequested);
    connect(m_mapping, &SegmentedControl::currentChanged, this, [this](int segment) {
        session::Inputs next = m_session.inputs();
        next.constitution.mapping
            = segment == 0 ? constitution::Mapping::Weighted : constitution::Mapping::Projection;
        m_session.edit(tr("Change the mapping"), next);
    });
    connect(&session, &Session::inputsChanged, this, &ConstitutionPanel::rebuild);
    connect(&session, &Session::snapshotChanged, this, &ConstitutionPanel::refresh);
    rebuild();
}

void ConstitutionPanel::addPrinciple()
{
    session::Inputs next = m_session.inputs();
    constitution::Principle principle = constitution::neutralPrinciple();
    int number = static_cast<int>(next.constitution.principles.size()) + 1;
    const auto taken = [&](const std::string& id) {
        for (const auto& other : next.constitution.principles)
            if (other.id == id)
                return true;
        return false;
    };
    while (taken("principle-" + std::to_string(number)))
        ++number;
    principle.id = "principle-" + std::to_string(number);
    principle.name = tr("New principle").toStdString();
    principle.text = tr("The reply is good.").toStdString();
    next.constitution.principles.push_back(std::move(principle));
    m_session.edit(tr("Add a principle"), next);
    // Its card comes last: it is shown once it has its place.
    QTimer::singleShot(0, this, [this] {
        if (auto* area = findChild<QScrollArea*>(); area && !m_list.isEmpty())
            area->ensureWidgetVisible(m_list.last());
    });
}

/// Tab goes down the panel as the eye does; cards made later would come last in the window.
void ConstitutionPanel::orderFocus()
{
    QWidget* last = m_add;
    for (const PrincipleCard* card : std::as_const(m_list))
        for (QWidget* control : card->findChildren<QWidget*>())
            if (control->focusPolicy() & Qt::TabFocus) {
                setTabOrder(last, control);
                last = control;
            }
    setTabOrder(last, m_table);
}

void ConstitutionPanel::rebuild()
{
    const auto& constitution = m_session.inputs().constitution;
    const int wanted = static_cast<int>(constitution.principles.size());
    while (m_list.size() > wanted) {
        auto* card = m_list.takeLast();
        m_cards->removeWidget(card);
        card->deleteLater();
    }
    while (m_list.size() < wanted) {
        auto* card = new PrincipleCard(m_theme, m_session, static_cast<int>(m_list.size()), this);
        m_cards->insertWidget(static_cast<int>(m_list.size()), card);
        m_list.push_back(card);
        orderFocus();
    }
    for (PrincipleCard* card : std::as_const(m_list))
        card->showInputs();
    m_presets->setText(
        (constitution.name.empty() ? tr("Presets") : QString::fromStdString(constitution.name)));
    m_mapping->setCurrent(constitution.mapping == constitution::Mapping::Weighted ? 0 : 1);
}

void ConstitutionPanel::refresh()
{
    for (PrincipleCard* card : std::as_const(m_list))
        card->showEvidence();
    const auto snapshot = m_session.snapshot();
    QString text;
    if (snapshot && snapshot->judge->active.size() >= 2) {
        const auto& cosines = snapshot->judge->cosines;
        Eigen::Index first = 0, second = 1;
        for (Eigen::Index i = 0; i < cosines.rows(); ++i)
            for (Eigen::Index j = i + 1; j < cosines.cols(); ++j)
                if (std::abs(cosines(i, j)) > std::abs(cosines(first, second))) {
                    first = i;
                    second = j;
                }
        const auto name = [&](Eigen::Index i) {
            return QString::fromStdString(snapshot->inputs.constitution
                                              .principles[static_cast<std::size_t>(
                                                  snapshot->judge->active[static_cast<std::size_t>(i)])]
                                              .name);
        };
        text = tr("%1 and %2: cos %3")
                   .arg(name(first), name(second), number(cosines(first, second), 2, false, true));
    }
    m_conflicts->setText(text);
}

TextTable ConstitutionPanel::table() const
{
    TextTable table;
    table.title = tr("Principles and their evidence");
    table.header
        = { tr("principle"), tr("way"), tr("positive"), tr("negative"), tr("weight"), tr("answers agree"),
            tr("held out"),  tr("low"), tr("high"),     tr("AUC"),      tr("linear"), tr("problem") };
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return table;
    const auto text
        = [](double value) { return std::isfinite(value) ? QString::number(value, 'g', 8) : QString(); };
    for (std::size_t i = 0; i < snapshot->principles.size(); ++i) {
        const auto& stage = *snapshot->principles[i];
        const auto& principle = snapshot->inputs.constitution.principles[i];
        table.rows.push_back(
            { QString::fromStdString(principle.name), QString::fromStdString(principle.way),
              QString::fromStdString(constitution::joinWords(principle.positive)),
              QString::fromStdString(constitution::joinWords(principle.negative)), text(principle.weight),
              text(stage.direct.accuracy.value), text(stage.aboutValue.accuracy.value),
              text(stage.aboutValue.accuracy.interval.low), text(stage.aboutValue.accuracy.interval.high),
              text(stage.aboutValue.auc.value), text(stage.direction.linearity),
              QString::fromStdString(stage.problem) });
    }
    return table;
}

} // namespace lodestone::ui
