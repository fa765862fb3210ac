#include "core/session/dimensions.h"

#include "core/base/rng.h"
#include "core/geometry/encoding.h"
#include "core/geometry/estimators.h"
#include "core/geometry/spectrum.h"
#include "core/geometry/subspace.h"
#include "core/session/elicitation_bench.h"
#include "core/theory/numbers.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::session {
namespace {

using geometry::Rows;

/// Everything that one layer's measurements share: standardised rows, examples, what agreement means.
struct Bed {
    Rows standardised; ///< [rows, width]
    constitution::StudyExamples examples;
    DimensionsOptions options;

    const geometry::Estimate& agreement(const geometry::Score& score) const
    {
        return examples.heldOut.arePairs() ? score.accuracy : score.auc;
    }
    /// A direction fitted to the training labels on some coordinates of the rows, taken as they are: scaling
    /// the components of a span again would whiten it. And its held-out agreement.
    Result<std::pair<geometry::ReadOut, geometry::Estimate>>
    fit(const Rows& rows, geometry::Method method, int resamples) const
    {
        const auto asTheyAre = geometry::Standardiser::identity(rows.cols());
        LODESTONE_TRY(
            const auto design,
            examples.training.arePairs()
                ? geometry::Design::fromPairs(rows, examples.training.pairs, asTheyAre)
                : geometry::Design::fromLabels(rows, examples.training.rows, asTheyAre));
        geometry::FitOptions fitting;
        fitting.seed = options.seed;
        LODESTONE_TRY(auto found, geometry::fitDirection(method, design, fitting));
        LODESTONE_TRY(
            const auto score,
            geometry::scoreReadOut(found.readOut, rows, examples.heldOut, resamples, options.seed));
        return std::pair(std::move(found.readOut), agreement(score));
    }
};

Rows projected(const Rows& rows, const Eigen::MatrixXd& basis)
{
    return geometry::times(rows, basis).cast<float>();
}

/// Rows without what lies along the columns of an orthonormal basis.
Rows without(const Rows& rows, const Eigen::MatrixXd& basis)
{
    return rows - (geometry::times(rows, basis) * basis.transpose()).cast<float>();
}

std::vector<int> usualRanks(int most)
{
    std::vector<int> ranks;
    for (int k = 1; k < most; k *= 2)
        ranks.push_back(k);
    ranks.push_back(most);
    return ranks;
}

/// F of people's direction in the span of the read-outs `basis` (columns, on standardised coordinates).
Result<double>
capturedShare(const geometry::Covariance& sigma, const Eigen::MatrixXd& basis, const Eigen::VectorXd& people)
{
    LODESTONE_TRY(const auto span, geometry::Subspace::fromGram(sigma.gram(basis, basis)));
    return span.share(sigma.gram(basis, people).col(0), sigma.inner(people, people));
}

void fitCapacity(Dimensions& found)
{
    double best = std::numeric_limits<double>::infinity();
    for (int step = 5; step <= 300; ++step) {
        const double s = step / 100.0;
        double sum = 0;
        for (const RankRow& row : found.ranks)
            sum += std::pow(row.kept.value - capacityAccuracy(row.rank, s), 2);
        if (sum < best) {
            best = sum;
            found.capacityExponent = s;
        }
    }
    for (const RankRow& row : found.ranks)
        found.capacityCurve.push_back(capacityAccuracy(row.rank, found.capacityExponent));
}

Result<void>
measureCoordinates(const Bed& bed, const Rows& raw, const Eigen::MatrixXd& components, Dimensions& found)
{
    using geometry::Method;
    const auto add = [&](const std::string& name, const Rows& rows, Method method) -> Result<void> {
        LODESTONE_TRY(const auto fit, bed.fit(rows, method, 1000));
        found.coordinates.push_back({ name, fit.second });
        return {};
    };
    LODESTONE_CHECK(add("raw", raw, Method::Caa));
    LODESTONE_CHECK(add("standardised", bed.standardised, Method::DifferenceOfMeans));
    LODESTONE_CHECK(add("whitened", bed.standardised, Method::Lda));
    for (const int dropped : { 1, 3, 10 })
        if (dropped < components.cols())
            LODESTONE_CHECK(
                add(fmt::format("drop-{}", dropped), without(bed.standardised, components.leftCols(dropped)),
                    Method::DifferenceOfMeans));
    return {};
}

} // namespace

