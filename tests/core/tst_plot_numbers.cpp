// Ticks, histograms, density grids and kernel densities against closed forms.
#include "core/plot/density_grid.h"
#include "core/plot/histogram.h"
#include "core/plot/kernel_density.h"
#include "core/plot/ticks.h"

#include <QtTest>
#include <cmath>
#include <limits>
#include <numbers>

using namespace lodestone::plot;

namespace {
const double notANumber = std::numeric_limits<double>::quiet_NaN();
}

class TestPlotNumbers : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void ticksAreRoundAndInside_data();
    void ticksAreRoundAndInside();
    void ticksOfNothing();
    void paddedRanges();
    void histogramCountsByClass();
    void histogramRefusesWhatIsNotANumber();
    void gridCountsCells();
    void toneIsLogarithmic();
    void densityOfOnePointIsTheKernel();
    void densityIntegratesToOne();
    void weightsActLikeRepeats();
    void bandwidthIsSilvermans();
};

void TestPlotNumbers::ticksAreRoundAndInside_data()
{
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("high");
    QTest::addColumn<int>("target");
    QTest::addColumn<QVector<double>>("expected");
    QTest::addColumn<int>("decimals");
    QTest::newRow("unit") << 0.0 << 1.0 << 5 << QVector<double>{ 0, 0.2, 0.4, 0.6, 0.8, 1 } << 1;
    QTest::newRow("both signs") << -2.6 << 2.6 << 5 << QVector<double>{ -2, -1, 0, 1, 2 } << 0;
    QTest::newRow("hundreds") << 3.0 << 1003.0 << 4 << QVector<double>{ 200, 400, 600, 800, 1000 } << 0;
    QTest::newRow("small") << 0.0011 << 0.0029 << 4 << QVector<double>{ 0.0015, 0.002, 0.0025 } << 4;
    QTest::newRow("coarse step") << -9.0 << 29.0 << 4 << QVector<double>{ 0, 10, 20 } << 0;
}

void TestPlotNumbers::ticksAreRoundAndInside()
{
    QFETCH(double, low);
    QFETCH(double, high);
    QFETCH(int, target);
    QFETCH(QVector<double>, expected);
    QFETCH(int, decimals);
    const Ticks ticks = niceTicks(low, high, target);
    QCOMPARE(ticks.values.size(), static_cast<std::size_t>(expected.size()));
    for (qsizetype i = 0; i < expected.size(); ++i)
        QVERIFY2(
            std::abs(ticks.values[static_cast<std::size_t>(i)] - expected[i]) < 1e-12 * std::max(1.0, high),
            qPrintable(QString::number(ticks.values[static_cast<std::size_t>(i)])));
    QCOMPARE(ticks.decimals, decimals);
}

void TestPlotNumbers::ticksOfNothing()
{
    QVERIFY(niceTicks(1, 1, 5).values.empty());
    QVERIFY(niceTicks(2, 1, 5).values.empty());
    QVERIFY(niceTicks(notANumber, 1, 5).values.empty());
    QVERIFY(niceTicks(1e17, 1e17 + 64, 5).values.empty());
}

void TestPlotNumbers::paddedRanges()
{
    QCOMPARE(padded(0, 10, 0.1).low, -1.0);
    QCOMPARE(padded(0, 10, 0.1).high, 11.0);
    QCOMPARE(padded(3, 3, 0.1).low, 2.5);
    QCOMPARE(padded(3, 3, 0.1).high, 3.5);
    const double infinity = std::numeric_limits<double>::infinity();
    QCOMPARE(padded(infinity, -infinity, 0.1).low, 0.0);
    QCOMPARE(padded(infinity, -infinity, 0.1).high, 1.0);
}

void TestPlotNumbers::histogramCountsByClass()
{
    const std::vector<double> values{ 0.0, 0.1, 0.5, 0.99, 1.0, 1.1, -0.1 };
    const std::vector<int> classes{ 0, 1, 1, 0, 0, 0, 0 };
    const Histogram bars = histogram(values, classes, 2, 0, 1, 2);
    QCOMPARE(bars.count(0, 0), 1.0); // 0.0
    QCOMPARE(bars.count(1, 0), 1.0); // 0.1
    QCOMPARE(bars.count(0, 1), 2.0); // 0.99 and the right end
    QCOMPARE(bars.count(1, 1), 1.0); // 0.5 opens the second bin
    QCOMPARE(bars.peak, 2.0);
    QCOMPARE(bars.edge(1), 0.5);
}

