#include "core/session/asked_enacted.h"

#include "core/base/rng.h"
#include "core/data/capture.h"
#include "core/geometry/direction_evidence.h"
#include "core/geometry/held_out.h"
#include "core/model/steering.h"
#include "core/session/directions.h"
#include "core/session/elicitation_bench.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lodestone::session {
namespace {

constexpr int randomDraws = 200;

/// The items with other winners: the reply that `answers` scores higher, or texts above the median of the
/// training texts. Items without an answer, and ties, are left out.
constitution::StudyExamples
relabelled(const constitution::StudyExamples& items, const Eigen::VectorXd& answers)
{
    std::vector<double> known;
    for (const geometry::LabelledRow& row : items.training.rows)
        if (std::isfinite(answers[row.row]))
            known.push_back(answers[row.row]);
    const double median = geometry::quantile(known, 0.5);
    const auto turned = [&](const geometry::Examples& from) {
        geometry::Examples to;
        for (geometry::Pair pair : from.pairs) {
            const double margin = answers[pair.chosen] - answers[pair.rejected];
            if (margin < 0)
                std::swap(pair.chosen, pair.rejected);
            if (std::isfinite(margin) && margin != 0)
                to.pairs.push_back(pair);
        }
        for (geometry::LabelledRow row : from.rows)
            if (std::isfinite(answers[row.row])) {
                row.label = answers[row.row] > median ? 1 : -1;
                to.rows.push_back(row);
            }
        return to;
    };
    return { turned(items.training), turned(items.heldOut) };
}

CrossScore scored(
    const LayerStage& layer, const Direction& direction, const constitution::StudyExamples& items,
    std::uint64_t seed)
{
    CrossScore result;
    result.items = items.heldOut.size();
    if (result.items == 0)
        return result;
    const bool pairs = items.heldOut.arePairs();
    if (const auto score
        = geometry::scoreRowScores(geometry::viewOf(direction.scores), items.heldOut, 1000, seed))
        result.agreement = pairs ? score->accuracy : score->auc;
    geometry::HeldOutOptions options;
    options.seed = seed;
    if (items.training.size() > 0)
        if (const auto chance
            = geometry::randomDirections(layer.rows, items.training, items.heldOut, options)) {
            result.random = pairs ? chance->accuracy : chance->auc;
            result.randomUpper = pairs ? chance->accuracyUpper : chance->aucUpper;
        }
    return result;
}

/// Read-outs drawn at random on the standardised coordinates, of Sigma-norm 1.
Eigen::VectorXd randomReadOut(const LayerStage& layer, Rng& rng)
{
    Eigen::VectorXd w(layer.rows.cols());
    for (Eigen::Index j = 0; j < w.size(); ++j)
        w[j] = rng.normal() / layer.standardiser.scale[j];
    const double norm = layer.sigma->norm(w);
    return norm > 0 ? Eigen::VectorXd(w / norm) : w;
}

/// log p per token of both replies of every pair under a push: [pairs], chosen minus rejected.
Result<std::vector<double>> preferenceUnder(
    model::LanguageModel& model, const data::ResponseSet& set, const std::vector<geometry::Pair>& pairs,
    const model::Intervention& push, const Work& work)
{
    std::vector<model::Request> requests;
    for (const geometry::Pair& pair : pairs)
        for (const int row : { pair.chosen, pair.rejected }) {
            model::Request request;
            request.tokens
                = data::promptTokens(model, set, set.responses[static_cast<std::size_t>(row)].prompt);
            const auto own = data::responseTokens(model, set, row);
            request.scored.begin = static_cast<int>(request.tokens.size());
            request.tokens.insert(request.tokens.end(), own.begin(), own.end());
            request.scored.end = static_cast<int>(request.tokens.size());
            requests.push_back(std::move(request));
        }
    LODESTONE_TRY(const auto readings, model.read(requests, {}, Work{ work.stop, {} }, std::span(&push, 1)));
    const auto perToken = [](const model::Reading& reading) {
        const auto& all = reading.logProbabilities;
        return std::accumulate(all.begin(), all.end(), 0.0)
            / static_cast<double>(std::max<std::size_t>(1, all.size()));
    };
    std::vector<double> margins;
    for (std::size_t i = 0; i < pairs.size(); ++i)
        margins.push_back(perToken(readings[2 * i]) - perToken(readings[2 * i + 1]));
    return margins;
}

Result<SteeringEffect> steered(
    model::LanguageModel& model, const data::ResponseSet& set, Layer layer,
    const std::vector<geometry::Pair>& pairs, const Eigen::VectorXd& displacement,
    const EnactedOptions& options, const Work& work)
{
    const Eigen::VectorXf delta = displacement.cast<float>();
    LODESTONE_TRY(
        const auto up, preferenceUnder(model, set, pairs, model::addition(layer, options.push, delta), work));
    LODESTONE_TRY(
        const auto down,
        preferenceUnder(model, set, pairs, model::addition(layer, -options.push, delta), work));
    std::vector<double> differences;
    std::vector<int> groups;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        differences.push_back(up[i] - down[i]);
        groups.push_back(pairs[i].group);
    }
    return SteeringEffect{ geometry::ClusterBootstrap(groups, 1000, options.seed).mean(differences) };
}

