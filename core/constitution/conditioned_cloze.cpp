#include "core/constitution/elicitation.h"

#include "core/constitution/reply_reader.h"
#include "core/data/capture.h"
#include "core/geometry/numbers.h"
#include "core/model/language_model.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::constitution {
namespace {

using model::Reading;

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
    LODESTONE_TRY(ReplyReader reader, ReplyReader::make(*m_study, m_model, principle.name));
    reader.setTitle("Asking “" + principle.name + "”");
    reader.setContexts(m_contexts);
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
    LODESTONE_CHECK(reader.read(
        order, { suffixIds }, {},
        [&](int row, std::size_t, const Reading& reading) {
            judged.scores[row] = logSumExp(goodRows * reading.hidden) - logSumExp(badRows * reading.hidden);
        },
        {}, {}, work,
        [&](std::size_t done) {
            if (partial && done >= std::min<std::size_t>(firstResponses, order.size()) && done < order.size())
                partial(judged);
        }));
    return judged;
}

} // namespace lodestone::constitution
