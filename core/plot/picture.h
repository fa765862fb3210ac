// A picture as data: lines, arrows, areas, bars and dots with what each stands for; a view decides on colours
// and pixels.
#pragma once

#include "core/plot/ticks.h"

#include <string>
#include <vector>

namespace lodestone::plot {

/// What a shape stands for; views map it to a colour and a pattern, so that it reads without colour too.
enum class Role { Plain, Faint, Values, Judge, Generation, Good, Bad, First, Second, Third, Accent };

struct Shape {
    enum class Kind {
        Line, ///< through the points, in order
        Area, ///< the polygon of the points, filled
        Arrow, ///< from the first point to the last
        Dots, ///< a dot at each point, its area from `sizes` (1: an ordinary dot)
        Bars, ///< a bar from 0 to y at each x
        Whiskers, ///< vertical intervals: points in twos, low and high
        Text ///< the label at the first point
    };
    struct Point {
        double x = 0, y = 0;
    };

    Kind kind = Kind::Line;
    Role role = Role::Plain;
    std::vector<Point> points;
    std::string label; ///< at the end of a line or arrow, above a bar, at a text's place
    bool dashed = false;
    std::vector<double> sizes{};
};

struct Picture {
    std::string title; ///< one sentence that says what is seen
    std::string x, y; ///< axis titles
    Range rangeX{ 0, 1 }, rangeY{ 0, 1 };
    bool sameScale = false; ///< one unit is as long in both directions: circles stay circles
    bool axes = true; ///< false: no ticks and grid, because the place is no number
    std::vector<std::string> names{}; ///< names at x = 1, 2, ... instead of numbers
    std::vector<Shape> shapes;
};

} // namespace lodestone::plot
