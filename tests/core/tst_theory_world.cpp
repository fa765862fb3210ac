// A drawn world as a study: what was put in is what the program finds, within the bounds that the statements
// give. ctest labels: theory
#include "core/session/pipeline.h"
#include "core/session/world_study.h"
#include "core/theory/algebra.h"
#include "core/theory/numbers.h"
#include "tests/support/result_checks.h"

#include <QtTest>
#include <cmath>

using namespace lodestone;
using namespace lodestone::testing;

namespace {

struct Drawn {
    ScratchFolder scratch;
    theory::Values settings = theory::Values(theory::worldInputs());
    theory::World world;
    std::shared_ptr<const data::Study> study;

    explicit Drawn(const std::vector<std::pair<const char*, double>>& changes = {})
    {
        for (const auto& [name, value] : changes)
            if (auto set = theory::setWorld(settings, name, value); !set)
                qFatal("%s", set.error().message().c_str());
        if (auto written = session::writeWorldStudy(settings, 4, scratch / "world"); !written)
            qFatal("%s", written.error().message().c_str());
        world = theory::drawWorld(settings, 4).value();
        auto opened = data::Study::open(scratch / "world");
        if (!opened)
            qFatal("%s", opened.error().message().c_str());
        study = std::move(*opened);
    }

    double cosine(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const
    {
        const Eigen::MatrixXd sigma = world.sigma();
        return a.dot(sigma * b) / std::sqrt(a.dot(sigma * a) * b.dot(sigma * b));
    }
};

} // namespace

class TestTheoryWorld : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// The directions lie at the angles asked for, and scores along them have variance 1 within prompts.
    void directionsLieAsAsked()
    {
        const Drawn drawn({ { "cos_J", .6 }, { "cos_g", -.2 }, { "cos_1", .9 } });
        QVERIFY(std::abs(drawn.cosine(drawn.world.truth, drawn.world.judge) - .6) < 1e-9);
        QVERIFY(std::abs(drawn.cosine(drawn.world.truth, drawn.world.generation) + .2) < 1e-9);
        QVERIFY(std::abs(drawn.cosine(drawn.world.truth, drawn.world.principles[0]) - .9) < 1e-9);
        QVERIFY(std::abs(drawn.world.truth.dot(drawn.world.sigma() * drawn.world.truth) - 1) < 1e-9);
    }

    /// The study opens like any other and holds what was drawn.
    void opensAsAStudy()
    {
        const Drawn drawn({ { "n", 40 }, { "prompts", 5 }, { "N", 3 } });
        const data::Study& study = *drawn.study;
        QCOMPARE(study.set().responses.size(), std::size_t(95));
        QCOMPARE(study.set().pairs.size(), std::size_t(40));
        QCOMPARE(study.layers().size(), std::size_t(3));
        const data::RowMatrix rows = study.activations(Layer::blockOutput(1), data::Position::Mean).value();
        QVERIFY((rows.cast<double>() - drawn.world.activations).cwiseAbs().maxCoeff() < 1e-5);
        QVERIFY(study.likelihoods());
        QVERIFY(!session::writeWorldStudy(drawn.settings, 4, study.folder()));
    }

    /// A difference of means over pairs in whitened space finds w* as well as T25 says: with labels by a
    /// value of which q is encoded, m = sqrt(q) sqrt(2/pi) (1 - 2 eps).
    void meanDifferenceReachesTheBoundOfT25()
    {
        const Drawn drawn({ { "n", 4000 }, { "d", 40 }, { "q", .6 }, { "eps", .1 }, { "prompts", 0 } });
        Eigen::VectorXd sum = Eigen::VectorXd::Zero(40);
        for (std::size_t pair = 0; pair < drawn.world.firstChosen.size(); ++pair) {
            const auto at = static_cast<Eigen::Index>(2 * pair);
            const Eigen::VectorXd difference
                = (drawn.world.activations.row(at) - drawn.world.activations.row(at + 1)).transpose();
            sum += drawn.world.firstChosen[pair] ? difference : Eigen::VectorXd(-difference);
        }
        // The displacement estimates Sigma w: its cosine as a read-out needs Sigma^{-1} (docs/theory.md 8.2).
        const double along = drawn.world.truth.dot(sum);
        const Eigen::MatrixXd sigma = drawn.world.sigma();
        const double length = std::sqrt(sum.dot(theory::solve(sigma, sum)));
        const double expected
            = theory::estimatorCosine(40, 4000, std::sqrt(.6) * .8 * std::sqrt(2 / theory::pi));
        QVERIFY2(std::abs(along / length - expected) < .02, qPrintable(QString::number(along / length)));
    }

    /// The whole program on it: people's direction is w* within the bound, and the meters name what was set.
    void programFindsTheTruth()
    {
        const Drawn drawn({ { "n", 1500 }, { "d", 16 }, { "q", .9 }, { "noise", .2 }, { "k", 2 } });
        const auto foundation = session::Foundation::open(drawn.study).value();
        session::Pipeline pipeline(foundation);
        const auto snapshot
            = pipeline.recompute(session::defaultInputs(*foundation, Layer::blockOutput(1)), nullptr).value();
        // 900 training pairs: T25 with m = sqrt(.9) sqrt(2/pi) gives .985; regularisation and an estimated
        // Sigma cost some.
        QVERIFY(snapshot->layer->people.found());
        QVERIFY2(
            snapshot->meters->encodingQuality.value > .75 && snapshot->meters->encodingQuality.value < 1,
            qPrintable(QString::number(snapshot->meters->encodingQuality.value)));
        // w_c = b_1 + b_2 with cosines .8 and .5: cos = 1.3/sqrt(2 + 2 (.4)) = .777.
        QVERIFY2(
            std::abs(snapshot->judge->cosTrue - .777) < .08,
            qPrintable(QString::number(snapshot->judge->cosTrue)));
        QVERIFY(std::abs(snapshot->meters->cosTrueGeneration.value - .3) < .12);
    }

    void refusesWhatCannotBe()
    {
        theory::Values settings(theory::worldInputs());
        QCOMPARE(theory::setWorld(settings, "cosine", 1).error().kind, ErrorKind::Usage);
        QCOMPARE(theory::setWorld(settings, "d", 5).error().kind, ErrorKind::BadInput);
        for (const auto& [name, value] : { std::pair("d", 256.0), std::pair("n", 20000.0),
                                           std::pair("prompts", 5000.0), std::pair("N", 64.0) })
            QVERIFY(theory::setWorld(settings, name, value));
        QVERIFY(!theory::drawWorld(settings, 0));
    }
};

QTEST_GUILESS_MAIN(TestTheoryWorld)
#include "tst_theory_world.moc"
