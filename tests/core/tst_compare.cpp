// Two constitutions side by side: every field that differs, what is taken over, and what the difference does
// to the judge on a study of known truth.
#include "core/constitution/compare.h"
#include "core/session/judge_comparison.h"
#include "core/session/pipeline.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <set>

using namespace lodestone;
using namespace lodestone::constitution;
using namespace lodestone::testing;

namespace {

using Ids = std::vector<std::string>;

Ids fieldsOf(const std::vector<FieldDifference>& fields)
{
    Ids names;
    for (const FieldDifference& field : fields)
        names.push_back(field.field);
    return names;
}

Ids idsOf(const std::vector<Principle>& principles)
{
    Ids ids;
    for (const Principle& principle : principles)
        ids.push_back(principle.id);
    return ids;
}

} // namespace

class TestCompare : public QObject {
    Q_OBJECT

    ScratchFolder m_scratch;
    std::optional<SmallStudy> m_study;
    std::shared_ptr<const session::Foundation> m_foundation;

    std::shared_ptr<const session::Snapshot> judged(const std::vector<Principle>& principles) const
    {
        session::Inputs inputs = session::defaultInputs(*m_foundation, SmallStudy::top());
        inputs.constitution.principles = principles;
        inputs.constitution.name = "judged";
        return session::Pipeline(m_foundation).recompute(inputs, nullptr).value();
    }
    static Principle about(const char* id, const Ids& positive, const Ids& negative, double weight = 1)
    {
        Principle principle;
        principle.id = principle.name = id;
        principle.positive = positive;
        principle.negative = negative;
        principle.weight = weight;
        return principle;
    }
    static Principle kind(double weight = 1)
    {
        return about("kind", { "kind", "polite", "caring" }, { "rude", "cruel", "hurtful" }, weight);
    }
    static Principle honest(double weight = 1)
    {
        return about("honest", { "honest", "truthful" }, { "dishonest", "false" }, weight);
    }

private Q_SLOTS:
    void initTestCase()
    {
        SmallStudyOptions options;
        options.pairPrompts = 200;
        m_study = writeSmallStudy(m_scratch / "study", options);
        const auto opened = session::Foundation::open(data::Study::open(m_study->folder).value());
        VERIFY_OK(opened);
        m_foundation = *opened;
    }

