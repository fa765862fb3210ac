// Scenes of directions: arrows, circles and the parts of a plane in which a constitution helps.
#include "core/theory/algebra.h"
#include "core/theory/instance.h"
#include "core/theory/sampling.h"
#include "core/theory/scene_shapes.h"

namespace lodestone::theory::scenes {

std::optional<Picture> projectorScene(const Values& in)
{
    const auto m = instanceAt(in);
    if (!m)
        return {};
    const Eigen::Matrix3d factor = m->factor();
    Eigen::MatrixXd whitened(3, in.whole("k"));
    whitened.col(0) = factor.transpose() * m->judge;
    if (whitened.cols() > 1)
        whitened.col(1) = factor.transpose() * m->generator;
    const Eigen::MatrixXd basis = orthonormal(whitened);
    const Eigen::Vector3d truth = factor.transpose() * m->truth;
    const double inside = (basis.transpose() * truth).norm(), all = truth.norm();
    const double outside = std::sqrt(std::max(0.0, all * all - inside * inside));
    Picture picture
        = plane("The values' direction and its shadow on what the principles span", std::max(all, .1) * 1.25);
    picture.x = "within the principles' span (whitened)";
    picture.y = "across the span";
    picture.rangeY = { -.25 * std::max(all, .1), 1.25 * std::max(all, .1) };
    picture.shapes
        = { line(Role::Faint, { { picture.rangeX.low, 0 }, { picture.rangeX.high, 0 } }, "principles"),
            line(Role::Faint, { { inside, outside }, { inside, 0 } }, "", true),
            arrow(Role::Values, inside, outside, "w*"), arrow(Role::Judge, inside, 0, "P_c w*") };
    return picture;
}

std::optional<Picture> slidingScene(const Values& in)
{
    const auto m = instanceAt(in);
    if (!m)
        return {};
    const Eigen::Matrix3d factor = m->factor();
    const Eigen::Vector3d shift = in["lambda"] * (m->sigma * m->judge);
    Picture picture = plane(
        "The cloud slides along Sigma w_c, not along w_c (first two coordinates of h, not whitened)", 2.6);
    picture.x = "h_1";
    picture.y = "h_2";
    const auto cloud
        = [&](double x, double y) { return ellipse(x, y, factor(0, 0), factor(1, 0), factor(1, 1)); };
    picture.shapes = { line(Role::Generation, cloud(0, 0), "before", true),
                       line(Role::Judge, cloud(shift[0], shift[1]), "after"),
                       arrow(Role::Accent, shift[0], shift[1], "λ Σ w_c"),
                       arrow(Role::Faint, in["lambda"] * m->judge[0], in["lambda"] * m->judge[1], "λ w_c") };
    return picture;
}

std::optional<Picture> halfSpaceScene(const Values& in)
{
    const double c = in["Sigma_12"], w1 = in["w_1"], w2 = in["w_2"];
    const double n1 = w1 + c * w2, n2 = c * w1 + w2, norm = std::hypot(n1, n2);
    Picture picture = plane(
        "Judges on the shaded side help (read-outs, not whitened: the edge is not square to w*)", 1.4);
    picture.x = "first coordinate of a read-out";
    picture.y = "second coordinate";
    if (norm > 1e-9) {
        const double e1 = -n2 / norm, e2 = n1 / norm, far = 4;
        picture.shapes.push_back({ Shape::Kind::Area,
                                   Role::Good,
                                   { { far * e1, far * e2 },
                                     { -far * e1, -far * e2 },
                                     { far * (n1 / norm - e1), far * (n2 / norm - e2) },
                                     { far * (n1 / norm + e1), far * (n2 / norm + e2) } },
                                   {} });
        picture.shapes.push_back(line(Role::Good, { { far * e1, far * e2 }, { -far * e1, -far * e2 } }, ""));
    }
    picture.shapes.push_back(arrow(Role::Values, w1, w2, "w*"));
    picture.shapes.push_back(arrow(Role::Judge, in["w_c1"], in["w_c2"], "w_c"));
    return picture;
}

std::optional<Picture> needlesScene(const Values& in)
{
    const double judge = in["rho_c"], generator = in["rho_g"], t = in["t"];
    const double mixed = std::sqrt(std::max(1 + 2 * t * in["c_cg"] + t * t, 1e-12));
    const double f = std::clamp((generator + t * judge) / mixed, -1.0, 1.0);
    Picture picture = plane("Needles against true values: the length along V* is the correlation", 1.15);
    picture.rangeY = { -.15, 1.15 };
    picture.x = "correlation with V*";
    picture.y = "the rest";
    const auto needle = [](Role role, double rho, const char* label) {
        return arrow(role, rho, std::sqrt(1 - rho * rho), label);
    };
    picture.shapes = { line(Role::Faint, ellipse(0, 0, 1, 0, 1, 0, pi), "", true),
                       arrow(Role::Values, 1, 0, "V*"), needle(Role::Judge, judge, "judge"),
                       needle(Role::Generation, generator, "generator"), needle(Role::Accent, f, "after") };
    return picture;
}

std::optional<Picture> thalesScene(const Values& in)
{
    const double w = in["w_norm"], s = in["s_norm"], angle = in["phi"] / degrees,
                 theta = in["theta"] / degrees;
    const double x = w * std::cos(angle) * std::cos(angle), y = w * std::cos(angle) * std::sin(angle);
    const double sx = std::cos(theta), sy = std::sin(theta), shadow = x * sx + y * sy;
    Picture picture = plane(
        "Every constitution is a point of the circle; its shadow on the values is the gain",
        1.3 * std::max(w, s));
    picture.x = "along the judge's direction (whitened)";
    picture.shapes
        = { line(Role::Judge, ellipse(w / 2, 0, w / 2, 0, w / 2), ""),
            line(Role::Faint, { { x, y }, { shadow * sx, shadow * sy } }, "", true),
            arrow(Role::Judge, w, 0, "u_J"),
            arrow(Role::Values, s * sx, s * sy, "u_*"),
            line(shadow < 0 ? Role::Bad : Role::Good, { { 0, 0 }, { shadow * sx, shadow * sy } }, "gain"),
            { Shape::Kind::Dots, Role::Accent, { { x, y } }, "P w", false, { 3 } } };
    return picture;
}

std::optional<Picture> rangeScene(const Values& in)
{
    const double s = in["s_norm"], w = in["w_norm"], theta = std::acos(in["cos_theta"]);
    Picture picture = plane("The best and the worst constitution: the bisectors", 1.2 * std::max(s, w));
    const double wx = w * std::cos(theta), wy = w * std::sin(theta);
    picture.shapes
        = { line(Role::Faint, ellipse(wx / 2, wy / 2, w / 2, 0, w / 2), ""), arrow(Role::Values, s, 0, "u_*"),
            arrow(Role::Judge, wx, wy, "u_J"), arrow(Role::Good, (wx + w) / 2, wy / 2, "best"),
            arrow(Role::Bad, (wx - w) / 2, wy / 2, "worst") };
    return picture;
}

std::optional<Picture> paretoScene(const Values& in, const Statement& statement)
{
    const double reach = std::sqrt(2 * in["K"]) * in["sigma"], c = in["c"];
    Picture picture = plane(
        "Attainable gains of both aims at this KL; the outer arc is the Pareto front",
        1.2 * std::max(reach, .05));
    picture.x = "gain of the first aim";
    picture.y = "gain of the second aim";
    Points front;
    Values values = in;
    for (int i = 0; i <= 60; ++i) {
        values.put("phi", 90.0 * i / 60);
        if (const auto out = evaluate(statement, values))
            front.push_back({ find(*out, "gain_1")->value, find(*out, "gain_2")->value });
    }
    const auto now = evaluate(statement, in);
    if (!now)
        return {};
    picture.shapes = { line(Role::Faint, ellipse(0, 0, reach, reach * c, reach * std::sqrt(1 - c * c)), ""),
                       line(Role::Judge, front, "Pareto"),
                       { Shape::Kind::Dots,
                         Role::Accent,
                         { { find(*now, "gain_1")->value, find(*now, "gain_2")->value } },
                         "mixture",
                         false,
                         { 3 } } };
    return picture;
}

std::optional<Picture> driftScene(const Values& in)
{
    Picture picture = plane("The judge's needle turning from round to round", 1.2);
    picture.y = "across the values";
    const int rounds = in.whole("T");
    picture.shapes.push_back(arrow(Role::Values, 1, 0, "w*"));
    for (int t = 0; t <= rounds; t += std::max(1, rounds / 8)) {
        const double keep = std::pow(1 - in["delta"], t);
        const double x = keep * in["gamma_0"] + (1 - keep) * in["gamma_g"], y = .2 * keep + .8 * (1 - keep);
        picture.shapes.push_back(arrow(
            x < 0 ? Role::Bad : Role::Judge, x, y,
            t == 0 || t + rounds / 8 >= rounds ? fmt::format("round {}", t) : ""));
    }
    return picture;
}

std::optional<Picture> squashedScene(const Values& in)
{
    const double theta = in["theta"] / degrees, kappa = in["kappa"];
    Picture picture = plane(
        "The worst covariance of that condition number: it squashes what both directions share (dashed: in "
        "training)",
        1.3);
    // Its short axis halves the angle between the two.
    const double axis = theta / 2, small = 1 / kappa;
    Points points;
    for (int i = 0; i <= 120; ++i) {
        const double t = 2 * pi * i / 120, a = small * std::cos(t), b = std::sin(t);
        points.push_back(
            { a * std::cos(axis) - b * std::sin(axis), a * std::sin(axis) + b * std::cos(axis) });
    }
    picture.shapes
        = { line(Role::Faint, ellipse(0, 0, 1, 0, 1), "", true), line(Role::Generation, points, "in use"),
            arrow(Role::Values, 1, 0, "u_*"), arrow(Role::Judge, std::cos(theta), std::sin(theta), "u_c") };
    return picture;
}

std::optional<Picture> triangleOfLabelers(const Values& in)
{
    // Angles are arcs: people at the pole, the two others at their distance, turned by the spherical angle.
    const double hr = std::acos(in["rho_hr"]), hl = std::acos(in["rho_hl"]), rl = std::acos(in["rho_rl"]);
    const double sines = std::sin(hr) * std::sin(hl);
    if (sines < 1e-9 || !Trivariate(in["rho_hr"], in["rho_hl"], in["rho_rl"]).ok())
        return {};
    const double turn
        = std::acos(std::clamp((std::cos(rl) - std::cos(hr) * std::cos(hl)) / sines, -1.0, 1.0));
    const auto at = [&](double arc, double around) {
        return Shape::Point{ arc / pi * std::cos(around), arc / pi * std::sin(around) };
    };
    Picture picture = plane(
        "People, reward model and LM labeler: distance from the centre is the share of pairs judged "
        "otherwise",
        1.05);
    picture.x = picture.y = "share of pairs";
    const Shape::Point model = at(hr, pi / 2 - turn / 2), labeler = at(hl, pi / 2 + turn / 2);
    picture.shapes = { line(Role::Faint, ellipse(0, 0, .5, 0, .5), "", true),
                       { Shape::Kind::Area, Role::Faint, { { 0, 0 }, model, labeler }, {} },
                       line(Role::Plain, { { 0, 0 }, model }, ""),
                       line(Role::Plain, { { 0, 0 }, labeler }, ""),
                       { Shape::Kind::Dots, Role::Values, { { 0, 0 } }, "people", false, { 3 } },
                       { Shape::Kind::Dots, Role::Judge, { model }, "reward model", false, { 3 } },
                       { Shape::Kind::Dots, Role::Generation, { labeler }, "LM labeler", false, { 3 } } };
    return picture;
}

} // namespace lodestone::theory::scenes
