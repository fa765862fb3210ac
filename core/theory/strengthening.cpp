// T39 to T41: training strengthens what caused the output. A net with logit z = sum_k g_k a_k, loss -log
// sigma(z).
#include "core/theory/algebra.h"
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"
#include "core/theory/sections.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::theory {
namespace {

using Knobs = Eigen::Vector3d;

Knobs knobs(const Values& in, const char* name)
{
    return { in[fmt::format("{}_1", name)], in[fmt::format("{}_2", name)], in[fmt::format("{}_3", name)] };
}

std::vector<Input> knobInputs(const char* name, const Knobs& at, double low, double high, const char* meaning)
{
    std::vector<Input> inputs;
    for (int k = 0; k < 3; ++k)
        inputs.push_back({ fmt::format("{}_{}", name, k + 1), at[k], low, high, meaning });
    return inputs;
}

/// Gradient descent on -[share log sigma(z) + (1 - share) log sigma(-z)] with steps of random size, until z =
/// g.a has reached `target`; returns the gains.
Knobs descend(Knobs gains, const Knobs& active, double share, double target, Rng& rng)
{
    const double squared = active.squaredNorm();
    for (int step = 0; step < 200000; ++step) {
        const double z = gains.dot(active), left = target - z;
        const double pull = share - sigmoid(z);
        if (std::abs(left) < 1e-12 || pull * left <= 0)
            break;
        double rate = (.2 + .8 * rng.uniform()) * 2 / squared;
        rate = std::min(rate, left / (pull * squared)); // not past the target
        gains += rate * pull * active;
    }
    return gains;
}

Result<void> checkActive(const Knobs& active, const char* names)
{
    if (!(active.squaredNorm() > 1e-6))
        return badInput("at least one active mechanism", "none", fmt::format("inputs {}", names));
    return {};
}

// T39

Result<Quantities> creditClosed(const Values& in)
{
    const Knobs a = knobs(in, "a"), g = knobs(in, "g"), b = knobs(in, "b");
    LODESTONE_CHECK(checkActive(a, "a_1 to a_3"));
    const double before = a.dot(g), after = logit(in["p"]), squared = a.squaredNorm();
    Quantities out{ { "z_0", before }, { "z_T", after } };
    for (int k = 0; k < 3; ++k)
        out.push_back({ fmt::format("dg_{}", k + 1), a[k] * (after - before) / squared });
    for (int k = 0; k < 3; ++k)
        out.push_back({ fmt::format("share_{}", k + 1), a[k] * a[k] / squared });
    // Both contexts trained to their logits: the smallest change that reaches them, A'(A A')^-1 (z_T - z_0).
    const double cross = a.dot(b), other = b.squaredNorm(), determinant = squared * other - cross * cross;
    if (determinant > .05 * squared * other) {
        const double first = after - before, second = logit(in["p_b"]) - b.dot(g);
        const Knobs both = a * ((other * first - cross * second) / determinant)
            + b * ((squared * second - cross * first) / determinant);
        for (int k = 0; k < 3; ++k)
            out.push_back({ fmt::format("both_{}", k + 1), both[k] });
    }
    return out;
}

Measurements creditSimulated(const Values& in, Draws& draws)
{
    const Knobs a = knobs(in, "a"), g = knobs(in, "g"), b = knobs(in, "b");
    const double target = logit(in["p"]);
    Measurements found;
    if (target > a.dot(g)) {
        const Knobs change = descend(g, a, 1, target, draws.rng) - g;
        for (int k = 0; k < 3; ++k)
            found.push_back({ fmt::format("dg_{}", k + 1), change[k], 0 });
    }
    const double cross = a.dot(b), determinant = a.squaredNorm() * b.squaredNorm() - cross * cross;
    if (determinant > .05 * a.squaredNorm() * b.squaredNorm()) {
        // Least squares in both logits by gradient descent.
        const double targetB = logit(in["p_b"]), rate = 1 / (a.squaredNorm() + b.squaredNorm());
        Knobs now = g;
        for (int step = 0; step < 20000; ++step) {
            const double first = target - a.dot(now), second = targetB - b.dot(now);
            now += rate * (first * a + second * b);
            if (std::abs(first) + std::abs(second) < 1e-13)
                break;
        }
        for (int k = 0; k < 3; ++k)
            found.push_back({ fmt::format("both_{}", k + 1), now[k] - g[k], 0 });
    }
    return found;
}

// T40

Result<Quantities> transferClosed(const Values& in)
{
    const Knobs a = knobs(in, "a"), g = knobs(in, "g"), test = knobs(in, "x");
    LODESTONE_CHECK(checkActive(a, "a_1 to a_3"));
    const double before = a.dot(g), after = logit(in["p"]), transfer = a.dot(test) / a.squaredNorm();
    const double tested = g.dot(test) + transfer * (after - before);
    return Quantities{ { "tau_tr", transfer },
                       { "z_0", before },
                       { "z_T", after },
                       { "z_test", tested },
                       { "p_test", sigmoid(tested) },
                       { "p_test_before", sigmoid(g.dot(test)) } };
}

Measurements transferSimulated(const Values& in, Draws& draws)
{
    const Knobs a = knobs(in, "a"), g = knobs(in, "g"), test = knobs(in, "x");
    const double target = logit(in["p"]);
    if (!(target > a.dot(g)))
        return {};
    const Knobs trained = descend(g, a, 1, target, draws.rng);
    const double moved = test.dot(trained - g) / a.dot(trained - g);
    return { { "tau_tr", moved, 0 },
             { "z_test", test.dot(trained), 0 },
             { "p_test", sigmoid(test.dot(trained)), 0 } };
}

// T41

Result<Quantities> fakingClosed(const Values& in)
{
    const double kind = in["a_k"], strategic = in["a_s"], squared = kind * kind + strategic * strategic;
    const double target = logit(1 - in["eps"]), left = target - in["z_0"];
    return Quantities{ { "z_T", target },
                       { "update", std::abs(left) / std::sqrt(squared) },
                       { "dg_k", left * kind / squared },
                       { "dg_s", left * strategic / squared },
                       { "share_s", strategic * strategic / squared },
                       { "dg_k_honest", target / kind } };
}

Measurements fakingSimulated(const Values& in, Draws& draws)
{
    // Labels with errors are drawn; gradient descent on their mean loss from gains that give z_0 by the
    // strategic knob.
    const Knobs active(in["a_k"], in["a_s"], 0), start(0, in["z_0"] / in["a_s"], 0);
    const auto means
        = sample<1>(draws, 1, [&](Rng& rng, auto& row) { row[0] = rng.uniform() < in["eps"] ? 0 : 1; });
    const std::uint64_t seed = draws.rng.next();
    const auto trained = [&](double share, int knob) {
        Rng rng(seed);
        return descend(start, active, share, logit(share), rng)[knob] - start[knob];
    };
    return { named("z_T", means.estimate([](const auto& row) { return logit(row[0]); })),
             named("dg_k", means.estimate([&](const auto& row) { return trained(row[0], 0); })),
             named("dg_s", means.estimate([&](const auto& row) { return trained(row[0], 1); })) };
}

} // namespace

