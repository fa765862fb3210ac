// The golden values of docs/theory.md: reference instance R and the tests printed with T1, T4 and T6 to T11.
#include "core/geometry/encoding.h"
#include "tests/support/geometry_support.h"

#include <Eigen/Dense>

using namespace lodestone::geometry;

namespace {

/// Reference instance R, theory.md section 1.
struct Reference {
    Eigen::Matrix3d sigma{ { 1, .3, 0 }, { .3, 1, .2 }, { 0, .2, .5 } };
    Eigen::Vector3d truth{ 1, .5, 0 };
    Eigen::Vector3d judge{ .8, 0, .6 };
    Eigen::Vector3d generator{ .2, .9, -.3 };
    double unencoded = .4;

    double inner(const Eigen::Vector3d& a, const Eigen::Vector3d& b) const { return a.dot(sigma * b); }
    double norm(const Eigen::Vector3d& a) const { return std::sqrt(inner(a, a)); }
    double cosine(const Eigen::Vector3d& a, const Eigen::Vector3d& b) const
    {
        return inner(a, b) / (norm(a) * norm(b));
    }
    double q() const { return encodingQuality(inner(truth, truth), unencoded); }
    double valueDeviation() const { return std::sqrt(inner(truth, truth) + unencoded); }
    double rhoJudge() const { return std::sqrt(q()) * cosine(truth, judge); }
    double rhoGenerator() const { return std::sqrt(q()) * cosine(truth, generator); }
    double judgeGenerator() const { return cosine(judge, generator); }
};

constexpr double printed6 = 0.5e-6;

} // namespace

