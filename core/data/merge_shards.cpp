#include "core/data/merge_shards.h"

#include "core/data/capture_store.h"
#include "core/data/word_table.h"
#include "core/formats/lines.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <set>

namespace lodestone::data {
namespace {

using nlohmann::json;

/// One shard's folder as its manifest and journal describe it.
struct ShardFolder {
    std::filesystem::path folder;
    json manifest;
    ResponseSet set;
    std::size_t index = 0, count = 1;
    std::set<int> finished;

    std::string name() const { return fmt::format("{} (shard {}/{})", folder.string(), index + 1, count); }
};

Fingerprint textsOf(const ResponseSet& set)
{
    Fingerprint print;
    for (const Prompt& prompt : set.prompts) {
        print.add(prompt.id).add(prompt.group);
        for (const text::Message& turn : prompt.conversation)
            print.add(turn.role).add(turn.content);
    }
    for (const Response& response : set.responses)
        print.add(response.id)
            .add(response.prompt)
            .add(response.text)
            .add(response.value)
            .add(response.label);
    for (const Pair& pair : set.pairs)
        print.add(pair.id).add(pair.chosen).add(pair.rejected).add(pair.value);
    return print;
}

std::set<int> journalOf(const std::filesystem::path& folder)
{
    std::set<int> finished;
    std::ifstream journal(folder / "capture.journal");
    for (std::string line; std::getline(journal, line);) {
        const json rows = json::parse(line, nullptr, false);
        if (!rows.is_array())
            break;
        for (const json& row : rows)
            if (row.is_number_integer())
                finished.insert(row.get<int>());
    }
    return finished;
}

Result<ShardFolder> openShard(const std::filesystem::path& folder)
{
    const std::string expected = "a shard (capture --shard i/n)";
    std::error_code error;
    if (std::filesystem::exists(folder / "study.json", error))
        return badInput(expected, "a finished study", folder.string());
    if (!std::filesystem::exists(folder / "capture.json", error))
        return badInput(
            expected, std::filesystem::exists(folder, error) ? "no capture.json" : "nothing",
            folder.string());
    ShardFolder shard;
    shard.folder = folder;
    const std::string where = (folder / "capture.json").string();
    LODESTONE_TRY(shard.manifest, formats::readJson(where));
    if (!shard.manifest.is_object() || !shard.manifest.contains("shard"))
        return badInput(expected, "a capture of everything", folder.string());
    try {
        const json& part = shard.manifest.at("shard");
        const int index = part.at("index"), count = part.at("count");
        if (count < 1 || index < 1 || index > count)
            return badInput(
                "a shard from 1/n to n/n", fmt::format("{}/{}", index, count), where + ", key 'shard'");
        shard.index = static_cast<std::size_t>(index - 1);
        shard.count = static_cast<std::size_t>(count);
        LODESTONE_TRY(shard.set, readTexts(folder, shard.manifest, where));
    } catch (const json::exception& failure) {
        return badInput("a shard's manifest", failure.what(), where);
    }
    shard.finished = journalOf(folder);
    return shard;
}

/// What two shards disagree about, in words; empty when they belong together.
std::string difference(const ShardFolder& a, const ShardFolder& b)
{
    if (a.count != b.count)
        return fmt::format("one of {} shards", b.count);
    if (a.manifest.at("model").value("sha256", "") != b.manifest.at("model").value("sha256", ""))
        return fmt::format("one read by another model ({})", b.manifest.at("model").value("name", ""));
    if (!(textsOf(a.set) == textsOf(b.set)))
        return "one of other texts";
    for (const char* key : { "kind", "positive_label", "negative_label", "responses", "arrays", "cloze",
                             "likelihood", "seed", "splits", "name" })
        if (a.manifest.value(key, json()) != b.manifest.value(key, json()))
            return fmt::format("one captured with other options ('{}' differs)", key);
    for (const char* key : { "batches", "words", "word_limit", "plan" })
        if (a.manifest.at("shard").value(key, json()) != b.manifest.at("shard").value(key, json()))
            return fmt::format("one captured with other options ('{}' differs)", key);
    return {};
}

} // namespace

Result<ShardSet> ShardSet::open(std::span<const std::filesystem::path> folders)
{
    std::vector<ShardFolder> found;
    for (const std::filesystem::path& folder : folders) {
        LODESTONE_TRY(found.emplace_back(), openShard(folder));
    }
    if (found.empty())
        return fail(ErrorKind::Usage, "the folders of the shards", "none");
    const ShardFolder& first = found.front();
    std::vector<const ShardFolder*> byIndex(first.count, nullptr);
    ShardSet shards;
    try {
        for (const ShardFolder& shard : found) {
            if (const std::string other = difference(first, shard); !other.empty())
                return badInput("shards of one capture, as " + first.name(), other, shard.name());
            if (const ShardFolder* twin = byIndex[shard.index])
                return badInput(
                    "each shard once", fmt::format("shard {} twice", shard.index + 1),
                    fmt::format("{} and {}", twin->folder.string(), shard.folder.string()));
            byIndex[shard.index] = &shard;
        }
        std::vector<std::size_t> missing;
        for (std::size_t i = 0; i < byIndex.size(); ++i)
            if (!byIndex[i])
                missing.push_back(i + 1);
        if (!missing.empty())
            return badInput(
                fmt::format("all {} shards", first.count),
                fmt::format(
                    "{} missing: {}", missing.size() == 1 ? "one" : std::to_string(missing.size()),
                    fmt::join(missing, ", ")));
        const json& part = first.manifest.at("shard");
        shards.m_batches = part.at("batches").get<std::vector<std::vector<int>>>();
        std::vector<int> rows;
        for (const std::vector<int>& batch : shards.m_batches)
            rows.insert(rows.end(), batch.begin(), batch.end());
        std::sort(rows.begin(), rows.end());
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (rows[i] != static_cast<int>(i) || rows.size() != first.set.responses.size())
                return badInput(
                    "batches that hold each response once", "others", first.name() + ", key 'shard'");
        for (std::size_t b = 0; b < shards.m_batches.size(); ++b) {
            const ShardFolder& shard = *byIndex[b % first.count];
            for (const int row : shards.m_batches[b])
                if (!shard.finished.count(row))
                    return badInput(
                        "a finished shard (go on with capture --shard i/n --resume)",
                        fmt::format("one with {} responses read", shard.finished.size()), shard.name());
        }
        shards.m_manifest = first.manifest;
        shards.m_model = first.manifest.at("model").value("sha256", "");
    } catch (const json::exception& failure) {
        return badInput("a shard's manifest", failure.what(), (first.folder / "capture.json").string());
    }
    for (const ShardFolder* shard : byIndex)
        shards.m_folders.push_back(shard->folder);
    shards.m_set = first.set;
    return shards;
}

/// Replays the batches of all shards into one store.
class ShardMerger {
public:
    ShardMerger(const ShardSet& shards, std::filesystem::path folder, const std::string& name)
        : m_shards(shards)
        , m_folder(std::move(folder))
    {
        m_form.manifest = shards.m_manifest;
        for (const char* key : { "shard", "arrays", "cloze", "likelihood" })
            m_form.manifest.erase(key);
        if (m_form.manifest.value("name", "").empty())
            m_form.manifest["name"] = name;
    }

