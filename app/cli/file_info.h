// What the files are that people hand to `info`: arrays, directions, control vectors, tables; models and
// studies are told about elsewhere.
#pragma once

#include "app/cli/context.h"

namespace lodestone::app {

/// What a path is: for scripts and for people.
struct PathInfo {
    Json document;
    std::string table;
};

/// True when `infoOfFile` is the one to ask: a file of tensors, a control vector, a table of texts or another
/// JSON file, or FILE#NAME, a direction in one.
bool isToldByItsContent(const std::string& path);
/// Errors: what is wrong with the file, named.
Result<PathInfo> infoOfFile(const std::string& path);

} // namespace lodestone::app
