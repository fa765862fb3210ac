// The folder in which models arrive: one download at a time, unfinished files out of sight.
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"

#include <filesystem>
#include <string>
#include <system_error>

namespace lodestone::model {

/// The error of a machine that refused: what was to be done, and where.
tl::unexpected<Error>
refused(std::string what, const std::error_code& error, const std::filesystem::path& where);

/// One download at a time per folder, over all processes. A file system without locks is used without.
class FolderLock {
public:
    FolderLock() = default;
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    ~FolderLock();

    /// Waits for its turn. Errors: Failed (the folder cannot be written), Cancelled.
    Result<void> take(const std::filesystem::path& folder, const Work& work);
    bool held() const { return m_held; }

private:
    int m_file = -1;
    bool m_held = false;
};

/// A folder for unfinished files, beside the target so that the last step is a rename; gone at the end.
class Scratch {
public:
    Scratch() = default;
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch();

    Result<void> make(const std::filesystem::path& folder);
    const std::filesystem::path& path() const { return m_path; }

private:
    std::filesystem::path m_path;
};

/// Removes what a killed run left behind.
void removeLeftOvers(const std::filesystem::path& folder);

} // namespace lodestone::model
