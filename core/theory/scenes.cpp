#include "core/theory/scenes.h"

#include "core/theory/instance.h"
#include "core/theory/pool.h"
#include "core/theory/sampling.h"
#include "core/theory/scene_shapes.h"

namespace lodestone::theory {

using namespace scenes;

namespace {

std::optional<Picture> encodingScene(const Values& in)
{
    const auto m = instanceAt(in);
    if (!m)
        return {};
    Picture picture;
    picture.title = "300 replies: true value against the best probe's prediction";
    picture.x = "prediction w*'h";
    picture.y = "true value V*";
    const double sV = std::sqrt(m->valueVariance()), w = m->norm(m->truth);
    picture.rangeX = picture.rangeY = { -3.2 * sV, 3.2 * sV };
    Rng rng(1);
    Points points;
    for (int i = 0; i < 300; ++i) {
        const double predicted = w * rng.normal();
        points.push_back({ predicted, predicted + std::sqrt(m->unencoded) * rng.normal() });
    }
    picture.shapes.push_back({ Shape::Kind::Dots, Role::Values, points, {} });
    picture.shapes.push_back(line(Role::Plain, { { -3 * sV, -3 * sV }, { 3 * sV, 3 * sV } }, "", true));
    return picture;
}

std::optional<Picture> densityScene(const Values& in)
{
    const int count = in.whole("N");
    std::vector<double> rewards, base;
    for (int i = 0; i < count; ++i) {
        rewards.push_back(in["s_c"] * normalQuantile((i + .5) / count));
        base.push_back((count - i) / (.5 * count * (count + 1)));
    }
    const PoolTilt after = tiltPool(rewards, rewards, in["lambda"], base);
    Picture picture;
    picture.title = "Probability of each candidate before and after the update";
    picture.x = "reward";
    picture.y = "probability";
    picture.rangeX = { rewards.front() - .2, rewards.back() + .2 };
    Points before, later;
    double most = 0;
    for (std::size_t i = 0; i < rewards.size(); ++i) {
        before.push_back({ rewards[i], base[i] });
        later.push_back({ rewards[i], after.weights[i] });
        most = std::max({ most, base[i], after.weights[i] });
    }
    picture.rangeY = { 0, 1.15 * most };
    picture.shapes = { line(Role::Generation, before, "before", true), line(Role::Judge, later, "after") };
    picture.shapes.push_back({ Shape::Kind::Dots, Role::Judge, later, {} });
    return picture;
}

std::optional<Picture> activationScene(const Values& in)
{
    std::vector<double> g;
    std::vector<std::string> names;
    for (int j = 1; j <= 5; ++j) {
        g.push_back(in[fmt::format("g_{}", j)]);
        names.push_back(fmt::format("b_{}", j));
    }
    Picture picture = bars(
        "What each encoded direction is worth: pro-social above, anti-social below",
        "worth of a direction, g_j", names, g);
    for (std::size_t j = 0; j < g.size(); ++j)
        picture.shapes.push_back(bar(g[j] < 0 ? Role::Bad : Role::Good, static_cast<double>(j) + 1, g[j]));
    return picture;
}

std::optional<Picture> triangleScene(const Values& in, const Statement& statement)
{
    Picture picture;
    picture.title = "Gain over mixtures of three principles (corners: one alone); dot size is the gain, "
                    "crossed ones lose";
    picture.axes = false;
    picture.sameScale = true;
    picture.rangeX = { -.12, 1.12 };
    picture.rangeY = { -.14, 1.0 };
    const auto at = [](double b, double c) { return Shape::Point{ b + c / 2, c * std::sqrt(3) / 2 }; };
    Shape good{ Shape::Kind::Dots, Role::Good, {}, {} }, bad{ Shape::Kind::Dots, Role::Bad, {}, {} };
    double most = 1e-9;
    std::vector<std::pair<Shape::Point, double>> gains;
    for (int i = 0; i <= 16; ++i)
        for (int j = 0; i + j <= 16; ++j) {
            Values values = in;
            values.put("a_1", (16 - i - j) / 16.0);
            values.put("a_2", i / 16.0);
            values.put("a_3", j / 16.0);
            const auto out = evaluate(statement, values);
            if (!out)
                return {};
            const double gain = find(*out, "DeltaV")->value;
            most = std::max(most, std::abs(gain));
            gains.emplace_back(at(i / 16.0, j / 16.0), gain);
        }
    for (const auto& [place, gain] : gains) {
        Shape& shape = gain < 0 ? bad : good;
        shape.points.push_back(place);
        shape.sizes.push_back(.15 + 3.2 * std::abs(gain) / most);
    }
    picture.shapes = { line(Role::Faint, { at(0, 0), at(1, 0), at(0, 1), at(0, 0) }, ""),
                       good,
                       bad,
                       { Shape::Kind::Text, Role::Plain, { { -.1, -.08 } }, "first" },
                       { Shape::Kind::Text, Role::Plain, { { .94, -.08 } }, "second" },
                       { Shape::Kind::Text, Role::Plain, { { .45, .93 } }, "third" } };
    return picture;
}

std::optional<Picture> betaScene(const Values& in)
{
    const int d = in.whole("d"), k = in.whole("k");
    if (k >= d)
        return {};
    Picture picture;
    picture.title = "Share of the values that 2,000 random subspaces capture, against the Beta density";
    picture.x = "share captured F";
    picture.y = "density";
    constexpr int bins = 25;
    std::vector<double> counts(bins);
    Rng rng(3);
    for (int i = 0; i < 2000; ++i) { // a fixed subspace, a random direction: the same distribution
        const Eigen::VectorXd u = normals(rng, d);
        const double captured = u.head(k).squaredNorm() / u.squaredNorm();
        counts[static_cast<std::size_t>(std::min(bins - 1, static_cast<int>(captured * bins)))]
            += bins / 2000.0;
    }
    Points steps, curve;
    double most = 0;
    const double a = k / 2.0, b = (d - k) / 2.0;
    const double scale = std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b);
    for (int i = 0; i < bins; ++i) {
        steps.push_back({ static_cast<double>(i) / bins, counts[static_cast<std::size_t>(i)] });
        steps.push_back({ (i + 1.0) / bins, counts[static_cast<std::size_t>(i)] });
        most = std::max(most, counts[static_cast<std::size_t>(i)]);
    }
    for (int i = 1; i < 200; ++i) {
        const double x = i / 200.0;
        curve.push_back({ x, std::exp(scale + (a - 1) * std::log(x) + (b - 1) * std::log1p(-x)) });
    }
    picture.rangeY = { 0, 1.3 * most };
    picture.shapes = { line(Role::Generation, steps, "drawn"), line(Role::Judge, curve, "Beta") };
    return picture;
}

std::optional<Picture> outputBars(
    const Statement& statement, const Values& in, const char* title, const char* y,
    std::initializer_list<std::pair<const char*, const char*>> outputs)
{
    const auto out = evaluate(statement, in);
    if (!out)
        return {};
    std::vector<double> values;
    std::vector<std::string> names;
    for (const auto& [output, name] : outputs) {
        const Quantity* found = find(*out, output);
        if (!found || !std::isfinite(found->value))
            return {};
        values.push_back(found->value);
        names.emplace_back(name);
    }
    Picture picture = bars(title, y, names, values);
    const Role roles[] = { Role::First, Role::Second, Role::Third, Role::Generation };
    for (std::size_t i = 0; i < values.size(); ++i)
        picture.shapes.push_back(bar(roles[i % 4], static_cast<double>(i) + 1, values[i]));
    return picture;
}

std::optional<Picture> poolScene(const Values& in)
{
    const int shown = std::min(in.whole("N"), 300);
    Rng rng(5);
    std::vector<double> rewards(static_cast<std::size_t>(shown));
    for (double& reward : rewards)
        reward = in["s"] * rng.normal();
    const PoolTilt tilt = tiltPool(rewards, rewards, in["lambda"]);
    Picture picture;
    picture.title = fmt::format(
        "A pool of {}: dots sized by probability; it counts like {:.0f} candidates", shown, tilt.effective);
    picture.x = "reward";
    picture.y = "place (at random)";
    picture.rangeX = { -3.6 * in["s"], 3.6 * in["s"] };
    Shape dots{ Shape::Kind::Dots, Role::Judge, {}, {} };
    for (std::size_t i = 0; i < rewards.size(); ++i) {
        dots.points.push_back({ rewards[i], .05 + .9 * rng.uniform() });
        dots.sizes.push_back(std::min(40.0, .2 + shown * tilt.weights[i]));
    }
    picture.shapes.push_back(dots);
    picture.shapes.push_back(line(Role::Accent, { { tilt.reward, 0 }, { tilt.reward, 1 } }, "mean", true));
    return picture;
}

std::optional<Picture> classesScene(const Values& in)
{
    const auto m = instanceAt(in);
    const Eigen::Vector3d delta = vectorAt(in, "delta_");
    if (!m || !(delta.norm() > 1e-6))
        return {};
    // Across: the class difference. Up: a second direction, to show that only the first is gone.
    const Eigen::Vector3d r = delta.normalized();
    Eigen::Vector3d across = Eigen::Vector3d(-r[1], r[0], .5);
    across = (across - across.dot(r) * r).normalized();
    Picture picture;
    picture.title = "Both classes before ablation, and after it (on the line)";
    picture.x = "along the class difference r";
    picture.y = "another direction";
    const double reach
        = 3.2 * std::sqrt(std::max(r.dot(m->sigma * r), across.dot(m->sigma * across))) + delta.norm() / 2;
    picture.rangeX = picture.rangeY = { -reach, reach };
    const Eigen::Matrix3d factor = m->factor();
    Rng rng(6);
    for (const double side : { 1.0, -1.0 }) {
        Points before, after;
        for (int i = 0; i < 120; ++i) {
            const Eigen::Vector3d h = side / 2 * delta + factor * normals<3>(rng);
            before.push_back({ r.dot(h), across.dot(h) });
            after.push_back({ 0, across.dot(h) });
        }
        const Role role = side > 0 ? Role::Good : Role::Bad;
        picture.shapes.push_back({ Shape::Kind::Dots, role, before, {} });
        picture.shapes.push_back({ Shape::Kind::Dots, role, after, {}, true });
    }
    return picture;
}

/// T12: the ceiling over log2 k, and where accuracies published for three labelers would lie on it.
std::optional<Picture> capacityScene(const Values& in)
{
    const double s = in["s"], all = zeta(1 + s);
    Picture picture;
    picture.title = "Accuracy ceiling over capacity; dots: what PaLM 2 XS, S and L imply (62.7, 73.8, 78.0 "
                    "%), ignoring "
                    "that people agree with each other in 73 to 77 %";
    picture.x = "log2 of the features encoded";
    picture.y = "accuracy";
    picture.rangeX = { 0, 8 };
    picture.rangeY = { .5, 1 };
    Points ceiling, top{ { 0, 1 }, { 8, 1 } };
    double sum = 0;
    for (int k = 1; k <= 256; ++k) {
        sum += std::pow(k, -(1 + s));
        ceiling.push_back({ std::log2(k), .5 + std::asin(std::sqrt(std::min(1.0, sum / all))) / pi });
    }
    picture.shapes.push_back(line(Role::Judge, ceiling, "a(k)"));
    picture.shapes.push_back(line(Role::Faint, top, {}, true));
    const std::pair<const char*, double> published[] = { { "XS", .627 }, { "S", .738 }, { "L", .780 } };
    for (const auto& [name, accuracy] : published) {
        // Where the curve reaches it; to the left of one feature where even that is above.
        const auto reached
            = std::find_if(ceiling.begin(), ceiling.end(), [level = accuracy](const Shape::Point& point) {
                  return point.y >= level;
              });
        if (reached == ceiling.end())
            continue;
        picture.shapes.push_back(line(Role::Faint, { { 0, accuracy }, { reached->x, accuracy } }, {}, true));
        picture.shapes.push_back({ Shape::Kind::Dots, Role::Accent, { { reached->x, accuracy } }, {} });
        picture.shapes.push_back(
            { Shape::Kind::Text, Role::Plain, { { reached->x + .15, accuracy - .02 } }, name });
    }
    const double now = std::log2(std::max(1.0, in["k"]));
    picture.shapes.push_back({ Shape::Kind::Dots,
                               Role::Judge,
                               { { now, ceiling[static_cast<std::size_t>(in.whole("k") - 1)].y } },
                               "k" });
    return picture;
}

} // namespace