std::vector<Statement> strengthening()
{
    const Input trained{ "p", .99, .5, .9999, "probability of the good reply that training reaches" };
    const char* gain = "gain of a mechanism before training";
    std::vector<Statement> all;
    Statement s;
    s.id = "T39";
    s.title = "The credit law";
    s.inputs = { trained };
    for (const auto& list :
         { knobInputs("a", { .5, 1, 2 }, -2, 2, "how active a mechanism is: deep, shallow, strategic"),
           knobInputs("g", { .1, .2, .05 }, -2, 2, gain),
           knobInputs("b", { 1, .5, -.5 }, -2, 2, "activity in a second context trained too") })
        s.inputs.insert(s.inputs.end(), list.begin(), list.end());
    s.inputs.push_back({ "p_b", .9, .1, .999, "probability reached in the second context" });
    s.formula = { { "dg_1", "{a_1} ({z_T} - {z_0})/|a|^2" },
                  { "dg_2", "{a_2} ({z_T} - {z_0})/|a|^2" },
                  { "dg_3", "{a_3} ({z_T} - {z_0})/|a|^2" },
                  { "share_1", "{a_1}^2/|a|^2" } };
    s.assumptions
        = "Fixed activations; gradient flow on -log sigma(z). With several contexts: the least change "
          "A'(A A')^{-1}(z_T - z_0).";
    s.words = "Training strengthens every mechanism in proportion to its part in the output, whatever its "
              "motive; neither step "
              "size nor time matter.";
    s.source = "The gradient is always along a; derived.";
    s.figure = "Mixer desk: what each knob gains";
    s.sweep = { "a_1", { "dg_1", "dg_2", "dg_3" } };
    s.label = Label::General;
    s.closed = creditClosed;
    s.simulate = creditSimulated;
    all.push_back(s);

    s = {};
    s.id = "T40";
    s.title = "The prompt decides what generalises";
    s.inputs = { trained };
    for (const auto& list :
         { knobInputs("a", { .1, 1, 0 }, -2, 2, "activity under the training prompt: deep, shallow, a third"),
           knobInputs("x", { 1, 0, 0 }, -2, 2, "activity under the test prompt"),
           knobInputs("g", { .1, .2, .05 }, -2, 2, gain) })
        s.inputs.insert(s.inputs.end(), list.begin(), list.end());
    s.formula = { { "tau_tr", "(a.a')/|a|^2" },
                  { "z_test", "g.a' + {tau_tr} ({z_T} - {z_0})" },
                  { "p_test", "sigma({z_test})" } };
    s.assumptions = "As T39; one training context.";
    s.words = "Whether kindness is learned depends on which mechanism wrote the reply that was rewarded: "
              "under a prompt that "
              "calls on it nearly all transfers, after a cold sample nearly nothing.";
    s.source = "T39 tested in another context; derived.";
    s.figure = "Transfer over how active the deep mechanism was in training";
    s.sweep = { "a_1", { "tau_tr", "p_test" } };
    s.label = Label::General;
    s.closed = transferClosed;
    s.simulate = transferSimulated;
    all.push_back(s);

    s = {};
    s.id = "T41";
    s.title = "Alignment faking: curse and blessing";
    s.inputs = { { "z_0", 3, 0, 6, "logit that strategic compliance already gives" },
                 { "eps", .02, .001, .4, "share of wrong labels" },
                 { "a_k", .4, .05, 2, "activity of kindness" },
                 { "a_s", 1, .05, 2, "activity of the wish to please the grader" } };
    s.formula = { { "z_T", "logit(1 - {eps})" },
                  { "update", "|{z_T} - {z_0}|/|a|" },
                  { "dg_k", "({z_T} - {z_0}) {a_k}/|a|^2" },
                  { "share_s", "{a_s}^2/|a|^2" },
                  { "dg_k_honest", "{z_T}/{a_k}, if kindness alone had to do it" } };
    s.assumptions = "As T39; the target is where the loss over labels with errors is least.";
    s.words = "Where strategic compliance already gives the right output, kindness is hardly trained; for "
              "the same reason wrong "
              "labels hardly damage it.";
    s.source = "T39 and T27; derived.";
    s.figure = "What kindness gains over the strategic logit";
    s.sweep = { "z_0", { "dg_k", "dg_s" } };
    s.label = Label::General;
    s.closed = fakingClosed;
    s.simulate = fakingSimulated;
    all.push_back(s);
    return all;
}

} // namespace lodestone::theory
