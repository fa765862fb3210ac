#include "core/data/study.h"

#include "core/base/files.h"
#include "core/formats/lines.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <set>

namespace lodestone::data {
namespace {

using nlohmann::json;

/// The rows that a killed capture had finished: one JSON array of row numbers per line; a torn last line is
/// left out.
std::vector<int> finishedRows(const std::filesystem::path& journal, std::size_t rows)
{
    std::set<int> finished;
    std::ifstream file(journal);
    for (std::string line; std::getline(file, line);) {
        const json list = json::parse(line, nullptr, false);
        if (!list.is_array())
            break;
        for (const json& row : list)
            if (row.is_number_integer() && row >= 0 && row < rows)
                finished.insert(row.get<int>());
    }
    return { finished.begin(), finished.end() };
}

/// The set with only the kept responses, renumbered; pairs of which one is missing are left out.
ResponseSet keepOnly(const ResponseSet& set, const std::vector<int>& kept)
{
    std::vector<int> place(set.responses.size(), -1);
    ResponseSet result = set;
    result.responses.clear();
    result.pairs.clear();
    for (const int row : kept) {
        place[static_cast<std::size_t>(row)] = static_cast<int>(result.responses.size());
        result.responses.push_back(set.responses[static_cast<std::size_t>(row)]);
    }
    for (Pair pair : set.pairs) {
        pair.chosen = place[static_cast<std::size_t>(pair.chosen)];
        pair.rejected = place[static_cast<std::size_t>(pair.rejected)];
        if (pair.chosen >= 0 && pair.rejected >= 0)
            result.pairs.push_back(std::move(pair));
    }
    return result;
}

/// A value of a manifest as a message may show it.
std::string shown(const json& value)
{
    return value.is_primitive() ? value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 60)
                                : value.type_name();
}

} // namespace

std::string positionName(Position position) { return position == Position::Mean ? "mean" : "last"; }

Result<Position> parsePosition(const std::string& name)
{
    if (name == "mean")
        return Position::Mean;
    if (name == "last")
        return Position::Last;
    return fail(ErrorKind::Usage, "a position: mean or last", "'" + name + "'");
}

json layerToJson(Layer layer)
{
    if (layer.isEmbedding())
        return { { "kind", "embedding" } };
    return { { "kind", "block" }, { "index", layer.block() } };
}

Result<Layer> layerFromJson(const json& value, const std::string& where)
{
    const json kind
        = value.is_object() && value.contains("kind") && value["kind"].is_string() ? value["kind"] : json();
    if (kind == "embedding")
        return Layer::embedding();
    if (kind == "block" && value.contains("index") && value["index"].is_number_integer()
        && value["index"] >= 0 && value["index"] < 100000)
        return Layer::blockOutput(value["index"]);
    return badInput(
        R"({"kind":"embedding"} or {"kind":"block","index":k})",
        shown(value.is_object() && value.contains("kind") ? value["kind"] : value), where);
}

/// Fills a Study from its manifest.
class StudyReader {
public:
    explicit StudyReader(const std::filesystem::path& folder)
        : m_study(new Study)
    {
        m_study->m_folder = folder;
    }

