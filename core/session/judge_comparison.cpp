#include "core/session/judge_comparison.h"

#include <cmath>
#include <map>

namespace lodestone::session {
namespace {

/// w_c on raw h [width] and its displacement Sigma w_c [width].
struct JudgeVector {
    Eigen::VectorXd weights, displacement;
};

JudgeVector vectorOf(const Snapshot& snapshot)
{
    const Eigen::Index width = snapshot.layer->rows.cols();
    JudgeVector result{ Eigen::VectorXd::Zero(width), Eigen::VectorXd::Zero(width) };
    const JudgeStage& judge = *snapshot.judge;
    for (std::size_t i = 0; i < judge.active.size(); ++i) {
        const Direction& direction
            = snapshot.principles[static_cast<std::size_t>(judge.active[i])]->direction;
        const double coefficient = judge.coefficients[static_cast<Eigen::Index>(i)];
        result.weights += coefficient * direction.readOut.weights;
        result.displacement += coefficient * direction.displacement;
    }
    return result;
}

/// +1: the chosen reply, -1: the rejected one, 0: neither.
int preferred(double p) { return p > 0.5 ? 1 : p < 0.5 ? -1 : 0; }

} // namespace

Result<JudgeComparison> compareJudges(const Snapshot& first, const Snapshot& second)
{
    const data::Study& study = *first.foundation->study;
    if (study.fingerprint().value() != second.foundation->study->fingerprint().value()
        || first.inputs.layer != second.inputs.layer || first.inputs.position != second.inputs.position)
        return badInput(
            "two judges of one study, layer and position",
            study.name() + ", " + first.inputs.layer.label() + " and " + second.foundation->study->name()
                + ", " + second.inputs.layer.label(),
            "comparison of judges");
    for (const Snapshot* snapshot : { &first, &second })
        if (!snapshot->judge->problem.empty())
            return badInput(
                "a constitution with a direction in this model", snapshot->judge->problem,
                snapshot->inputs.constitution.name);
    std::map<int, double> other;
    for (const judgment::PairJudgment& judged : second.judge->pairs)
        if (judged.heldOut)
            other.emplace(judged.pair, judged.p);
    std::vector<int> groups;
    std::vector<double> one, two, change, apart;
    const data::ResponseSet& set = study.set();
    for (const judgment::PairJudgment& judged : first.judge->pairs) {
        const auto found = other.find(judged.pair);
        if (!judged.heldOut || found == other.end())
            continue;
        const int a = preferred(judged.p), b = preferred(found->second);
        groups.push_back(set.groupOf(set.pairs[static_cast<std::size_t>(judged.pair)].chosen));
        one.push_back(0.5 + 0.5 * a);
        two.push_back(0.5 + 0.5 * b);
        change.push_back(two.back() - one.back());
        apart.push_back(a != b ? 1 : 0);
    }
    if (groups.empty())
        return badInput("a study with held-out pairs", "none", study.name());
    const geometry::ClusterBootstrap bootstrap(groups, 1000, first.inputs.seed);
    JudgeComparison result;
    result.pairs = static_cast<int>(groups.size());
    result.first = bootstrap.mean(one);
    result.second = bootstrap.mean(two);
    result.difference = bootstrap.mean(change);
    result.disagree = bootstrap.mean(apart);
    const JudgeVector w = vectorOf(first), v = vectorOf(second);
    const double norms = std::sqrt(w.weights.dot(w.displacement) * v.weights.dot(v.displacement));
    result.cosine = norms > 0 ? w.weights.dot(v.displacement) / norms : 0;
    return result;
}

} // namespace lodestone::session
