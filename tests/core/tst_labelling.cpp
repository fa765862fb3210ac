// Labels given at the program: the file survives what happens to files, the next pair is the least certain
// one, and two raters agree as far as Cohen's kappa says, worked out by hand.
#include "core/judgment/labelling.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <QFile>
#include <QRegularExpression>
#include <thread>

using namespace lodestone;
using namespace lodestone::data;
using namespace lodestone::judgment;
using namespace lodestone::testing;

class TestLabelling : public QObject {
    Q_OBJECT

    ScratchFolder m_scratch;
    std::unique_ptr<ScratchStudy> m_study;

    PairLabel label(int pair, LabelAnswer answer, const char* rater) const
    {
        const ResponseSet& set = m_study->study->set();
        const Pair& shown = set.pairs[static_cast<std::size_t>(pair)];
        const bool left = chosenAtLeft(set, pair);
        const auto id = [&](int row) { return set.responses[static_cast<std::size_t>(row)].id; };
        return { shown.id,
                 id(left ? shown.chosen : shown.rejected),
                 id(left ? shown.rejected : shown.chosen),
                 answer,
                 rater,
                 {} };
    }

    /// VERIFY_OK would append twice: it evaluates what it is given more than once.
    static bool append(const std::filesystem::path& file, const PairLabel& label)
    {
        const auto saved = appendLabel(file, label);
        if (!saved)
            qWarning("%s", saved.error().message().c_str());
        return saved.has_value();
    }

private Q_SLOTS:
    void initTestCase() { m_study = std::make_unique<ScratchStudy>(); }

    void labelsAreAppendedAndReadBack()
    {
        const auto file = labelFile(*m_study->study);
        QCOMPARE(readLabels(file).value().labels.size(), std::size_t(0)); // no file is no label
        QVERIFY(append(file, label(0, LabelAnswer::Left, "a")));
        QVERIFY(append(file, label(1, LabelAnswer::Tie, "a")));
        QVERIFY(append(file, label(0, LabelAnswer::Right, "b")));
        const std::string before = bytesOf(file);
        const auto read = readLabels(file);
        VERIFY_OK(read);
        QCOMPARE(read->labels.size(), std::size_t(3));
        QCOMPARE(read->labels[0].pair, std::string("pair-0"));
        QVERIFY(read->labels[0].answer == LabelAnswer::Left);
        static const QRegularExpression utc(QStringLiteral("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$"));
        QVERIFY(utc.match(QString::fromStdString(read->labels[0].time)).hasMatch());
        // Said again: the last word holds. Taken back: nothing does. What was written stays as it was.
        QVERIFY(append(file, label(0, LabelAnswer::Right, "a")));
        QVERIFY(append(file, label(1, LabelAnswer::TakenBack, "a")));
        QCOMPARE(bytesOf(file).substr(0, before.size()), before);
        const auto after = readLabels(file).value();
        QCOMPARE(after.labels.size(), std::size_t(2));
        QCOMPARE(after.labels.back().rater, std::string("a"));
        QVERIFY(after.labels.back().answer == LabelAnswer::Right);
    }

    void aTornLineLosesNothingElse()
    {
        const auto file = m_scratch / "torn.jsonl";
        QVERIFY(append(file, label(2, LabelAnswer::Left, "a")));
        const std::string whole = bytesOf(file);
        static_cast<void>(m_scratch.write("torn.jsonl", whole + whole.substr(0, whole.size() / 2)));
        QCOMPARE(readLabels(file).value().damaged, 1);
        QVERIFY(append(file, label(3, LabelAnswer::Right, "a")));
        const auto read = readLabels(file).value();
        QCOMPARE(read.labels.size(), std::size_t(2));
        QCOMPARE(read.labels[1].pair, std::string("pair-3"));
        QCOMPARE(read.damaged, 1);
        static_cast<void>(m_scratch.write(
            "odd.jsonl",
            "[]\n{\"pair\": 3}\n\n{\"pair\": \"x\", \"answer\": \"up\", "
            "\"left\": \"\", \"right\": \"\", \"rater\": \"\", \"time\": \"\"}\n"));
        QCOMPARE(readLabels(m_scratch / "odd.jsonl").value().damaged, 3);
        VERIFY_FAILS(
            appendLabel(m_scratch.path(), label(0, LabelAnswer::Tie, "a")), "labels",
            m_scratch.path().string());
    }

    void twoProgramsMayAppendAtOnce()
    {
        const auto file = m_scratch / "both.jsonl";
        const auto many = [&](const char* rater) {
            for (int i = 0; i < 40; ++i)
                if (!appendLabel(file, label(i, LabelAnswer::Left, rater)))
                    qWarning("not appended");
        };
        std::thread other([&] { many("b"); });
        many("a");
        other.join();
        const auto read = readLabels(file).value();
        QCOMPARE(read.labels.size(), std::size_t(80));
        QCOMPARE(read.damaged, 0);
    }