    Result<std::shared_ptr<const Study>> read()
    {
        Study& study = *m_study;
        std::error_code error;
        if (!std::filesystem::is_directory(study.m_folder, error))
            return badInput(
                "a study folder", std::filesystem::exists(study.m_folder, error) ? "a file" : "nothing",
                study.m_folder.string());
        const bool whole = std::filesystem::exists(study.m_folder / "study.json", error);
        const std::filesystem::path manifestPath = study.m_folder / (whole ? "study.json" : "capture.json");
        if (!whole && !std::filesystem::exists(manifestPath, error))
            return badInput("a study folder with study.json", "none", study.m_folder.string());
        LODESTONE_TRY(const json manifest, formats::readJson(manifestPath));
        try {
            LODESTONE_CHECK(fill(manifest, manifestPath.string()));
        } catch (const json::exception& failure) {
            return badInput("a manifest of this format", failure.what(), manifestPath.string());
        }
        if (!whole) {
            study.m_kept = finishedRows(study.m_folder / "capture.journal", study.m_set.responses.size());
            study.m_incomplete = fmt::format(
                "{} of {} responses are captured", study.m_kept.size(), study.m_set.responses.size());
            if (manifest.contains("shard") && manifest["shard"].is_object())
                *study.m_incomplete += fmt::format(
                    " (shard {}/{}; `merge` joins shards)", shown(manifest["shard"].value("index", json())),
                    shown(manifest["shard"].value("count", json())));
            if (study.m_kept.empty())
                return badInput("at least one finished response", "none yet", study.m_folder.string());
            study.m_set = keepOnly(study.m_set, study.m_kept);
        }
        study.m_fingerprint.add(study.m_model.sha256).add(study.m_name).add(study.m_set.responses.size());
        for (const Response& response : study.m_set.responses)
            study.m_fingerprint.add(response.id).add(response.text).add(response.label);
        for (const Pair& pair : study.m_set.pairs)
            study.m_fingerprint.add(pair.chosen).add(pair.rejected);
        for (const ArrayInfo& info : study.m_arrays)
            study.m_fingerprint.add(info.file).add(info.rows).add(info.type);
        return std::shared_ptr<const Study>(std::move(m_study));
    }

private:
    Result<void> fill(const json& manifest, const std::string& where)
    {
        Study& study = *m_study;
        if (!manifest.is_object() || manifest.value("format", "") != "lodestone-study")
            return badInput(
                "\"format\": \"lodestone-study\"",
                manifest.is_object() ? manifest.value("format", "none") : manifest.type_name(), where);
        if (manifest.value("version", 0) != 1)
            return badInput(
                "study format version 1", manifest.contains("version") ? shown(manifest["version"]) : "none",
                where + ", key 'version'");
        LODESTONE_TRY(study.m_set, readTexts(study.m_folder, manifest, where));
        study.m_name = manifest.value("name", study.m_folder.filename().string());
        const json& model = manifest.at("model");
        study.m_model = { model.value("name", ""), model.value("sha256", ""), model.value("architecture", ""),
                          model.value("blocks", 0), model.value("width", 0) };
        if (study.m_model.width < 1)
            return badInput(
                "a model width of at least 1", std::to_string(study.m_model.width), where + ", key 'model'");
        study.m_seed = manifest.value("seed", std::uint64_t(0));
        if (manifest.contains("splits"))
            study.m_split = { manifest["splits"].value("seed", std::uint64_t(0)),
                              manifest["splits"].value("train_fraction", 0.6) };
        if (!(study.m_split.trainFraction > 0 && study.m_split.trainFraction < 1))
            return badInput(
                "a train_fraction between 0 and 1", fmt::format("{}", study.m_split.trainFraction),
                where + ", key 'splits'");
        for (const json& entry : manifest.at("arrays")) {
            ArrayInfo info;
            LODESTONE_TRY(info.layer, layerFromJson(entry.at("layer"), where + ", key 'arrays'"));
            const auto position = parsePosition(entry.at("position"));
            if (!position)
                return badInput(position.error().expected, position.error().found, where + ", key 'arrays'");
            info.position = *position;
            info.file = entry.at("file");
            info.rows = entry.at("rows");
            if (info.rows > study.m_set.responses.size())
                return badInput(
                    fmt::format("at most {} rows, one per response", study.m_set.responses.size()),
                    shown(entry["rows"]), where + ", key 'arrays'");
            LODESTONE_CHECK(
                check(info.file, info.rows, static_cast<std::size_t>(study.m_model.width), info.type));
            study.m_arrays.push_back(std::move(info));
        }
        std::sort(study.m_arrays.begin(), study.m_arrays.end(), [](const ArrayInfo& a, const ArrayInfo& b) {
            return std::pair(a.position, a.layer) < std::pair(b.position, b.layer);
        });
        const std::size_t rows = study.m_rows = study.m_set.responses.size(),
                          width = static_cast<std::size_t>(study.m_model.width);
        std::string type;
        if (manifest.contains("likelihood")) {
            study.m_likelihoodFile = manifest["likelihood"];
            LODESTONE_CHECK(check(study.m_likelihoodFile, rows, 3, type));
        }
        if (manifest.contains("cloze"))
            for (const json& entry : manifest["cloze"]) {
                study.m_suffixes.push_back(
                    { entry.at("name"), entry.at("text"), entry.value("user_turn", "") });
                study.m_clozeFiles.push_back(entry.at("file"));
                LODESTONE_CHECK(check(study.m_clozeFiles.back(), rows, width, type));
            }
        if (manifest.contains("words")) {
            study.m_wordFile = manifest["words"].at("file");
            LODESTONE_TRY(
                const json list,
                formats::readJson(study.m_folder / manifest["words"].at("list").get<std::string>()));
            std::size_t count = 0;
            for (const json& entry : list) {
                study.m_words.push_back({ entry.at("word"), entry.at("row"), entry.value("whole", true) });
                if (study.m_words.back().row < 0)
                    return badInput(
                        "a row from 0", std::to_string(study.m_words.back().row), where + ", key 'words'");
                count = std::max(count, static_cast<std::size_t>(study.m_words.back().row) + 1);
            }
            LODESTONE_CHECK(check(study.m_wordFile, count, width, type));
        }
        return {};
    }

