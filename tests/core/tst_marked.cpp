// Marked pairs of a planted study: they turn a principle whose words point elsewhere, leave alone one whose
// words explain them, never train on held-out prompts, and survive a file.
#include "core/constitution/constitution.h"
#include "core/session/directions.h"
#include "core/session/marked.h"
#include "core/session/pipeline.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

using namespace lodestone;
using namespace lodestone::testing;

class TestMarked : public QObject {
    Q_OBJECT

    std::optional<ScratchStudy> m_scratch;
    std::shared_ptr<const session::Foundation> m_foundation;

    session::Inputs inputsWith(const std::string& words) const
    {
        session::Inputs inputs = session::defaultInputs(*m_foundation, SmallStudy::top());
        inputs.constitution = constitution::constitutionForValues({ words });
        return inputs;
    }
    std::shared_ptr<const session::Snapshot> snapshotOf(const session::Inputs& inputs) const
    {
        session::Pipeline pipeline(m_foundation);
        return pipeline.recompute(inputs, nullptr).value();
    }
    /// Marks the first `count` pairs of training (or of held-out) prompts by the truth of `axis`.
    std::vector<constitution::Mark> marks(const Eigen::VectorXd& axis, int count, bool training) const
    {
        std::vector<constitution::Mark> result;
        const data::ResponseSet& set = m_scratch->truth.set;
        for (const data::Pair& pair : set.pairs) {
            if (m_foundation->training[static_cast<std::size_t>(pair.chosen)] != training
                || static_cast<int>(result.size()) >= count)
                continue;
            const double gap
                = axis.dot((m_scratch->truth.rows.row(pair.chosen) - m_scratch->truth.rows.row(pair.rejected))
                               .transpose());
            std::string follows = set.responses[static_cast<std::size_t>(pair.chosen)].id,
                        breaks = set.responses[static_cast<std::size_t>(pair.rejected)].id;
            if (gap < 0)
                std::swap(follows, breaks);
            result.push_back({ follows, breaks });
        }
        return result;
    }
    double cosine(const session::Snapshot& snapshot, const Eigen::VectorXd& axis) const
    {
        return m_scratch->truth.cosine(snapshot.principles[0]->direction.readOut.weights, axis);
    }

private Q_SLOTS:
    void initTestCase()
    {
        SmallStudyOptions options;
        options.pairPrompts = 160;
        m_scratch.emplace(options);
        const auto foundation = session::Foundation::open(m_scratch->study);
        VERIFY_OK(foundation);
        m_foundation = *foundation;
    }

    void theyTurnWordsThatPointElsewhere()
    {
        // The words say kind; the user marks what is honest and not kind.
        const Eigen::VectorXd& wanted = m_scratch->truth.honest;
        session::Inputs inputs = inputsWith("kind");
        const double before = cosine(*snapshotOf(inputs), wanted);
        double last = before;
        for (const int count : { 10, 30, 80 }) {
            inputs.constitution.principles[0].marks = marks(wanted, count, true);
            const auto snapshot = snapshotOf(inputs);
            const session::MarksUsed& used = snapshot->principles[0]->marks;
            QCOMPARE(used.training, count);
            QVERIFY(used.used() && used.logBayesFactor > 0 && used.cosineWithWords < 1);
            const double now = cosine(*snapshot, wanted);
            QVERIFY2(now > last, qPrintable(QStringLiteral("%1 after %2").arg(now).arg(last)));
            last = now;
        }
        QVERIFY2(before < 0.5 && last > 0.85, qPrintable(QStringLiteral("%1 to %2").arg(before).arg(last)));
        // The judge, its cone and its meters follow.
        const auto snapshot = snapshotOf(inputs);
        QVERIFY(snapshot->judge->problem.empty());
        QVERIFY(m_scratch->truth.cosine(snapshot->principles[0]->direction.readOut.weights, wanted) > 0.85);
        const auto refit = session::directionFromScores(
            *m_foundation, *snapshot->layer, snapshot->principles[0]->judged.scores, 0);
        VERIFY_OK(refit);
        QVERIFY(m_scratch->truth.cosine(refit->readOut.weights, wanted) > 0.8);
    }