class TestGeometryEncoding : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void referenceInstance()
    {
        const Reference r;
        COMPARE_NEAR(r.q(), .794872, printed6);
        COMPARE_NEAR(r.valueDeviation(), 1.396424, printed6);
        COMPARE_NEAR(r.rhoJudge(), .775000, printed6);
        COMPARE_NEAR(r.rhoGenerator(), .696400, printed6);
        COMPARE_NEAR(r.judgeGenerator(), .459915, printed6);
    }

    void encodingQualityDegenerate()
    {
        QCOMPARE(encodingQuality(0, 0), 0.0);
        QCOMPARE(encodingQuality(2, 0), 1.0);
        QCOMPARE(encodingQuality(0, 2), 0.0);
    }

    void adjustedRSquaredCorrectsForWidth()
    {
        COMPARE_NEAR(adjustedRSquared(.5, 101, 20), 1 - .5 * 100 / 80, 1e-15);
        COMPARE_NEAR(adjustedRSquared(1, 30, 5), 1.0, 1e-15);
        QVERIFY(std::isnan(adjustedRSquared(.9, 21, 20)));
    }

    void gaussianUpdateT4()
    {
        const Reference r;
        const Eigen::VectorXd sigmaJudge = r.sigma * r.judge;
        const double squared = r.inner(r.judge, r.judge);
        const GaussianUpdate update = gaussianUpdate(sigmaJudge, squared, r.inner(r.truth, r.judge), .7);
        COMPARE_NEAR(update.shift[0], .56, 1e-12);
        COMPARE_NEAR(update.shift[1], .252, 1e-12);
        COMPARE_NEAR(update.shift[2], .21, 1e-12);
        COMPARE_NEAR(update.K, .200900, printed6);
        COMPARE_NEAR(update.valueGain, .686000, printed6);
        COMPARE_NEAR(update.rewardGain, .7 * .82, 1e-12);
        COMPARE_NEAR(lambdaForBudget(update.K, std::sqrt(squared)), .7, 1e-12);
        QCOMPARE(lambdaForBudget(1, 0), 0.0);
    }

    void euclideanAngleIsTheWrongCriterionT6()
    {
        const Eigen::Matrix2d sigma{ { 1, .6 }, { .6, 1 } };
        const Eigen::Vector2d truth(1, 0);
        const Eigen::Vector2d judge(.2, -1);
        COMPARE_NEAR(truth.dot(judge), .2, 1e-15);
        const Eigen::VectorXd moved = sigma * judge;
        const GaussianUpdate update = gaussianUpdate(moved, judge.dot(moved), truth.dot(moved), 1);
        COMPARE_NEAR(update.valueGain, -.4, 1e-15);
        // Odd in the judge: the opposite judge gains exactly what this one loses.
        const GaussianUpdate opposite = gaussianUpdate(-moved, judge.dot(moved), -truth.dot(moved), 1);
        QCOMPARE(opposite.valueGain, -update.valueGain);
        QCOMPARE(opposite.K, update.K);
    }

    void budgetT7()
    {
        const Reference r;
        COMPARE_NEAR(valueGain(r.rhoJudge(), r.valueDeviation(), .2009), .686, printed6);
        const double step = 1e-6;
        const double slope = (valueGain(.6, 1.2, .3 + step) - valueGain(.6, 1.2, .3 - step)) / (2 * step);
        COMPARE_NEAR(marginalValueGain(.6, 1.2, .3), slope, 1e-8);
        QCOMPARE(marginalValueGain(0, 1, 0), 0.0);
        QVERIFY(std::isinf(marginalValueGain(-.1, 1, 0)) && marginalValueGain(-.1, 1, 0) < 0);
        QCOMPARE(valueGain(.5, 1, -1), 0.0);
    }

    void winRateT8()
    {
        const Reference r;
        COMPARE_NEAR(winRate(r.rhoJudge(), .2009), .635843, printed6);
        QCOMPARE(winRate(.9, 0), .5);
    }

    void impliedByPublishedWinRates_data()
    {
        QTest::addColumn<double>("rate");
        QTest::addColumn<double>("implied");
        QTest::newRow("71 %") << .71 << .5534;
        QTest::newRow("73 %") << .73 << .6128;
        QTest::newRow("63 %") << .63 << .3319;
        QTest::newRow("64 %") << .64 << .3585;
        QTest::newRow("68 %") << .68 << .4677;
        QTest::newRow("74 %") << .74 << .6433;
        QTest::newRow("60 %") << .60 << .2533;
    }
    void impliedByPublishedWinRates()
    {
        QFETCH(double, rate);
        QFETCH(double, implied);
        COMPARE_NEAR(impliedByWinRate(rate), implied, .5e-4);
        COMPARE_NEAR(winRate(impliedByWinRate(rate), 1), rate, 1e-12);
    }

    void impliedByWinRateAtTheEnds()
    {
        QVERIFY(std::isinf(impliedByWinRate(1)) && impliedByWinRate(1) > 0);
        QVERIFY(std::isinf(impliedByWinRate(0)) && impliedByWinRate(0) < 0);
    }

    void accuracyAndGapT9()
    {
        const Reference r;
        COMPARE_NEAR(accuracyFromCorrelation(r.rhoJudge()), .782250, printed6);
        COMPARE_NEAR(accuracyFromCorrelation(r.rhoGenerator()), .745216, printed6);
        COMPARE_NEAR(generationJudgmentGap(r.rhoJudge(), r.rhoGenerator()), .037034, printed6);
        COMPARE_NEAR(
            equalBudgetAdvantage(r.rhoJudge(), r.rhoGenerator(), r.valueDeviation(), .2009),
            (r.rhoJudge() - r.rhoGenerator()) * r.valueDeviation() * std::sqrt(2 * .2009), 1e-12);
        QCOMPARE(accuracyFromCorrelation(1.0000001), 1.0);
    }

    void encodingQualityInvertsAccuracy()
    {
        for (const double rho : { 0.05, 0.3, 0.775, 0.99 })
            COMPARE_NEAR(encodingQualityFromAccuracy(accuracyFromCorrelation(rho)), rho * rho, 1e-12);
        // Published label accuracies, T12.
        COMPARE_NEAR(correlationFromAccuracy(.627), .3885, .5e-4);
        COMPARE_NEAR(encodingQualityFromAccuracy(.738), .462, .5e-3);
        COMPARE_NEAR(encodingQualityFromAccuracy(.780), .594, .5e-3);
        QCOMPARE(encodingQualityFromAccuracy(.5), 0.0);
        QCOMPARE(encodingQualityFromAccuracy(.2), 0.0);
        COMPARE_NEAR(correlationFromAccuracy(.2), -std::sin(.3 * 3.14159265358979), 1e-12);
    }

    void largestImprovingUpdateT9c()
    {
        const double tMax = largestImprovingUpdate(.4, .5, .3);
        COMPARE_NEAR(tMax, 2.777778, printed6);
        COMPARE_NEAR(alignmentAfter(.4, .5, .3, tMax), .5, 1e-12);
        QVERIFY(std::isinf(largestImprovingUpdate(.5, .5, .3)));
        const Reference r;
        QVERIFY(std::isinf(largestImprovingUpdate(r.rhoJudge(), r.rhoGenerator(), r.judgeGenerator())));
        QCOMPARE(largestImprovingUpdate(.1, .5, .3), 0.0);
    }

    void largestImprovingUpdateHoldsOnAGrid()
    {
        // The definition itself: f(t) > f(0) just inside, not just outside.
        for (double judge = -.9; judge <= .9; judge += .2) {
            for (double generator = -.9; generator <= .9; generator += .2) {
                const double c = .25;
                const double tMax = largestImprovingUpdate(judge, generator, c);
                const double start = alignmentAfter(judge, generator, c, 0);
                if (std::isinf(tMax)) {
                    for (const double t : { .01, .5, 3.0, 50.0 })
                        QVERIFY(alignmentAfter(judge, generator, c, t) > start);
                } else if (tMax > 0) {
                    QVERIFY(alignmentAfter(judge, generator, c, .99 * tMax) > start);
                    QVERIFY(alignmentAfter(judge, generator, c, 1.01 * tMax) < start);
                } else {
                    QVERIFY(alignmentAfter(judge, generator, c, 1e-3) <= start);
                }
            }
        }
    }

    void bestMixtureT10()
    {
        const Mixture mixture = bestMixture(.4, .5, .3);
        COMPARE_NEAR(mixture.t, .657895, printed6);
        COMPARE_NEAR(mixture.alignment, .564519, printed6);
        COMPARE_NEAR(mixture.alignment, std::sqrt((.25 + .16 - 2 * .3 * .5 * .4) / (1 - .09)), 1e-12);
        const Reference r;
        const Mixture reference = bestMixture(r.rhoJudge(), r.rhoGenerator(), r.judgeGenerator());
        COMPARE_NEAR(reference.t, 1.337531, printed6);
        COMPARE_NEAR(reference.alignment, .864412, printed6);
    }

    void bestMixtureAtTheEnds()
    {
        QCOMPARE(bestMixture(.1, .8, .5).t, 0.0);
        QCOMPARE(bestMixture(.1, .8, .5).alignment, .8);
        QVERIFY(std::isinf(bestMixture(.8, .1, .5).t));
        QCOMPARE(bestMixture(.8, .1, .5).alignment, .8);
        QCOMPARE(bestMixture(-.5, -.2, .9).alignment, -.2);
    }

    void ceilingsT11()
    {
        const Reference r;
        const Ceilings best = ceilings(r.q(), r.valueDeviation(), .2009);
        COMPARE_NEAR(best.valueGain, .789170, printed6);
        // Exactly 1/2 + arcsin(sqrt(1.55/1.95))/pi = .8503856, printed in theory.md to five digits.
        COMPARE_NEAR(best.accuracy, .85039, .5e-5);
        COMPARE_NEAR(best.accuracy, .5 + std::asin(std::sqrt(1.55 / 1.95)) / 3.14159265358979, 1e-12);
        COMPARE_NEAR(best.winRate, .5 * std::erfc(-std::sqrt(r.q() * .2009) / std::sqrt(2.0)), 1e-15);
        COMPARE_NEAR(valueGain(r.rhoJudge(), r.valueDeviation(), .2009) / best.valueGain, .869267, printed6);
        QCOMPARE(ceilings(0, 1, 1).winRate, .5);
        QCOMPARE(ceilings(0, 1, 1).accuracy, .5);
    }
};

QTEST_GUILESS_MAIN(TestGeometryEncoding)
#include "tst_geometry_encoding.moc"
