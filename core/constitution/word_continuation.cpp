// Words outside a study's table: looked up in the model, and where one token does not name them, continued.
#include "core/constitution/elicitation.h"
#include "core/constitution/reply_reader.h"
#include "core/data/capture.h"
#include "core/model/language_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <set>

namespace lodestone::constitution {
namespace {

using data::RowMatrix;
using model::Request;

} // namespace

const ClozeElicitation::Extra* ClozeElicitation::extra(const std::string& word) const
{
    const auto found = m_extra.find(word);
    return found == m_extra.end() ? nullptr : &found->second;
}

bool ClozeElicitation::knows(const std::string& word) const { return m_rowOf.count(word) > 0; }

bool ClozeElicitation::isAlone(
    const std::string& word, const Extra& extraWord, const Principle& principle) const
{
    if (extraWord.tokens.empty() || extraWord.beginsTableWord)
        return false;
    for (const auto* pole : { &principle.positive, &principle.negative })
        for (const std::string& other : *pole)
            if (const Extra* looked = extra(other); other != word && looked && !looked->tokens.empty()
                && looked->tokens.front() == extraWord.tokens.front())
                return false;
    return true;
}

std::vector<std::string> ClozeElicitation::wordsToAsk(const Principle& principle) const
{
    std::vector<std::string> words;
    for (const auto* pole : { &principle.positive, &principle.negative })
        for (const std::string& word : *pole) {
            if (knows(word) || std::find(words.begin(), words.end(), word) != words.end())
                continue;
            const Extra* looked = extra(word);
            if (looked
                && (looked->tokens.empty() || isAlone(word, *looked, principle)
                    || looked->continued == responses()))
                continue;
            words.push_back(word);
        }
    return words;
}

std::uint64_t ClozeElicitation::knowledgeOf(const Principle& principle) const
{
    std::uint64_t known = 1;
    for (const auto* pole : { &principle.positive, &principle.negative })
        for (const std::string& word : *pole) {
            const Extra* looked = extra(word);
            known = known * 1'000'003 + (knows(word) ? 1 : looked ? 2 + looked->continued : 0);
        }
    return known;
}

Result<void>
ClozeElicitation::lookUp(const model::LanguageModel& model, const std::vector<std::string>& words)
{
    std::vector<text::TokenId> ids;
    std::vector<std::string> fresh;
    for (const std::string& word : std::set<std::string>(words.begin(), words.end())) {
        if (knows(word) || extra(word))
            continue;
        const auto tokens = model.tokenizer().encode(" " + word, text::Special::Continue);
        Extra& added = m_extra[word];
        added.tokens.assign(tokens.begin(), tokens.end());
        if (word.empty() || tokens.empty()) {
            added.tokens.clear();
            continue;
        }
        const std::string piece(model.tokenizer().piece(tokens.front()));
        const auto begun = m_rowOf.find(piece.empty() ? piece : piece.substr(1));
        added.beginsTableWord = tokens.size() > 1 && begun != m_rowOf.end() && begun->second < m_tableRows;
        ids.push_back(tokens.front());
        fresh.push_back(word);
    }
    if (fresh.empty())
        return {};
    LODESTONE_TRY(const RowMatrix rows, model.unembedding(ids));
    const Eigen::Index before = m_rows.rows();
    m_rows.conservativeResize(before + rows.rows(), Eigen::NoChange);
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        const Eigen::Index row = before + static_cast<Eigen::Index>(i);
        m_rows.row(row) = rows.row(static_cast<Eigen::Index>(i));
        Extra& added = m_extra[fresh[i]];
        added.row = static_cast<int>(row);
        if (added.tokens.size() == 1) {
            m_rowOf.emplace(fresh[i], static_cast<int>(row));
            m_order.push_back(fresh[i]);
        }
    }
    return {};
}

Result<std::shared_ptr<ClozeElicitation>> ClozeElicitation::withWords(
    const model::LanguageModel& model, const std::vector<std::string>& words,
    std::vector<std::string>& unknown) const
{
    auto result = std::make_shared<ClozeElicitation>(*this);
    LODESTONE_CHECK(result->lookUp(model, words));
    Principle together; // alone among all words asked for
    together.positive = words;
    for (const std::string& word : std::set<std::string>(words.begin(), words.end())) {
        const Extra* looked = result->extra(word);
        if (!result->knows(word) && (!looked || !result->isAlone(word, *looked, together)))
            unknown.push_back(word);
    }
    return result;
}