    void wordsThatExplainThemStay()
    {
        session::Inputs inputs = inputsWith("kind");
        const auto words = snapshotOf(inputs);
        inputs.constitution.principles[0].marks = marks(m_scratch->truth.kind, 4, true);
        const auto marked = snapshotOf(inputs);
        QVERIFY(marked->principles[0]->marks.used());
        // Few marks on the words' own axis: hardly moved, and the answers' own score is what it was.
        QVERIFY(marked->principles[0]->marks.cosineWithWords > 0.97);
        QCOMPARE(marked->principles[0]->direct.accuracy.value, words->principles[0]->direct.accuracy.value);
        COMPARE_NEAR(
            marked->principles[0]->direction.linearity, words->principles[0]->direction.linearity, 1e-12);
    }

    void heldOutAndUnknownMarksDoNotTrain()
    {
        session::Inputs inputs = inputsWith("kind");
        const auto words = snapshotOf(inputs);
        auto& list = inputs.constitution.principles[0].marks;
        list = marks(m_scratch->truth.honest, 20, false);
        list.push_back({ "nobody", "no one" });
        list.push_back(marks(m_scratch->truth.honest, 1, true)[0]); // one alone is not enough
        const auto snapshot = snapshotOf(inputs);
        const session::MarksUsed& used = snapshot->principles[0]->marks;
        QCOMPARE(used.heldOut, 20);
        QCOMPARE(used.unknown, 1);
        QCOMPARE(used.training, 1);
        QVERIFY(!used.used());
        COMPARE_NEAR(
            distance(
                snapshot->principles[0]->direction.readOut.weights,
                words->principles[0]->direction.readOut.weights),
            0.0, 1e-12);
    }

    void withoutWordsTheyAreAll()
    {
        session::Inputs inputs = inputsWith("kind");
        inputs.constitution.principles[0].positive = { "flibber" };
        inputs.constitution.principles[0].negative = { "flabber" };
        const auto nothing = snapshotOf(inputs);
        QVERIFY(!nothing->principles[0]->problem.empty());
        inputs.constitution.principles[0].marks = marks(m_scratch->truth.honest, 60, true);
        const auto marked = snapshotOf(inputs);
        QVERIFY2(marked->principles[0]->problem.empty(), marked->principles[0]->problem.c_str());
        QVERIFY(std::isnan(marked->principles[0]->marks.cosineWithWords));
        QVERIFY(cosine(*marked, m_scratch->truth.honest) > 0.7);
        QVERIFY(marked->judge->problem.empty());
    }

    void theySurviveAFile()
    {
        constitution::Constitution original = inputsWith("kind").constitution;
        QCOMPARE(constitution::toJson(original).at("version").get<int>(), 1);
        original.principles[0].marks = { { "a", "b" }, { "c", "d" } };
        const nlohmann::json json = nlohmann::json::parse(constitution::toJson(original).dump());
        QCOMPARE(json.at("version").get<int>(), 2);
        QCOMPARE(
            json.at("principles").at(0).at("examples").at(1).at("follows").get<std::string>(),
            std::string("c"));
        const auto read = constitution::constitutionFromJson(json, "c.json");
        VERIFY_OK(read);
        QVERIFY(*read == original);
        for (const auto& [examples, named] : std::vector<std::pair<std::string, std::string>>{
                 { R"({"follows": "a"})", "a list of examples" },
                 { R"([{"follows": "a"}])", "key 'breaks'" },
                 { R"([3])", "example 1" },
                 { R"([{"follows": "a", "breaks": "b"}, {"follows": "a", "breaks": "a"}])", "example 2" } }) {
            nlohmann::json spoilt = json;
            spoilt["principles"][0]["examples"] = nlohmann::json::parse(examples);
            VERIFY_FAILS(constitution::constitutionFromJson(spoilt, "c.json"), named);
        }
    }
};

QTEST_GUILESS_MAIN(TestMarked)
#include "tst_marked.moc"
