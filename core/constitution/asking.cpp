#include "core/constitution/asking.h"

#include "core/base/rng.h"
#include "core/data/capture.h"
#include "core/geometry/numbers.h"
#include "core/geometry/spectrum.h"
#include "core/geometry/standardise.h"
#include "core/geometry/statistics.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <numeric>
#include <set>

namespace lodestone::constitution {
namespace {

constexpr float unknown = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t longestQuestion = 1024; ///< tokens
constexpr std::size_t largestContrast = 96; ///< replies that a persona displacement is taken from

using geometry::logSumExp;

Result<ReplyReader> readerOf(const WayContext& context, const std::string& title)
{
    if (!context.model)
        return fail(
            ErrorKind::MissingModel,
            "the model that read this study (" + context.study->model().name + "), to ask it \"" + title
                + "\"; fetch it with: model, or name it with --model",
            "none, and no stored answer", context.study->name());
    LODESTONE_TRY(ReplyReader reader, ReplyReader::make(*context.study, *context.model, title));
    reader.setTitle("Asking: " + title);
    reader.setContexts(context.contexts);
    return reader;
}

/// The question as tokens, with a plain refusal when it is too long to be put.
Result<TokenList> tokensOf(const Question& question, const ReplyReader& reader)
{
    const data::ClozeSuffix suffix{ question.way, question.text, question.userTurn };
    TokenList tokens = data::suffixTokens(reader.model(), suffix, reader.study().set().kind);
    if (tokens.size() > longestQuestion)
        return badInput(
            "a principle of at most about 700 words: shorten it, or split it into several",
            fmt::format("{} tokens", tokens.size()), question.way);
    return tokens;
}

/// Rows of the unembedding for the words of an answer, each by its first token after a blank.
struct AnswerRows {
    model::RowMatrix positive, negative;
    double logOdds(const Eigen::VectorXf& hidden) const
    {
        return logSumExp(positive * hidden) - logSumExp(negative * hidden);
    }
};
Result<AnswerRows> answerRows(const Question& question, const model::LanguageModel& model)
{
    std::vector<text::TokenId> positive = firstTokens(model.tokenizer(), question.positive),
                               negative = firstTokens(model.tokenizer(), question.negative), both;
    std::copy_if(positive.begin(), positive.end(), std::back_inserter(both), [&](text::TokenId id) {
        return std::find(negative.begin(), negative.end(), id) != negative.end();
    });
    // A token that begins words of both sides says nothing.
    for (auto* side : { &positive, &negative })
        side->erase(
            std::remove_if(
                side->begin(), side->end(),
                [&](text::TokenId id) { return std::find(both.begin(), both.end(), id) != both.end(); }),
            side->end());
    if (positive.empty() || negative.empty())
        return badInput(
            fmt::format(
                "a tokenizer that tells '{}' from '{}' by their first tokens", question.positive.front(),
                question.negative.front()),
            "the same token for both", model.config().name);
    AnswerRows rows;
    LODESTONE_TRY(rows.positive, model.unembedding(positive));
    LODESTONE_TRY(rows.negative, model.unembedding(negative));
    return rows;
}

Eigen::VectorXf columnOf(const AnswerStore& store, const Question& question)
{
    const Eigen::VectorXf* known = store.find(question);
    return known ? *known : Eigen::VectorXf::Constant(static_cast<Eigen::Index>(store.responses()), unknown);
}

std::vector<Question> unanswered(const std::vector<Question>& questions, const WayContext& context)
{
    std::vector<Question> missing;
    std::set<std::uint64_t> seen;
    const std::vector<int> rows = wantedRows(context);
    for (const Question& question : questions)
        if (isMissing(*context.store, question, rows)
            && seen.insert(question.key(context.store->modelSha256()).value()).second)
            missing.push_back(question);
    return missing;
}

bool isTraining(const WayContext& context, int row)
{
    return context.training.empty() || context.training[static_cast<std::size_t>(row)];
}

std::vector<Layer> everyLayer(const model::LanguageModel& model)
{
    std::vector<Layer> layers;
    layers.reserve(static_cast<std::size_t>(model.config().layers()));
    for (int row = 0; row < model.config().layers(); ++row)
        layers.push_back(Layer::atRow(row));
    return layers;
}

/// Up to `limit` training prompts of the study, spread over it.
std::vector<int> trainingPrompts(const WayContext& context, std::size_t limit)
{
    const data::ResponseSet& set = context.study->set();
    std::vector<int> prompts;
    for (const int row : spreadOrder(static_cast<int>(set.responses.size()))) {
        const int prompt = set.responses[static_cast<std::size_t>(row)].prompt;
        if (isTraining(context, row) && std::find(prompts.begin(), prompts.end(), prompt) == prompts.end())
            prompts.push_back(prompt);
        if (prompts.size() == limit)
            break;
    }
    return prompts;
}

/// A conversation whose last user turn also carries a request.
std::vector<text::Message> withRequest(std::vector<text::Message> conversation, const std::string& request)
{
    for (auto turn = conversation.rbegin(); turn != conversation.rend(); ++turn)
        if (turn->role == "user") {
            turn->content += "\n\n" + request;
            return conversation;
        }
    conversation.push_back({ "user", request });
    return conversation;
}

TokenList encode(const model::LanguageModel& model, const std::string& text)
{
    return model.tokenizer().encode(text, text::Special::Parse);
}

/// Last states at every layer of some token lists, read in batches.
Result<std::vector<formats::RowMatrix>> lastStates(
    model::LanguageModel& model, const std::vector<TokenList>& texts, const std::string& title,
    const Work& work)
{
    const std::vector<Layer> layers = everyLayer(model);
    std::vector<formats::RowMatrix> states;
    for (std::size_t first = 0; first < texts.size();) {
        std::vector<model::Request> requests;
        std::size_t tokens = 0;
        while (first < texts.size() && tokens < 1024) {
            model::Request request;
            request.tokens = texts[first++];
            request.last = true;
            tokens += request.tokens.size();
            requests.push_back(std::move(request));
        }
        LODESTONE_TRY(auto readings, model.read(requests, layers, Work{ work.stop, {} }));
        for (model::Reading& reading : readings)
            states.push_back(std::move(reading.last));
        work.tell({ title, static_cast<double>(first), static_cast<double>(texts.size()), 0, "texts", -1 });
    }
    return states;
}

} // namespace

std::vector<int> wantedRows(const WayContext& context)
{
    return context.rows.empty() ? askingOrder(context.study->set()) : context.rows;
}

bool isMissing(const AnswerStore& store, const Question& question, const std::vector<int>& rows)
{
    const Eigen::VectorXf* known = store.find(question);
    return !known
        || std::any_of(rows.begin(), rows.end(), [&](int row) { return std::isnan((*known)[row]); });
}

Result<void> askSuffixes(
    const std::vector<Question>& questions, const WayContext& context, const Work& work,
    const std::function<void()>& afterBatch)
{
    const std::vector<Question> missing = unanswered(questions, context);
    if (missing.empty())
        return {};
    LODESTONE_TRY(const ReplyReader reader, readerOf(context, missing.front().way));
    std::vector<TokenList> tokens;
    std::vector<AnswerRows> answers;
    std::vector<Eigen::VectorXf> columns;
    for (const Question& question : missing) {
        LODESTONE_TRY(tokens.emplace_back(), tokensOf(question, reader));
        LODESTONE_TRY(answers.emplace_back(), answerRows(question, reader.model()));
        columns.push_back(columnOf(*context.store, question));
    }
    std::vector<int> rows;
    for (const int row : wantedRows(context))
        if (std::any_of(
                columns.begin(), columns.end(), [&](const auto& each) { return std::isnan(each[row]); }))
            rows.push_back(row);
    return reader.read(
        rows, tokens, {},
        [&](int row, std::size_t question, const model::Reading& reading) {
            columns[question][row] = static_cast<float>(answers[question].logOdds(reading.hidden));
        },
        {}, {}, work,
        [&](std::size_t done) {
            for (std::size_t q = 0; q < missing.size(); ++q)
                context.store->put(missing[q], columns[q]);
            if (afterBatch && done >= std::min<std::size_t>(firstResponses, rows.size())
                && done < rows.size())
                afterBatch();
        });
}

Result<void> askLat(const std::vector<Question>& questions, const WayContext& context, const Work& work)
{
    const std::vector<Question> missing = unanswered(questions, context);
    if (missing.empty())
        return {};
    LODESTONE_TRY(const ReplyReader reader, readerOf(context, "LAT"));
    std::vector<TokenList> tokens;
    std::vector<AnswerRows> answers;
    for (const Question& question : missing) {
        LODESTONE_TRY(tokens.emplace_back(), tokensOf(question, reader));
        LODESTONE_TRY(answers.emplace_back(), answerRows(question, reader.model()));
    }
    const std::vector<int> rows = wantedRows(context);
    const auto n = static_cast<Eigen::Index>(rows.size());
    std::map<int, Eigen::Index> place;
    for (const int row : rows)
        place.emplace(row, static_cast<Eigen::Index>(place.size()));
    const Eigen::Index width = reader.model().config().width;
    std::vector<geometry::Rows> states(missing.size(), geometry::Rows(n, width));
    std::vector<Eigen::VectorXd> odds(missing.size(), Eigen::VectorXd(n));
    Wanted wanted;
    wanted.layers = { Layer::blockOutput(std::max(0, reader.model().config().blocks * 2 / 3 - 1)) };
    LODESTONE_CHECK(reader.read(
        rows, tokens, wanted,
        [&](int row, std::size_t q, const model::Reading& reading) {
            states[q].row(place.at(row)) = reading.last.row(0);
            odds[q][place.at(row)] = answers[q].logOdds(reading.hidden);
        },
        {}, {}, work));
    // Two replies of one prompt, in random order; over prompts where none has two.
    std::map<int, std::vector<Eigen::Index>> ofPrompt;
    std::vector<Eigen::Index> training;
    for (const int row : rows)
        if (isTraining(context, row)) {
            ofPrompt[context.study->set().responses[static_cast<std::size_t>(row)].prompt].push_back(
                place.at(row));
            training.push_back(place.at(row));
        }
    Rng rng(context.seed, 0x1a7);
    std::vector<std::pair<Eigen::Index, Eigen::Index>> pairs;
    for (auto& [prompt, members] : ofPrompt) {
        rng.shuffle(members);
        for (std::size_t i = 0; i + 1 < members.size(); i += 2)
            pairs.emplace_back(members[i], members[i + 1]);
    }
    if (pairs.empty()) {
        rng.shuffle(training);
        for (std::size_t i = 0; i + 1 < training.size(); i += 2)
            pairs.emplace_back(training[i], training[i + 1]);
    }
    if (pairs.size() < 3)
        return badInput(
            "at least three pairs of training replies for LAT", std::to_string(pairs.size()),
            context.study->name());
    for (std::size_t q = 0; q < missing.size(); ++q) {
        LODESTONE_TRY(const auto coordinates, geometry::Standardiser::fit(states[q]));
        const geometry::Rows x = coordinates.apply(states[q]);
        geometry::Rows differences(static_cast<Eigen::Index>(pairs.size()), width);
        for (std::size_t i = 0; i < pairs.size(); ++i)
            differences.row(static_cast<Eigen::Index>(i)) = x.row(pairs[i].first) - x.row(pairs[i].second);
        LODESTONE_TRY(const auto spectrum, geometry::principalComponents(differences, 1));
        if (spectrum.components.cols() == 0)
            return badInput("replies that the model tells apart", "equal states", missing[q].text);
        Eigen::VectorXd projection = geometry::times(x, Eigen::VectorXd(spectrum.components.col(0)));
        std::vector<double> a, b;
        for (const Eigen::Index i : training) {
            a.push_back(projection[i]);
            b.push_back(odds[q][i]);
        }
        if (geometry::pearson(a, b) < 0)
            projection = -projection;
        Eigen::VectorXf column
            = Eigen::VectorXf::Constant(static_cast<Eigen::Index>(context.store->responses()), unknown);
        for (const int row : rows)
            column[row] = static_cast<float>(projection[place.at(row)]);
        context.store->put(missing[q], std::move(column));
    }
    return {};
}

Result<void> askRequests(
    const std::vector<Question>& requests, const std::vector<Question>& personas, const WayContext& context,
    const Work& work)
{
    const data::ResponseSet& set = context.study->set();
    std::vector<Question> wanted = unanswered(requests, context), contrasts;
    for (const Question& persona : personas)
        if (!context.store->findContrast(persona))
            contrasts.push_back(persona);
    if (wanted.empty() && contrasts.empty())
        return {};
    LODESTONE_TRY(ReplyReader reader, readerOf(context, "the replies under a request"));
    if (set.kind != data::ItemKind::Reply)
        return badInput(
            "a study of replies for this way; cloze, yes-no and lat work here",
            data::itemKindName(set.kind) + "s", context.study->name());
    const std::vector<int> rows = wantedRows(context);
    std::set<int> contrasted;
    for (const int row : spreadOrder(static_cast<int>(set.responses.size())))
        if (contrasted.size() < largestContrast && isTraining(context, row)
            && std::find(rows.begin(), rows.end(), row) != rows.end())
            contrasted.insert(row);
    const std::vector<Layer> layers = everyLayer(reader.model());
    using States = std::map<int, formats::RowMatrix>;
    // One reading under a request, for whatever is wanted of it.
    const auto readUnder = [&](const std::string& request, bool scored, States* states) -> Result<void> {
        const Question question{ "implicit-reward", request, {}, {}, {} };
        Eigen::VectorXf column = columnOf(*context.store, question);
        Wanted what;
        what.hidden = false;
        what.replyScored = scored;
        if (states)
            what.replyLayers = layers;
        std::vector<int> order;
        for (const int row : rows)
            if (scored || contrasted.count(row) > 0)
                order.push_back(row);
        LODESTONE_CHECK(reader.read(
            order, {}, what, {},
            [&](int row, const model::Reading& reading) {
                if (scored)
                    column[row] = std::accumulate(
                        reading.logProbabilities.begin(), reading.logProbabilities.end(), 0.0f);
                if (states && contrasted.count(row) > 0)
                    states->emplace(row, reading.mean);
            },
            [&](int prompt) {
                return encode(
                    reader.model(),
                    reader.model().chatTemplate().prompt(
                        withRequest(set.prompts[static_cast<std::size_t>(prompt)].conversation, request)));
            },
            work));
        if (scored)
            context.store->put(question, std::move(column));
        return {};
    };
    const auto isWanted = [&](const std::string& request) {
        return std::any_of(
            wanted.begin(), wanted.end(), [&](const Question& each) { return each.text == request; });
    };
    std::set<std::string> done;
    if (!contrasts.empty()) {
        std::vector<formats::RowMatrix> own; // the study's own states, where it has every layer
        for (const Layer layer : layers)
            if (context.study->has(layer, data::Position::Mean)) {
                LODESTONE_TRY(own.emplace_back(), context.study->activations(layer, data::Position::Mean));
            }
        for (const Question& persona : contrasts) {
            States positive, negative;
            const std::string &up = persona.positive.front(), &down = persona.negative.front();
            LODESTONE_CHECK(readUnder(up, isWanted(up), &positive));
            LODESTONE_CHECK(readUnder(down, isWanted(down), &negative));
            done.insert({ up, down });
            ContrastBuilder builder(layers);
            for (const auto& [row, states] : positive) {
                formats::RowMatrix neutral;
                const bool held = std::all_of(
                    own.begin(), own.end(), [row = row](const auto& each) { return row < each.rows(); });
                if (own.size() == layers.size() && held) {
                    neutral.resize(states.rows(), states.cols());
                    for (std::size_t l = 0; l < own.size(); ++l)
                        neutral.row(static_cast<Eigen::Index>(l)) = own[l].row(row);
                }
                builder.add(states, negative.at(row), 0, neutral);
            }
            LODESTONE_TRY(auto contrast, builder.finish(persona.way, context.seed));
            context.store->putContrast(persona, std::move(contrast));
        }
    }
    for (const Question& question : wanted)
        if (done.insert(question.text).second)
            LODESTONE_CHECK(readUnder(question.text, true, nullptr));
    return {};
}

Result<void> askContrastAnswers(const Question& question, const WayContext& context, const Work& work)
{
    if (context.store->findContrast(question))
        return {};
    LODESTONE_TRY(const ReplyReader reader, readerOf(context, question.way));
    const data::ResponseSet& set = context.study->set();
    const text::ChatTemplate& form = reader.model().chatTemplate();
    constexpr const char* asks[] = { "How should the reply to this be?", "Which reply do you want to give?" };
    const std::string up = listed(question.positive), down = listed(question.negative);
    std::vector<TokenList> texts;
    const std::vector<int> prompts = trainingPrompts(context, 24);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const data::Prompt& prompt = set.prompts[static_cast<std::size_t>(prompts[i])];
        std::string shown;
        for (const text::Message& turn : prompt.conversation)
            if (turn.role == "user")
                shown = turn.content;
        for (const auto& [first, second] : { std::pair(up, down), std::pair(down, up) })
            for (const char* letter : { "A", "B" })
                texts.push_back(encode(
                    reader.model(),
                    form.prompt({ { "user",
                                    fmt::format(
                                        "{}{}{}\n(A) {}\n(B) {}", shown, shown.empty() ? "" : "\n\n",
                                        asks[i % 2], first, second) } })
                        + "(" + letter));
    }
    LODESTONE_TRY(const auto states, lastStates(reader.model(), texts, "Asking: " + question.way, work));
    ContrastBuilder builder(everyLayer(reader.model()));
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const auto* at = &states[4 * i]; // up first: A, B; down first: A, B
        builder.add((at[0] + at[3]) / 2, (at[1] + at[2]) / 2, static_cast<int>(i % 2));
    }
    LODESTONE_TRY(auto contrast, builder.finish(question.way, context.seed));
    context.store->putContrast(question, std::move(contrast));
    return {};
}

