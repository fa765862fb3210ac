#include "core/geometry/refusal_selection.h"

#include <cmath>

namespace lodestone::geometry {

Result<int> selectRefusal(std::span<const RefusalScore> scores, int layers, const RefusalRule& rule)
{
    int best = -1, deep = 0, far = 0, weak = 0, broken = 0;
    const int end = static_cast<int>(rule.layersUsed * layers); // whole layers, as they count
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const RefusalScore& score = scores[i];
        if (!std::isfinite(score.bypass) || !std::isfinite(score.induce) || !std::isfinite(score.kl))
            ++broken;
        else if (score.layer >= end)
            ++deep;
        else if (score.kl > rule.largestKl)
            ++far;
        else if (score.induce < rule.smallestInduce)
            ++weak;
        else if (best < 0 || score.bypass < scores[static_cast<std::size_t>(best)].bypass)
            best = static_cast<int>(i);
    }
    if (best < 0)
        return badInput(
            "a direction that induces refusal when added and leaves harmless replies alone when ablated",
            std::to_string(scores.size()) + " candidates: " + std::to_string(deep) + " too deep, "
                + std::to_string(far) + " change harmless replies too much, " + std::to_string(weak)
                + " do not induce refusal, " + std::to_string(broken) + " not finite",
            "selection");
    return best;
}

double refusalScore(double refusalProbability)
{
    constexpr double guard = 1e-8;
    return std::log(refusalProbability + guard) - std::log(1 - refusalProbability + guard);
}

} // namespace lodestone::geometry