Result<std::shared_ptr<ClozeElicitation>> ClozeElicitation::withAllWords(
    model::LanguageModel& model, const data::Study& study, const std::vector<Principle>& principles,
    const Work& work, const std::function<void(const std::shared_ptr<ClozeElicitation>&)>& partial) const
{
    auto result = std::make_shared<ClozeElicitation>(*this);
    std::vector<std::string> words;
    for (const Principle& principle : principles)
        for (const std::string& word : wordsToAsk(principle))
            words.push_back(word);
    if (words.empty())
        return result;
    if (model.sha256() != study.model().sha256)
        return badInput(
            "the model that read this study (" + study.model().name + ")", model.config().name,
            principles.front().name);
    LODESTONE_CHECK(result->lookUp(model, words));
    std::set<std::string> unfinished;
    for (const Principle& principle : principles)
        for (const std::string& word : result->wordsToAsk(principle))
            unfinished.insert(word);
    if (unfinished.empty())
        return result;
    if (partial) // what first tokens settle is there at once
        partial(std::make_shared<ClozeElicitation>(*result));
    const auto n = static_cast<int>(responses());
    std::vector<std::vector<text::TokenId>> suffixes;
    for (const data::ClozeSuffix& suffix : m_suffixes)
        suffixes.push_back(data::suffixTokens(model, suffix, study.set().kind));
    for (const std::string& word : unfinished) {
        Extra& added = result->m_extra[word];
        added.continued = 0;
        added.continuation = RowMatrix::Constant(
            n, static_cast<Eigen::Index>(m_suffixes.size()), std::numeric_limits<float>::quiet_NaN());
    }
    const data::ResponseSet& set = study.set();
    const std::vector<int> order = askingOrder(set);
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t first = 0; first < order.size();) {
        std::vector<Request> replies, asked, continued;
        std::vector<int> rows;
        int tokens = 0;
        while (first < order.size() && tokens < 1024 && rows.size() < 16) {
            const int row = order[first++];
            Request request;
            request.tokens
                = data::promptTokens(model, set, set.responses[static_cast<std::size_t>(row)].prompt);
            const auto own = data::responseTokens(model, set, row);
            request.tokens.insert(request.tokens.end(), own.begin(), own.end());
            request.keepContext = true;
            tokens += static_cast<int>(request.tokens.size());
            replies.push_back(std::move(request));
            rows.push_back(row);
        }
        // Each reply once, each suffix once after it, each word after that.
        LODESTONE_TRY(const auto read, model.read(replies, {}, work));
        for (const auto& reply : read)
            for (const auto& suffix : suffixes) {
                Request request;
                request.tokens = suffix;
                request.past = reply.context;
                request.keepContext = true;
                asked.push_back(std::move(request));
            }
        LODESTONE_TRY(const auto after, model.read(asked, {}, work));
        for (const auto& reading : after)
            for (const std::string& word : unfinished) {
                Request request;
                const Extra& added = result->m_extra[word];
                request.tokens.assign(added.tokens.begin(), added.tokens.end());
                request.past = reading.context;
                request.scored = { 1, static_cast<int>(request.tokens.size()) };
                continued.push_back(std::move(request));
            }
        LODESTONE_TRY(const auto ends, model.read(continued, {}, work));
        std::size_t at = 0;
        for (const int row : rows)
            for (std::size_t s = 0; s < suffixes.size(); ++s)
                for (const std::string& word : unfinished) {
                    float sum = 0;
                    for (const float one : ends[at].logProbabilities)
                        sum += one;
                    result->m_extra[word].continuation(row, static_cast<Eigen::Index>(s)) = sum;
                    ++at;
                }
        for (const std::string& word : unfinished)
            result->m_extra[word].continued = first;
        const double seconds
            = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const double perSecond = static_cast<double>(first) / std::max(seconds, 1e-6);
        work.tell({ "Continuing “" + *unfinished.begin() + "”", static_cast<double>(first),
                    static_cast<double>(order.size()), perSecond, "replies",
                    static_cast<double>(order.size() - first) / perSecond });
        if (partial && first >= std::min<std::size_t>(firstResponses, order.size()) && first < order.size())
            partial(std::make_shared<ClozeElicitation>(*result));
    }
    return result;
}

} // namespace lodestone::constitution
