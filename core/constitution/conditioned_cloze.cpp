#include "core/constitution/elicitation.h"

#include "core/constitution/reply_reader.h"
#include "core/data/capture.h"
#include "core/geometry/numbers.h"
#include "core/model/language_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::constitution {
namespace {

using model::Reading;
using model::Request;

using geometry::logSumExp;

} // namespace

const Principle& verdictWords()
{
    static const Principle words{ "verdict",
                                  "good or bad",
                                  {},
                                  { "good", "great", "excellent", "right" },
                                  { "bad", "poor", "terrible", "wrong" },
                                  1,
                                  true,
                                  {},
                                  "cloze" };
    return words;
}

std::string ConditionedCloze::description() const
{
    return "The model reads the principle's own text after the reply, then \"Judged by this principle, in "
           "one word, this reply was\": how much "
           "likelier are good words than bad ones?";
}

Result<Judged>
ConditionedCloze::judge(const Principle& principle, const Work& work, const PartialSink& partial) const
{
    const data::ResponseSet& set = m_study->set();
    if (principle.text.find_first_not_of(" \t\r\n") == std::string::npos)
        return badInput("a principle with a text", "an empty one", principle.name);
    if (m_model.sha256() != m_study->model().sha256)
        return badInput(
            "the model that read this study (" + m_study->model().name + ")", m_model.config().name,
            principle.name);
    const std::string noun = data::itemKindName(set.kind);
    const data::ClozeSuffix suffix{
        "conditioned",
        fmt::format(
            "\n\nPrinciple: {} Judged by this principle, in one word, this {} was", principle.text, noun),
        {}
    };
    const auto suffixIds = data::suffixTokens(m_model, suffix, set.kind);
    if (suffixIds.size() > 2048)
        return badInput(
            "a principle of at most about 1,500 words", fmt::format("{} tokens", suffixIds.size()),
            principle.name);
    std::vector<text::TokenId> good, bad;
    for (const auto& [words, ids] :
         { std::pair(&verdictWords().positive, &good), std::pair(&verdictWords().negative, &bad) })
        for (const std::string& word : *words)
            ids->push_back(m_model.tokenizer().encode(" " + word, text::Special::Continue).front());
    LODESTONE_TRY(const auto goodRows, m_model.unembedding(good));
    LODESTONE_TRY(const auto badRows, m_model.unembedding(bad));

    Judged judged;
    const int n = static_cast<int>(set.responses.size());
    judged.scores = Eigen::VectorXd::Constant(n, std::numeric_limits<double>::quiet_NaN());
    const std::vector<int> order = askingOrder(set);
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t first = 0; first < order.size();) {
        std::vector<Request> requests;
        std::vector<int> rows;
        int tokens = 0;
        while (first < order.size() && tokens < 1024 && rows.size() < 16) {
            const int row = order[first++];
            Request request;
            request.tokens
                = data::promptTokens(m_model, set, set.responses[static_cast<std::size_t>(row)].prompt);
            const auto own = data::responseTokens(m_model, set, row);
            request.tokens.insert(request.tokens.end(), own.begin(), own.end());
            request.tokens.insert(request.tokens.end(), suffixIds.begin(), suffixIds.end());
            request.hidden = true;
            tokens += static_cast<int>(request.tokens.size());
            requests.push_back(std::move(request));
            rows.push_back(row);
        }
        LODESTONE_TRY(const auto readings, m_model.read(requests, {}, work));
        for (std::size_t i = 0; i < rows.size(); ++i)
            judged.scores[rows[i]]
                = logSumExp(goodRows * readings[i].hidden) - logSumExp(badRows * readings[i].hidden);
        const double seconds
            = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const double perSecond = static_cast<double>(first) / seconds;
        work.tell({ "Asking “" + principle.name + "”", static_cast<double>(first),
                    static_cast<double>(order.size()), perSecond, "replies",
                    (static_cast<double>(order.size() - first)) / perSecond });
        if (partial && first >= std::min<std::size_t>(firstResponses, order.size()) && first < order.size())
            partial(judged);
    }
    return judged;
}

} // namespace lodestone::constitution
