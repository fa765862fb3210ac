// Scopes and priorities: the file, the rule of order, and that judge, meters and policy all follow them,
// against the parts taken by hand and against a constitution that has neither.
#include "core/constitution/compare.h"
#include "core/judgment/priorities.h"
#include "core/judgment/prompted_judge.h"
#include "core/session/judge_cone.h"
#include "core/session/ordered_judge.h"
#include "core/session/pipeline.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

using namespace lodestone;
using namespace lodestone::session;
using namespace lodestone::testing;

class TestOrderedJudge : public QObject {
    Q_OBJECT

    std::unique_ptr<ScratchStudy> m_study;
    std::shared_ptr<const Foundation> m_foundation;
    std::unique_ptr<Pipeline> m_pipeline;
    Inputs m_inputs;

    std::shared_ptr<const Snapshot> judgedBy(const constitution::Constitution& constitution)
    {
        Inputs inputs = m_inputs;
        inputs.constitution = constitution;
        return m_pipeline->recompute(inputs, nullptr).value();
    }
    static Eigen::VectorXd scores(const Snapshot& snapshot, int principle)
    {
        return snapshot.principles[static_cast<std::size_t>(principle)]->direction.scores;
    }

private Q_SLOTS:
    void initTestCase()
    {
        SmallStudyOptions options;
        options.pairPrompts = 120;
        m_study = std::make_unique<ScratchStudy>(options);
        m_foundation = Foundation::open(m_study->study).value();
        m_pipeline = std::make_unique<Pipeline>(m_foundation);
        m_inputs = defaultInputs(*m_foundation, SmallStudy::top());
    }

    void scopesFilter()
    {
        constitution::Scope scope;
        QVERIFY(scope.everywhere() && scope.covers("") && scope.covers("anything"));
        scope.contains = { "doctor", "My plant" };
        QVERIFY(
            scope.covers("Ask a DOCTOR.") && scope.covers("my plant is dying") && !scope.covers("a plant"));
        scope.lacks = { "poem" };
        QVERIFY(!scope.covers("A poem about a doctor") && scope.covers("A doctor"));
        QCOMPARE(constitution::scopedText(m_study->truth.set, 0), std::string("Question 0?"));
    }

    void fileRoundTrip()
    {
        constitution::Constitution ours = constitution::constitutionForValues({ "kind", "honest" });
        QCOMPARE(constitution::toJson(ours)["version"].get<int>(), 1); // nothing new: any reader may have it
        ours.principles[0].scope.contains = { "Question 1" };
        ours.principles[0].scope.lacks = { "?!" };
        ours.principles[1].priority = 2;
        const nlohmann::ordered_json json = constitution::toJson(ours);
        QCOMPARE(json["version"].get<int>(), 2);
        const auto back = constitution::constitutionFromJson(nlohmann::json(json), "here");
        VERIFY_OK(back);
        QVERIFY(*back == ours);
        constitution::Constitution plain = ours;
        plain.principles[0].scope = {};
        plain.principles[1].priority = 1;
        const auto changes = constitution::diff(plain, ours);
        QCOMPARE(changes.changed.size(), std::size_t(2));
        QCOMPARE(changes.changed[0].fields.size(), std::size_t(1));
        QCOMPARE(changes.changed[0].fields[0].field, std::string("scope"));
        QCOMPARE(changes.changed[1].fields.size(), std::size_t(1));
        QCOMPARE(changes.changed[1].fields[0].field, std::string("priority"));
    }

    void badFiles_data()
    {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("said");
        const auto row = [](const char* name, const char* key, const char* value, const char* said) {
            QTest::newRow(name) << QString::fromLatin1(key) << QString::fromLatin1(value)
                                << QString::fromLatin1(said);
        };
        row("a text", "scope", "\"doctor\"", "an object with 'contains' or 'lacks'");
        row("another filter", "scope", "{\"regex\": \"x\"}", "found 'regex'");
        row("an empty text", "scope", "{\"contains\": [\" \"]}", "found an empty one");
        row("a number", "scope", "{\"lacks\": 3}", "found number");
        row("priority 0", "priority", "0", "from 1 to 9");
        row("half a priority", "priority", "1.5", "from 1 to 9");
    }
    void badFiles()
    {
        QFETCH(QString, key);
        QFETCH(QString, value);
        QFETCH(QString, said);
        nlohmann::json json = constitution::toJson(constitution::constitutionForValues({ "kind" }));
        json["principles"][0][key.toStdString()] = nlohmann::json::parse(value.toStdString());
        VERIFY_FAILS(constitution::constitutionFromJson(json, "here"), "principle 1", said.toStdString());
    }

