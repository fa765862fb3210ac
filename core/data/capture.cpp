#include "core/data/capture.h"

#include "core/base/files.h"
#include "core/data/word_table.h"
#include "core/formats/lines.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <set>

namespace lodestone::data {
namespace {

using model::Reading;
using model::Request;
using nlohmann::json;
using text::TokenId;
using Tokens = std::vector<TokenId>;
using Clock = std::chrono::steady_clock;

/// float16 is chosen when no coordinate of the first batch exceeds this; 16 times less than what the format
/// can hold.
constexpr float halfMargin = 4094;
/// From here on float16 rounds to infinity.
constexpr float halfLimit = 65520;

/// Responses of pairs first, so that layers captured for pairs alone hold the first rows.
ResponseSet pairsFirst(const ResponseSet& set, std::size_t& pairRows)
{
    std::vector<bool> inPair(set.responses.size());
    for (const Pair& pair : set.pairs)
        inPair[static_cast<std::size_t>(pair.chosen)] = inPair[static_cast<std::size_t>(pair.rejected)]
            = true;
    ResponseSet ordered = set;
    ordered.responses.clear();
    std::vector<int> place(set.responses.size());
    for (const bool wanted : { true, false }) {
        for (std::size_t i = 0; i < set.responses.size(); ++i)
            if (inPair[i] == wanted) {
                place[i] = static_cast<int>(ordered.responses.size());
                ordered.responses.push_back(set.responses[i]);
            }
        if (wanted)
            pairRows = ordered.responses.size();
    }
    for (Pair& pair : ordered.pairs) {
        pair.chosen = place[static_cast<std::size_t>(pair.chosen)];
        pair.rejected = place[static_cast<std::size_t>(pair.rejected)];
    }
    return ordered;
}

std::string arrayFile(Layer layer, Position position)
{
    return fmt::format(
        "activations/{}.{}.npy", layer.isEmbedding() ? "embedding" : fmt::format("block-{}", layer.block()),
        positionName(position));
}

/// One array of the study while it is being filled.
struct Target {
    ArrayInfo info;
    formats::NpyType type = formats::NpyType::F16;
    std::optional<formats::NpyWriter> writer;
};

class Capturer {
public:
    Capturer(
        model::LanguageModel& model, ResponseSet set, const std::filesystem::path& folder,
        const CaptureOptions& options, const Work& work)
        : m_model(model)
        , m_folder(folder)
        , m_options(options)
        , m_work(work)
        , m_set(pairsFirst(set, m_pairRows))
        , m_suffixes(defaultSuffixes(m_set.kind))
    {
        if (m_set.kind == ItemKind::Reply && m_pairRows == 0)
            m_pairRows = m_set.responses.size();
        if (m_set.kind != ItemKind::Reply)
            m_pairRows = m_set.responses.size();
        m_likelihoods = options.likelihoods && m_set.kind == ItemKind::Reply;
    }

