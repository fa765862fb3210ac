#include "core/data/capture.h"

#include "core/data/capture_plan.h"
#include "core/data/capture_store.h"
#include "core/data/word_table.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace lodestone::data {
namespace {

using model::Reading;
using model::Request;
using nlohmann::json;
using text::TokenId;
using Tokens = std::vector<TokenId>;
using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

float sum(const std::vector<float>& values)
{
    double total = 0;
    for (const float value : values)
        total += value;
    return static_cast<float>(total);
}

/// Everything of study.json that is known before the model has read a word.
json baseManifest(
    const model::LanguageModel& model, const CapturePlan& plan, const std::filesystem::path& folder,
    const CaptureOptions& options)
{
    const model::ModelConfig& config = model.config();
    json result{ { "format", "lodestone-study" },
                 { "version", 1 },
                 { "name", options.name.empty() ? folder.filename().string() : options.name },
                 { "kind", itemKindName(plan.set.kind) },
                 { "seed", options.seed },
                 { "responses", plan.set.responses.size() },
                 { "model",
                   { { "name", config.name },
                     { "sha256", model.sha256() },
                     { "architecture", config.architecture },
                     { "blocks", config.blocks },
                     { "width", config.width } } },
                 { "splits",
                   { { "seed", options.split.seed }, { "train_fraction", options.split.trainFraction } } },
                 { "plan", plan.fingerprint(model, options).hex() } };
    if (options.shard.count > 1) {
        // What `merge` needs of all shards; the name is its own to choose when none was given.
        Fingerprint own = plan.fingerprint(model, options);
        result["name"] = options.name;
        result["plan"] = own.add(options.shard.index).add(options.shard.count).hex();
        result["shard"] = { { "index", options.shard.index + 1 },
                            { "count", options.shard.count },
                            { "plan", plan.fingerprint(model, options).hex() },
                            { "batches", plan.batches },
                            { "words", options.words },
                            { "word_limit", options.wordLimit } };
    }
    if (plan.set.labelled()) {
        result["positive_label"] = plan.set.positiveLabel;
        result["negative_label"] = plan.set.negativeLabel;
    }
    return result;
}

/// Reads the batches of a plan with the model and hands them to the store.
class Capturer {
public:
    Capturer(
        model::LanguageModel& model, const CapturePlan& plan, CaptureStore& store, Shard shard,
        const Work& work)
        : m_model(model)
        , m_plan(plan)
        , m_store(store)
        , m_shard(shard)
        , m_work(work)
    {
        for (const ArrayInfo& info : plan.arrays)
            if (std::find(m_layers.begin(), m_layers.end(), info.layer) == m_layers.end())
                m_layers.push_back(info.layer);
    }

    /// Reads every batch that is not done yet; returns the tokens read.
    Result<double> run()
    {
        const auto start = Clock::now();
        if (!m_plan.prefix.empty()) {
            Request shared;
            shared.tokens = m_plan.prefix;
            shared.keepContext = true;
            LODESTONE_TRY(const auto opened, m_model.read(std::span(&shared, 1), {}, m_work));
            m_prefixContext = opened[0].context;
        }
        double total = 0, tokens = 0;
        for (std::size_t batch = 0; batch < m_plan.batches.size(); ++batch)
            total += needed(batch) ? m_plan.cost(batch) : 0;
        auto lastSync = Clock::now();
        for (std::size_t batch = 0; batch < m_plan.batches.size(); ++batch) {
            if (!needed(batch))
                continue;
            if (m_work.cancelled()) {
                LODESTONE_CHECK(m_store.sync());
                return cancelled();
            }
            if (const auto done = readBatch(m_plan.batches[batch]); !done) {
                if (done.error().kind == ErrorKind::Cancelled)
                    LODESTONE_CHECK(m_store.sync());
                return tl::unexpected(done.error());
            }
            tokens += m_plan.cost(batch);
            const double seconds = secondsSince(start);
            m_work.tell({ "Reading replies", tokens, total, tokens / seconds, "tokens",
                          (total - tokens) * seconds / tokens });
            if (secondsSince(lastSync) > 5) {
                LODESTONE_CHECK(m_store.sync());
                lastSync = Clock::now();
            }
        }
        LODESTONE_CHECK(m_store.sync());
        return tokens;
    }

private:
    bool needed(std::size_t batch) const
    {
        if (static_cast<int>(batch % static_cast<std::size_t>(m_shard.count)) != m_shard.index)
            return false;
        const std::vector<int>& rows = m_plan.batches[batch];
        return !std::all_of(rows.begin(), rows.end(), [&](int row) { return m_store.isDone(row); });
    }

