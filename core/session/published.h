// Published figures beside what this program makes of them: implied by its model, recomputed from data that
// were released, or neither, with the reason.
#pragma once

#include "core/base/error.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lodestone::session {

enum class FigureKind {
    Implied, ///< the linear-Gaussian model (a reconstruction) says this from other published figures
    Recomputed, ///< from the authors' released data
    NotReproducible ///< and `note` says why
};
std::string figureKindName(FigureKind kind);

struct PublishedFigure {
    std::string name;
    std::optional<double> published, here; ///< win rates and accuracies as shares
    std::string publishedText; ///< where it is no number
    FigureKind kind = FigureKind::Implied;
    std::string source; ///< paper, year, place
    std::string note; ///< how `here` comes about, or why it does not
};

/// "lee", "gao", "arditi", "young".
const std::vector<std::string>& publishedWorks();

/// `data`: the folder that may hold the authors' released files (directions/refusal_direction); without it
/// their rows say so. Errors: another name; released files that are damaged.
Result<std::vector<PublishedFigure>>
publishedFigures(const std::string& work, const std::filesystem::path& data);

} // namespace lodestone::session
