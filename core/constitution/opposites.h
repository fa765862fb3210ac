// Which words name opposite sides of a reply: what a proposal for poles is checked against and completed
// from.
#pragma once

#include "core/base/error.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lodestone::constitution {

/// A table of word pairs, lower case, read from resources/opposites.txt: "kind cruel" a line, the commonest
/// opposite of a word first, and "harm = harmful" for another form of a word of the pairs. Lines that begin
/// with '#' are comments.
class Opposites {
public:
    Opposites() = default; ///< knows no word
    static Result<Opposites> read(const std::filesystem::path& path);
    /// Errors: a line that is neither, a word beside itself, a form of a word that no pair has; each with its
    /// line.
    static Result<Opposites> parse(const std::string& text, const std::string& where);

    bool knows(const std::string& word) const { return m_of.count(word) > 0; }
    /// In the order of the table; empty for a word that it lacks.
    const std::vector<std::string>& of(const std::string& word) const;
    bool areOpposite(const std::string& a, const std::string& b) const;

    /// A word as it may stand in a sentence, told as a word of the pairs.
    struct Known {
        std::string word; ///< empty: not known
        bool noun = false; ///< by another form than the adjective or its adverb: "harm", "kindness", "lie"
    };
    /// Lower case expected. Besides the forms listed: adverbs ("politely", "happily"), nouns in -ness.
    Known look(const std::string& word) const;

    std::size_t pairs() const { return m_pairs; }

private:
    std::map<std::string, std::vector<std::string>> m_of;
    std::map<std::string, std::string> m_forms;
    std::size_t m_pairs = 0;
};

} // namespace lodestone::constitution
