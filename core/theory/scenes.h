// The pictures that statements name besides their curve: clouds, arrows, circles and bars at the present
// values.
#pragma once

#include "core/plot/picture.h"
#include "core/theory/statement.h"

#include <optional>

namespace lodestone::theory {

/// Nothing for statements whose picture is their curve, and at values that exclude each other. Pictures of
/// directions are in whitened coordinates, where angles are those of the Sigma inner product, unless their
/// title says otherwise.
std::optional<plot::Picture> scene(const Statement& statement, const Values& values);

} // namespace lodestone::theory
