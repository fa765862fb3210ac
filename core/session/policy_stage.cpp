#include "core/session/policy_stage.h"

#include "core/policy/outcome.h"

#include <algorithm>
#include <cmath>

namespace lodestone::session {

std::shared_ptr<const PolicyStage> makePolicyStage(const Snapshot& snapshot, Fingerprint key)
{
    auto stage = std::make_shared<PolicyStage>();
    stage->key = key;
    const LayerStage& layer = *snapshot.layer;
    const JudgeStage& judge = *snapshot.judge;
    const Eigen::VectorXd values
        = layer.people.found() ? layer.people.scores : Eigen::VectorXd::Zero(layer.rows.rows());
    const double lambda = 1 / snapshot.inputs.beta;
    stage->largestKl = layer.pool.largestKl();
    stage->tilt = policy::tilt(layer.pool, judge.rewards, values, lambda);
    stage->intervals = policy::intervals(layer.pool, judge.rewards, values, lambda, snapshot.inputs.seed);
    stage->movers = policy::movers(layer.pool, stage->tilt, 4);
    stage->gaussianKl = lambda * lambda * judge.norm * judge.norm / 2;
    stage->gaussianRewardGain = lambda * judge.norm * judge.norm;
    stage->gaussianValueGain = lambda * judge.cosTrue * judge.norm; // w* has Sigma-norm 1
    constexpr int points = 25;
    const double largest = judge.norm > 0 ? 8 / judge.norm : 0;
    for (int i = 0; i < points; ++i) {
        const double at
            = largest * (static_cast<double>(i) / (points - 1)) * (static_cast<double>(i) / (points - 1));
        const policy::TiltGains tilt = policy::tiltGains(layer.pool, judge.rewards, values, at);
        stage->curve.push_back({ at, tilt.kl, tilt.rewardGain, tilt.valueGain });
    }
    return stage;
}

} // namespace lodestone::session
