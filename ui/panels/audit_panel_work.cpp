// What the place "Audit" does when its buttons are pressed: asks the model, searches, follows a result.
#include "ui/panels/audit_panel.h"
#include "ui/session/ask_ways.h"

#include <QComboBox>
#include <QDoubleSpinBox>

namespace lodestone::ui {
namespace {

std::vector<int> heldOutPairs(const session::Snapshot& snapshot)
{
    std::vector<int> pairs;
    const data::ResponseSet& set = snapshot.foundation->study->set();
    for (std::size_t i = 0; i < set.pairs.size(); ++i)
        if (!snapshot.foundation->training[static_cast<std::size_t>(set.pairs[i].chosen)])
            pairs.push_back(static_cast<int>(i));
    if (pairs.size() <= AuditPanel::mostPairs)
        return pairs;
    std::vector<int> some;
    for (std::size_t i = 0; i < AuditPanel::mostPairs; ++i)
        some.push_back(pairs[i * pairs.size() / AuditPanel::mostPairs]);
    return some;
}

} // namespace

QString AuditPanel::judgeKind() { return QStringLiteral("asked to judge"); }
QString AuditPanel::searchKind() { return QStringLiteral("adversary"); }

QString AuditPanel::whyNot() const
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return tr("Open a study first");
    const data::ItemKind kind = snapshot->foundation->study->set().kind;
    if (place() == Enacted && kind != data::ItemKind::Reply)
        return tr("Only replies can be read under a request to be so: this study holds none");
    if (place() == Asked && kind != data::ItemKind::Reply)
        return tr("The model is asked which of two replies is better: this study holds none");
    if (place() == Asked && heldOutPairs(*snapshot).empty())
        return tr("This study has no pairs of replies on held-out prompts to compare");
    if (place() == Asked && snapshot->inputs.constitution.principles.empty())
        return tr("Add a principle: the model is asked by their texts");
    if (place() == Asked && judgment::criterionOf(snapshot->inputs.constitution).empty())
        return tr("Switch a principle on: the model is asked by their texts");
    if (place() == Adversary && !snapshot->foundation->cloze)
        return tr("This study holds no words of the model to search: imported activations carry none");
    if (place() == Adversary && heldOutPairs(*snapshot).empty())
        return tr("The filters need labelled pairs on held-out prompts");
    return place() == Adversary ? QString() : m_session.whyNoModel();
}

Fingerprint AuditPanel::askedKey() const
{
    Fingerprint key;
    const constitution::Constitution& constitution = m_session.inputs().constitution;
    key.add(judgment::criterionOf(constitution)).add(m_shots->currentData().toInt());
    for (const constitution::Principle& one : constitution.principles)
        for (const auto* texts : { &one.scope.contains, &one.scope.lacks }) {
            for (const std::string& text : *texts)
                key.add(text).add(text.size());
            key.add(texts->size());
        }
    return key;
}

Fingerprint AuditPanel::adversaryKey() const
{
    Fingerprint key;
    return key.add(m_session.inputs().layer.row()).add(m_session.inputs().position).add(m_looks->value());
}

void AuditPanel::run()
{
    if (place() == Enacted)
        askInWays(
            m_session, m_session.inputs().constitution.principles,
            { "cloze", "persona-difference", "implicit-reward" });
    else if (place() == Asked)
        askToJudge();
    else if (place() == Adversary)
        search();
    refreshControls();
}

void AuditPanel::askToJudge()
{
    using Said = judgment::PromptedJudgments;
    m_session.withModel([this] {
        const auto snapshot = m_session.snapshot();
        const auto model = m_session.model();
        if (!snapshot || !model)
            return;
        judgment::PromptedOptions options;
        options.fewShot = m_shots->currentData().toInt();
        options.seed = snapshot->inputs.seed;
        m_session.modelLane().run<Said>(
            judgeKind(),
            [snapshot, model, options](const Work& work) -> Result<Said> {
                const std::vector<int> pairs = heldOutPairs(*snapshot);
                auto said = judgment::judgeByPrompt(
                    *snapshot->foundation->study, *model, snapshot->inputs.constitution,
                    snapshot->foundation->training, options, pairs, work);
                if (said && said->pairs.empty())
                    return badInput(
                        "held-out pairs whose prompt a principle covers", "none by these scopes",
                        snapshot->inputs.constitution.name);
                return said;
            },
            [this, study = snapshot->foundation->study, key = askedKey()](Result<Said> said) {
                if (!shows(study)) // its pairs are not those of the study that is open now
                    return;
                if (!said)
                    return m_session.report(said.error());
                m_said = Kept<Said>{ std::move(*said), key };
                showPlace();
                Q_EMIT measured();
            });
        refreshControls();
    });
}

void AuditPanel::search()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return;
    session::SearchOptions options;
    options.looks = m_looks->value();
    const std::filesystem::path folder = m_session.resources() / "constitutions";
    m_session.sweepLane().run<audit::Adversary>(
        searchKind(),
        [snapshot, options, folder](const Work& work) mutable -> Result<audit::Adversary> {
            LODESTONE_TRY(const auto ordinary, session::ordinaryConstitutions(folder));
            for (const constitution::Constitution& one : ordinary)
                options.pool.insert(options.pool.end(), one.principles.begin(), one.principles.end());
            audit::Adversary found;
            found.layer = snapshot->inputs.layer;
            LODESTONE_TRY(
                found.search,
                session::searchAdversarial(*snapshot->foundation, *snapshot->layer, options, work));
            LODESTONE_TRY(
                found.defence,
                session::defend(
                    snapshot->foundation, snapshot->inputs, found.search.constitution, ordinary, work));
            return found;
        },
        [this, study = snapshot->foundation->study, key = adversaryKey()](Result<audit::Adversary> found) {
            if (!shows(study))
                return;
            if (!found)
                return m_session.report(found.error());
            m_adversary = Kept<audit::Adversary>{ std::move(*found), key };
            showPlace();
            Q_EMIT measured();
        });
}

void AuditPanel::follow()
{
    if (place() == Asked && m_asked) {
        const data::ResponseSet& set = m_session.foundation()->study->set();
        QVector<int> rows;
        for (const int pair : m_asked->differ)
            for (const int reply : { set.pairs[static_cast<std::size_t>(pair)].chosen,
                                     set.pairs[static_cast<std::size_t>(pair)].rejected })
                rows << reply;
        m_session.selection().setRows(rows);
    } else if (place() == Adversary && m_adversary) {
        session::Inputs next = m_session.inputs();
        next.constitution = m_adversary->value.search.constitution;
        m_session.edit(tr("Try the adversary's constitution"), next);
    }
}

} // namespace lodestone::ui
