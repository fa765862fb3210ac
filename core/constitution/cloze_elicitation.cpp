#include "core/constitution/elicitation.h"

#include "core/geometry/numbers.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numeric>

namespace lodestone::constitution {
namespace {

using data::RowMatrix;

/// log sum exp of each row.
Eigen::VectorXd logSumExpOfRows(const RowMatrix& logits)
{
    Eigen::VectorXd result(logits.rows());
    for (Eigen::Index i = 0; i < logits.rows(); ++i)
        result[i] = geometry::logSumExp(logits.row(i));
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
    result->m_tableRows = result->m_rows.rows();
    return result;
}

Result<Judged> ClozeElicitation::judge(const Principle& principle, const Work&, const PartialSink&) const
{
    if (const std::string problem = problemOf(principle); !problem.empty())
        return badInput("two poles that can be told apart", problem, principle.name);
    Judged judged;
    struct Pole {
        std::vector<int> rows;
        std::vector<const RowMatrix*> continuations; ///< per row; null: none
    };
    const auto poleOf = [&](const std::vector<std::string>& words) {
        Pole pole;
        for (const std::string& word : words) {
            const Extra* looked = extra(word);
            if (const auto found = m_rowOf.find(word); found != m_rowOf.end()) {
                pole.rows.push_back(found->second);
                pole.continuations.push_back(nullptr);
            } else if (looked && looked->row >= 0 && isAlone(word, *looked, principle)) {
                pole.rows.push_back(looked->row);
                pole.continuations.push_back(nullptr);
            } else if (looked && looked->row >= 0 && looked->continuation.size() > 0) {
                pole.rows.push_back(looked->row);
                pole.continuations.push_back(&looked->continuation);
            } else {
                judged.unknown.push_back(word);
            }
        }
        return pole;
    };
    const Pole positive = poleOf(principle.positive), negative = poleOf(principle.negative);
    if (positive.rows.empty() || negative.rows.empty())
        return badInput(
            "a pole word that the model writes as one token of its own",
            fmt::format("'{}'", fmt::join(judged.unknown, "', '")),
            principle.name + (positive.rows.empty() ? ", positive pole" : ", negative pole"));
    const auto logOdds = [&](const Pole& pole, std::size_t suffix) {
        RowMatrix rows(static_cast<Eigen::Index>(pole.rows.size()), m_rows.cols());
        for (std::size_t i = 0; i < pole.rows.size(); ++i)
            rows.row(static_cast<Eigen::Index>(i)) = m_rows.row(pole.rows[i]);
        RowMatrix logits = m_states[suffix] * rows.transpose();
        for (std::size_t i = 0; i < pole.rows.size(); ++i)
            if (pole.continuations[i]) // p(word) = p(first token) p(the rest | first token)
                logits.col(static_cast<Eigen::Index>(i))
                    += pole.continuations[i]->col(static_cast<Eigen::Index>(suffix));
        return logSumExpOfRows(logits);
    };
    judged.perSuffix.resize(m_states[0].rows(), static_cast<Eigen::Index>(m_states.size()));
    for (std::size_t s = 0; s < m_states.size(); ++s)
        judged.perSuffix.col(static_cast<Eigen::Index>(s)) = logOdds(positive, s) - logOdds(negative, s);
    judged.scores = judged.perSuffix.rowwise().mean();
    return judged;
}

std::pair<Eigen::VectorXd, Eigen::VectorXd> ClozeElicitation::polesAlone(const Principle& principle) const
{
    std::pair<Eigen::VectorXd, Eigen::VectorXd> alone{ Eigen::VectorXd::Zero(m_states[0].rows()),
                                                       Eigen::VectorXd::Zero(m_states[0].rows()) };
    for (const RowMatrix& states : m_states) {
        const RowMatrix logits = states * m_rows.transpose();
        const Eigen::VectorXd all = logSumExpOfRows(logits);
        for (const auto& [words, result] : { std::pair(&principle.positive, &alone.first),
                                             std::pair(&principle.negative, &alone.second) }) {
            RowMatrix own(logits.rows(), 0);
            for (const std::string& word : *words)
                if (const auto found = m_rowOf.find(word); found != m_rowOf.end()) {
                    own.conservativeResize(Eigen::NoChange, own.cols() + 1);
                    own.col(own.cols() - 1) = logits.col(found->second);
                }
            if (own.cols() > 0)
                *result += (logSumExpOfRows(own) - all) / static_cast<double>(m_states.size());
        }
    }
    return alone;
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

Eigen::MatrixXf
ClozeElicitation::logits(std::size_t suffix, std::span<const int> rows, std::span<const int> words) const
{
    RowMatrix states(static_cast<Eigen::Index>(rows.size()), m_rows.cols());
    for (std::size_t i = 0; i < rows.size(); ++i)
        states.row(static_cast<Eigen::Index>(i)) = m_states[suffix].row(rows[i]);
    RowMatrix table(static_cast<Eigen::Index>(words.size()), m_rows.cols());
    for (std::size_t i = 0; i < words.size(); ++i)
        table.row(static_cast<Eigen::Index>(i))
            = m_rows.row(m_rowOf.at(m_order[static_cast<std::size_t>(words[i])]));
    return states * table.transpose();
}

Eigen::MatrixXf ClozeElicitation::similarities(std::span<const std::string> given) const
{
    constexpr float none = std::numeric_limits<float>::quiet_NaN();
    const Eigen::RowVectorXf mean = m_rows.topRows(m_tableRows).colwise().mean();
    const auto rowOf = [&](const std::string& word) {
        const auto found = m_rowOf.find(word);
        return found == m_rowOf.end() ? -1 : found->second;
    };
    RowMatrix table(static_cast<Eigen::Index>(m_order.size()), m_rows.cols());
    for (std::size_t i = 0; i < m_order.size(); ++i) {
        auto row = table.row(static_cast<Eigen::Index>(i));
        // What a model looked up later is no word of the table: else earlier questions would change the
        // answer.
        if (const int at = rowOf(m_order[i]); at < m_tableRows)
            row = (m_rows.row(at) - mean).normalized();
        else
            row.setConstant(none);
    }
    Eigen::MatrixXf cosines(table.rows(), static_cast<Eigen::Index>(given.size()));
    for (std::size_t k = 0; k < given.size(); ++k) {
        auto column = cosines.col(static_cast<Eigen::Index>(k));
        if (const int at = rowOf(given[k]); at >= 0)
            column = table * (m_rows.row(at) - mean).normalized().transpose();
        else
            column.setConstant(none);
    }
    return cosines;
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