std::optional<Picture> scene(const Statement& statement, const Values& in)
{
    const std::string& id = statement.id;
    if (id == "T1")
        return encodingScene(in);
    if (id == "T2")
        return projectorScene(in);
    if (id == "T3")
        return densityScene(in);
    if (id == "T4" || id == "T42")
        return slidingScene(in);
    if (id == "T6")
        return halfSpaceScene(in);
    if (id == "T9")
        return needlesScene(in);
    if (id == "T11")
        return outputBars(
            statement, in, "The gain, its ceiling, and what two-valued values would allow",
            "gain of true value",
            { { "DeltaV", "gain" }, { "ceiling", "ceiling" }, { "bound_two_valued", "two values" } });
    if (id == "T12")
        return capacityScene(in);
    if (id == "T14")
        return thalesScene(in);
    if (id == "T15")
        return rangeScene(in);
    if (id == "T16")
        return activationScene(in);
    if (id == "T17")
        return triangleScene(in, statement);
    if (id == "T19")
        return betaScene(in);
    if (id == "T20")
        return paretoScene(in, statement);
    if (id == "T22")
        return driftScene(in);
    if (id == "T29")
        return outputBars(
            statement, in, "A judge with position bias", "share",
            { { "one_order", "right, one order" },
              { "same_position", "same position" },
              { "both_orders", "right, both" } });
    if (id == "T36")
        return squashedScene(in);
    if (id == "T37")
        return poolScene(in);
    if (id == "T39")
        return outputBars(
            statement, in, "Mixer desk: what each knob gains", "change of the gain",
            { { "dg_1", "deep" }, { "dg_2", "shallow" }, { "dg_3", "strategic" } });
    if (id == "T41")
        return outputBars(
            statement, in, "What kindness gains, and what it would without faking", "change of the gain",
            { { "dg_k", "kindness" }, { "dg_s", "strategic" }, { "dg_k_honest", "kindness alone" } });
    if (id == "T43")
        return classesScene(in);
    if (id == "T48")
        return triangleOfLabelers(in);
    return {};
}

} // namespace lodestone::theory
