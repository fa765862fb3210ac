// Calibration, kappa and abstention at values known by hand and by simulation.
#include "core/base/rng.h"
#include "core/judgment/calibration.h"
#include "tests/support/geometry_support.h"

#include <tuple>

using namespace lodestone;
using namespace lodestone::judgment;

class TestCalibration : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void errorByHand()
    {
        // Four pairs at .95 (three right), two at .65 (one right): ECE = 4/6 |.95 - .75| + 2/6 |.65 - .5|.
        const std::vector<double> p{ .95, .95, .95, .05, .65, .35 };
        const std::vector<int> groups{ 0, 1, 2, 3, 4, 5 };
        const Calibration found = calibration(p, groups, 0);
        QCOMPARE(found.bins.size(), std::size_t(2));
        QCOMPARE(found.bins[1].count, 4);
        COMPARE_NEAR(found.bins[1].agreed, 0.75, 1e-12);
        COMPARE_NEAR(found.bins[0].meanP, 0.65, 1e-12);
        COMPARE_NEAR(found.ece.value, 4.0 / 6 * 0.2 + 2.0 / 6 * 0.15, 1e-12);
        QVERIFY(found.ece.interval.isKnown());
        QVERIFY(calibration({}, {}, 0).bins.empty());
    }

    void temperatureIsFoundAgain()
    {
        // Labels drawn from sigmoid(l); the judge says sigmoid(3 l): three times too sure.
        Rng rng(1);
        std::vector<double> p;
        std::vector<int> groups;
        for (int i = 0; i < 40000; ++i) {
            const double l = rng.normal(), right = 1 / (1 + std::exp(-l));
            const double said = 1 / (1 + std::exp(-3 * l));
            p.push_back(rng.uniform() < right ? said : 1 - said);
            groups.push_back(i % 400);
        }
        COMPARE_NEAR(fitTemperature(p), 3.0, 0.15);
        QVERIFY(calibration(p, groups, 0).ece.value > 0.1);
        // Divided by its temperature it is calibrated.
        for (double& each : p)
            each = 1 / (1 + std::exp(-(std::log(each) - std::log1p(-each)) / 3));
        QVERIFY(calibration(p, groups, 0).ece.value < 0.02);
        // Always right: separation; worse than a coin: no finite temperature.
        QVERIFY(fitTemperature(std::vector<double>{ .7, .9 }) == 0);
        QVERIFY(std::isinf(fitTemperature(std::vector<double>{ .2, .4, .6 })));
        QVERIFY(std::isnan(fitTemperature({})));
    }

    void kappaByHand()
    {
        // 20 both up, 5 and 10 apart, 15 both down: po = .7, pe = .5 x .6 + .5 x .4 = .5, kappa = .4.
        std::vector<double> a, b;
        for (const auto& [x, y, count] :
             { std::tuple(1, 1, 20), std::tuple(1, -1, 5), std::tuple(-1, 1, 10), std::tuple(-1, -1, 15) })
            for (int i = 0; i < count; ++i) {
                a.push_back(x);
                b.push_back(y);
            }
        COMPARE_NEAR(kappa(a, b), 0.4, 1e-12);
        COMPARE_NEAR(kappa(a, a), 1.0, 1e-12);
        std::vector<double> flat(a.size(), 1.0);
        COMPARE_NEAR(kappa(a, flat), 0.0, 0.0);
        QVERIFY(std::isnan(kappa(a, std::vector<double>{ 1 })));
    }

    void abstention()
    {
        const std::vector<double> p{ .9, .6, .2, .5 };
        const std::vector<geometry::Interval> intervals{ { .7, .95 }, { .4, .8 }, { .1, .3 }, {} };
        const Abstention found = abstain(p, intervals);
        COMPARE_NEAR(found.coverage, 0.5, 1e-12);
        COMPARE_NEAR(found.accuracy, 0.5, 1e-12);
        QVERIFY(std::isnan(
            abstain(std::vector<double>{ .9 }, std::vector<geometry::Interval>{ { .4, .95 } }).accuracy));
    }
};

QTEST_GUILESS_MAIN(TestCalibration)
#include "tst_calibration.moc"
