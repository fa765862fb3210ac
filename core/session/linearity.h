// How linear the judge is, layer by layer: what a straight probe reads of the model's answers, what a curved
// one adds, and what both find in answers in random order, so that "linear" is a finding.
#pragma once

#include "core/constitution/ways.h"
#include "core/geometry/nonlinear.h"
#include "core/session/foundation.h"

namespace lodestone::session {

struct LinearityRow {
    int principle = 0;
    Layer layer;
    geometry::NonlinearRemainder remainder; ///< r^2 on held-out prompts
};

struct Linearity {
    std::vector<LinearityRow> rows; ///< principle by principle, layers in order
    std::vector<std::string> problems; ///< one per principle; empty where its answers could be probed
    int training = 0, heldOut = 0; ///< responses
};

struct LinearityOptions {
    std::string way = "cloze"; ///< of the answers; a way that yields a displacement has none
    std::vector<Layer> layers; ///< empty: all of the study
    data::Position position = data::Position::Mean;
    int components = 24; ///< principal components that the probes see
    std::uint64_t seed = 0;
};

/// Most training responses that a kernel is made of; more are thinned evenly.
inline constexpr int largestKernel = 1200;

/// Probes the answers about the responses that the context names (T1's nonlinear remainder; see
/// geometry/nonlinear.h). Held-out r^2 is over responses of all held-out prompts.
/// Errors: a way without answers, no
/// principle that can be probed, cancellation.
Result<Linearity> linearityOf(
    const Foundation& foundation, const std::vector<constitution::Principle>& principles,
    const constitution::WayContext& context, const LinearityOptions& options, const Work& work = {});

} // namespace lodestone::session