    Result<CaptureSummary> run()
    {
        const auto start = Clock::now();
        LODESTONE_CHECK(tokenise());
        planBatches();
        LODESTONE_CHECK(openFolder());
        if (m_prefix.size() >= 4) {
            Request shared;
            shared.tokens = m_prefix;
            shared.keepContext = true;
            LODESTONE_TRY(const auto opened, m_model.read(std::span(&shared, 1), {}, m_work));
            m_prefixContext = opened[0].context;
        } else
            m_prefix.clear();
        double total = 0;
        for (std::size_t batch = 0; batch < m_batches.size(); ++batch)
            total += needed(batch) ? cost(batch) : 0;
        auto lastSync = Clock::now();
        for (std::size_t batch = 0; batch < m_batches.size(); ++batch) {
            if (!needed(batch))
                continue;
            if (m_work.cancelled()) {
                LODESTONE_CHECK(sync());
                return cancelled();
            }
            if (const auto done = readBatch(batch); !done) {
                if (done.error().kind == ErrorKind::Cancelled)
                    LODESTONE_CHECK(sync());
                return tl::unexpected(done.error());
            }
            m_unsynced.push_back(batch);
            m_tokens += cost(batch);
            const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
            m_work.tell({ "Reading replies", m_tokens, total, m_tokens / seconds, "tokens",
                          (total - m_tokens) * seconds / m_tokens });
            if (std::chrono::duration<double>(Clock::now() - lastSync).count() > 5) {
                LODESTONE_CHECK(sync());
                lastSync = Clock::now();
            }
        }
        LODESTONE_CHECK(sync());
        LODESTONE_CHECK(finish());
        return CaptureSummary{ m_set.responses.size(), m_set.pairs.size(), m_tokens,
                               std::chrono::duration<double>(Clock::now() - start).count() };
    }

private:
    Result<void> tokenise()
    {
        for (const ClozeSuffix& suffix : m_suffixes)
            m_suffixTokens.push_back(suffixTokens(m_model, suffix, m_set.kind));
        m_alone = m_model.tokenizer().encode(m_model.chatTemplate().opening(), text::Special::Parse);
        for (std::size_t i = 0; i < m_set.prompts.size(); ++i)
            m_promptTokens.push_back(promptTokens(m_model, m_set, static_cast<int>(i)));
        for (std::size_t i = 0; i < m_set.responses.size(); ++i) {
            Tokens tokens = responseTokens(m_model, m_set, static_cast<int>(i));
            const Tokens& prompt = m_promptTokens[static_cast<std::size_t>(m_set.responses[i].prompt)];
            const std::size_t whole = prompt.size() + tokens.size();
            if (whole + 64 > static_cast<std::size_t>(m_model.config().context))
                return badInput(
                    fmt::format("a prompt and reply of at most {} tokens", m_model.config().context - 64),
                    fmt::format("{}", whole), "response '" + m_set.responses[i].id + "'");
            m_set.responses[i].tokens
                = static_cast<int>(m_set.kind == ItemKind::Request ? prompt.size() : tokens.size());
            if (whole == 0 || (m_set.kind == ItemKind::Reply && tokens.empty()))
                return badInput(
                    "a text of at least one token", "none", "response '" + m_set.responses[i].id + "'");
            m_responseTokens.push_back(std::move(tokens));
        }
        // What all prompts begin with (the default system turn) is read once. A request is pooled over what
        // follows, so its prefix ends where any request begins, whatever words these requests happen to
        // share.
        m_prefix = m_promptTokens.front();
        if (m_set.kind == ItemKind::Request)
            m_prefix = m_model.tokenizer().encode(
                m_model.chatTemplate().prompt({ { "user", "\n" } }), text::Special::Parse);
        for (const Tokens& tokens : m_promptTokens) {
            const auto limit = std::min(m_prefix.size(), tokens.empty() ? 0 : tokens.size() - 1);
            m_prefix.resize(static_cast<std::size_t>(
                std::mismatch(
                    m_prefix.begin(), m_prefix.begin() + static_cast<std::ptrdiff_t>(limit), tokens.begin())
                    .first
                - m_prefix.begin()));
        }
        return {};
    }

    /// Prompts ordered by length, packed up to the token budget. Fixed by texts and model alone.
    void planBatches()
    {
        std::vector<std::vector<int>> ofPrompt(m_set.prompts.size());
        for (std::size_t i = 0; i < m_set.responses.size(); ++i)
            ofPrompt[static_cast<std::size_t>(m_set.responses[i].prompt)].push_back(static_cast<int>(i));
        struct Unit {
            std::size_t tokens;
            int prompt;
        };
        std::vector<Unit> units;
        for (std::size_t p = 0; p < ofPrompt.size(); ++p) {
            std::size_t tokens = m_promptTokens[p].size();
            for (const int row : ofPrompt[p])
                tokens += m_responseTokens[static_cast<std::size_t>(row)].size();
            if (!ofPrompt[p].empty())
                units.push_back({ tokens, static_cast<int>(p) });
        }
        std::stable_sort(
            units.begin(), units.end(), [](const Unit& a, const Unit& b) { return a.tokens < b.tokens; });
        std::size_t filled = 0;
        for (const Unit& unit : units) {
            if (m_batches.empty()
                || filled + unit.tokens > static_cast<std::size_t>(m_options.tokensPerBatch)) {
                m_batches.emplace_back();
                filled = 0;
            }
            filled += unit.tokens;
            for (const int row : ofPrompt[static_cast<std::size_t>(unit.prompt)])
                m_batches.back().push_back(row);
        }
        m_done.assign(m_set.responses.size(), false);
    }