    /// The array is there and at least as large as the manifest says.
    Result<void> check(const std::string& file, std::size_t rows, std::size_t columns, std::string& type)
    {
        if (file.empty() || file.find("..") != std::string::npos || file.front() == '/')
            return badInput("a file inside the study", "'" + file + "'", m_study->m_folder.string());
        LODESTONE_TRY(const formats::NpyArray array, formats::NpyArray::open(m_study->m_folder / file));
        if (array.rows() < rows || array.rowItems() != columns)
            return badInput(
                fmt::format("an array of {} x {}", rows, columns),
                fmt::format("{} x {}", array.rows(), array.rowItems()), (m_study->m_folder / file).string());
        type = formats::npyTypeName(array.type());
        return {};
    }

    std::unique_ptr<Study> m_study;
};

Result<std::shared_ptr<const Study>> Study::open(const std::filesystem::path& folder)
{
    return StudyReader(folder).read();
}

std::vector<Layer> Study::layers() const
{
    std::set<Layer> layers;
    for (const ArrayInfo& info : m_arrays)
        layers.insert(info.layer);
    return { layers.begin(), layers.end() };
}

std::vector<Position> Study::positions() const
{
    std::set<Position> positions;
    for (const ArrayInfo& info : m_arrays)
        positions.insert(info.position);
    return { positions.begin(), positions.end() };
}

const ArrayInfo* Study::info(Layer layer, Position position) const
{
    for (const ArrayInfo& entry : m_arrays)
        if (entry.layer == layer && entry.position == position)
            return &entry;
    return nullptr;
}

std::size_t Study::rowsAt(Layer layer, Position position) const
{
    const ArrayInfo* entry = info(layer, position);
    if (!entry)
        return 0;
    if (!m_incomplete)
        return entry->rows;
    const auto isHeld = [&](int row) { return static_cast<std::size_t>(row) < entry->rows; };
    return static_cast<std::size_t>(std::count_if(m_kept.begin(), m_kept.end(), isHeld));
}

Result<RowMatrix> Study::array(const std::string& file, std::size_t rows) const
{
    LODESTONE_TRY(const formats::NpyArray array, formats::NpyArray::open(m_folder / file));
    if (!m_incomplete)
        return array.toFloat(0, std::min(rows, array.rows()));
    // The kept rows are in order, and an array may hold only the first rows of the study.
    const auto end
        = std::lower_bound(m_kept.begin(), m_kept.end(), static_cast<int>(std::min(rows, array.rows())));
    RowMatrix kept(end - m_kept.begin(), static_cast<Eigen::Index>(array.rowItems()));
    for (Eigen::Index i = 0; i < kept.rows(); ++i)
        kept.row(i) = array.toFloat(static_cast<std::size_t>(m_kept[static_cast<std::size_t>(i)]), 1);
    return kept;
}

Result<RowMatrix> Study::finiteArray(const std::string& file, std::size_t rows) const
{
    LODESTONE_TRY(RowMatrix matrix, array(file, rows));
    for (Eigen::Index i = 0; i < matrix.rows(); ++i)
        if (!matrix.row(i).allFinite())
            return badInput(
                "finite numbers", "NaN or infinity",
                fmt::format(
                    "{}, row {}", (m_folder / file).string(),
                    m_incomplete ? m_kept[static_cast<std::size_t>(i)] : i));
    return matrix;
}

Result<RowMatrix> Study::activations(Layer layer, Position position) const
{
    const ArrayInfo* entry = info(layer, position);
    if (!entry)
        return badInput(
            fmt::format("activations at {}, position {}", layer.label(), positionName(position)),
            "none in this study", m_folder.string());
    return finiteArray(entry->file, entry->rows);
}

Result<std::vector<Likelihood>> Study::likelihoods() const
{
    if (m_likelihoodFile.empty())
        return badInput("captured likelihoods", "none in this study", m_folder.string());
    LODESTONE_TRY(const RowMatrix rows, array(m_likelihoodFile, m_rows));
    std::vector<Likelihood> result;
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
        result.push_back({ rows(i, 0), rows(i, 1), rows(i, 2) });
    return result;
}

Result<RowMatrix> Study::clozeStates(std::size_t suffix) const
{
    return finiteArray(m_clozeFiles.at(suffix), m_rows);
}

Result<RowMatrix> Study::wordRows() const
{
    if (m_wordFile.empty())
        return badInput("unembedding rows of words", "none in this study", m_folder.string());
    LODESTONE_TRY(const formats::NpyArray table, formats::NpyArray::open(m_folder / m_wordFile));
    RowMatrix rows = table.toFloat();
    if (!rows.allFinite())
        return badInput("finite unembedding rows", "NaN or infinity", (m_folder / m_wordFile).string());
    return rows;
}

} // namespace lodestone::data
