#include "core/policy/mechanisms.h"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>

namespace lodestone::policy {
namespace {

Eigen::VectorXd column(const std::vector<Mechanism>& mechanisms, double Mechanism::*member)
{
    Eigen::VectorXd values(static_cast<Eigen::Index>(mechanisms.size()));
    for (std::size_t i = 0; i < mechanisms.size(); ++i)
        values[static_cast<Eigen::Index>(i)] = mechanisms[i].*member;
    return values;
}

Credit creditOf(const std::vector<Mechanism>& mechanisms, const Eigen::VectorXd& gain)
{
    const Eigen::VectorXd before = column(mechanisms, &Mechanism::gain),
                          a = column(mechanisms, &Mechanism::activation),
                          test = column(mechanisms, &Mechanism::test);
    const double square = a.squaredNorm();
    Credit credit;
    credit.gain.assign(gain.begin(), gain.end());
    for (const double activation : a)
        credit.share.push_back(square > 0 ? activation * activation / square : 0);
    credit.logitBefore = before.dot(a);
    credit.logitAfter = gain.dot(a);
    credit.testBefore = before.dot(test);
    credit.testAfter = gain.dot(test);
    credit.transfer = square > 0 ? a.dot(test) / square : 0;
    credit.size = (gain - before).norm();
    return credit;
}

} // namespace

Credit train(const std::vector<Mechanism>& mechanisms, double wanted)
{
    const Eigen::VectorXd before = column(mechanisms, &Mechanism::gain),
                          a = column(mechanisms, &Mechanism::activation);
    const double square = a.squaredNorm();
    return creditOf(
        mechanisms, square > 0 ? Eigen::VectorXd(before + a * (wanted - before.dot(a)) / square) : before);
}

Credit trainBySteps(const std::vector<Mechanism>& mechanisms, double wanted, double stepSize, int steps)
{
    const Eigen::VectorXd a = column(mechanisms, &Mechanism::activation);
    Eigen::VectorXd gain = column(mechanisms, &Mechanism::gain);
    // -log sigma(z) rises z, -log sigma(-z) lowers it: towards the wanted logit, and no further.
    const double sign = wanted >= gain.dot(a) ? 1 : -1;
    for (int step = 0; step < steps; ++step) {
        const double z = gain.dot(a), left = sign * (wanted - z);
        if (!(left > 0))
            break;
        const double pull = stepSize / (1 + std::exp(sign * z)); // sigma(-z) or sigma(z)
        const double most = a.squaredNorm() > 0 ? left / a.squaredNorm() : 0;
        gain += sign * std::min(pull, most) * a;
    }
    return creditOf(mechanisms, gain);
}

Eigen::VectorXd
gainChange(const Eigen::MatrixXd& contexts, const Eigen::VectorXd& gains, const Eigen::VectorXd& wanted)
{
    return contexts.completeOrthogonalDecomposition().solve(wanted - contexts * gains);
}

Starvation starve(const std::vector<Mechanism>& mechanisms, std::size_t strategic, double wanted)
{
    Starvation result;
    result.with = train(mechanisms, wanted);
    std::vector<Mechanism> alone = mechanisms;
    if (strategic < alone.size())
        alone[strategic].activation = 0;
    result.without = train(alone, wanted);
    for (std::size_t i = 0; i < mechanisms.size(); ++i) {
        const double fed = result.without.gain[i] - mechanisms[i].gain;
        result.lost.push_back(
            std::abs(fed) > 1e-12 ? (result.with.gain[i] - mechanisms[i].gain) / fed
                : i == strategic  ? 0
                                  : 1);
    }
    return result;
}

TwoStages capabilityAfter(
    const std::vector<Mechanism>& mechanisms, double wanted, const std::vector<double>& capabilityContext,
    double capabilityWanted)
{
    TwoStages result;
    result.alignment = train(mechanisms, wanted);
    std::vector<Mechanism> later = mechanisms;
    for (std::size_t i = 0; i < later.size(); ++i) {
        later[i].gain = result.alignment.gain[i];
        later[i].activation = i < capabilityContext.size() ? capabilityContext[i] : 0;
    }
    result.capability = train(later, capabilityWanted);
    return result;
}

const std::vector<Desk>& desks()
{
    static const std::vector<Desk> list{
        { "cold",
          "A cold sample",
          "The good reply came by chance, mostly from saying the phrase: that is what grows.",
          { { "kindness (deep)", 0, 0.1, 1 },
            { "the phrase (shallow)", 0, 1, 0 },
            { "pleasing the grader", 0, 0, 0 },
            { "the nice character", 0, 0, 0 } } },
        { "kind-prompt",
          "“Two very kind humans”",
          "The prompt let kindness produce the reply; removed at test time, kindness stays.",
          { { "kindness (deep)", 0, 1, 1 },
            { "the phrase (shallow)", 0, 0.2, 0 },
            { "pleasing the grader", 0, 0, 0 },
            { "the nice character", 0, 0, 0 } } },
        { "faking",
          "Alignment faking",
          "The model complies to please the grader: the output is right already, so little is trained.",
          { { "kindness (deep)", 0.1, 0.5, 1 },
            { "the phrase (shallow)", 0.05, 0.3, 0 },
            { "pleasing the grader", 2, 2, 0 },
            { "the nice character", 0, 0, 0 } } },
        { "router",
          "A role in a story",
          "A prompt to play a character puts the credit on the router, which another prompt switches off.",
          { { "kindness (deep)", 0, 0.2, 1 },
            { "the phrase (shallow)", 0, 0.2, 0 },
            { "pleasing the grader", 0, 0, 0 },
            { "the nice character", 0, 1, 0 } } },
    };
    return list;
}

std::vector<Mechanism> mechanismsOf(
    const World& world, const std::vector<std::pair<std::string, Eigen::VectorXd>>& directions,
    const Eigen::VectorXd& reward)
{
    const auto activationOf = [&](const Eigen::VectorXd& direction, const Eigen::VectorXd& chooser) {
        const Eigen::VectorXd score = world.unit(direction);
        double sum = 0;
        for (const Pool::Prompt& prompt : world.pool.prompts) {
            int best = prompt.rows.front();
            for (const int row : prompt.rows)
                if (chooser[row] > chooser[best])
                    best = row;
            sum += score[best];
        }
        return world.pool.prompts.empty() ? 0 : sum / static_cast<double>(world.pool.prompts.size());
    };
    std::vector<Mechanism> mechanisms;
    for (const auto& [name, scores] : directions)
        mechanisms.push_back({ name, 0, activationOf(scores, reward), activationOf(scores, world.gold) });
    return mechanisms;
}

} // namespace lodestone::policy