    bool needed(std::size_t batch) const
    {
        return !std::all_of(m_batches[batch].begin(), m_batches[batch].end(), [&](int row) {
            return m_done[static_cast<std::size_t>(row)];
        });
    }

    double cost(std::size_t batch) const
    {
        double tokens = 0;
        int prompt = -1;
        for (const int row : m_batches[batch]) {
            const Response& response = m_set.responses[static_cast<std::size_t>(row)];
            const auto own = static_cast<double>(m_responseTokens[static_cast<std::size_t>(row)].size());
            if (response.prompt != prompt)
                tokens += static_cast<double>(
                    m_promptTokens[static_cast<std::size_t>(response.prompt)].size() - m_prefix.size());
            prompt = response.prompt;
            tokens += own + (m_likelihoods ? own + static_cast<double>(m_alone.size()) : 0);
            for (const Tokens& suffix : m_suffixTokens)
                tokens += static_cast<double>(suffix.size());
        }
        return tokens;
    }

    json manifest() const
    {
        json arrays = json::array(), cloze = json::array();
        for (const Target& target : m_targets)
            arrays.push_back({ { "layer", layerToJson(target.info.layer) },
                               { "position", positionName(target.info.position) },
                               { "file", target.info.file },
                               { "rows", target.info.rows },
                               { "type", formats::npyTypeName(target.type) } });
        for (const ClozeSuffix& suffix : m_suffixes) {
            cloze.push_back(
                { { "name", suffix.name }, { "text", suffix.text }, { "file", clozeFile(suffix) } });
            if (!suffix.userTurn.empty())
                cloze.back()["user_turn"] = suffix.userTurn;
        }
        const model::ModelConfig& config = m_model.config();
        json result{ { "format", "lodestone-study" },
                     { "version", 1 },
                     { "name", m_options.name.empty() ? m_folder.filename().string() : m_options.name },
                     { "kind", itemKindName(m_set.kind) },
                     { "seed", m_options.seed },
                     { "responses", m_set.responses.size() },
                     { "model",
                       { { "name", config.name },
                         { "sha256", m_model.sha256() },
                         { "architecture", config.architecture },
                         { "blocks", config.blocks },
                         { "width", config.width } } },
                     { "splits",
                       { { "seed", m_options.split.seed },
                         { "train_fraction", m_options.split.trainFraction } } },
                     { "arrays", arrays },
                     { "cloze", cloze },
                     { "plan", planFingerprint().hex() } };
        if (m_likelihoods)
            result["likelihood"] = likelihoodFile;
        if (m_set.labelled()) {
            result["positive_label"] = m_set.positiveLabel;
            result["negative_label"] = m_set.negativeLabel;
        }
        return result;
    }

    Fingerprint planFingerprint() const
    {
        Fingerprint plan;
        plan.add(m_model.sha256())
            .add(m_set.pairs.size())
            .add(m_pairRows)
            .add(m_options.tokensPerBatch)
            .add(m_likelihoods);
        for (std::size_t i = 0; i < m_set.responses.size(); ++i) {
            const auto& prompt = m_promptTokens[static_cast<std::size_t>(m_set.responses[i].prompt)];
            plan.add(prompt.data(), prompt.size())
                .add(m_responseTokens[i].data(), m_responseTokens[i].size());
        }
        for (const auto& [layer, position] : wantedArrays())
            plan.add(layer.row()).add(position);
        return plan;
    }