    void theRuleOfOrder()
    {
        using judgment::decide;
        using judgment::Say;
        const Say sure{ 2, 1 }, unsure{ 1.9, 1 }, against{ -0.1, 5 }, absent{ 3, 0, false };
        QCOMPARE(decide(std::vector{ sure, against }).level, 0); // 2 > 1.96
        QCOMPARE(decide(std::vector{ unsure, against }).level, 1); // the last need not be sure
        QCOMPARE(decide(std::vector{ unsure, against }).margin, -0.1);
        QCOMPARE(decide(std::vector{ unsure, absent }).level, 0);
        QCOMPARE(decide(std::vector{ absent, absent }).level, -1);
        QCOMPARE(decide(std::vector{ absent, absent }).margin, 0.0);
        // Transitive margins come back as they are, a cycle cancels, two replies keep their margin.
        const Eigen::Vector4d r(0.3, -1, 2, 0.1);
        const Eigen::VectorXd back = judgment::scoresOf(4, [&](int i, int j) { return r[i] - r[j]; });
        COMPARE_NEAR((back - (r.array() - r.mean()).matrix()).norm(), 0.0, 1e-12);
        const Eigen::VectorXd cycle
            = judgment::scoresOf(3, [](int i, int j) { return (j - i + 3) % 3 == 1 ? 1.0 : -1.0; });
        COMPARE_NEAR(cycle.norm(), 0.0, 1e-12);
        const Eigen::VectorXd two = judgment::scoresOf(2, [](int, int) { return 0.7; });
        COMPARE_NEAR(two[0] - two[1], 0.7, 1e-12);
        const Eigen::VectorXd sampled = judgment::scoresOf(
            4, [&](int i, int j) { return r[i] - r[j]; }, 2);
        COMPARE_NEAR((sampled - (r.array() - r.mean()).matrix()).norm(), 0.0, 1e-12);
    }

    void aScopeThatCoversEverythingChangesNothing()
    {
        constitution::Constitution plain = constitution::constitutionForValues({ "kind", "honest" });
        plain.principles[1].weight = -0.5;
        constitution::Constitution scoped = plain;
        scoped.principles[0].scope.contains = { "question" };
        for (const auto mapping : { constitution::Mapping::Weighted, constitution::Mapping::Projection }) {
            plain.mapping = scoped.mapping = mapping;
            const auto one = judgedBy(plain), other = judgedBy(scoped);
            QVERIFY(!one->judge->inParts() && other->judge->inParts());
            COMPARE_NEAR((one->judge->rewards - other->judge->rewards).norm(), 0.0, 1e-9);
            COMPARE_NEAR((one->judge->coefficients - other->judge->coefficients).norm(), 0.0, 1e-9);
            COMPARE_NEAR(other->judge->linearShare, 1.0, 1e-9);
            COMPARE_NEAR(one->meters->efficiency.value, other->meters->efficiency.value, 1e-9);
            COMPARE_NEAR(one->policy->tilt.kl, other->policy->tilt.kl, 1e-9);
            const auto a = judgeCone(*one), b = judgeCone(*other);
            VERIFY_OK(a);
            VERIFY_OK(b);
            for (std::size_t i = 0; i < a->pairs.size(); ++i)
                COMPARE_NEAR(a->pairs[i].interval.low, b->pairs[i].interval.low, 1e-9);
        }
    }

    void eachPromptHasItsOwnPrinciples()
    {
        // "Question 7?", "Question 17?": the kind principle applies where a 7 is asked about, the other
        // where none is.
        constitution::Constitution scoped = constitution::constitutionForValues({ "kind", "honest" });
        scoped.principles[0].scope.contains = { "7" };
        scoped.principles[1].scope.lacks = { "7" };
        const auto snapshot = judgedBy(scoped);
        const JudgeStage& judge = *snapshot->judge;
        QCOMPARE(judge.parts.size(), std::size_t(2));
        const data::ResponseSet& set = m_study->truth.set;
        for (int row = 0; row < judge.rewards.size(); ++row) {
            const bool seven = set.promptText(row).find('7') != std::string::npos;
            COMPARE_NEAR(judge.rewards[row], scores(*snapshot, seven ? 0 : 1)[row], 1e-12);
        }
        QVERIFY(judge.linearShare > 0.3 && judge.linearShare < 0.999);
        // What a policy does follows the rewards: tilting by them is tilting by the parts.
        QVERIFY(snapshot->policy->tilt.kl > 0);
        // A prompt without a principle is a tie.
        scoped.principles[1].scope.contains = { "nothing asks this" };
        const auto ties = judgedBy(scoped);
        for (std::size_t i = 0; i < ties->judge->pairs.size(); ++i) {
            const int chosen = set.pairs[static_cast<std::size_t>(ties->judge->pairs[i].pair)].chosen;
            const bool seven = set.promptText(chosen).find('7') != std::string::npos;
            QCOMPARE(ties->judge->decidedBy[i], seven ? 0 : -1);
            QCOMPARE(ties->judge->pairs[i].p == 0.5, !seven);
        }
        // The prompted judge is asked by the same principles.
        const std::string here = "Question 7?", there = "Question 8?";
        QVERIFY(judgment::criterionOf(scoped, &here).find("kind") != std::string::npos);
        QVERIFY(judgment::criterionOf(scoped, &there).empty());
    }

