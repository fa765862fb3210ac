#include "core/model/fetch_folder.h"

#include "core/model/pip_download.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace lodestone::model {
namespace {

namespace fs = std::filesystem;

} // namespace

tl::unexpected<Error> refused(std::string what, const std::error_code& error, const fs::path& where)
{
    return fail(ErrorKind::Failed, std::move(what), error.message(), where.string());
}

FolderLock::~FolderLock()
{
    if (m_file >= 0)
        ::close(m_file);
}

Result<void> FolderLock::take(const fs::path& folder, const Work& work)
{
    m_file = ::open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (m_file < 0)
        return refused("a folder for models that can be written", { errno, std::generic_category() }, folder);
    while (::flock(m_file, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return {};
        if (work.cancelled())
            return cancelled();
        work.tell({ "Waiting for another download of a model", 0, 0, 0, "bytes", -1 });
        std::this_thread::sleep_for(pollInterval);
    }
    m_held = true;
    return {};
}

Scratch::~Scratch()
{
    std::error_code ignored;
    if (!m_path.empty())
        fs::remove_all(m_path, ignored);
}

Result<void> Scratch::make(const fs::path& folder)
{
    std::string name = (folder / ".fetch-XXXXXX").string();
    if (!::mkdtemp(name.data()))
        return refused("a folder for models that can be written", { errno, std::generic_category() }, folder);
    m_path = name;
    return {};
}

void removeLeftOvers(const fs::path& folder)
{
    std::error_code error;
    std::vector<fs::path> old;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (entry->path().filename().string().rfind(".fetch-", 0) == 0)
            old.push_back(entry->path());
    }
    for (const fs::path& path : old)
        fs::remove_all(path, error);
}

} // namespace lodestone::model
