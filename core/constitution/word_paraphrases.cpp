#include "core/constitution/word_paraphrases.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <string_view>

namespace lodestone::constitution {
namespace {

constexpr std::string_view negations[] = { "un", "in", "im", "ir", "il", "dis", "non", "mis" };

std::string inLowerCase(std::string word)
{
    for (char& c : word)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return word;
}

/// "valid" and "invalid": embeddings hold such words to be alike.
bool negates(const std::string& a, const std::string& b)
{
    const std::string &shorter = a.size() < b.size() ? a : b, &longer = a.size() < b.size() ? b : a;
    return std::any_of(std::begin(negations), std::end(negations), [&](std::string_view prefix) {
        return longer.size() == prefix.size() + shorter.size() && longer.starts_with(prefix)
            && longer.ends_with(shorter);
    });
}

/// Mean cosine of every table word with the words of a pole that have a row.
Eigen::VectorXf meanCosine(const Eigen::MatrixXf& cosines, const std::vector<int>& columns)
{
    Eigen::VectorXf sum = Eigen::VectorXf::Zero(cosines.rows());
    for (const int column : columns)
        sum += cosines.col(column);
    return columns.empty() ? sum : Eigen::VectorXf(sum / static_cast<float>(columns.size()));
}

} // namespace

std::vector<Principle> wordParaphrases(const ClozeElicitation& cloze, const Principle& principle, int count)
{
    if (!problemOf(principle).empty())
        return {};
    std::vector<std::string> own = principle.positive;
    own.insert(own.end(), principle.negative.begin(), principle.negative.end());
    const auto positives = principle.positive.size();
    std::set<std::string> taken;
    for (const std::string& word : own)
        taken.insert(inLowerCase(word));

    const Eigen::MatrixXf cosines = cloze.similarities(own);
    std::vector<int> columns[2]; // of words with a row, by pole
    for (std::size_t i = 0; i < own.size(); ++i)
        if (!cosines.col(static_cast<Eigen::Index>(i)).array().isNaN().all())
            columns[i < positives ? 0 : 1].push_back(static_cast<int>(i));
    const Eigen::VectorXf toPositive = meanCosine(cosines, columns[0]),
                          toNegative = meanCosine(cosines, columns[1]);

    const auto isTaken = [&](std::size_t w) {
        const std::string word = inLowerCase(cloze.words()[w]);
        return taken.count(word) > 0 || std::any_of(taken.begin(), taken.end(), [&](const std::string& one) {
                   return negates(one, word);
               });
    };

    // Per word its stand-ins, the most similar first.
    std::vector<std::vector<int>> standIns(own.size());
    for (int pole = 0; pole < 2; ++pole)
        for (const int column : columns[pole]) {
            auto& list = standIns[static_cast<std::size_t>(column)];
            for (Eigen::Index w = 0; w < cosines.rows(); ++w)
                if (!std::isnan(cosines(w, column)) && (toPositive[w] > toNegative[w]) == (pole == 0)
                    && !isTaken(static_cast<std::size_t>(w)))
                    list.push_back(static_cast<int>(w));
            std::stable_sort(list.begin(), list.end(), [&](int a, int b) {
                return cosines(a, column) > cosines(b, column);
            });
        }

    std::vector<Principle> wordings;
    for (int i = 0; i < count; ++i) {
        Principle wording = principle;
        wording.positive.clear();
        wording.negative.clear();
        std::set<std::string> used = taken;
        bool changed = false;
        for (std::size_t k = 0; k < own.size(); ++k) {
            std::string word = own[k];
            int skip = i; // the i-th of those that this wording does not hold yet
            for (const int w : standIns[k]) {
                const std::string& other = cloze.words()[static_cast<std::size_t>(w)];
                if (used.count(inLowerCase(other)) || skip-- > 0)
                    continue;
                used.insert(inLowerCase(other));
                word = other;
                changed = true;
                break;
            }
            (k < positives ? wording.positive : wording.negative).push_back(word);
        }
        if (changed)
            wordings.push_back(std::move(wording));
    }
    return wordings;
}

} // namespace lodestone::constitution