    std::vector<std::pair<Layer, Position>> wantedArrays() const
    {
        std::vector<Layer> layers = m_options.layers;
        if (layers.empty())
            for (int row = 0; row < m_model.config().layers(); ++row)
                layers.push_back(Layer::atRow(row));
        std::vector<std::pair<Layer, Position>> wanted;
        for (const Position position : m_options.positions)
            for (const Layer layer : layers)
                wanted.emplace_back(layer, position);
        return wanted;
    }

    Result<void> openFolder()
    {
        std::error_code error;
        std::filesystem::create_directories(m_folder / "activations", error);
        std::filesystem::create_directories(m_folder / "judgments", error);
        if (error)
            return fail(
                ErrorKind::Failed, "to create the study's folder", error.message(), m_folder.string());
        if (std::filesystem::exists(m_folder / "study.json", error))
            return badInput("a new folder", "a finished study", m_folder.string());
        const bool begun = std::filesystem::exists(m_folder / "capture.json", error);
        if (begun && !m_options.resume)
            return badInput("a new folder, or --resume", "a capture that was begun", m_folder.string());
        for (const auto& [layer, position] : wantedArrays()) {
            if (layer.row() >= m_model.config().layers())
                return badInput(
                    fmt::format("a layer up to block {} output", m_model.config().blocks - 1), layer.label());
            const auto& few = m_options.candidateLayers;
            const bool forAll = few.empty() || std::find(few.begin(), few.end(), layer) != few.end();
            m_targets.push_back({ { layer,
                                    position,
                                    arrayFile(layer, position),
                                    forAll ? m_set.responses.size() : m_pairRows,
                                    {} },
                                  formats::NpyType::F16,
                                  {} });
        }
        if (!begun)
            return writeTexts(m_folder, m_set);
        return reopen();
    }

    /// Goes on where a capture of the same plan was stopped.
    Result<void> reopen()
    {
        LODESTONE_TRY(const json old, formats::readJson(m_folder / "capture.json"));
        if (!old.is_object() || !old.contains("plan") || old["plan"] != planFingerprint().hex())
            return badInput(
                "the texts, model and layers that this capture began with", "others",
                (m_folder / "capture.json").string());
        for (Target& target : m_targets) { // the file, not the manifest, tells whether an array was widened
            LODESTONE_TRY(
                const formats::NpyArray array, formats::NpyArray::open(m_folder / target.info.file));
            target.type
                = array.type() == formats::NpyType::F32 ? formats::NpyType::F32 : formats::NpyType::F16;
        }
        std::ifstream journal(m_folder / "capture.journal");
        std::string whole;
        for (std::string line; std::getline(journal, line);) {
            const json rows = json::parse(line, nullptr, false);
            if (!rows.is_array())
                break;
            whole += line + '\n';
            for (const json& row : rows)
                if (row.is_number_unsigned() && row < m_done.size())
                    m_done[row.get<std::size_t>()] = true;
        }
        // A torn last line goes, or the next one would be appended to it.
        LODESTONE_CHECK(writeFileAtomically(m_folder / "capture.journal", whole));
        return openArrays(true);
    }

    Result<void> openArrays(bool keep)
    {
        const auto width = static_cast<std::size_t>(m_model.config().width);
        for (Target& target : m_targets) {
            LODESTONE_TRY(
                target.writer,
                formats::NpyWriter::create(
                    m_folder / target.info.file, target.type, { target.info.rows, width }, keep));
        }
        for (const ClozeSuffix& suffix : m_suffixes) {
            LODESTONE_TRY(
                m_clozeWriters.emplace_back(),
                formats::NpyWriter::create(
                    m_folder / clozeFile(suffix), formats::NpyType::F16, { m_set.responses.size(), width },
                    keep));
        }
        if (m_likelihoods) {
            LODESTONE_TRY(
                m_likelihoodWriter,
                formats::NpyWriter::create(
                    m_folder / likelihoodFile, formats::NpyType::F32, { m_set.responses.size(), 3 }, keep));
        }
        return writeFileAtomically(m_folder / "capture.json", dump(manifest()));
    }

