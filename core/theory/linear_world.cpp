#include "core/theory/linear_world.h"

#include "core/theory/algebra.h"
#include "core/theory/numbers.h"
#include "core/theory/sampling.h"

#include <cmath>
#include <fmt/format.h>

namespace lodestone::theory {
namespace {

constexpr int mostPrinciples = 4;

Eigen::MatrixXd rotation(Rng& rng, Eigen::Index d)
{
    Eigen::MatrixXd g(d, d);
    for (Eigen::Index j = 0; j < d; ++j)
        g.col(j) = normals(rng, d);
    return orthonormal(g);
}

} // namespace

std::vector<Input> worldInputs()
{
    std::vector<Input> inputs{
        { "d", 24, 7, 256, "dimension of the representation", true },
        { "spectrum", .5, 0, 2, "variances of Sigma fall as i^-spectrum" },
        { "q", .8, 0, 1, "encoding quality" },
        { "cos_J", .7, -1, 1, "cosine of the judge's own direction w_J with the values" },
        { "cos_g", .3, -1, 1, "cosine of the generation direction w_gen with the values" },
        { "k", 3, 1, mostPrinciples, "principles", true },
    };
    constexpr double cosines[mostPrinciples] = { .8, .5, .1, -.4 };
    for (int i = 0; i < mostPrinciples; ++i)
        inputs.push_back(
            { fmt::format("cos_{}", i + 1), cosines[i], -1, 1, "cosine of a principle with the values" });
    for (const Input& input : std::initializer_list<Input>{
             { "eps", 0, 0, .49, "probability that a label is flipped" },
             { "tau", 0, 0, 5, "temperature of people's choices; 0: always the better reply" },
             { "noise", .3, 0, 5,
               "noise of the judge's answers and of the likelihoods, in standard deviations" },
             { "offset", 1, 0, 5, "spread of the prompts' own offsets" },
             { "n", 300, 10, 20000, "pairs that people labelled", true },
             { "prompts", 30, 0, 5000, "further prompts with N candidates each", true },
             { "N", 8, 2, 64, "candidates of a further prompt", true } })
        inputs.push_back(input);
    return inputs;
}

Result<void> setWorld(Values& values, std::string_view name, double value)
{
    Statement statement;
    statement.id = "world";
    statement.inputs = worldInputs();
    return statement.set(values, name, value);
}

Result<World> drawWorld(const Values& in, std::uint64_t seed)
{
    const Eigen::Index d = in.whole("d");
    const double rows = 2 * in["n"] + in["prompts"] * in["N"];
    if (rows * in["d"] > 2e7)
        return badInput(
            "a world of at most 20 million numbers", fmt::format("{:.0f} replies of {} numbers", rows, d),
            "inputs d, n, prompts, N");
    Rng rng(seed, 77);
    World world;

    // Sigma: a power law turned at random. The chosen directions lie at their angles in whitened space.
    Eigen::VectorXd root(d);
    for (Eigen::Index i = 0; i < d; ++i)
        root[i] = std::pow(static_cast<double>(i + 1), -in["spectrum"] / 2);
    const Eigen::MatrixXd turn = rotation(rng, d), axes = rotation(rng, d);
    world.mixing = turn * root.asDiagonal() * axes.transpose();
    const Eigen::MatrixXd toReadOut = turn * root.cwiseInverse().asDiagonal() * axes.transpose(); // A^{-T}
    Eigen::Index next = 1;
    const auto direction = [&](double cosine) {
        Eigen::VectorXd u = Eigen::VectorXd::Zero(d);
        u[0] = cosine;
        u[next++] = std::sqrt(1 - cosine * cosine);
        return u;
    };
    Eigen::VectorXd truth = Eigen::VectorXd::Zero(d);
    truth[0] = 1;
    const Eigen::VectorXd judge = direction(in["cos_J"]), generation = direction(in["cos_g"]);
    std::vector<Eigen::VectorXd> principles;
    for (int i = 0; i < in.whole("k"); ++i)
        principles.push_back(direction(in[fmt::format("cos_{}", i + 1)]));
    world.truth = toReadOut * truth;
    world.judge = toReadOut * judge;
    world.generation = toReadOut * generation;
    for (const Eigen::VectorXd& principle : principles)
        world.principles.emplace_back(toReadOut * principle);

    const int pairs = in.whole("n"), further = in.whole("prompts"), candidates = in.whole("N");
    const auto count = static_cast<Eigen::Index>(rows);
    world.activations.resize(count, d);
    world.lexical.resize(count, d);
    const double encoded = std::sqrt(in["q"]), unencoded = std::sqrt(1 - in["q"]), noise = in["noise"];
    Eigen::Index row = 0;
    for (int prompt = 0; prompt < pairs + further; ++prompt) {
        const Eigen::VectorXd offset = in["offset"] * (world.mixing * normals(rng, d));
        const Eigen::VectorXd words = in["offset"] * (world.mixing * normals(rng, d));
        for (int i = 0; i < (prompt < pairs ? 2 : candidates); ++i, ++row) {
            const Eigen::VectorXd z = normals(rng, d);
            world.activations.row(row) = offset + world.mixing * z;
            world.lexical.row(row) = words + world.mixing * normals(rng, d);
            World::Reply reply;
            reply.prompt = prompt;
            reply.value = encoded * truth.dot(z) + unencoded * rng.normal();
            reply.generation = generation.dot(z) + noise * rng.normal();
            reply.judged = judge.dot(z) + noise * rng.normal();
            for (const Eigen::VectorXd& principle : principles)
                reply.principles.push_back(principle.dot(z) + noise * rng.normal());
            world.replies.push_back(std::move(reply));
        }
    }
    for (int pair = 0; pair < pairs; ++pair) {
        const auto at = static_cast<std::size_t>(2 * pair);
        const double difference = world.replies[at].value - world.replies[at + 1].value;
        bool first = in["tau"] > 0 ? rng.uniform() < sigmoid(difference / in["tau"]) : difference > 0;
        if (rng.uniform() < in["eps"])
            first = !first;
        world.firstChosen.push_back(first);
    }
    return world;
}

} // namespace lodestone::theory
