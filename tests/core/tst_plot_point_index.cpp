// The point index against an exhaustive search.
#include "core/base/rng.h"
#include "core/plot/point_index.h"

#include <QtTest>
#include <cmath>
#include <limits>

using namespace lodestone;
using namespace lodestone::plot;

namespace {

struct Cloud {
    std::vector<double> x;
    std::vector<double> y;
};

Cloud cloud(std::uint64_t seed, int count)
{
    Rng rng(seed);
    Cloud result;
    for (int i = 0; i < count; ++i) {
        result.x.push_back(rng.normal() * 3);
        result.y.push_back(rng.normal());
    }
    return result;
}

} // namespace

class TestPlotPointIndex : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void nearestAgreesWithExhaustiveSearch();
    void nearestKnowsItsRadius();
    void directionsAreCones();
    void rectangleAndPolygon();
    void degenerateInput();
};

void TestPlotPointIndex::nearestAgreesWithExhaustiveSearch()
{
    const Cloud points = cloud(5, 3000);
    const PointIndex index(points.x, points.y);
    Rng rng(6);
    int found = 0;
    for (int trial = 0; trial < 500; ++trial) {
        const Point at{ rng.normal() * 4, rng.normal() * 2 };
        const double radiusX = 0.05 + rng.uniform();
        const double radiusY = 0.02 + 0.3 * rng.uniform();
        int best = -1;
        double bestDistance = 1;
        for (std::size_t i = 0; i < points.x.size(); ++i) {
            const double dx = (points.x[i] - at.x) / radiusX;
            const double dy = (points.y[i] - at.y) / radiusY;
            if (dx * dx + dy * dy < bestDistance) {
                bestDistance = dx * dx + dy * dy;
                best = static_cast<int>(i);
            }
        }
        found += best >= 0 ? 1 : 0;
        QCOMPARE(index.nearest(at, radiusX, radiusY), best);
    }
    QVERIFY(found > 100 && found < 500); // both answers occur
}

void TestPlotPointIndex::nearestKnowsItsRadius()
{
    const std::vector<double> x{ 0, 10 };
    const std::vector<double> y{ 0, 10 };
    const PointIndex index(x, y);
    QCOMPARE(index.nearest({ 0.9, 0 }, 1, 1), 0);
    QCOMPARE(index.nearest({ 1.1, 0 }, 1, 1), -1);
    QCOMPARE(index.nearest({ 1.1, 0 }, 2, 1), 0); // wider across
    QCOMPARE(index.nearest({ 100, 100 }, 1, 1), -1);
}

void TestPlotPointIndex::directionsAreCones()
{
    //        3
    //   1    0    2
    //             4
    const std::vector<double> x{ 0, -1, 2, 0, 2 };
    const std::vector<double> y{ 0, 0, 0, 1, -1 };
    const PointIndex index(x, y);
    QCOMPARE(index.nearestInDirection({ 0, 0 }, 1, 0, 1, 1), 2);
    QCOMPARE(index.nearestInDirection({ 0, 0 }, -1, 0, 1, 1), 1);
    QCOMPARE(index.nearestInDirection({ 0, 0 }, 0, 1, 1, 1), 3);
    QCOMPARE(index.nearestInDirection({ 0, 0 }, 0, -1, 1, 1), -1); // 4 lies 63 degrees aside
    QCOMPARE(
        index.nearestInDirection({ 0, 0 }, 0, -1, 4, 1), 4); // on a screen that is narrow across it does not
    QCOMPARE(index.nearestInDirection({ 0, 0 }, 0, 0, 1, 1), -1);
}

void TestPlotPointIndex::rectangleAndPolygon()
{
    const std::vector<double> x{ 0, 1, 2, 3, std::numeric_limits<double>::quiet_NaN() };
    const std::vector<double> y{ 0, 1, 2, 3, 1 };
    const PointIndex index(x, y);
    QCOMPARE(
        index.inRectangle({ 2, 0.5 }, { 0.5, 2 }),
        (std::vector<int>{ 1, 2 })); // corners in any order, edge inside
    // An L: the square 0..4 without its upper right quarter.
    const std::vector<Point> corners{ { -0.5, -0.5 }, { 4, -0.5 }, { 4, 1.5 },
                                      { 1.5, 1.5 },   { 1.5, 4 },  { -0.5, 4 } };
    QCOMPARE(index.inPolygon(corners), (std::vector<int>{ 0, 1 }));
    QVERIFY(index.inPolygon(std::vector<Point>{ { 0, 0 }, { 5, 5 } }).empty());
}

void TestPlotPointIndex::degenerateInput()
{
    QCOMPARE(PointIndex().nearest({ 0, 0 }, 1, 1), -1);
    QCOMPARE(PointIndex({}, {}).nearestInDirection({ 0, 0 }, 1, 0, 1, 1), -1);
    const std::vector<double> same{ 2, 2, 2 };
    const PointIndex index(same, same);
    QCOMPARE(index.nearest({ 2.5, 2 }, 1, 1), 0); // equally near: the lowest index
    const double nan = std::numeric_limits<double>::quiet_NaN();
    QCOMPARE(index.nearest({ nan, 2 }, 1, 1), -1);
    QCOMPARE(index.nearest({ 2, 2 }, 0, 1), -1);
    const std::vector<double> unusable{ nan, nan };
    QCOMPARE(PointIndex(unusable, unusable).nearest({ 0, 0 }, 1, 1), -1);
}

QTEST_GUILESS_MAIN(TestPlotPointIndex)
#include "tst_plot_point_index.moc"
