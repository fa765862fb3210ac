// The plane of two directions: arrows, shares and cones against closed forms.
#include "ui/models/plane.h"

#include <QtTest>
#include <cmath>
#include <numbers>

using namespace lodestone;
using namespace lodestone::ui;

namespace {

/// With Sigma the identity a direction is its own displacement.
NamedDirection direction(double x, double y, double z = 0)
{
    NamedDirection result;
    result.weights = Eigen::Vector3d(x, y, z);
    result.displacement = result.weights;
    return result;
}

} // namespace

class TestPlane : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aConeIsTheSpreadOfItsHalves()
    {
        const NamedDirection across = direction(1, 0), up = direction(0, 1), along = direction(1, 0);
        QCOMPARE(coneDegrees(along, {}, across, up), 0.0);
        const double angle = 10 * std::numbers::pi / 180;
        const std::vector<Eigen::VectorXd> halves{ Eigen::Vector3d(std::cos(angle), std::sin(angle), 0),
                                                   Eigen::Vector3d(std::cos(angle), -std::sin(angle), 0) };
        QVERIFY(std::abs(coneDegrees(along, halves, across, up) - 19.6) < 1e-9);
        // Across the border of the angle: 180 and -170 degrees are 10 apart.
        const NamedDirection back = direction(-1, 0);
        const std::vector<Eigen::VectorXd> around{ -halves[0], -halves[1] };
        QVERIFY(std::abs(coneDegrees(back, around, across, up) - 19.6) < 1e-9);
        // A direction that nothing holds in this plane has no narrower cone than a half plane.
        const std::vector<Eigen::VectorXd> anywhere{ Eigen::Vector3d(-1, 0, 0), Eigen::Vector3d(0, 1, 0) };
        QCOMPARE(coneDegrees(along, anywhere, across, up), 90.0);
    }

    void theShareIsTheSquaredLengthInThePlane()
    {
        const NamedDirection across = direction(1, 0), up = direction(0, 1);
        QVERIFY(std::abs(shareInPlane(direction(0.6, 0, 0.8), across, up) - 0.36) < 1e-12);
        // Axes at 60 degrees span the same plane.
        const NamedDirection skew = direction(0.5, std::sqrt(0.75));
        QVERIFY(std::abs(shareInPlane(direction(0.6, 0, 0.8), across, skew) - 0.36) < 1e-12);
        QVERIFY(std::abs(shareInPlane(direction(0, 0, 1), across, skew)) < 1e-12);
    }
};

QTEST_GUILESS_MAIN(TestPlane)
#include "tst_plane.moc"