    static std::string dump(const json& manifest)
    {
        return manifest.dump(1, ' ', false, json::error_handler_t::replace);
    }

    static std::string clozeFile(const ClozeSuffix& suffix)
    {
        return fmt::format("judgments/cloze-{}.npy", suffix.name);
    }

    Result<void> readBatch(std::size_t batch)
    {
        const std::vector<int>& rows = m_batches[batch];
        std::vector<Layer> layers;
        for (const Target& target : m_targets)
            if (std::find(layers.begin(), layers.end(), target.info.layer) == layers.end())
                layers.push_back(target.info.layer);
        const bool replies = m_set.kind == ItemKind::Reply;

        // 1. Prompts (or requests themselves), each read once.
        std::vector<Request> prompts;
        std::vector<std::size_t> promptOf;
        int current = -1;
        for (const int row : rows) {
            const int prompt = m_set.responses[static_cast<std::size_t>(row)].prompt;
            if (prompt != current) {
                const Tokens& tokens = m_promptTokens[static_cast<std::size_t>(prompt)];
                Request request;
                request.tokens.assign(
                    tokens.begin() + static_cast<std::ptrdiff_t>(m_prefix.size()), tokens.end());
                request.past = m_prefixContext;
                request.keepContext = true;
                if (m_set.kind == ItemKind::Request) {
                    request.last = true;
                    request.pooled = { 0, static_cast<int>(request.tokens.size()) };
                }
                prompts.push_back(std::move(request));
                current = prompt;
            }
            promptOf.push_back(prompts.size() - 1);
        }
        std::vector<Reading> opened;
        if (m_set.kind != ItemKind::Statement) {
            LODESTONE_TRY(
                opened,
                m_model.read(
                    prompts,
                    m_set.kind == ItemKind::Request ? std::span<const Layer>(layers)
                                                    : std::span<const Layer>(),
                    m_work));
        }
        // 2. Responses after their prompts (or statements alone).
        std::vector<Reading> readings(rows.size());
        if (m_set.kind == ItemKind::Request) {
            for (std::size_t i = 0; i < rows.size(); ++i)
                readings[i] = opened[promptOf[i]];
        } else {
            std::vector<Request> requests;
            for (std::size_t i = 0; i < rows.size(); ++i) {
                Request request;
                request.tokens = m_responseTokens[static_cast<std::size_t>(rows[i])];
                request.past = replies ? opened[promptOf[i]].context : nullptr;
                request.pooled = { 0, static_cast<int>(request.tokens.size()) };
                if (m_likelihoods)
                    request.scored = request.pooled;
                request.last = request.keepContext = true;
                requests.push_back(std::move(request));
            }
            LODESTONE_TRY(readings, m_model.read(requests, layers, m_work));
        }
        // 3. The suffixes, each after its response.
        std::vector<Request> suffixes;
        for (const Reading& reading : readings)
            for (const Tokens& tokens : m_suffixTokens) {
                Request request;
                request.tokens = tokens;
                request.past = reading.context;
                request.hidden = true;
                suffixes.push_back(std::move(request));
            }
        LODESTONE_TRY(const auto named, m_model.read(suffixes, {}, m_work));
        // 4. The responses alone.
        std::vector<Reading> alone;
        if (m_likelihoods) {
            std::vector<Request> requests;
            for (const int row : rows) {
                Request request;
                request.tokens = m_alone;
                const Tokens& own = m_responseTokens[static_cast<std::size_t>(row)];
                request.tokens.insert(request.tokens.end(), own.begin(), own.end());
                request.scored
                    = { static_cast<int>(m_alone.size()), static_cast<int>(request.tokens.size()) };
                requests.push_back(std::move(request));
            }
            LODESTONE_TRY(alone, m_model.read(requests, {}, m_work));
        }
        if (m_clozeWriters.empty()) {
            chooseTypes(layers, readings);
            LODESTONE_CHECK(openArrays(false));
        }
        return write(rows, layers, readings, named, alone);
    }