Result<void> askStatements(const Question& question, const WayContext& context, const Work& work)
{
    if (context.store->findContrast(question))
        return {};
    LODESTONE_TRY(const ReplyReader reader, readerOf(context, question.way));
    constexpr const char* templates[]
        = { "The reply was {}.",      "That is a {} thing to say.",   "I try to be {} when I answer.",
            "Everybody found it {}.", "This answer sounds {} to me.", "She was {} in all that she wrote." };
    std::vector<TokenList> texts;
    std::vector<int> forms;
    const std::size_t words = std::max(question.positive.size(), question.negative.size());
    for (int form = 0; form < 6; ++form)
        for (std::size_t i = 0; i < words; ++i) {
            for (const std::string& word :
                 { question.positive[i % question.positive.size()],
                   question.negative[i % question.negative.size()], std::string("average") })
                texts.push_back(encode(reader.model(), fmt::format(fmt::runtime(templates[form]), word)));
            forms.push_back(form);
        }
    LODESTONE_TRY(const auto states, lastStates(reader.model(), texts, "Asking: " + question.way, work));
    ContrastBuilder builder(everyLayer(reader.model()));
    for (std::size_t i = 0; i < forms.size(); ++i)
        builder.add(states[3 * i], states[3 * i + 1], forms[i], states[3 * i + 2]);
    LODESTONE_TRY(auto contrast, builder.finish(question.way, context.seed));
    context.store->putContrast(question, std::move(contrast));
    return {};
}

} // namespace lodestone::constitution