    Result<void> run(const model::LanguageModel& model, const Work& work)
    {
        try {
            LODESTONE_CHECK(readForm());
        } catch (const json::exception& failure) {
            return badInput(
                "a shard's manifest", failure.what(), (m_shards.m_folders[0] / "capture.json").string());
        }
        CaptureStore store(m_folder, m_form, m_shards.m_set);
        LODESTONE_CHECK(store.open(false));
        for (std::size_t b = 0; b < m_shards.m_batches.size(); ++b) {
            if (work.cancelled())
                return cancelled();
            LODESTONE_TRY(const BatchRows batch, rowsOf(b));
            LODESTONE_CHECK(store.write(batch));
            work.tell({ "Joining shards", static_cast<double>(b + 1),
                        static_cast<double>(m_shards.m_batches.size()), 0, "batches", -1 });
        }
        LODESTONE_CHECK(store.sync());
        std::vector<RowMatrix> cloze;
        for (std::size_t i = 0; i < m_form.suffixes.size(); ++i) {
            LODESTONE_TRY(cloze.emplace_back(), store.clozeStates(i));
        }
        LODESTONE_TRY(const json words, writeWordTable(model, cloze, m_words, m_wordLimit, m_folder, work));
        return store.finish(words);
    }

private:
    /// One array of every shard. A shard without a batch may lack it.
    using Parts = std::vector<std::optional<formats::NpyArray>>;

