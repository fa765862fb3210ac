#include "core/model/context_store.h"

#include "core/base/files.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace lodestone::model {
namespace {

/// Calls `move` (read or write) until `size` bytes have gone. False: an error, or the end of the file.
template <typename Move>
bool moveAll(std::size_t size, const Move& move)
{
    for (std::size_t done = 0; done < size;) {
        const ssize_t moved = move(done, size - done);
        if (moved < 0 && errno == EINTR)
            continue;
        if (moved <= 0)
            return false;
        done += static_cast<std::size_t>(moved);
    }
    return true;
}

} // namespace

std::size_t StoreLimits::usualMemory()
{
    constexpr std::size_t most = std::size_t(2) << 30;
    const long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || bytes <= 0)
        return most;
    return std::min(most, static_cast<std::size_t>(pages) * static_cast<std::size_t>(bytes) / 4);
}

ContextStore::ContextStore(StoreLimits limits)
    : m_limits(std::move(limits))
    , m_noFile(m_limits.disk == 0)
{
    if (m_limits.folder.empty())
        m_limits.folder = userCacheFolder() / "contexts";
}

ContextStore::~ContextStore()
{
    if (m_file >= 0)
        close(m_file);
}

std::uint64_t ContextStore::keyOf(std::span<const TokenId> tokens)
{
    return Fingerprint().add(tokens.size()).add(tokens.data(), tokens.size()).value();
}

std::shared_ptr<const PackedContext> ContextStore::find(std::uint64_t key)
{
    const auto found = m_entries.find(key);
    if (found == m_entries.end())
        return nullptr;
    const Entry& entry = found->second;
    if (entry.context)
        return entry.context;
    auto context = std::make_shared<PackedContext>(entry.size);
    const bool whole = moveAll(entry.size, [&](std::size_t done, std::size_t left) {
        return pread(m_file, context->data() + done, left, static_cast<off_t>(entry.offset + done));
    });
    if (!whole) {
        m_entries.erase(found);
        return nullptr;
    }
    return context;
}

void ContextStore::keep(std::uint64_t key, std::shared_ptr<const PackedContext> context)
{
    if (!context || holds(key))
        return;
    Entry entry{ nullptr, 0, context->size() };
    if (entry.size <= m_limits.memory - m_memory) {
        m_memory += entry.size;
        entry.context = std::move(context);
    } else if (!write(*context, entry)) {
        return;
    }
    m_entries.emplace(key, std::move(entry));
}

bool ContextStore::write(const PackedContext& context, Entry& entry)
{
    if (m_noFile || entry.size > m_limits.disk - m_disk)
        return false;
    if (m_file < 0) {
        std::error_code ignored;
        std::filesystem::create_directories(m_limits.folder, ignored);
        std::string name = (m_limits.folder / "XXXXXX").string();
        m_file = mkostemp(name.data(), O_CLOEXEC);
        if (m_file < 0) {
            m_noFile = true;
            return false;
        }
        unlink(name.c_str());
    }
    entry.offset = m_disk;
    if (!moveAll(entry.size, [&](std::size_t done, std::size_t left) {
            return pwrite(m_file, context.data() + done, left, static_cast<off_t>(entry.offset + done));
        })) {
        m_noFile = true; // a full disk stays full: what is written can still be read
        return false;
    }
    m_disk += entry.size;
    return true;
}

} // namespace lodestone::model