    Result<void> readBatch(const std::vector<int>& rows)
    {
        std::vector<std::size_t> promptOf; // per row: which of the batch's prompts it answers
        LODESTONE_TRY(const std::vector<Reading> opened, readPrompts(rows, promptOf));
        std::vector<Reading> readings(rows.size());
        if (m_plan.set.kind == ItemKind::Request) {
            for (std::size_t i = 0; i < rows.size(); ++i)
                readings[i] = opened[promptOf[i]];
        } else {
            LODESTONE_TRY(readings, readResponses(rows, opened, promptOf));
        }
        std::vector<Request> suffixes;
        for (const Reading& reading : readings)
            for (const Tokens& tokens : m_plan.suffixTokens) {
                Request request;
                request.tokens = tokens;
                request.past = reading.context;
                request.hidden = true;
                suffixes.push_back(std::move(request));
            }
        LODESTONE_TRY(const auto named, m_model.read(suffixes, {}, m_work));
        std::vector<Reading> alone;
        if (m_plan.likelihoods) {
            LODESTONE_TRY(alone, readAlone(rows));
        }
        return m_store.write(collect(rows, readings, named, alone));
    }

    /// The prompts (or requests themselves), each read once.
    Result<std::vector<Reading>> readPrompts(const std::vector<int>& rows, std::vector<std::size_t>& promptOf)
    {
        const bool requestsThemselves = m_plan.set.kind == ItemKind::Request;
        std::vector<Request> prompts;
        int current = -1;
        for (const int row : rows) {
            const int prompt = m_plan.set.responses[static_cast<std::size_t>(row)].prompt;
            if (prompt != current) {
                const Tokens& tokens = m_plan.promptTokens[static_cast<std::size_t>(prompt)];
                Request request;
                request.tokens.assign(
                    tokens.begin() + static_cast<std::ptrdiff_t>(m_plan.prefix.size()), tokens.end());
                request.past = m_prefixContext;
                request.keepContext = true;
                if (requestsThemselves) {
                    request.last = true;
                    request.pooled = { 0, static_cast<int>(request.tokens.size()) };
                }
                prompts.push_back(std::move(request));
                current = prompt;
            }
            promptOf.push_back(prompts.size() - 1);
        }
        if (m_plan.set.kind == ItemKind::Statement)
            return std::vector<Reading>();
        return m_model.read(
            prompts, requestsThemselves ? std::span<const Layer>(m_layers) : std::span<const Layer>(),
            m_work);
    }

    /// Responses after their prompts, or statements alone.
    Result<std::vector<Reading>> readResponses(
        const std::vector<int>& rows, const std::vector<Reading>& opened,
        const std::vector<std::size_t>& promptOf)
    {
        std::vector<Request> requests;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            Request request;
            request.tokens = m_plan.responseTokens[static_cast<std::size_t>(rows[i])];
            if (m_plan.set.kind == ItemKind::Reply)
                request.past = opened[promptOf[i]].context;
            request.pooled = { 0, static_cast<int>(request.tokens.size()) };
            if (m_plan.likelihoods)
                request.scored = request.pooled;
            request.last = request.keepContext = true;
            requests.push_back(std::move(request));
        }
        return m_model.read(requests, m_layers, m_work);
    }

    /// The responses without their prompts, for log p(y).
    Result<std::vector<Reading>> readAlone(const std::vector<int>& rows)
    {
        std::vector<Request> requests;
        for (const int row : rows) {
            Request request;
            request.tokens = m_plan.alone;
            const Tokens& own = m_plan.responseTokens[static_cast<std::size_t>(row)];
            request.tokens.insert(request.tokens.end(), own.begin(), own.end());
            request.scored
                = { static_cast<int>(m_plan.alone.size()), static_cast<int>(request.tokens.size()) };
            requests.push_back(std::move(request));
        }
        return m_model.read(requests, {}, m_work);
    }

    BatchRows collect(
        const std::vector<int>& rows, const std::vector<Reading>& readings, const std::vector<Reading>& named,
        const std::vector<Reading>& alone) const
    {
        const auto count = static_cast<Eigen::Index>(rows.size());
        const Eigen::Index width = m_model.config().width;
        BatchRows batch{ rows, {}, {}, {} };
        for (const ArrayInfo& info : m_plan.arrays) {
            const auto layer = std::find(m_layers.begin(), m_layers.end(), info.layer) - m_layers.begin();
            RowMatrix& values = batch.activations.emplace_back(count, width);
            for (Eigen::Index i = 0; i < count; ++i) {
                const Reading& reading = readings[static_cast<std::size_t>(i)];
                values.row(i) = (info.position == Position::Mean ? reading.mean : reading.last).row(layer);
            }
        }
        const std::size_t suffixes = m_plan.suffixes.size();
        for (std::size_t s = 0; s < suffixes; ++s) {
            RowMatrix& states = batch.cloze.emplace_back(count, width);
            for (std::size_t i = 0; i < rows.size(); ++i)
                states.row(static_cast<Eigen::Index>(i)) = named[i * suffixes + s].hidden.transpose();
        }
        if (m_plan.likelihoods) {
            batch.likelihoods.resize(count, 3);
            for (std::size_t i = 0; i < rows.size(); ++i)
                batch.likelihoods.row(static_cast<Eigen::Index>(i)) << sum(readings[i].logProbabilities),
                    sum(alone[i].logProbabilities),
                    static_cast<float>(m_plan.responseTokens[static_cast<std::size_t>(rows[i])].size());
        }
        return batch;
    }