    Result<void> readForm()
    {
        const json& manifest = m_shards.m_manifest;
        m_form.manifest["plan"] = manifest.at("shard").at("plan");
        m_form.width = manifest.at("model").at("width");
        m_words = manifest.at("shard").at("words").get<std::vector<std::string>>();
        m_wordLimit = manifest.at("shard").at("word_limit");
        for (const json& entry : manifest.at("arrays")) {
            ArrayInfo info;
            LODESTONE_TRY(info.layer, layerFromJson(entry.at("layer"), "key 'arrays'"));
            LODESTONE_TRY(info.position, parsePosition(entry.at("position")));
            info.file = entry.at("file");
            info.rows = entry.at("rows");
            LODESTONE_TRY(m_activations.emplace_back(), openParts(info.file, info.rows, m_form.width));
            m_form.arrays.push_back(std::move(info));
        }
        const std::size_t rows = m_shards.m_set.responses.size();
        for (const json& entry : manifest.at("cloze")) {
            m_form.suffixes.push_back({ entry.at("name"), entry.at("text"), entry.value("user_turn", "") });
            LODESTONE_TRY(m_cloze.emplace_back(), openParts(entry.at("file"), rows, m_form.width));
        }
        m_form.likelihoods = manifest.contains("likelihood");
        if (m_form.likelihoods) {
            LODESTONE_TRY(m_likelihoods, openParts(manifest.at("likelihood"), rows, 3));
        }
        return {};
    }

    Result<Parts> openParts(const std::string& file, std::size_t rows, std::size_t columns) const
    {
        Parts parts(m_shards.m_folders.size());
        for (std::size_t i = 0; i < std::min(parts.size(), m_shards.m_batches.size()); ++i) {
            LODESTONE_TRY(parts[i], formats::NpyArray::open(m_shards.m_folders[i] / file));
            if (parts[i]->rows() != rows || parts[i]->rowItems() != columns)
                return badInput(
                    fmt::format("an array of {} x {}", rows, columns),
                    fmt::format("{} x {}", parts[i]->rows(), parts[i]->rowItems()),
                    (m_shards.m_folders[i] / file).string());
        }
        return parts;
    }

    /// The rows of a batch from the shard that read it; rows that an array lacks are zero.
    static RowMatrix gather(const formats::NpyArray& array, const std::vector<int>& rows)
    {
        RowMatrix result = RowMatrix::Zero(
            static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(array.rowItems()));
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (const auto row = static_cast<std::size_t>(rows[i]); row < array.rows())
                result.row(static_cast<Eigen::Index>(i)) = array.toFloat(row, 1);
        return result;
    }

    Result<BatchRows> rowsOf(std::size_t b) const
    {
        const std::size_t shard = b % m_shards.m_folders.size();
        BatchRows batch{ m_shards.m_batches[b], {}, {}, {} };
        for (const Parts& parts : m_activations)
            batch.activations.push_back(gather(*parts[shard], batch.rows));
        for (const Parts& parts : m_cloze)
            batch.cloze.push_back(gather(*parts[shard], batch.rows));
        if (m_form.likelihoods)
            batch.likelihoods = gather(*m_likelihoods[shard], batch.rows);
        return batch;
    }

    const ShardSet& m_shards;
    std::filesystem::path m_folder;
    StudyForm m_form;
    std::vector<Parts> m_activations, m_cloze;
    Parts m_likelihoods;
    std::vector<std::string> m_words;
    std::size_t m_wordLimit = 0;
};

Result<CaptureSummary> mergeShards(
    const ShardSet& shards, const model::LanguageModel& model, const std::filesystem::path& folder,
    const Work& work)
{
    const auto start = std::chrono::steady_clock::now();
    if (model.sha256() != shards.modelSha256())
        return badInput(
            "the model that read the shards, SHA-256 " + shards.modelSha256().substr(0, 12),
            model.sha256().substr(0, 12) + " (" + model.config().name + ")");
    std::error_code error;
    const std::filesystem::path target = std::filesystem::absolute(folder).lexically_normal();
    const std::string name
        = target.has_filename() ? target.filename().string() : target.parent_path().filename().string();
    const std::filesystem::path place
        = target.has_filename() ? target : std::filesystem::path(target.parent_path());
    if (std::filesystem::exists(place, error) && !std::filesystem::is_empty(place, error))
        return badInput("a new folder", "one that is not empty", folder.string());
    // Joined beside the target and renamed, so that an interrupted merge leaves nothing that looks like a
    // study.
    const std::filesystem::path beside = place.parent_path() / ("." + name + ".merging");
    std::filesystem::remove_all(beside, error);
    Result<void> merged = ShardMerger(shards, beside, name).run(model, work);
    if (merged) {
        std::filesystem::remove(place, error); // an empty one
        std::filesystem::rename(beside, place, error);
        if (error)
            merged = fail(ErrorKind::Failed, "to write the study", error.message(), place.string());
    }
    if (!merged) {
        std::filesystem::remove_all(beside, error);
        return tl::unexpected(merged.error());
    }
    return CaptureSummary{ shards.set().responses.size(), shards.set().pairs.size(), 0,
                           std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() };
}

} // namespace lodestone::data
