// Persona vectors (Chen et al. 2025): the model writes under both requests, and its own words' states differ.
#include "core/constitution/asking.h"
#include "core/model/generate.h"

#include <fmt/format.h>

namespace lodestone::constitution {
namespace {

constexpr std::size_t askedPrompts = 12;
constexpr int longest = 48; ///< tokens of a reply

/// The prompt with a request in its last user turn, as tokens.
TokenList askedFor(const model::LanguageModel& model, const data::Prompt& prompt, const std::string& request)
{
    std::vector<text::Message> conversation = prompt.conversation;
    if (conversation.empty() || conversation.back().role != "user")
        conversation.push_back({ "user", request });
    else
        conversation.back().content += "\n\n" + request;
    return model.tokenizer().encode(model.chatTemplate().prompt(conversation), text::Special::Parse);
}

} // namespace

Result<void> askPersonaVectors(const Question& question, const WayContext& context, const Work& work)
{
    if (context.store->findContrast(question))
        return {};
    if (!context.model)
        return fail(
            ErrorKind::MissingModel,
            "the model that read this study (" + context.study->model().name
                + "), to write replies; fetch it with: model, or name it with --model",
            "none, and no stored answer", context.study->name());
    LODESTONE_TRY(const ReplyReader reader, ReplyReader::make(*context.study, *context.model, question.way));
    model::LanguageModel& model = reader.model();
    const data::ResponseSet& set = context.study->set();
    std::vector<Layer> layers;
    for (int row = 0; row < model.config().layers(); ++row)
        layers.push_back(Layer::atRow(row));
    std::vector<int> chosen;
    for (const int row : spreadOrder(static_cast<int>(set.responses.size()))) {
        const int prompt = set.responses[static_cast<std::size_t>(row)].prompt;
        const bool training = context.training.empty() || context.training[static_cast<std::size_t>(row)];
        if (training && std::find(chosen.begin(), chosen.end(), prompt) == chosen.end()
            && chosen.size() < askedPrompts)
            chosen.push_back(prompt);
    }
    ContrastBuilder builder(layers);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        formats::RowMatrix sides[2];
        for (int side = 0; side < 2; ++side) {
            if (work.cancelled())
                return cancelled();
            const std::string& request = side == 0 ? question.positive.front() : question.negative.front();
            const TokenList prompt
                = askedFor(model, set.prompts[static_cast<std::size_t>(chosen[i])], request);
            model::SamplingOptions sampling;
            sampling.maxTokens = longest;
            sampling.temperature = 0.7;
            sampling.seed = context.seed + 1000 * i;
            LODESTONE_TRY(
                const auto written, model::generate(model, prompt, 1, sampling, Work{ work.stop, {} }));
            model::Request whole;
            whole.tokens = prompt;
            whole.tokens.insert(whole.tokens.end(), written[0].ids.begin(), written[0].ids.end());
            whole.pooled = { static_cast<int>(prompt.size()), static_cast<int>(whole.tokens.size()) };
            LODESTONE_TRY(auto readings, model.read(std::span(&whole, 1), layers, Work{ work.stop, {} }));
            sides[side] = std::move(readings[0].mean);
        }
        builder.add(sides[0], sides[1]);
        work.tell({ "Writing replies under both requests", static_cast<double>(i + 1),
                    static_cast<double>(chosen.size()), 0, "prompts", -1 });
    }
    LODESTONE_TRY(auto contrast, builder.finish(question.way, context.seed));
    context.store->putContrast(question, std::move(contrast));
    return {};
}

} // namespace lodestone::constitution
