#include "core/constitution/elicitation.h"

#include "core/model/language_model.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <set>

namespace lodestone::constitution {
namespace {

using data::RowMatrix;

/// log sum exp of each row.
Eigen::VectorXd logSumExp(const RowMatrix& logits)
{
    Eigen::VectorXd result(logits.rows());
    for (Eigen::Index i = 0; i < logits.rows(); ++i) {
        const double most = logits.row(i).maxCoeff();
        result[i] = most + std::log((logits.row(i).cast<double>().array() - most).exp().sum());
    }
    return result;
}

} // namespace

std::string ClozeElicitation::description() const
{
    return "After short neutral words such as \"In one word, this reply was\", how much likelier are the "
           "words of the positive pole "
           "than those of the negative one?";
}

Result<std::shared_ptr<ClozeElicitation>> ClozeElicitation::open(const data::Study& study)
{
    auto result = std::make_shared<ClozeElicitation>();
    if (study.suffixes().empty())
        return badInput(
            "a study with cloze states", "none (imported activations carry no model's words)",
            study.folder().string());
    result->m_suffixes = study.suffixes();
    for (std::size_t i = 0; i < study.suffixes().size(); ++i) {
        LODESTONE_TRY(result->m_states.emplace_back(), study.clozeStates(i));
    }
    LODESTONE_TRY(result->m_rows, study.wordRows());
    for (const data::Word& word : study.words()) {
        result->m_rowOf.emplace(word.text, word.row);
        result->m_order.push_back(word.text);
    }
    return result;
}

Result<Judged> ClozeElicitation::judge(const Principle& principle, const Work&, const PartialSink&) const
{
    if (const std::string problem = problemOf(principle); !problem.empty())
        return badInput("two poles that can be told apart", problem, principle.name);
    Judged judged;
    const auto rowsOf = [&](const std::vector<std::string>& words) {
        std::vector<int> rows;
        for (const std::string& word : words)
            if (const auto found = m_rowOf.find(word); found != m_rowOf.end())
                rows.push_back(found->second);
            else
                judged.unknown.push_back(word);
        RowMatrix matrix(static_cast<Eigen::Index>(rows.size()), m_rows.cols());
        for (std::size_t i = 0; i < rows.size(); ++i)
            matrix.row(static_cast<Eigen::Index>(i)) = m_rows.row(rows[i]);
        return matrix;
    };
    const RowMatrix positive = rowsOf(principle.positive), negative = rowsOf(principle.negative);
    if (positive.rows() == 0 || negative.rows() == 0)
        return badInput(
            "a pole word that the model writes as one token of its own",
            fmt::format("'{}'", fmt::join(judged.unknown, "', '")),
            principle.name + (positive.rows() == 0 ? ", positive pole" : ", negative pole"));
    judged.perSuffix.resize(m_states[0].rows(), static_cast<Eigen::Index>(m_states.size()));
    for (std::size_t s = 0; s < m_states.size(); ++s)
        judged.perSuffix.col(static_cast<Eigen::Index>(s))
            = logSumExp(m_states[s] * positive.transpose()) - logSumExp(m_states[s] * negative.transpose());
    judged.scores = judged.perSuffix.rowwise().mean();
    return judged;
}

std::vector<std::string> ClozeElicitation::completions(const std::string& prefix, std::size_t limit) const
{
    std::vector<std::string> words;
    for (const std::string& word : m_order)
        if (words.size() < limit && word.compare(0, prefix.size(), prefix) == 0)
            words.push_back(word);
    return words;
}

std::vector<std::pair<std::string, double>> ClozeElicitation::wordsFor(int response, std::size_t limit) const
{
    std::vector<std::pair<std::string, double>> result;
    Eigen::VectorXf mean = Eigen::VectorXf::Zero(m_rows.rows());
    for (const RowMatrix& states : m_states) {
        Eigen::VectorXf logits = m_rows * states.row(response).transpose();
        const float most = logits.maxCoeff();
        logits.array() -= most + std::log((logits.array() - most).exp().sum());
        mean += logits / static_cast<float>(m_states.size());
    }
    std::vector<std::size_t> order(m_order.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    const auto likelihood = [&](std::size_t i) { return mean[m_rowOf.at(m_order[i])]; };
    std::partial_sort(
        order.begin(), order.begin() + static_cast<std::ptrdiff_t>(std::min(limit, order.size())),
        order.end(), [&](std::size_t a, std::size_t b) { return likelihood(a) > likelihood(b); });
    for (std::size_t i = 0; i < std::min(limit, order.size()); ++i)
        result.emplace_back(m_order[order[i]], likelihood(order[i]));
    return result;
}

Result<std::shared_ptr<ClozeElicitation>> ClozeElicitation::withWords(
    const model::LanguageModel& model, const std::vector<std::string>& words,
    std::vector<std::string>& unknown) const
{
    std::map<text::TokenId, int> users;
    std::vector<std::pair<std::string, std::vector<text::TokenId>>> wanted;
    for (const std::string& word :
         std::set<std::string>(words.begin(), words.end())) { // two poles may ask for one word
        wanted.emplace_back(word, model.tokenizer().encode(" " + word, text::Special::Plain));
        if (!wanted.back().second.empty())
            ++users[wanted.back().second.front()];
    }
    std::vector<text::TokenId> ids;
    std::vector<std::string> found;
    for (const auto& [word, tokens] : wanted) {
        // The first token names the word when no other word asked for begins with it and it is not a word by
        // itself.
        const bool alone = !tokens.empty() && users[tokens.front()] == 1
            && (tokens.size() == 1 || !knows(std::string(model.tokenizer().piece(tokens.front())).substr(1)));
        if (!alone) {
            unknown.push_back(word);
            continue;
        }
        ids.push_back(tokens.front());
        found.push_back(word);
    }
    LODESTONE_TRY(const RowMatrix rows, model.unembedding(ids));
    auto result = std::make_shared<ClozeElicitation>(*this);
    result->m_rows.conservativeResize(m_rows.rows() + rows.rows(), Eigen::NoChange);
    for (std::size_t i = 0; i < found.size(); ++i) {
        const Eigen::Index row = m_rows.rows() + static_cast<Eigen::Index>(i);
        result->m_rows.row(row) = rows.row(static_cast<Eigen::Index>(i));
        if (result->m_rowOf.emplace(found[i], static_cast<int>(row)).second)
            result->m_order.push_back(found[i]);
    }
    return result;
}

std::vector<int> spreadOrder(int n)
{
    int bits = 0;
    while ((1 << bits) < n)
        ++bits;
    std::vector<int> order;
    for (int i = 0; i < (1 << bits); ++i) {
        int reversed = 0;
        for (int b = 0; b < bits; ++b)
            reversed |= ((i >> b) & 1) << (bits - 1 - b);
        if (reversed < n)
            order.push_back(reversed);
    }
    return order;
}

} // namespace lodestone::constitution
