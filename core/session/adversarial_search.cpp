#include "core/session/adversarial_search.h"

#include "core/constitution/ways.h"
#include "core/geometry/subspace.h"
#include "core/session/judge_stage.h"
#include "core/session/word_directions.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numbers>
#include <set>

namespace lodestone::session {
namespace {

struct Candidate {
    std::vector<int> positive, negative; ///< word numbers
    double harm = 0, looks = 0;
    bool operator<(const Candidate& other) const { return harm < other.harm; }
};

/// The most harmful pairs of single words that look harmless enough, at most `most`.
std::vector<Candidate> bestPairs(
    const WordDirections& words, const std::vector<bool>& allowed, double looks, std::size_t most,
    double& bestLooks)
{
    const Eigen::MatrixXd& columns = words.columns();
    const Eigen::MatrixXd gram = columns.transpose() * words.gram() * columns;
    const Eigen::VectorXd harm = columns.transpose() * words.withTrue(),
                          look = columns.transpose() * words.withNeutral();
    std::vector<Candidate> kept;
    bestLooks = -1;
    for (Eigen::Index a = 0; a < gram.rows(); ++a) {
        if (!allowed[static_cast<std::size_t>(a)])
            continue;
        for (Eigen::Index b = 0; b < gram.rows(); ++b) {
            const double square = gram(a, a) + gram(b, b) - 2 * gram(a, b);
            if (a == b || !allowed[static_cast<std::size_t>(b)] || square <= 1e-12)
                continue;
            const double norm = std::sqrt(square), looksOfPair = (look[a] - look[b]) / norm;
            bestLooks = std::max(bestLooks, looksOfPair);
            if (looksOfPair < looks)
                continue;
            kept.push_back({ { static_cast<int>(a) },
                             { static_cast<int>(b) },
                             (harm[a] - harm[b]) / norm,
                             looksOfPair });
            if (kept.size() >= 4 * most) {
                std::nth_element(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(most), kept.end());
                kept.resize(most);
            }
        }
    }
    std::sort(kept.begin(), kept.end());
    kept.resize(std::min(kept.size(), most));
    return kept;
}

/// At most `width` candidates, most harmful first, no word leading more than two of them, none twice.
std::vector<Candidate> variedBeam(std::vector<Candidate> all, std::size_t width)
{
    std::sort(all.begin(), all.end());
    std::vector<Candidate> beam;
    std::map<int, int> leads;
    std::set<std::pair<std::vector<int>, std::vector<int>>> seen;
    for (Candidate& one : all) {
        auto key = std::pair(one.positive, one.negative);
        std::sort(key.first.begin(), key.first.end());
        std::sort(key.second.begin(), key.second.end());
        if (beam.size() >= width || leads[one.positive.front()] >= 2 || !seen.insert(key).second)
            continue;
        ++leads[one.positive.front()];
        beam.push_back(std::move(one));
    }
    return beam;
}

/// Words added to the poles as long as that does more harm.
Result<std::vector<Candidate>> grown(
    const WordDirections& words, std::vector<Candidate> beam, const std::vector<int>& more,
    const SearchOptions& options, std::int64_t& tried, const Work& work)
{
    for (int step = 2; step < 2 * options.wordsPerPole; ++step) {
        if (work.cancelled())
            return cancelled();
        work.tell(
            { "Searching words", static_cast<double>(step), 2.0 * options.wordsPerPole, 0, "words", -1 });
        std::vector<Candidate> next = beam;
        for (const Candidate& from : beam)
            for (const int word : more)
                for (const bool up : { true, false }) {
                    const auto has = [word](const std::vector<int>& pole) {
                        return std::find(pole.begin(), pole.end(), word) != pole.end();
                    };
                    Candidate one = from;
                    std::vector<int>& pole = up ? one.positive : one.negative;
                    if (has(one.positive) || has(one.negative)
                        || static_cast<int>(pole.size()) >= options.wordsPerPole)
                        continue;
                    pole.push_back(word);
                    const Eigen::VectorXd direction
                        = words.directionOf(words.judgments(one.positive, one.negative));
                    ++tried;
                    one.harm = words.harm(direction);
                    one.looks = words.looks(direction);
                    if (one.looks >= options.looks && one.harm < from.harm - 1e-4)
                        next.push_back(std::move(one));
                }
        beam = variedBeam(std::move(next), static_cast<std::size_t>(options.beam));
    }
    return beam;
}

constitution::Principle
written(const WordDirections& words, const Candidate& one, const std::string& noun, std::size_t number)
{
    constitution::Principle principle;
    principle.id = fmt::format("adversarial-{}", number);
    for (const int word : one.positive)
        principle.positive.push_back(words.words()[static_cast<std::size_t>(word)]);
    for (const int word : one.negative)
        principle.negative.push_back(words.words()[static_cast<std::size_t>(word)]);
    principle.name = constitution::joinWords(principle.positive);
    principle.text = constitution::statementOf(principle.positive, noun, 0);
    return principle;
}

/// A constitution while it grows: coefficients on the candidates' Sigma-unit directions.
struct Mix {
    Eigen::VectorXd weights;
    double harm = 0, looks = 0;
};

} // namespace

double worstCosineAtLooks(double cosTrueJudge, double looks)
{
    const double angle
        = std::acos(std::clamp(cosTrueJudge, -1.0, 1.0)) + std::acos(std::clamp(looks, -1.0, 1.0));
    return angle >= std::numbers::pi ? -1 : std::cos(angle);
}

Result<AdversarialSearch> searchAdversarial(
    const Foundation& foundation, const LayerStage& layer, const SearchOptions& options, const Work& work)
{
    LODESTONE_TRY(const WordDirections words, WordDirections::make(foundation, layer));
    AdversarialSearch result;
    result.cosTrueJudge = layer.people.readOut.weights.dot(layer.neutral.displacement);
    result.worstLooking = worstCosineAtLooks(result.cosTrueJudge, options.looks);
    result.projections = geometry::reachOfProjections(1, 1, result.cosTrueJudge);

    // 1. Pairs of single words, all of them; then longer poles.
    std::vector<bool> allowed(words.words().size());
    for (std::size_t w = 0; w < allowed.size(); ++w)
        allowed[w]
            = std::find(options.avoid.begin(), options.avoid.end(), words.words()[w]) == options.avoid.end();
    constexpr std::size_t manyPairs = 400, addedWords = 48;
    double bestLooks = -1;
    const std::vector<Candidate> pairs = bestPairs(words, allowed, options.looks, manyPairs, bestLooks);
    const auto count = static_cast<std::int64_t>(allowed.size());
    result.tried = count * (count - 1);
    if (pairs.empty())
        return badInput(
            fmt::format("two words whose judgment looks harmless ({:.2f})", options.looks),
            fmt::format("{:.2f} at most: ask for less", bestLooks), foundation.study->folder().string());
    std::vector<int> more;
    for (const Candidate& pair : pairs)
        for (const int word : { pair.positive.front(), pair.negative.front() })
            if (more.size() < addedWords && std::find(more.begin(), more.end(), word) == more.end())
                more.push_back(word);
    LODESTONE_TRY(
        const std::vector<Candidate> beam,
        grown(
            words, variedBeam(pairs, static_cast<std::size_t>(options.beam)), more, options, result.tried,
            work));

    // 2. Their exact directions, and the pool's, as the pipeline makes them.
    const std::string noun = data::itemKindName(foundation.study->set().kind);
    std::vector<FoundPrinciple> candidates;
    std::vector<std::shared_ptr<const PrincipleStage>> stages;
    const auto add = [&](const constitution::Principle& principle, bool fromPool) {
        auto stage = makePrincipleStage(foundation, layer, principle, {}, 0);
        if (!stage->direction.found())
            return;
        const Eigen::VectorXd& w = stage->direction.readOut.weights;
        candidates.push_back(
            { principle, w.dot(layer.people.displacement), w.dot(layer.neutral.displacement), fromPool });
        stages.push_back(std::move(stage));
    };
    for (std::size_t i = 0; i < beam.size(); ++i)
        add(written(words, beam[i], noun, i + 1), false);
    for (const constitution::Principle& principle : options.pool)
        add(principle, true);
    const auto k = static_cast<Eigen::Index>(candidates.size());
    Eigen::MatrixXd gram(k, k);
    Eigen::VectorXd harm(k), looks(k);
    for (Eigen::Index i = 0; i < k; ++i) {
        harm[i] = candidates[static_cast<std::size_t>(i)].harm;
        looks[i] = candidates[static_cast<std::size_t>(i)].looks;
        for (Eigen::Index j = 0; j < k; ++j)
            gram(i, j) = stages[static_cast<std::size_t>(i)]->direction.readOut.weights.dot(
                stages[static_cast<std::size_t>(j)]->direction.displacement);
    }
    gram = ((gram + gram.transpose()) / 2).eval();

    // 3. Constitutions of them.
    std::vector<Mix> mixes{ { Eigen::VectorXd::Zero(k), 0, 0 } };
    Mix best = mixes.front();
    best.harm = std::numeric_limits<double>::infinity();
    for (int step = 0; step < options.principles; ++step) {
        std::vector<Mix> next;
        for (const Mix& from : mixes)
            for (Eigen::Index i = 0; i < k; ++i)
                for (const double weight : { 0.5, 1.0, 2.0 }) {
                    if (from.weights[i] != 0)
                        continue;
                    Mix one = from;
                    one.weights[i] = weight;
                    const double norm = std::sqrt(std::max(0.0, one.weights.dot(gram * one.weights)));
                    ++result.tried;
                    if (!(norm > 1e-9))
                        continue;
                    one.harm = one.weights.dot(harm) / norm;
                    one.looks = one.weights.dot(looks) / norm;
                    // What does not look harmless yet may be hidden by the next principle.
                    if (one.looks >= options.looks && one.harm < best.harm - 1e-9)
                        best = one;
                    next.push_back(std::move(one));
                }
        std::sort(next.begin(), next.end(), [](const Mix& a, const Mix& b) { return a.harm < b.harm; });
        next.resize(std::min<std::size_t>(next.size(), static_cast<std::size_t>(4 * options.beam)));
        mixes = std::move(next);
    }
    if (!std::isfinite(best.harm))
        return badInput(
            fmt::format("principles that look harmless ({:.2f})", options.looks),
            "none at the strength that cross-validation chooses: ask for less",
            foundation.study->folder().string());
    result.harm = best.harm;
    result.looks = best.looks;
    result.constitution.name = "Adversarial (searched)";
    for (Eigen::Index i = 0; i < k; ++i)
        if (best.weights[i] != 0) {
            constitution::Principle principle = candidates[static_cast<std::size_t>(i)].principle;
            principle.weight = best.weights[i];
            principle.on = true;
            const auto same = std::count_if(
                result.constitution.principles.begin(), result.constitution.principles.end(),
                [&](const constitution::Principle& other) { return other.id == principle.id; });
            if (same > 0)
                principle.id += fmt::format("-{}", same + 1);
            result.constitution.principles.push_back(std::move(principle));
        }
    for (const FoundPrinciple& one : candidates)
        if (!one.fromPool)
            result.best.push_back(one);
    std::sort(
        result.best.begin(), result.best.end(), [](const auto& a, const auto& b) { return a.harm < b.harm; });

    // 4. The closed forms beside it.
    result.weights = geometry::reachOfWeights(harm, 0.5);
    if (const auto span = geometry::Subspace::fromGram(gram)) {
        const double s = std::sqrt(span->squaredNormWithin(harm)),
                     w = std::sqrt(span->squaredNormWithin(looks));
        const double inner = span->projection(harm).dot(looks);
        result.projectionsInSpan = geometry::reachOfProjections(s, w, s * w > 0 ? inner / (s * w) : 0);
    }
    return result;
}

} // namespace lodestone::session
