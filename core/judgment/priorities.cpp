#include "core/judgment/priorities.h"

#include <algorithm>
#include <cmath>

namespace lodestone::judgment {

Decision decide(std::span<const Say> says)
{
    Decision decision;
    for (std::size_t level = 0; level < says.size(); ++level) {
        if (!says[level].applies)
            continue;
        decision = { static_cast<int>(level), says[level].margin };
        if (std::abs(says[level].margin) > 1.96 * says[level].error)
            return decision;
    }
    return decision;
}

Eigen::VectorXd scoresOf(int n, const std::function<double(int, int)>& margin, int opponents)
{
    Eigen::VectorXd scores = Eigen::VectorXd::Zero(n);
    const int count = opponents > 0 ? std::min(n, opponents) : n;
    if (count == n) {
        for (int i = 0; i < n; ++i)
            for (int j = i + 1; j < n; ++j) {
                const double m = margin(i, j) / n;
                scores[i] += m;
                scores[j] -= m;
            }
        return scores;
    }
    for (int i = 0; i < n; ++i)
        for (int k = 0; k < count; ++k) {
            const int j = static_cast<int>(static_cast<long long>(k) * n / count);
            scores[i] += (i == j ? 0 : margin(i, j)) / count;
        }
    return scores.array() - scores.mean();
}

} // namespace lodestone::judgment