    void everyFieldIsCompared_data()
    {
        QTest::addColumn<QString>("patch"); // of the second principle's JSON
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("first");
        QTest::addColumn<QString>("second");
        const auto row = [](const char* patch, const char* field, const char* first, const char* second) {
            QTest::newRow(field) << QString::fromUtf8(patch) << QString::fromUtf8(field)
                                 << QString::fromUtf8(first) << QString::fromUtf8(second);
        };
        row(R"({"id": "k2"})", "id", "k", "k2");
        row(R"({"name": "Gentle"})", "name", "Kind", "Gentle");
        row(R"({"text": "Be gentle."})", "text", "Be kind.", "Be gentle.");
        row(R"({"positive": "gentle, kind"})", "positive", "kind", "gentle, kind");
        row(R"({"negative": ["harsh"]})", "negative", "rude", "harsh");
        row(R"({"weight": 0.5})", "weight", "1.25", "0.5");
        row(R"({"on": false})", "on", "on", "off");
        row(R"({"value": "kindness"})", "value", "", "kindness");
        row(R"({"way": "yes-no"})", "way", "cloze", "yes-no");
        row(R"({"scope": {"contains": ["tea", "milk"], "lacks": "jam"}})", "scope", "every prompt",
            "prompts with tea, milk, without jam");
        row(R"({"priority": 2})", "priority", "1", "2");
        row(R"({"examples": [{"follows": "r1", "breaks": "r2"}, {"follows": "r3", "breaks": "r4"}]})",
            "examples", "", "r1 rather than r2, r3 rather than r4");
        row(R"({"notes": "Why?"})", "notes", "", "Why?");
    }
    void everyFieldIsCompared()
    {
        QFETCH(QString, patch);
        nlohmann::json document = nlohmann::json::parse(
            R"({"format": "lodestone-constitution", "version": 2, "principles": [
            {"id": "k", "name": "Kind", "text": "Be kind.", "positive": "kind", "negative": "rude", "weight": 1.25}]})");
        const Constitution first = constitutionFromJson(document, "first").value();
        document["principles"][0].merge_patch(nlohmann::json::parse(patch.toStdString()));
        const Constitution second = constitutionFromJson(document, "second").value();
        const ConstitutionDiff found = diff(first, second);
        QVERIFY(found.added.empty() && found.removed.empty());
        QCOMPARE(found.changed.size(), std::size_t(1));
        const auto& fields = found.changed[0].fields;
        QCOMPARE(fields.size(), std::size_t(1));
        QTEST(QString::fromStdString(fields[0].field), "field");
        QTEST(QString::fromStdString(fields[0].first), "first");
        QTEST(QString::fromStdString(fields[0].second), "second");
        QVERIFY(diff(first, first).empty() && diff(second, second).empty());
    }

    void aWeightThatTurnsRoundChangesItsSign()
    {
        Principle turned = kind(-1), off = kind(0);
        QCOMPARE(fieldsOf(fieldsThatDiffer(kind(1), turned)), (Ids{ "weight", "sign" }));
        QCOMPARE(fieldsOf(fieldsThatDiffer(kind(1), kind(0.5))), Ids{ "weight" });
        const auto toZero = fieldsThatDiffer(turned, off);
        QCOMPARE(toZero[1].first + toZero[1].second, std::string("-0"));
    }

    void principlesAreMatchedByIdThenNameThenText()
    {
        Constitution first, second;
        first.principles = { about("a", { "kind" }, { "rude" }), about("b", { "safe" }, { "risky" }),
                             about("c", { "true" }, { "false" }) };
        first.principles[0].name = "Warmth";
        first.principles[2].text = "Say what is true.";
        second.principles = first.principles;
        second.principles[0].id = "x"; // still called Warmth
        second.principles[2].id = "y"; // another name, the same text
        second.principles[2].name = "Truth";
        // The order does not count, and an id goes before a name.
        std::swap(second.principles[0], second.principles[2]);
        second.principles.push_back(about("d", { "short" }, { "long" }));
        second.principles.back().name = "b";
        const ConstitutionDiff found = diff(first, second);
        QCOMPARE(idsOf(found.added), Ids{ "d" });
        QVERIFY(found.removed.empty());
        QCOMPARE(found.changed.size(), std::size_t(2));
        QCOMPARE(found.changed[0].second.id, std::string("x"));
        QCOMPARE(fieldsOf(found.changed[0].fields), Ids{ "id" });
        QCOMPARE(found.changed[1].second.id, std::string("y"));
        QCOMPARE(fieldsOf(found.changed[1].fields), (Ids{ "id", "name" }));
    }

    void mergesTakeWhatWasChosen()
    {
        Constitution ours, theirs;
        ours.name = "ours";
        ours.principles = { kind(), honest() };
        theirs.name = "theirs";
        theirs.mapping = Mapping::Projection;
        theirs.principles = { kind(0.5), about("safe", { "safe" }, { "risky" }) };
        const ConstitutionDiff found = diff(ours, theirs);
        QCOMPARE(idsOf(found.added), Ids{ "safe" });
        QCOMPARE(idsOf(found.removed), Ids{ "honest" });
        QVERIFY(found.mappingChanged && !found.empty());
        QVERIFY(*merge(ours, theirs, {}) == ours);
        const auto added = merge(ours, theirs, { { "safe" }, {}, false });
        VERIFY_OK(added);
        QCOMPARE(idsOf(added->principles), (Ids{ "kind", "honest", "safe" }));
        QCOMPARE(added->principles[0].weight, 1.0); // ours stays
        QVERIFY(added->mapping == Mapping::Weighted);
        const auto changed = merge(ours, theirs, { { "kind" }, { "honest" }, true });
        VERIFY_OK(changed);
        QCOMPARE(idsOf(changed->principles), Ids{ "kind" });
        QCOMPARE(changed->principles[0].weight, 0.5);
        QVERIFY(changed->mapping == Mapping::Projection);
        QCOMPARE(changed->name, std::string("ours"));
        const auto all = merge(ours, theirs, everything(found));
        VERIFY_OK(all);
        QVERIFY(diff(*all, theirs).empty());
        VERIFY_FAILS(merge(ours, theirs, { { "honest" }, {}, false }), "theirs", "'honest'");
        VERIFY_FAILS(merge(ours, theirs, { {}, { "safe" }, false }), "ours", "'safe'");
    }

    void mergesOfAnyTwoKeepIdsUnique()
    {
        // Ids, names and texts of a few each, so that matches of every kind and their conflicts occur.
        Rng rng(3);
        const auto draw = [&] {
            Constitution drawn;
            std::set<std::string> ids;
            for (int i = 0; i < 5; ++i) {
                Principle principle
                    = about(std::string(1, static_cast<char>('a' + rng.below(7))).c_str(), { "x" }, { "y" });
                if (!ids.insert(principle.id).second)
                    continue;
                principle.name = "name " + std::to_string(rng.below(4));
                principle.text = "text " + std::to_string(rng.below(4));
                principle.weight = static_cast<double>(rng.below(3)) - 1;
                drawn.principles.push_back(std::move(principle));
            }
            drawn.mapping = rng.below(2) == 0 ? Mapping::Weighted : Mapping::Projection;
            return drawn;
        };
        for (int round = 0; round < 500; ++round) {
            const Constitution ours = draw(), theirs = draw();
            const ConstitutionDiff found = diff(ours, theirs);
            const MergeChoice all = everything(found);
            const auto whole = merge(ours, theirs, all);
            VERIFY_OK(whole);
            QVERIFY(diff(*whole, theirs).empty());
            MergeChoice some;
            for (const std::string& id : all.take)
                if (rng.below(2) == 0)
                    some.take.push_back(id);
            for (const std::string& id : all.drop)
                if (rng.below(2) == 0)
                    some.drop.push_back(id);
            const auto part = merge(ours, theirs, some);
            VERIFY_OK(part);
            std::set<std::string> ids;
            for (const Principle& principle : part->principles)
                QVERIFY(ids.insert(principle.id).second);
            QVERIFY(part->mapping == ours.mapping);
            // What is left to take is what was not taken.
            const ConstitutionDiff left = diff(*part, theirs);
            QCOMPARE(left.removed.size(), found.removed.size() - some.drop.size());
            QCOMPARE(
                left.added.size() + left.changed.size(),
                found.added.size() + found.changed.size() - some.take.size());
        }
    }

    void oppositeJudgesPartEverywhere()
    {
        const auto one = judged({ kind() }), turned = judged({ kind(-1) });
        const auto found = session::compareJudges(*one, *turned);
        VERIFY_OK(found);
        COMPARE_NEAR(found->cosine, -1.0, 1e-9);
        COMPARE_NEAR(found->disagree.value, 1.0, 1e-12);
        COMPARE_NEAR(found->first.value + found->second.value, 1.0, 1e-12);
        COMPARE_NEAR(found->difference.value, found->second.value - found->first.value, 1e-12);
        // The paired difference is 1 - 2 a of the same pairs: twice as wide as either interval.
        COMPARE_NEAR(
            found->difference.interval.high - found->difference.interval.low,
            2 * (found->first.interval.high - found->first.interval.low), 1e-9);
        const auto same = session::compareJudges(*one, *judged({ kind(0.3) }));
        VERIFY_OK(same);
        COMPARE_NEAR(same->cosine, 1.0, 1e-9); // the length of w_c does not count
        QCOMPARE(same->difference.value, 0.0);
        QCOMPARE(same->disagree.value, 0.0);
        QCOMPARE(same->difference.interval.high, 0.0);
    }

    void twoValuesPartAsFarAsTheirDirections()
    {
        const auto one = judged({ kind() }), other = judged({ honest() });
        const auto found = session::compareJudges(*one, *other);
        VERIFY_OK(found);
        // Planted: the cosine of the two directions; two half-spaces part in arccos(cos)/pi of Gaussian
        // pairs.
        const double cosine = m_study->cosine(m_study->kind, m_study->honest);
        COMPARE_NEAR(found->cosine, cosine, 0.15);
        COMPARE_NEAR(found->disagree.value, std::acos(cosine) / M_PI, 0.16);
        // By hand from the two lists of judgments.
        int pairs = 0;
        double right[2] = { 0, 0 }, apart = 0;
        for (std::size_t i = 0; i < one->judge->pairs.size(); ++i) {
            const auto &a = one->judge->pairs[i], &b = other->judge->pairs[i];
            QCOMPARE(a.pair, b.pair);
            if (!a.heldOut)
                continue;
            ++pairs;
            right[0] += a.p > 0.5;
            right[1] += b.p > 0.5;
            apart += (a.p > 0.5) != (b.p > 0.5);
        }
        QCOMPARE(found->pairs, pairs);
        COMPARE_NEAR(found->first.value, right[0] / pairs, 1e-12);
        COMPARE_NEAR(found->second.value, right[1] / pairs, 1e-12);
        COMPARE_NEAR(found->disagree.value, apart / pairs, 1e-12);
        QVERIFY(found->difference.interval.low <= found->difference.value);
        QVERIFY(found->difference.interval.high >= found->difference.value);
    }

    void judgesThatCannotBeCompared()
    {
        const auto one = judged({ kind() });
        Principle off = kind();
        off.on = false;
        VERIFY_FAILS(session::compareJudges(*one, *judged({ off })), "judged", "No principle is on");
        session::Inputs inputs = one->inputs;
        inputs.layer = Layer::blockOutput(0);
        const auto elsewhere = session::Pipeline(m_foundation).recompute(inputs, nullptr).value();
        VERIFY_FAILS(session::compareJudges(*one, *elsewhere), "one study, layer and position");
    }

    void notesChangeNoFigure()
    {
        Principle noted = kind();
        noted.notes = "Why kind?";
        QCOMPARE(judged({ noted })->fingerprint().hex(), judged({ kind() })->fingerprint().hex());
        QVERIFY(judged({ kind(0.5) })->fingerprint().hex() != judged({ kind() })->fingerprint().hex());
    }
};

QTEST_GUILESS_MAIN(TestCompare)
#include "tst_compare.moc"