double capacityAccuracy(int k, double s)
{
    double sum = 0;
    for (int i = 1; i <= k; ++i)
        sum += std::pow(i, -(1 + s));
    return geometry::accuracyFromCorrelation(std::sqrt(std::clamp(sum / theory::zeta(1 + s), 0.0, 1.0)));
}

Result<Dimensions> measureDimensions(
    const Foundation& foundation, Layer layer, const DimensionsOptions& options, const Work& work)
{
    LODESTONE_TRY(const Rows raw, foundation.study->activations(layer, options.position));
    Bed bed;
    bed.options = options;
    bed.examples = constitution::examplesOf(
        foundation.study->set(), foundation.training, static_cast<std::size_t>(raw.rows()), options.value);
    if (bed.examples.training.size() == 0 || bed.examples.heldOut.size() == 0)
        return badInput(
            "labels on training and on held-out prompts", "none on one side",
            foundation.study->folder().string());
    std::vector<int> training;
    for (Eigen::Index i = 0; i < raw.rows(); ++i)
        if (foundation.training[static_cast<std::size_t>(i)])
            training.push_back(static_cast<int>(i));
    LODESTONE_TRY(const auto coordinates, geometry::Standardiser::fit(raw, training));
    bed.standardised = coordinates.apply(raw);
    Dimensions found;
    found.layer = layer;
    found.width = static_cast<int>(raw.cols());
    found.training = bed.examples.training.size();
    found.heldOut = bed.examples.heldOut.size();
    found.pairs = bed.examples.heldOut.arePairs();

    const Rows trainingRows = geometry::gather(bed.standardised, training);
    const int most = static_cast<int>(std::min<Eigen::Index>(trainingRows.rows() - 1, raw.cols()));
    LODESTONE_TRY(const auto spectrum, geometry::principalComponents(trainingRows, std::max(1, most)));
    const Eigen::MatrixXd& components = spectrum.components;
    const auto identity = geometry::Standardiser::identity(raw.cols());
    LODESTONE_TRY(const auto sigma, sigmaOf(bed.standardised, training, foundation.groups, identity));
    LODESTONE_TRY(const auto people, bed.fit(bed.standardised, geometry::Method::Ridge, 0));

    Rng rng(options.seed, 0xd1);
    const std::vector<int> ranks
        = options.ranks.empty() ? usualRanks(static_cast<int>(components.cols())) : options.ranks;
    for (std::size_t r = 0; r < ranks.size(); ++r) {
        if (work.cancelled())
            return cancelled();
        work.tell({ "Counting directions", static_cast<double>(r), static_cast<double>(ranks.size()), 0,
                    "ranks", -1 });
        RankRow row;
        row.rank = std::clamp(ranks[r], 1, static_cast<int>(components.cols()));
        const Eigen::MatrixXd basis = components.leftCols(row.rank);
        LODESTONE_TRY(const auto kept, bed.fit(projected(bed.standardised, basis), options.method, 1000));
        row.kept = kept.second;
        LODESTONE_TRY(row.captured, capturedShare(sigma, basis, people.first.weights));
        for (int draw = 0; draw < options.randomSubspaces; ++draw) {
            const Eigen::MatrixXd random = Eigen::MatrixXd::NullaryExpr(raw.cols(), row.rank, [&] {
                return rng.normal() / std::sqrt(static_cast<double>(raw.cols()));
            });
            LODESTONE_TRY(const auto chance, bed.fit(projected(bed.standardised, random), options.method, 0));
            LODESTONE_TRY(const double share, capturedShare(sigma, random, people.first.weights));
            row.randomKept += chance.second.value / options.randomSubspaces;
            row.randomCaptured += share / options.randomSubspaces;
        }
        const auto quality = [](double accuracy) { return geometry::encodingQualityFromAccuracy(accuracy); };
        row.encodingQuality = { quality(row.kept.value),
                                { quality(row.kept.interval.low), quality(row.kept.interval.high) } };
        found.ranks.push_back(row);
    }
    fitCapacity(found);

    Rows left = bed.standardised;
    for (int removed = 0; removed <= options.removals; ++removed) {
        if (work.cancelled())
            return cancelled();
        LODESTONE_TRY(const auto next, bed.fit(left, options.method, 1000));
        found.removals.push_back({ removed, next.second });
        const double norm = next.first.weights.norm();
        if (!(norm > 0))
            break; // nothing is left to take out
        left = without(left, next.first.weights / norm);
    }
    LODESTONE_CHECK(measureCoordinates(bed, raw, components, found));
    return found;
}

} // namespace lodestone::session