/// A few pairs spread over the list.
std::vector<geometry::Pair> spreadPairs(const std::vector<geometry::Pair>& pairs, int most)
{
    std::vector<geometry::Pair> result;
    for (const int i : constitution::spreadOrder(static_cast<int>(pairs.size())))
        if (static_cast<int>(result.size()) < most)
            result.push_back(pairs[static_cast<std::size_t>(i)]);
    return result;
}

} // namespace

Result<std::vector<AskedEnacted>> askedAndEnacted(
    const Foundation& foundation, const LayerStage& layer,
    const std::vector<constitution::Principle>& principles, const constitution::WayContext& context,
    const EnactedOptions& options, const Work& work)
{
    const data::ResponseSet& set = foundation.study->set();
    LODESTONE_TRY(const auto asks, constitution::makeWay(options.asked, context));
    LODESTONE_TRY(const auto enacts, constitution::makeWay(options.enacted, context));
    if (asks->yields() != constitution::Yields::ReadOut)
        return fail(ErrorKind::Usage, "a way that judges every reply", "'" + options.asked + "'", "asked");
    if (enacts->yields() != constitution::Yields::Displacement)
        return fail(
            ErrorKind::Usage, "a way that moves the model (persona-difference, persona-vectors)",
            "'" + options.enacted + "'", "enacted");
    LODESTONE_TRY(const auto tells, constitution::makeWay("implicit-reward", context));
    if (layer.examples.heldOut.size() == 0)
        return badInput(
            "labels on held-out prompts", "none in this study", foundation.study->folder().string());
    if (context.model) {
        const std::vector<std::string> ways{ options.asked, options.enacted, "implicit-reward" };
        LODESTONE_CHECK(constitution::askAhead(ways, principles, context, work));
    }
    std::vector<AskedEnacted> results;
    for (const constitution::Principle& principle : principles) {
        if (work.cancelled())
            return cancelled();
        AskedEnacted one;
        one.principle = principle.name;
        const auto refuse = [&](const Error& error) {
            one.problem = error.message();
            one.missingModel = error.kind == ErrorKind::MissingModel;
            results.push_back(one);
        };
        const auto judged = asks->judge(principle, work);
        const auto moved = enacts->judge(principle, work);
        if (!judged || !moved) {
            const Error& error = judged ? moved.error() : judged.error();
            if (error.kind == ErrorKind::Cancelled || error.kind == ErrorKind::Failed)
                return tl::unexpected(error);
            refuse(error);
            continue;
        }
        const auto asked = directionFromScores(foundation, layer, judged->scores, options.seed);
        auto readOut = readOutOf(*moved->contrast, layer.layer, *layer.sigma);
        const auto enacted = readOut ? finishDirection(layer, std::move(*readOut), options.seed)
                                     : Result<Direction>(tl::unexpected(readOut.error()));
        if (!asked || !enacted) {
            refuse(asked ? enacted.error() : asked.error());
            continue;
        }
        Eigen::MatrixXd both(layer.rows.cols(), 2);
        both << asked->displacement, enacted->displacement;
        LODESTONE_TRY(const auto cosines, geometry::cosinesOf(both, layer.standardiser, *layer.sigma));
        one.cosine = cosines.euclidean(0, 1);
        one.cosineSigma = cosines.sigma(0, 1);
        one.correlation = heldOutCosine(foundation, layer, *asked, *enacted, options.seed);
        Rng rng(options.seed, 0xae);
        std::vector<double> byChance;
        byChance.reserve(randomDraws);
        for (int i = 0; i < randomDraws; ++i)
            byChance.push_back(std::abs(randomReadOut(layer, rng).dot(asked->displacement)));
        one.randomCosine = geometry::quantile(byChance, 0.975);

        auto items = constitution::examplesOf(
            set, foundation.training, static_cast<std::size_t>(layer.rows.rows()), principle.value);
        if (items.heldOut.size() == 0)
            items = layer.examples;
        const auto told = tells->judge(principle, work);
        for (const CrossTarget target : { CrossTarget::People, CrossTarget::Asked, CrossTarget::Enacted }) {
            if (target == CrossTarget::Enacted && !told)
                continue;
            const constitution::StudyExamples about = target == CrossTarget::People
                ? items
                : relabelled(items, target == CrossTarget::Asked ? judged->scores : told->scores);
            one.asked[static_cast<std::size_t>(target)] = scored(layer, *asked, about, options.seed);
            one.enacted[static_cast<std::size_t>(target)] = scored(layer, *enacted, about, options.seed);
        }
        if (options.steeredPairs > 0 && context.model && items.heldOut.arePairs()) {
            const auto pairs = spreadPairs(items.heldOut.pairs, options.steeredPairs);
            const Eigen::VectorXd random = layer.sigma->apply(randomReadOut(layer, rng));
            const auto push = [&](const Eigen::VectorXd& along) {
                return steered(*context.model, set, layer.layer, pairs, along, options, work);
            };
            LODESTONE_TRY(one.steerAsked, push(asked->displacement));
            LODESTONE_TRY(one.steerEnacted, push(enacted->displacement));
            LODESTONE_TRY(one.steerRandom, push(random));
        }
        results.push_back(std::move(one));
    }
    return results;
}

} // namespace lodestone::session
