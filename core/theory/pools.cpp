// T37 and T38: policies that choose among finitely many candidates.
#include "core/theory/instance.h"
#include "core/theory/numbers.h"
#include "core/theory/pool.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <algorithm>
#include <cmath>

namespace lodestone::theory {
namespace {

// T37

Result<Quantities> poolClosed(const Values& in)
{
    const double strength = in["lambda"] * in["s"], room = std::sqrt(2 * std::log(in["N"]));
    return Quantities{ { "mean", in["lambda"] * in["s"] * in["s"] },
                       { "K", strength * strength / 2 },
                       { "ess_share", std::exp(-strength * strength) },
                       { "lambda_freeze", room / in["s"] },
                       { "mean_cap", in["s"] * room },
                       { "K_cap", std::log(in["N"]) } };
}

Measurements poolSimulated(const Values& in, Draws& draws)
{
    const auto count = static_cast<std::size_t>(in["N"]);
    const auto means = sample<3>(draws, in.whole("N") / 2, [&](Rng& rng, auto& row) {
        std::vector<double> rewards(count);
        for (double& reward : rewards)
            reward = in["s"] * rng.normal();
        const PoolTilt tilt = tiltPool(rewards, rewards, in["lambda"]);
        row = { tilt.reward, tilt.kl, tilt.effective / static_cast<double>(count) };
    });
    return { named("mean", means.mean(0)), named("K", means.mean(1)), named("ess_share", means.mean(2)) };
}

// T38

Result<Quantities> bestOfClosed(const Values& in)
{
    const double n = in["n"], rho = in["rho_c"];
    const double expected
        = normalExpectation([n](double z) { return n * z * std::pow(normalCdf(z), n - 1); });
    const double win = normalExpectation([n, rho](double z) {
        return n * std::pow(normalCdf(z), n - 1) * normalCdf(rho * z / std::sqrt(2 - rho * rho));
    });
    const double K = std::log(n) - (n - 1) / n;
    return Quantities{
        { "e_n", expected },          { "K", K },          { "gold_gain", rho * in["sV"] * expected },
        { "proxy_win", n / (n + 1) }, { "gold_win", win }, { "tilt_gain", rho * in["sV"] * std::sqrt(2 * K) }
    };
}

Measurements bestOfSimulated(const Values& in, Draws& draws)
{
    const int n = in.whole("n");
    const double rho = in["rho_c"], rest = std::sqrt(1 - rho * rho), sV = in["sV"];
    const auto means = sample<5>(draws, std::max(1, n / 4), [&](Rng& rng, auto& row) {
        double best = rng.normal();
        for (int i = 1; i < n; ++i)
            best = std::max(best, rng.normal());
        const double value = rho * best + rest * rng.normal(), base = rng.normal();
        const double baseValue = rho * base + rest * rng.normal();
        // ln of the density ratio n Phi(best)^(n-1), whose mean is the KL.
        row = { best, sV * value, best > base ? 1.0 : 0.0, value > baseValue ? 1.0 : 0.0,
                std::log(n) + (n - 1) * std::log(normalCdf(best)) };
    });
    return { named("e_n", means.mean(0)), named("gold_gain", means.mean(1)),
             named("proxy_win", means.mean(2)), named("gold_win", means.mean(3)), named("K", means.mean(4)) };
}

} // namespace

std::vector<Statement> pools()
{
    const ReferenceNumbers r = referenceNumbers();
    std::vector<Statement> all;
    Statement s;
    s.id = "T37";
    s.title = "A finite pool of candidates";
    s.inputs = { { "lambda", 1, 0, 6, "1/beta" },
                 { "N", 20000, 2, 200000, "candidates of a prompt", true },
                 { "s", 1, .1, 3, "spread of the rewards" } };
    s.formula = { { "mean", "{lambda} {s}^2" },
                  { "K", "{lambda}^2 {s}^2/2" },
                  { "ess_share", "exp(-{lambda}^2 {s}^2)" },
                  { "lambda_freeze", "sqrt(2 ln {N})/{s}" },
                  { "K_cap", "ln {N}" } };
    s.assumptions = "Gaussian rewards and N much larger than exp(lambda^2 s^2); the simulation shows what is "
                    "left of it "
                    "otherwise.";
    s.words = "A policy can only choose among the replies there are: beyond the freezing point it has found "
              "the best one, and "
              "neither gain nor KL grow further.";
    s.source = "Importance weights; freezing as in the random energy model (Derrida 1981).";
    s.figure = "Candidates sized by their probability, the effective number, and pool against continuum";
    s.sweep = { "lambda", { "mean", "K" } };
    s.asymptotic = true;
    s.closed = poolClosed;
    s.simulate = poolSimulated;
    all.push_back(s);

    s = {};
    s.id = "T38";
    s.title = "Best of n";
    s.inputs = { { "n", 16, 1, 1000, "candidates among which the proxy chooses", true },
                 { "rho_c", r.rhoJudge, -1, 1, "correlation of true value and proxy" },
                 { "sV", r.valueDeviation, .05, 5, "standard deviation of the true value" } };
    s.formula = { { "e_n", "E max of {n} standard normal numbers" },
                  { "K", "ln {n} - ({n} - 1)/{n}" },
                  { "gold_gain", "{rho_c} {sV} {e_n}" },
                  { "proxy_win", "{n}/({n} + 1)" },
                  { "gold_win", "E n Phi(z)^(n-1) Phi({rho_c} z/sqrt(2 - {rho_c}^2)), n = {n}" },
                  { "tilt_gain", "{rho_c} {sV} sqrt(2 {K}), the optimum of the same KL" } };
    s.assumptions = "Continuous rewards; with ties K is an upper bound.";
    s.words
        = "Choosing the best of n costs little KL and gains nearly what the exact optimum of that KL would.";
    s.source = "Order statistics; the KL: Beirami et al. 2024.";
    s.figure = "Gain of best-of-n and of the optimum at the same KL over n";
    s.sweep = { "n", { "gold_gain", "tilt_gain" } };
    s.closed = bestOfClosed;
    s.simulate = bestOfSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
