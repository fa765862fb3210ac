#include "core/data/word_table.h"

#include "core/base/files.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace lodestone::data {
namespace {

using text::TokenId;

bool isPlainWord(std::string_view piece)
{
    return piece.size() >= 4 && piece.front() == ' '
        && std::all_of(piece.begin() + 1, piece.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

/// The vocabulary's lower-case words, likeliest after the suffixes first.
Result<std::vector<TokenId>>
likelyWords(const model::LanguageModel& model, const std::vector<RowMatrix>& states, const Work& work)
{
    std::vector<TokenId> all(static_cast<std::size_t>(model.config().vocabulary));
    std::iota(all.begin(), all.end(), 0);
    LODESTONE_TRY(const RowMatrix unembedding, model.unembedding(all));
    Eigen::VectorXd mass = Eigen::VectorXd::Zero(unembedding.rows());
    constexpr Eigen::Index chunk = 64;
    for (const RowMatrix& matrix : states)
        // Every eighth row tells enough about which words are used.
        for (Eigen::Index first = 0; first < matrix.rows(); first += 8 * chunk) {
            if (work.cancelled())
                return cancelled();
            const Eigen::Index count = std::min(chunk, (matrix.rows() - first + 7) / 8);
            RowMatrix some(count, matrix.cols());
            for (Eigen::Index i = 0; i < count; ++i)
                some.row(i) = matrix.row(first + 8 * i);
            RowMatrix logits = some * unembedding.transpose();
            for (Eigen::Index i = 0; i < count; ++i) {
                logits.row(i).array() = (logits.row(i).array() - logits.row(i).maxCoeff()).exp();
                mass += (logits.row(i) / logits.row(i).sum()).cast<double>().transpose();
            }
        }
    std::vector<TokenId> words;
    for (const TokenId id : all)
        if (!model.tokenizer().isSpecial(id) && isPlainWord(model.tokenizer().piece(id)))
            words.push_back(id);
    std::sort(words.begin(), words.end(), [&](TokenId a, TokenId b) {
        return mass[a] != mass[b] ? mass[a] > mass[b] : a < b;
    });
    return words;
}

} // namespace

Result<nlohmann::json> writeWordTable(
    const model::LanguageModel& model, const std::vector<RowMatrix>& clozeStates,
    const std::vector<std::string>& words, std::size_t limit, const std::filesystem::path& folder,
    const Work& work)
{
    struct Entry {
        std::string word;
        TokenId first;
        bool whole;
    };
    std::vector<Entry> entries;
    std::set<std::string> seen;
    std::multiset<TokenId> firsts;
    const auto add = [&](const std::string& word) {
        const auto ids = model.tokenizer().encode(" " + word, text::Special::Continue);
        if (ids.empty() || entries.size() >= limit || !seen.insert(word).second)
            return;
        entries.push_back({ word, ids.front(), ids.size() == 1 });
        firsts.insert(ids.front());
    };
    for (const std::string& word : words)
        add(word);
    LODESTONE_TRY(const auto likely, likelyWords(model, clozeStates, work));
    for (const TokenId id : likely)
        add(std::string(model.tokenizer().piece(id).substr(1)));
    // A first token that several words share, or that is a word itself, names none of them.
    std::erase_if(entries, [&](const Entry& entry) { return !entry.whole && firsts.count(entry.first) > 1; });

    std::vector<TokenId> ids;
    nlohmann::json list = nlohmann::json::array();
    for (const Entry& entry : entries) {
        list.push_back({ { "word", entry.word }, { "row", ids.size() } });
        if (!entry.whole)
            list.back()["whole"] = false;
        ids.push_back(entry.first);
    }
    LODESTONE_TRY(const RowMatrix rows, model.unembedding(ids));
    LODESTONE_CHECK(formats::writeNpy(folder / "judgments/words.npy", rows, formats::NpyType::F16));
    LODESTONE_CHECK(writeFileAtomically(
        folder / "judgments/words.json",
        list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
    return nlohmann::json{ { "file", "judgments/words.npy" }, { "list", "judgments/words.json" } };
}

} // namespace lodestone::data
