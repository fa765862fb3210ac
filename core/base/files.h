// Small operations on files that must never lose a user's data: whole reads with a limit, writes by rename,
// SHA-256.
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace lodestone {

/// The whole file as bytes; an error when it is missing, unreadable or larger than `limit` bytes.
Result<std::string> readFile(const std::filesystem::path& path, std::uint64_t limit = std::uint64_t(1) << 30);

/// Writes beside the target and renames into place, so that a failed save leaves the old file.
Result<void> writeFileAtomically(const std::filesystem::path& path, std::string_view bytes);

/// SHA-256 of a file as 64 lower-case hex digits.
Result<std::string> sha256OfFile(const std::filesystem::path& path, const Work& work = {});

/// SHA-256 of bytes in memory, written likewise.
std::string sha256Of(std::string_view bytes);

/// $XDG_CACHE_HOME/lodestone, or ~/.cache/lodestone.
std::filesystem::path userCacheFolder();

/// The last operating-system error in words.
std::string systemErrorText(int number);

} // namespace lodestone
