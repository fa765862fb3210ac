// How many directions carry a value, on a study with one planted direction of people's: what a span must
// hold, what is left when it is gone, and T12's curve at the values that theory.md prints.
#include "core/session/dimensions.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

using namespace lodestone;
using namespace lodestone::testing;

class TestDimensions : public QObject {
    Q_OBJECT

    std::optional<ScratchStudy> m_scratch;
    std::shared_ptr<const session::Foundation> m_foundation;
    session::Dimensions m_found;

private Q_SLOTS:
    void initTestCase()
    {
        SmallStudyOptions options;
        options.pairPrompts = 300;
        options.samplePrompts = 0;
        m_scratch.emplace(options);
        const auto foundation = session::Foundation::open(m_scratch->study);
        VERIFY_OK(foundation);
        m_foundation = *foundation;
        session::DimensionsOptions asked;
        asked.method = geometry::Method::Ridge;
        asked.ranks = { 1, 3, 6, 12 };
        asked.removals = 3;
        const auto found = session::measureDimensions(*m_foundation, SmallStudy::top(), asked);
        VERIFY_OK(found);
        m_found = *found;
    }

    void aSpanHoldsWhatItHolds()
    {
        QCOMPARE(m_found.width, 12);
        QCOMPARE(m_found.ranks.size(), std::size_t(4));
        double last = 0;
        for (const session::RankRow& row : m_found.ranks) {
            QVERIFY(row.captured >= last - 1e-9 && row.captured <= 1 + 1e-9); // spans are nested
            last = row.captured;
            QVERIFY(row.kept.interval.low <= row.kept.value && row.kept.value <= row.kept.interval.high);
            // Symbols of docs/theory.md: q = sin^2(pi (a - 1/2)).
            const double sine = std::sin(M_PI * (std::max(0.5, row.kept.value) - 0.5));
            COMPARE_NEAR(row.encodingQuality.value, sine * sine, 1e-12);
        }
        COMPARE_NEAR(m_found.ranks.back().captured, 1.0, 1e-6); // all components hold everything
        COMPARE_NEAR(m_found.ranks.back().randomCaptured, 1.0, 1e-6); // and so do twelve random directions
        QVERIFY(m_found.ranks.back().kept.value > 0.8);
        // T19's k/d is exact for uniform subspaces of whitened space; Sigma here is near a multiple of I on
        // standardised coordinates.
        QVERIFY(std::abs(m_found.ranks[1].randomCaptured - 3.0 / 12) < 0.15);
        QVERIFY(m_found.ranks[0].randomKept < m_found.ranks.back().kept.value);
    }

    void takenOutItIsGone()
    {
        QCOMPARE(m_found.removals.size(), std::size_t(4));
        COMPARE_NEAR(m_found.removals[0].left.value, m_found.ranks.back().kept.value, 0.03);
        // One planted direction: what is left after it is near chance.
        QVERIFY2(
            m_found.removals[1].left.value < m_found.removals[0].left.value - 0.2,
            qPrintable(QString::number(m_found.removals[1].left.value)));
        QVERIFY(m_found.removals[1].left.interval.low < 0.62);
    }

    void coordinatesAreNamed()
    {
        QStringList names;
        for (const session::CoordinatesRow& row : m_found.coordinates) {
            names << QString::fromStdString(row.name);
            QVERIFY(row.heldOut.interval.isKnown());
        }
        QCOMPARE(
            names.join(QLatin1Char(' ')), QStringLiteral("raw standardised whitened drop-1 drop-3 drop-10"));
        // Whitening is right where Sigma is known: better than what ignores it, and ten of twelve components
        // dropped lose most.
        QVERIFY(m_found.coordinates[2].heldOut.value >= m_found.coordinates[1].heldOut.value - 0.02);
        QVERIFY(m_found.coordinates[5].heldOut.value < m_found.coordinates[1].heldOut.value);
    }

    void capacityIsT12s()
    {
        // theory.md T12 at s = .5: q(1, 4, 16, 64, 256) = .38279, .63965, .81155, .90467, .95220.
        const std::vector<std::pair<int, double>> printed{
            { 1, .38279 }, { 4, .63965 }, { 16, .81155 }, { 64, .90467 }, { 256, .95220 }
        };
        for (const auto& [k, q] : printed)
            COMPARE_NEAR(session::capacityAccuracy(k, 0.5), 0.5 + std::asin(std::sqrt(q)) / M_PI, 1e-5);
        QCOMPARE(m_found.capacityCurve.size(), m_found.ranks.size());
        QVERIFY(m_found.capacityExponent >= 0.05 && m_found.capacityExponent <= 3.01);
        // No other exponent of the grid fits better.
        const auto error = [&](double s) {
            double sum = 0;
            for (const session::RankRow& row : m_found.ranks)
                sum += std::pow(row.kept.value - session::capacityAccuracy(row.rank, s), 2);
            return sum;
        };
        for (const double s : { 0.1, 0.3, 0.6, 1.0, 1.7, 2.5 })
            QVERIFY(error(m_found.capacityExponent) <= error(s) + 1e-4);
    }

    void refusals()
    {
        session::DimensionsOptions asked;
        asked.value = "nobody's";
        VERIFY_FAILS(session::measureDimensions(*m_foundation, SmallStudy::top(), asked), "labels");
        VERIFY_FAILS(session::measureDimensions(*m_foundation, Layer::blockOutput(9), {}), "block 9 output");
        std::stop_source stop;
        stop.request_stop();
        const auto stopped
            = session::measureDimensions(*m_foundation, SmallStudy::top(), {}, Work{ stop.get_token(), {} });
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::Cancelled);
    }
};

QTEST_GUILESS_MAIN(TestDimensions)
#include "tst_dimensions.moc"