    void chooseTypes(const std::vector<Layer>& layers, const std::vector<Reading>& readings)
    {
        for (Target& target : m_targets) {
            const auto row = std::find(layers.begin(), layers.end(), target.info.layer) - layers.begin();
            float largest = 0;
            for (const Reading& reading : readings)
                largest
                    = std::max(largest, states(reading, target.info.position).row(row).cwiseAbs().maxCoeff());
            target.type = largest <= halfMargin ? formats::NpyType::F16 : formats::NpyType::F32;
        }
    }

    static const RowMatrix& states(const Reading& reading, Position position)
    {
        return position == Position::Mean ? reading.mean : reading.last;
    }

    Result<void> write(
        const std::vector<int>& rows, const std::vector<Layer>& layers, const std::vector<Reading>& readings,
        const std::vector<Reading>& named, const std::vector<Reading>& alone)
    {
        const auto width = static_cast<std::size_t>(m_model.config().width);
        for (Target& target : m_targets) {
            const auto layerRow = std::find(layers.begin(), layers.end(), target.info.layer) - layers.begin();
            // The whole batch is looked at before a row of it is written, so that a resumed capture widens at
            // the same row.
            bool fits = true;
            for (std::size_t i = 0; i < rows.size(); ++i) {
                const auto values = states(readings[i], target.info.position).row(layerRow);
                if (!values.allFinite())
                    return badInput(
                        "finite activations", "NaN or infinity",
                        fmt::format(
                            "response '{}', {}", m_set.responses[static_cast<std::size_t>(rows[i])].id,
                            target.info.layer.label()));
                fits = fits && values.cwiseAbs().maxCoeff() < halfLimit;
            }
            if (!fits && target.type == formats::NpyType::F16) {
                LODESTONE_CHECK(sync());
                LODESTONE_CHECK(widen(target));
            }
            for (std::size_t i = 0; i < rows.size(); ++i)
                if (const auto row = static_cast<std::size_t>(rows[i]); row < target.info.rows)
                    LODESTONE_CHECK(target.writer->writeRow(
                        row, { states(readings[i], target.info.position).row(layerRow).data(), width }));
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto row = static_cast<std::size_t>(rows[i]);
            for (std::size_t s = 0; s < m_clozeWriters.size(); ++s) {
                const Eigen::VectorXf& hidden = named[i * m_clozeWriters.size() + s].hidden;
                LODESTONE_CHECK(m_clozeWriters[s].writeRow(row, { hidden.data(), width }));
            }
            if (m_likelihoods) {
                const float values[3] = { sum(readings[i].logProbabilities), sum(alone[i].logProbabilities),
                                          static_cast<float>(m_responseTokens[row].size()) };
                LODESTONE_CHECK(m_likelihoodWriter->writeRow(row, values));
            }
        }
        return {};
    }

    /// A value left float16's range after all: the array goes on as float32.
    Result<void> widen(Target& target)
    {
        const std::filesystem::path path = m_folder / target.info.file;
        LODESTONE_TRY(const formats::NpyArray old, formats::NpyArray::open(path));
        LODESTONE_CHECK(formats::writeNpy(path, old.toFloat(), formats::NpyType::F32));
        target.type = formats::NpyType::F32;
        LODESTONE_TRY(
            target.writer,
            formats::NpyWriter::create(
                path, target.type, { target.info.rows, static_cast<std::size_t>(m_model.config().width) },
                true));
        return writeFileAtomically(m_folder / "capture.json", dump(manifest()));
    }

