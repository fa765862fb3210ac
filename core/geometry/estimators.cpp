#include "core/geometry/estimators.h"

#include "core/base/rng.h"
#include "core/geometry/covariance.h"
#include "core/geometry/logistic.h"
#include "core/geometry/ridge.h"
#include "core/geometry/spectrum.h"
#include "core/geometry/statistics.h"

#include <array>
#include <cmath>
#include <memory>
#include <numeric>

namespace lodestone::geometry {

namespace {

constexpr std::array<Method, 9> methods{ Method::DifferenceOfMeans,
                                         Method::Ridge,
                                         Method::Logistic,
                                         Method::MassMean,
                                         Method::Lda,
                                         Method::Lat,
                                         Method::Caa,
                                         Method::Pca,
                                         Method::PcaCentred };

/// A direction on the design's coordinates, before it goes back to raw h.
struct Standardised {
    Eigen::VectorXd weights;
    double intercept = 0;
    double threshold = 0; ///< the fitted value that separates high from low
};

/// What the classifiers see of y.
Eigen::VectorXd classesOf(const Design& design, const Eigen::VectorXd& y)
{
    const double threshold = design.kind == DesignKind::Scores ? y.mean() : 0.0;
    return y.unaryExpr([threshold](double value) { return value > threshold ? 1.0 : -1.0; });
}

struct ClassMeans {
    Eigen::VectorXd difference; ///< mean of +1 minus mean of -1; for pairs the mean signed difference
    Eigen::VectorXd midpoint; ///< halfway between the class means; zero for pairs
};

Result<ClassMeans> classMeans(const Design& design, const Eigen::VectorXd& classes)
{
    const Eigen::Index n = design.size();
    ClassMeans means;
    means.midpoint = Eigen::VectorXd::Zero(design.width());
    if (!design.centred()) {
        means.difference = transposeTimes(design.X, classes) / static_cast<double>(n);
        return means;
    }
    const Eigen::VectorXd positive = (classes.array() > 0).cast<double>();
    const double positives = positive.sum();
    const double negatives = static_cast<double>(n) - positives;
    if (positives == 0 || negatives == 0)
        return badInput("both labels", "one only", "training data");
    const Eigen::VectorXd high = transposeTimes(design.X, positive) / positives;
    const Eigen::VectorXd low = transposeTimes(design.X, (1.0 - positive.array()).matrix()) / negatives;
    means.difference = high - low;
    means.midpoint = 0.5 * (high + low);
    return means;
}

Standardised through(const ClassMeans& means, Eigen::VectorXd weights)
{
    Standardised direction;
    direction.intercept = -weights.dot(means.midpoint);
    direction.weights = std::move(weights);
    return direction;
}

Rows signedRows(const Rows& X, const Eigen::VectorXd& signs)
{
    Rows rows(X.rows(), X.cols());
    for (Eigen::Index i = 0; i < X.rows(); ++i)
        rows.row(i) = X.row(i) * static_cast<float>(signs[i]);
    return rows;
}

Result<Standardised>
fitLda(const Design& design, const Eigen::VectorXd& classes, const ClassMeans& means, DirectionFit& fit)
{
    std::vector<int> groups(static_cast<std::size_t>(design.size()), 0);
    if (design.centred())
        for (std::size_t i = 0; i < groups.size(); ++i)
            groups[i] = classes[static_cast<Eigen::Index>(i)] > 0 ? 1 : 0;
    LODESTONE_TRY(
        const Covariance within,
        Covariance::withinGroups(design.centred() ? design.X : signedRows(design.X, classes), groups));
    LODESTONE_TRY(Eigen::VectorXd weights, within.solve(means.difference));
    fit.strength = within.shrinkage();
    return through(means, std::move(weights));
}

/// Differences whose sign carries no label (T45 of docs/theory.md: without that, centring removes the
/// direction).
Rows unlabelledDifferences(const Design& design, std::uint64_t seed)
{
    Rng rng(seed, 0x1a7);
    if (!design.centred()) {
        Eigen::VectorXd signs(design.size());
        for (double& sign : signs)
            sign = rng.below(2) == 1 ? 1.0 : -1.0;
        return signedRows(design.X, signs);
    }
    std::vector<int> order(static_cast<std::size_t>(design.size()));
    std::iota(order.begin(), order.end(), 0);
    rng.shuffle(order);
    Rows differences(design.size() / 2, design.width());
    for (Eigen::Index i = 0; i < differences.rows(); ++i)
        differences.row(i) = design.X.row(order[static_cast<std::size_t>(2 * i)])
            - design.X.row(order[static_cast<std::size_t>(2 * i + 1)]);
    return differences;
}

Result<Standardised> fitLat(const Design& design, const ClassMeans& means, std::uint64_t seed)
{
    const Rows differences = unlabelledDifferences(design, seed);
    if (differences.rows() < 2)
        return badInput("at least two differences", std::to_string(differences.rows()), "LAT");
    LODESTONE_TRY(const Spectrum spectrum, principalComponents(differences, 1));
    if (spectrum.components.cols() == 0)
        return badInput("differences that vary", "no variance", "LAT");
    Eigen::VectorXd component = spectrum.components.col(0);
    if (component.dot(means.difference) < 0)
        component = -component;
    return through(means, std::move(component));
}

/// Differences high - low: the signed pairs, or for single rows every row of one class with one of the other,
/// drawn in random order.
Rows labelledDifferences(const Design& design, const Eigen::VectorXd& classes, std::uint64_t seed)
{
    if (!design.centred())
        return signedRows(design.X, classes);
    std::vector<int> sides[2];
    for (Eigen::Index i = 0; i < design.size(); ++i)
        sides[classes[i] > 0 ? 1 : 0].push_back(static_cast<int>(i));
    Rng rng(seed, 0x9ca);
    rng.shuffle(sides[0]);
    rng.shuffle(sides[1]);
    Rows differences(static_cast<Eigen::Index>(std::min(sides[0].size(), sides[1].size())), design.width());
    for (Eigen::Index i = 0; i < differences.rows(); ++i)
        differences.row(i) = design.X.row(sides[1][static_cast<std::size_t>(i)])
            - design.X.row(sides[0][static_cast<std::size_t>(i)]);
    return differences;
}

/// First principal component of labelled differences, turned towards their mean.
Result<Standardised> fitPca(
    const Design& design, const Eigen::VectorXd& classes, const ClassMeans& means, bool centred,
    std::uint64_t seed, std::string& note)
{
    const Rows differences = labelledDifferences(design, classes, seed);
    if (differences.rows() < 3)
        return badInput("at least three differences", std::to_string(differences.rows()), "PCA");
    LODESTONE_TRY(const Spectrum spectrum, principalComponents(differences, 1, centred));
    if (spectrum.components.cols() == 0)
        return badInput("differences that vary", "no variance", "PCA");
    Eigen::VectorXd component = spectrum.components.col(0);
    if (component.dot(means.difference) < 0)
        component = -component;
    const Eigen::VectorXd mean = transposeTimes(differences, Eigen::VectorXd::Ones(differences.rows()))
        / static_cast<double>(differences.rows());
    const double square = differences.cast<double>().squaredNorm() / static_cast<double>(differences.rows());
    const int share = square > 0 ? static_cast<int>(std::lround(100 * mean.squaredNorm() / square)) : 0;
    note = "oriented towards the mean difference";
    if (centred)
        note += "; centring took away the mean difference, " + std::to_string(share)
            + " % of the differences' mean square: what is left need not be the value (T45)";
    return through(means, std::move(component));
}

void measureTraining(
    const Design& design, const Eigen::VectorXd& classes, const Standardised& direction, DirectionFit& fit)
{
    const Eigen::VectorXd fitted = times(design.X, direction.weights);
    const Eigen::VectorXd margins
        = classes.array() * (fitted.array() + (direction.intercept - direction.threshold));
    fit.trainingAccuracy = pairAccuracy({ margins.data(), static_cast<std::size_t>(margins.size()) });
}

} // namespace

std::span<const Method> allMethods() { return methods; }

std::string_view methodName(Method method)
{
    switch (method) {
    case Method::DifferenceOfMeans:
        return "difference-of-means";
    case Method::Ridge:
        return "ridge";
    case Method::Logistic:
        return "logistic";
    case Method::MassMean:
        return "mass-mean";
    case Method::Lda:
        return "lda";
    case Method::Lat:
        return "lat";
    case Method::Caa:
        return "caa";
    case Method::Pca:
        return "pca";
    case Method::PcaCentred:
        return "pca-centred";
    }
    return "";
}

Result<Method> parseMethod(std::string_view name)
{
    std::string names;
    for (const Method method : methods) {
        if (methodName(method) == name)
            return method;
        names += (names.empty() ? "" : ", ") + std::string(methodName(method));
    }
    return fail(ErrorKind::Usage, "a method: " + names, "'" + std::string(name) + "'");
}

Result<DirectionFit>
fitDirection(Method method, const Design& design, const FitOptions& options, const RidgeFactor* factor)
{
    return fitDirection(method, design, Eigen::VectorXd(design.y.array() + design.yMean), options, factor);
}

Result<DirectionFit> fitDirection(
    Method method, const Design& design, const Eigen::VectorXd& y, const FitOptions& options,
    const RidgeFactor* factor)
{
    if (design.size() == 0)
        return badInput("at least one training item", "none", "training data");
    if (y.size() != design.size() || !y.allFinite())
        return badInput(
            std::to_string(design.size()) + " finite labels",
            y.allFinite() ? std::to_string(y.size()) : std::string("NaN or infinity"), "training data");

    DirectionFit fit;
    fit.method = method;
    const Eigen::VectorXd classes = classesOf(design, y);
    std::optional<RidgeFactor> ownFactor;
    if ((method == Method::Ridge || method == Method::Logistic) && !factor) {
        // The factor lives no longer than the design, so it may refer to it without owning it.
        LODESTONE_TRY(
            ownFactor, RidgeFactor::make(std::shared_ptr<const Design>(std::shared_ptr<void>(), &design)));
        factor = &*ownFactor;
    }

    Standardised direction;
    switch (method) {
    case Method::Ridge: {
        if (options.relativeStrength > 0) {
            fit.relativeStrength = options.relativeStrength;
            fit.strength = options.relativeStrength * factor->meanSquare();
            direction.weights = factor->weights(y, fit.strength);
            direction.intercept = design.centred() ? y.mean() : 0.0;
        } else {
            LODESTONE_TRY(RidgeFit ridge, factor->fit(y));
            direction.weights = std::move(ridge.weights);
            direction.intercept = ridge.intercept;
            fit.strength = ridge.strength;
            fit.relativeStrength = ridge.relativeStrength;
            fit.strengthAtEdge = ridge.strengthAtEdge;
        }
        if (design.kind == DesignKind::Scores)
            direction.threshold = direction.intercept;
        fit.note = "oriented by the regression";
        break;
    }
    case Method::Logistic: {
        LODESTONE_TRY(
            LogisticFit logistic,
            fitLogistic(*factor, classes, options.relativeStrength, options.folds, options.seed));
        direction.weights = std::move(logistic.weights);
        direction.intercept = logistic.intercept;
        fit.strength = logistic.strength;
        fit.relativeStrength = logistic.relativeStrength;
        fit.strengthAtEdge = logistic.strengthAtEdge;
        fit.converged = logistic.converged;
        fit.note = "oriented by the regression";
        break;
    }
    case Method::DifferenceOfMeans: {
        LODESTONE_TRY(const ClassMeans means, classMeans(design, classes));
        direction = through(means, means.difference);
        fit.displacement = design.coordinates.toRaw(Displacement{ means.difference });
        fit.note = "oriented by the labels";
        break;
    }
    case Method::Caa:
    case Method::MassMean: {
        LODESTONE_TRY(const ClassMeans means, classMeans(design, classes));
        direction = through(means, means.difference.cwiseProduct(design.coordinates.scale.cwiseAbs2()));
        fit.displacement = design.coordinates.toRaw(Displacement{ means.difference });
        fit.note = "oriented by the labels; coordinates not standardised";
        break;
    }
    case Method::Pca:
    case Method::PcaCentred: {
        LODESTONE_TRY(const ClassMeans means, classMeans(design, classes));
        LODESTONE_TRY(
            direction, fitPca(design, classes, means, method == Method::PcaCentred, options.seed, fit.note));
        fit.displacement = design.coordinates.toRaw(Displacement{ direction.weights });
        break;
    }
    case Method::Lda: {
        LODESTONE_TRY(const ClassMeans means, classMeans(design, classes));
        LODESTONE_TRY(direction, fitLda(design, classes, means, fit));
        fit.note = "oriented by the labels";
        break;
    }
    case Method::Lat: {
        LODESTONE_TRY(const ClassMeans means, classMeans(design, classes));
        LODESTONE_TRY(direction, fitLat(design, means, options.seed));
        fit.displacement = design.coordinates.toRaw(Displacement{ direction.weights });
        fit.note = "found without labels; only its sign is set by the training labels";
        break;
    }
    }
    if (!fit.converged)
        fit.note += "; the optimiser ran out of steps";
    if (direction.weights.isZero(0))
        fit.note += "; no direction: the training data carry no difference";
    measureTraining(design, classes, direction, fit);
    fit.readOut = design.toRaw(direction.weights, direction.intercept);
    return fit;
}

} // namespace lodestone::geometry