void TestPlotNumbers::histogramRefusesWhatIsNotANumber()
{
    const std::vector<double> values{ notANumber, 0.5, 0.5 };
    const std::vector<int> classes{ 0, 7, -1 };
    QCOMPARE(histogram(values, classes, 2, 0, 1, 4).peak, 0.0);
    QCOMPARE(histogram(values, {}, 1, 0, 1, 4).peak, 2.0);
    QCOMPARE(histogram(values, {}, 1, 1, 1, 4).bins, 0);
    QCOMPARE(histogram(values, {}, 1, 0, 1, 0).bins, 0);
}

void TestPlotNumbers::gridCountsCells()
{
    // Row 0 is the top; the right and the bottom edge belong to the last cells.
    const std::vector<double> x{ 0.0, 1.0, 1.0, 0.25, notANumber, 2.0 };
    const std::vector<double> y{ 1.0, 1.0, 0.0, 0.25, 0.5, 0.5 };
    const std::vector<int> classes{ 0, 1, 1, 0, 0, 0 };
    const DensityGrid grid = densityGrid(x, y, classes, 2, { 0, 1, 0, 1 }, 2, 2);
    QCOMPARE(grid.count(0, 0, 0), 1u);
    QCOMPARE(grid.count(1, 0, 1), 1u);
    QCOMPARE(grid.count(1, 1, 1), 1u);
    QCOMPARE(grid.count(0, 1, 0), 1u);
    QCOMPARE(grid.peak, 1u);
    std::uint32_t total = 0;
    for (const std::uint32_t count : grid.counts)
        total += count;
    QCOMPARE(total, 4u);
    QCOMPARE(densityGrid(x, y, classes, 2, { 1, 1, 0, 1 }, 2, 2).columns, 0);
}

void TestPlotNumbers::toneIsLogarithmic()
{
    QCOMPARE(tone(0, 10), 0.0);
    QCOMPARE(tone(10, 10), 1.0);
    QCOMPARE(tone(1, 3), 0.5); // log 2 / log 4
    QCOMPARE(tone(1, 0), 0.0);
}

void TestPlotNumbers::densityOfOnePointIsTheKernel()
{
    const std::vector<double> values{ 0.5 };
    const std::vector<double> density = kernelDensity(values, {}, -1.5, 2.5, 5, 2.0);
    for (int i = 0; i < 5; ++i) {
        const double z = (-1.5 + i - 0.5) / 2.0;
        const double expected = std::exp(-z * z / 2) / (2 * std::sqrt(2 * std::numbers::pi));
        QVERIFY(std::abs(density[static_cast<std::size_t>(i)] - expected) < 1e-15);
    }
}

void TestPlotNumbers::densityIntegratesToOne()
{
    const std::vector<double> values{ -1, 0.2, 0.3, 2, notANumber };
    const std::vector<double> weights{ 1, 2, 0.5, 1, 9 };
    const int points = 2001;
    const std::vector<double> density = kernelDensity(values, weights, -10, 10, points);
    double sum = 0;
    for (const double value : density)
        sum += value * 20 / (points - 1);
    QVERIFY2(std::abs(sum - 1) < 1e-6, qPrintable(QString::number(sum)));
    for (const double value : kernelDensity({}, {}, 0, 1, 8))
        QCOMPARE(value, 0.0);
}

void TestPlotNumbers::weightsActLikeRepeats()
{
    const std::vector<double> repeated{ 0, 1, 1, 1 };
    const std::vector<double> values{ 0, 1 };
    const std::vector<double> weights{ 1, 3 };
    const std::vector<double> a = kernelDensity(repeated, {}, -2, 3, 21, 0.5);
    const std::vector<double> b = kernelDensity(values, weights, -2, 3, 21, 0.5);
    for (std::size_t i = 0; i < a.size(); ++i)
        QVERIFY(std::abs(a[i] - b[i]) < 1e-14);
}

void TestPlotNumbers::bandwidthIsSilvermans()
{
    // 1 .. 9: variance 7.5, quartiles 3 and 7, so the spread is min(2.7386, 4 / 1.34).
    std::vector<double> values;
    for (int i = 1; i <= 9; ++i)
        values.push_back(i);
    const double expected = 0.9 * std::sqrt(7.5) * std::pow(9.0, -0.2);
    QVERIFY(std::abs(silvermanBandwidth(values, {}) - expected) < 1e-12);
    QCOMPARE(silvermanBandwidth(std::vector<double>{ 4, 4, 4 }, {}), 0.0);
    QCOMPARE(silvermanBandwidth(std::vector<double>{ 4 }, {}), 0.0);
}

QTEST_GUILESS_MAIN(TestPlotNumbers)
#include "tst_plot_numbers.moc"