    model::LanguageModel& m_model;
    const CapturePlan& m_plan;
    CaptureStore& m_store;
    Shard m_shard;
    const Work& m_work;
    std::vector<Layer> m_layers; ///< distinct, in the order of the plan's arrays
    std::shared_ptr<const model::Context> m_prefixContext;
};

} // namespace

std::vector<TokenId> suffixTokens(const model::LanguageModel& model, const ClozeSuffix& suffix, ItemKind kind)
{
    const text::ChatTemplate& form = model.chatTemplate();
    std::string text = suffix.text;
    if (!suffix.userTurn.empty()) // a request stands in an open assistant's turn, which a few words close
        text = (kind == ItemKind::Request ? "I have read it." : "") + form.endOfTurn()
            + form.furtherTurn(suffix.userTurn) + suffix.text;
    return model.tokenizer().encode(text, text::Special::Continue);
}

std::vector<TokenId> promptTokens(const model::LanguageModel& model, const ResponseSet& set, int prompt)
{
    if (set.kind == ItemKind::Statement)
        return {};
    return model.tokenizer().encode(
        model.chatTemplate().prompt(set.prompts[static_cast<std::size_t>(prompt)].conversation),
        text::Special::Parse);
}

std::vector<TokenId> responseTokens(const model::LanguageModel& model, const ResponseSet& set, int response)
{
    if (set.kind == ItemKind::Request)
        return {};
    return model.tokenizer().encode(
        set.responses[static_cast<std::size_t>(response)].text, text::Special::Plain);
}

Result<Shard> parseShard(std::string_view text)
{
    Shard shard;
    int index = 0;
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, index);
    const bool slash = first.ec == std::errc() && first.ptr != end && *first.ptr == '/';
    const auto second
        = slash ? std::from_chars(first.ptr + 1, end, shard.count) : std::from_chars_result{ end, {} };
    if (!slash || second.ec != std::errc() || second.ptr != end || shard.count < 1 || index < 0
        || index > shard.count)
        return fail(
            ErrorKind::Usage, "a shard i/n with i from 1 to n", "'" + std::string(text) + "'", "--shard");
    shard.index = (index + shard.count - 1) % shard.count;
    return shard;
}

Result<CaptureSummary> capture(
    model::LanguageModel& model, ResponseSet set, const std::filesystem::path& folder,
    const CaptureOptions& options, const Work& work)
{
    if (set.responses.empty())
        return badInput("at least one response", "none");
    const auto start = Clock::now();
    LODESTONE_TRY(const CapturePlan plan, CapturePlan::make(model, set, options));
    CaptureStore store(
        folder,
        { baseManifest(model, plan, folder, options), plan.arrays, plan.suffixes, plan.likelihoods,
          static_cast<std::size_t>(model.config().width), options.shard.count > 1 },
        plan.set);
    LODESTONE_CHECK(store.open(options.resume));
    LODESTONE_TRY(const double tokens, Capturer(model, plan, store, options.shard, work).run());
    if (options.shard.count > 1) { // stays a journalled folder; `merge` makes the study
        CaptureSummary summary{ 0, 0, tokens, secondsSince(start) };
        for (std::size_t row = 0; row < plan.set.responses.size(); ++row)
            summary.responses += store.isDone(static_cast<int>(row)) ? 1 : 0;
        for (const Pair& pair : plan.set.pairs)
            summary.pairs += store.isDone(pair.chosen) && store.isDone(pair.rejected) ? 1 : 0;
        return summary;
    }
    std::vector<RowMatrix> cloze;
    for (std::size_t i = 0; i < plan.suffixes.size(); ++i) {
        LODESTONE_TRY(cloze.emplace_back(), store.clozeStates(i));
    }
    LODESTONE_TRY(
        const json words, writeWordTable(model, cloze, options.words, options.wordLimit, folder, work));
    LODESTONE_CHECK(store.finish(words));
    return CaptureSummary{ plan.set.responses.size(), plan.set.pairs.size(), tokens, secondsSince(start) };
}

} // namespace lodestone::data
