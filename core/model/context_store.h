// Keeps the keys and values of texts already read, so that questions about them cost no more than the
// questions: in memory up to a limit, in a file of the user's cache beyond it.
#pragma once

#include "core/base/fingerprint.h"
#include "core/model/language_model.h"

#include <filesystem>
#include <map>

namespace lodestone::model {

/// What a store may take.
struct StoreLimits {
    /// Bytes held in memory: 2 GiB, but at most a quarter of the machine's.
    static std::size_t usualMemory();
    std::size_t memory = usualMemory();
    std::uint64_t disk = std::uint64_t(8) << 30; ///< bytes of the file; 0: no file
    std::filesystem::path folder; ///< of the file; empty: `contexts` in the user's cache
};

/// Packed contexts by the tokens that they stand for, of one model with its weights as in the file. What
/// comes first stays in memory and what comes once that is full goes to the file: questions go round all
/// replies in one order, for which throwing out the least recently used would keep nothing. The file has no
/// name, so that it goes with the store however the program ends. Used from one thread at a time, as the
/// model is.
class ContextStore {
public:
    explicit ContextStore(StoreLimits limits = {});
    ~ContextStore();
    ContextStore(const ContextStore&) = delete;
    ContextStore& operator=(const ContextStore&) = delete;

    /// Of all tokens from the first one on.
    static std::uint64_t keyOf(std::span<const TokenId> tokens);

    bool holds(std::uint64_t key) const { return m_entries.count(key) > 0; }
    /// Null when it is not held (any more: a file that cannot be read holds nothing).
    std::shared_ptr<const PackedContext> find(std::uint64_t key);
    /// Takes it, unless memory and file are full or the file cannot be written: then it is read again by the
    /// model when it is needed again.
    void keep(std::uint64_t key, std::shared_ptr<const PackedContext> context);

    std::size_t count() const { return m_entries.size(); }
    std::size_t memoryBytes() const { return m_memory; } ///< never above the limit
    std::uint64_t diskBytes() const { return m_disk; } ///< never above the limit

private:
    struct Entry {
        std::shared_ptr<const PackedContext> context; ///< null: in the file
        std::uint64_t offset = 0;
        std::size_t size = 0;
    };
    bool write(const PackedContext& context, Entry& entry);

    StoreLimits m_limits;
    std::map<std::uint64_t, Entry> m_entries;
    std::size_t m_memory = 0;
    std::uint64_t m_disk = 0;
    int m_file = -1; ///< opened when it is first needed
    bool m_noFile = false; ///< it could not be made or written
};

} // namespace lodestone::model
