#include "app/cli/study_access.h"

#include "core/base/files.h"

#include <cstdlib>
#include <sstream>

namespace lodestone::app {

std::filesystem::path resourcesFolder()
{
    if (const char* folder = std::getenv("LODESTONE_RESOURCES"); folder && *folder)
        return folder;
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    const std::filesystem::path installed = program / "../share/lodestone";
    return std::filesystem::exists(installed / "samples", error) ? installed
                                                                 : std::filesystem::path(LODESTONE_RESOURCES);
}

Result<std::shared_ptr<const data::Study>> openStudy(const std::string& nameOrFolder)
{
    std::error_code error;
    if ((nameOrFolder == "sample" || nameOrFolder == "requests")
        && !std::filesystem::exists(nameOrFolder, error))
        return data::Study::open(resourcesFolder() / "samples" / nameOrFolder);
    return data::Study::open(nameOrFolder);
}

Result<std::vector<std::string>> readWordList(const std::string& path)
{
    LODESTONE_TRY(
        const std::string text,
        readFile(
            path.empty() ? resourcesFolder() / "value_words.txt" : std::filesystem::path(path), 1 << 24));
    std::vector<std::string> words;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (!line.empty() && line.front() != '#')
            words.push_back(line);
    return words;
}

} // namespace lodestone::app
