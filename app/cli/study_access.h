// Opens studies by folder or by the names of the shipped ones, and finds shipped files.
#pragma once

#include "core/data/study.h"

namespace lodestone::app {

/// The folder of shipped samples, lists and constitutions: $LODESTONE_RESOURCES, else beside the program,
/// else the source tree that it was built from.
std::filesystem::path resourcesFolder();

/// "sample" and "requests" are the shipped studies; anything else is a folder.
Result<std::shared_ptr<const data::Study>> openStudy(const std::string& nameOrFolder);

/// Words, one a line; an empty path means the shipped list.
Result<std::vector<std::string>> readWordList(const std::string& path);

} // namespace lodestone::app