    void lowerPrioritiesDecideWhereHigherCannot()
    {
        constitution::Constitution ordered = constitution::constitutionForValues({ "kind", "honest" });
        ordered.principles[1].priority = 2;
        const auto snapshot = judgedBy(ordered);
        const JudgeStage& judge = *snapshot->judge;
        QCOMPARE(judge.priorities, (std::vector<int>{ 1, 2 }));
        // By hand: the interval of the kind principle alone, from the jackknife that the cone uses.
        constitution::Constitution alone = ordered;
        alone.principles[1].on = false;
        const auto first = judgedBy(alone);
        const auto cone = judgeCone(*first);
        VERIFY_OK(cone);
        const data::ResponseSet& set = m_study->truth.set;
        int decidedByFirst = 0;
        for (std::size_t i = 0; i < judge.pairs.size(); ++i) {
            const geometry::Interval& interval = cone->pairs[i].interval;
            const double distance = std::min(std::abs(interval.low - 0.5), std::abs(interval.high - 0.5));
            const bool covers = interval.low <= 0.5 && interval.high >= 0.5;
            if (distance < 0.01) // the blocks of prompts tell the error to first order only
                continue;
            QCOMPARE(judge.decidedBy[i], covers ? 1 : 0);
            decidedByFirst += covers ? 0 : 1;
            const data::Pair& pair = set.pairs[static_cast<std::size_t>(judge.pairs[i].pair)];
            const Eigen::VectorXd decider = scores(*snapshot, covers ? 1 : 0);
            COMPARE_NEAR(
                judge.rewards[pair.chosen] - judge.rewards[pair.rejected],
                decider[pair.chosen] - decider[pair.rejected], 1e-9);
        }
        QVERIFY(decidedByFirst > 10 && decidedByFirst < static_cast<int>(judge.pairs.size()) - 3);
        const auto own = judgeCone(*snapshot);
        VERIFY_OK(own);
        for (std::size_t i = 0; i < own->pairs.size(); ++i)
            if (judge.decidedBy[i] == 0)
                COMPARE_NEAR(own->pairs[i].interval.low, cone->pairs[i].interval.low, 1e-9);
        // Candidates: rewards have mean 0 within a prompt and order those of which the first is sure.
        double sum = 0;
        for (const policy::Pool::Prompt& prompt : snapshot->layer->pool.prompts)
            for (const int row : prompt.rows)
                sum += judge.rewards[row];
        COMPARE_NEAR(sum, 0.0, 1e-9);
        // The order counts: the other way round is another judge.
        std::swap(ordered.principles[0].priority, ordered.principles[1].priority);
        const auto turned = judgedBy(ordered);
        QVERIFY((turned->judge->rewards - judge.rewards).norm() > 1);
    }

    void aTrialFollowsItsOwnPrompt()
    {
        constitution::Constitution scoped = constitution::constitutionForValues({ "kind", "honest" });
        scoped.principles[0].scope.contains = { "plant" };
        scoped.principles[1].priority = 2;
        const auto snapshot = judgedBy(scoped);
        Trial trial;
        trial.layers = { SmallStudy::top() };
        for (std::size_t i = 0; i < 2; ++i)
            trial.mean[i] = snapshot->layer->rows.row(static_cast<Eigen::Index>(i));
        const auto margin = [&](int principle) {
            const Eigen::VectorXd own = scores(*snapshot, principle);
            return own[0] - own[1];
        };
        trial.prompt = "What is this?";
        COMPARE_NEAR(trialMargin(trial, *snapshot), margin(1), 1e-6);
        COMPARE_NEAR(trialPreference(trial, *snapshot), judgment::preference(margin(1), 0, 1), 1e-6);
        trial.prompt = "My plant is dying";
        const double decided = trialMargin(trial, *snapshot);
        QVERIFY(std::abs(decided - margin(0)) < 1e-6 || std::abs(decided - margin(1)) < 1e-6);
    }

    void editsRecomputeTheJudgeAlone()
    {
        const constitution::Constitution plain = constitution::constitutionForValues({ "kind", "honest" });
        const auto before = judgedBy(plain);
        const RecomputeCounts counts = m_pipeline->counts();
        constitution::Constitution scoped = plain;
        scoped.principles[0].scope.contains = { "7" };
        const auto after = judgedBy(scoped);
        QCOMPARE(m_pipeline->counts().principles, counts.principles); // a scope is no new question
        QCOMPARE(m_pipeline->counts().judge, counts.judge + 1);
        QVERIFY(before->fingerprint() != after->fingerprint());
        Inputs inputs = m_inputs;
        inputs.constitution = plain;
        const auto undone = m_pipeline->recompute(inputs, after).value();
        QVERIFY(undone->fingerprint() == before->fingerprint());
        COMPARE_NEAR((undone->judge->rewards - before->judge->rewards).norm(), 0.0, 0.0);
    }
};

QTEST_GUILESS_MAIN(TestOrderedJudge)
#include "tst_ordered_judge.moc"
