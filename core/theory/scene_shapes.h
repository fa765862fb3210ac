// What the scenes share: shapes in few words, and the scenes of directions that scenes.cpp chooses from.
#pragma once

#include "core/plot/picture.h"
#include "core/theory/numbers.h"
#include "core/theory/statement.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>

namespace lodestone::theory::scenes {

using plot::Picture;
using plot::Role;
using plot::Shape;
using Points = std::vector<Shape::Point>;

inline Shape line(Role role, Points points, std::string label = {}, bool dashed = false)
{
    return { Shape::Kind::Line, role, std::move(points), std::move(label), dashed };
}
inline Shape arrow(Role role, double x, double y, std::string label)
{
    return { Shape::Kind::Arrow, role, { { 0, 0 }, { x, y } }, std::move(label) };
}
inline Shape bar(Role role, double at, double value)
{
    return { Shape::Kind::Bars, role, { { at, value } }, fmt::format("{:.3g}", value) };
}
inline Points
ellipse(double cx, double cy, double a11, double a21, double a22, double from = 0, double to = 2 * pi)
{
    Points points; // the image of the unit circle under a lower triangular matrix
    for (int i = 0; i <= 120; ++i) {
        const double t = from + (to - from) * i / 120;
        points.push_back({ cx + a11 * std::cos(t), cy + a21 * std::cos(t) + a22 * std::sin(t) });
    }
    return points;
}
/// A square window around the origin that shows everything within `reach`.
inline Picture plane(std::string title, double reach)
{
    Picture picture;
    picture.title = std::move(title);
    picture.rangeX = picture.rangeY = { -reach, reach };
    picture.sameScale = true;
    picture.x = "along the values' direction (whitened)";
    picture.y = "across";
    return picture;
}
inline Picture
bars(std::string title, std::string y, std::vector<std::string> names, const std::vector<double>& values)
{
    Picture picture;
    picture.title = std::move(title);
    picture.y = std::move(y);
    picture.rangeX = { .4, static_cast<double>(values.size()) + .6 };
    double low = 0, high = 1e-3;
    for (const double value : values) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    const double pad = .12 * (high - low);
    picture.rangeY = { low < 0 ? low - pad : 0, high + pad };
    picture.names = std::move(names);
    return picture;
}

// Scenes of directions, in scenes_directions.cpp.
std::optional<plot::Picture> projectorScene(const Values& in);
std::optional<plot::Picture> slidingScene(const Values& in);
std::optional<plot::Picture> halfSpaceScene(const Values& in);
std::optional<plot::Picture> needlesScene(const Values& in);
std::optional<plot::Picture> thalesScene(const Values& in);
std::optional<plot::Picture> rangeScene(const Values& in);
std::optional<plot::Picture> paretoScene(const Values& in, const Statement& statement);
std::optional<plot::Picture> driftScene(const Values& in);
std::optional<plot::Picture> squashedScene(const Values& in);
std::optional<plot::Picture> triangleOfLabelers(const Values& in);

} // namespace lodestone::theory::scenes