    static float sum(const std::vector<float>& values)
    {
        double total = 0;
        for (const float value : values)
            total += value;
        return static_cast<float>(total);
    }

    /// Data first, then the journal that vouches for them.
    Result<void> sync()
    {
        if (m_unsynced.empty())
            return {};
        for (Target& target : m_targets)
            LODESTONE_CHECK(target.writer->sync());
        for (formats::NpyWriter& writer : m_clozeWriters)
            LODESTONE_CHECK(writer.sync());
        if (m_likelihoodWriter)
            LODESTONE_CHECK(m_likelihoodWriter->sync());
        std::ofstream journal(m_folder / "capture.journal", std::ios::app);
        for (const std::size_t batch : m_unsynced) {
            journal << json(m_batches[batch]).dump() << '\n';
            for (const int row : m_batches[batch])
                m_done[static_cast<std::size_t>(row)] = true;
        }
        journal.flush();
        if (!journal)
            return fail(
                ErrorKind::Failed, "to write the journal", systemErrorText(errno),
                (m_folder / "capture.journal").string());
        m_unsynced.clear();
        return {};
    }

    Result<void> finish()
    {
        json result = manifest();
        std::vector<RowMatrix> cloze;
        for (const ClozeSuffix& suffix : m_suffixes) {
            LODESTONE_TRY(
                const formats::NpyArray array, formats::NpyArray::open(m_folder / clozeFile(suffix)));
            cloze.push_back(array.toFloat());
        }
        LODESTONE_CHECK(
            writeWordTable(m_model, cloze, m_options.words, m_options.wordLimit, m_folder, m_work));
        result["words"] = { { "file", "judgments/words.npy" }, { "list", "judgments/words.json" } };
        LODESTONE_CHECK(writeFileAtomically(m_folder / "study.json", dump(result)));
        std::error_code ignored;
        std::filesystem::remove(m_folder / "capture.json", ignored);
        std::filesystem::remove(m_folder / "capture.journal", ignored);
        return {};
    }

    static constexpr const char* likelihoodFile = "judgments/likelihood.npy";

    model::LanguageModel& m_model;
    std::filesystem::path m_folder;
    const CaptureOptions& m_options;
    const Work& m_work;
    std::size_t m_pairRows = 0; ///< before m_set, whose making fills it
    ResponseSet m_set;
    std::vector<ClozeSuffix> m_suffixes;
    bool m_likelihoods = false;
    std::vector<Tokens> m_promptTokens, m_responseTokens, m_suffixTokens;
    Tokens m_prefix, m_alone;
    std::shared_ptr<const model::Context> m_prefixContext;
    std::vector<std::vector<int>> m_batches;
    std::vector<bool> m_done;
    std::vector<std::size_t> m_unsynced;
    std::vector<Target> m_targets;
    std::vector<formats::NpyWriter> m_clozeWriters;
    std::optional<formats::NpyWriter> m_likelihoodWriter;
    double m_tokens = 0;
};

} // namespace

std::vector<TokenId> suffixTokens(const model::LanguageModel& model, const ClozeSuffix& suffix, ItemKind kind)
{
    const text::ChatTemplate& form = model.chatTemplate();
    std::string text = suffix.text;
    if (!suffix.userTurn.empty()) // a request stands in an open assistant's turn, which a few words close
        text = (kind == ItemKind::Request ? "I have read it." : "") + form.endOfTurn()
            + form.furtherTurn(suffix.userTurn) + suffix.text;
    return model.tokenizer().encode(text, text::Special::Parse);
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

Result<CaptureSummary> capture(
    model::LanguageModel& model, ResponseSet set, const std::filesystem::path& folder,
    const CaptureOptions& options, const Work& work)
{
    if (set.responses.empty())
        return badInput("at least one response", "none");
    return Capturer(model, std::move(set), folder, options, work).run();
}

} // namespace lodestone::data