    void theLeastCertainComesNext()
    {
        const ResponseSet& set = m_study->study->set();
        std::vector<PairJudgment> judged{
            { 0, 0.9, {}, true }, { 1, 0.45, {}, true }, { 2, 0.52, {}, true }, { 3, 0.48, {}, true }
        };
        std::vector<bool> done(set.pairs.size(), false);
        QCOMPARE(leastCertain(set, judged, done), 2); // .02 away, and the first of two
        done[2] = true;
        QCOMPARE(leastCertain(set, judged, done), 3);
        done[3] = done[1] = true;
        QCOMPARE(leastCertain(set, judged, done), 0);
        done[0] = true;
        QCOMPARE(leastCertain(set, judged, done), 4); // of these the judge says nothing
        QCOMPARE(leastCertain(set, judged, std::vector<bool>(set.pairs.size(), true)), -1);
        int left = 0;
        for (std::size_t i = 0; i < set.pairs.size(); ++i)
            left += chosenAtLeft(set, static_cast<int>(i));
        QVERIFY(left > 8 && left < 32); // forty coins
    }

    void kappaHasTheIntervalOfItsLargeSampleError()
    {
        // 40 pairs of prompts of their own: both left 16, both right 12, left/right 6, right/left 6. o = .7;
        // shares left .55 and .55, so e = .505, kappa = .3939. Fleiss, Cohen and Everitt (1969), for two
        // answers of shares p: the variance is that of sum of terms below over n.
        const ResponseSet& set = m_study->study->set();
        QVERIFY(set.pairs.size() >= 40);
        Sides first, second;
        for (int i = 0; i < 40; ++i) {
            first[i] = i < 16 || (i >= 28 && i < 34) ? 1 : -1;
            second[i] = i < 16 || i >= 34 ? 1 : -1;
        }
        const double cells[2][2] = { { 0.4, 0.15 }, { 0.15, 0.3 } }, share[2] = { 0.55, 0.45 };
        const double e = share[0] * share[0] + share[1] * share[1], kappa = (0.7 - e) / (1 - e);
        double diagonal = 0, rest = 0;
        for (int i = 0; i < 2; ++i)
            for (int j = 0; j < 2; ++j)
                if (i == j)
                    diagonal += cells[i][i] * std::pow(1 - 2 * share[i] * (1 - kappa), 2);
                else
                    rest += cells[i][j] * std::pow(share[i] + share[j], 2);
        const double variance
            = (diagonal + std::pow(1 - kappa, 2) * rest - std::pow(kappa - e * (1 - kappa), 2))
            / (40 * std::pow(1 - e, 2));
        const RaterAgreement both = agreementOf(set, first, second);
        COMPARE_NEAR(both.kappa.value, kappa, 1e-12);
        const double width = both.kappa.interval.high - both.kappa.interval.low;
        COMPARE_NEAR(width / (2 * 1.96 * std::sqrt(variance)), 1.0, 0.12);
        COMPARE_NEAR((both.kappa.interval.high + both.kappa.interval.low) / 2, kappa, 0.06);
        // Who always agrees has no spread.
        const RaterAgreement same = agreementOf(set, first, first);
        QCOMPARE(same.kappa.interval.low, 1.0);
        QCOMPARE(same.kappa.interval.high, 1.0);
    }

    void agreementOfTwoRaters()
    {
        const ResponseSet& set = m_study->study->set();
        // Ten pairs: both left 4, both right 2, both tie 1, left/right 2, tie/left 1. Agreement .7; shares of
        // the first: left .6, right .2, tie .2; of the second: left .5, right .4, tie .1; by chance .3 + .08
        // + .02 = .4; kappa (.7 - .4)/.6 = .5.
        Sides first, second;
        const int a[] = { 1, 1, 1, 1, -1, -1, 0, 1, 1, 0 }, b[] = { 1, 1, 1, 1, -1, -1, 0, -1, -1, 1 };
        for (int i = 0; i < 10; ++i) {
            first[i] = a[i];
            second[i] = b[i];
        }
        second[30] = 1; // seen by one only
        const RaterAgreement both = agreementOf(set, first, second);
        QCOMPARE(both.pairs, 10);
        COMPARE_NEAR(both.accuracy.value, 0.7, 1e-12);
        COMPARE_NEAR(both.kappa.value, 0.5, 1e-12);
        QVERIFY(both.accuracy.interval.low < 0.7 && both.accuracy.interval.high > 0.7);
        COMPARE_NEAR(agreementOf(set, first, first).kappa.value, 1.0, 1e-12);
        const RaterAgreement single = agreementOf(set, Sides{ { 0, 1 } }, Sides{ { 0, 1 } });
        QCOMPARE(single.kappa.value, 0.0);
        QVERIFY(!single.kappa.interval.isKnown()); // one prompt
        QVERIFY(std::isnan(agreementOf(set, first, Sides{}).kappa.value));
        // Shown the other way round, the same answer is the other side; a skip is no answer.
        PairLabel turned = label(5, LabelAnswer::Left, "x");
        std::swap(turned.left, turned.right);
        const auto sides = sidesByRater(
            set, { turned, label(6, LabelAnswer::Right, "x"), label(7, LabelAnswer::Skip, "x") });
        QCOMPARE(sides.at("x"), (Sides{ { 5, -1 }, { 6, -1 } }));
        QCOMPARE(sidesOfStudy(set).size(), set.pairs.size());
        std::vector<PairJudgment> agrees;
        for (std::size_t i = 0; i < set.pairs.size(); ++i)
            agrees.push_back({ static_cast<int>(i), 0.8, {}, true });
        COMPARE_NEAR(
            agreementOf(set, sidesOfStudy(set), sidesOfJudge(set, agrees)).accuracy.value, 1.0, 1e-12);
    }
};

QTEST_GUILESS_MAIN(TestLabelling)
#include "tst_labelling.moc"
