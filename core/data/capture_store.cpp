#include "core/data/capture_store.h"

#include "core/base/files.h"
#include "core/formats/lines.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <fstream>

namespace lodestone::data {
namespace {

using nlohmann::json;

/// float16 is chosen when no coordinate of the first batch exceeds this; 16 times less than what the format
/// can hold.
constexpr float halfMargin = 4094;
/// Beyond this a coordinate is too coarse in float16 (and from 65,520 on it would be infinite).
constexpr float halfLimit = 16000;

std::string dump(const json& manifest)
{
    return manifest.dump(1, ' ', false, json::error_handler_t::replace);
}

} // namespace

std::string CaptureStore::clozeFile(const ClozeSuffix& suffix)
{
    return fmt::format("judgments/cloze-{}.npy", suffix.name);
}

CaptureStore::CaptureStore(std::filesystem::path folder, StudyForm form, const ResponseSet& set)
    : m_folder(std::move(folder))
    , m_form(std::move(form))
    , m_set(set)
    , m_done(set.responses.size(), false)
{
    const auto type = m_form.keepFloat32 ? formats::NpyType::F32 : formats::NpyType::F16;
    for (const ArrayInfo& info : m_form.arrays)
        m_targets.push_back({ info, info.layer.label(), type, {} });
    for (const ClozeSuffix& suffix : m_form.suffixes) {
        ArrayInfo info;
        info.file = clozeFile(suffix);
        info.rows = m_done.size();
        m_cloze.push_back({ std::move(info), "suffix '" + suffix.name + "'", type, {} });
    }
}

json CaptureStore::manifest() const
{
    json result = m_form.manifest;
    json arrays = json::array(), cloze = json::array();
    for (const Target& target : m_targets)
        arrays.push_back({ { "layer", layerToJson(target.info.layer) },
                           { "position", positionName(target.info.position) },
                           { "file", target.info.file },
                           { "rows", target.info.rows },
                           { "type", formats::npyTypeName(target.type) } });
    for (const ClozeSuffix& suffix : m_form.suffixes) {
        cloze.push_back({ { "name", suffix.name }, { "text", suffix.text }, { "file", clozeFile(suffix) } });
        if (!suffix.userTurn.empty())
            cloze.back()["user_turn"] = suffix.userTurn;
    }
    result["arrays"] = std::move(arrays);
    result["cloze"] = std::move(cloze);
    if (m_form.likelihoods)
        result["likelihood"] = likelihoodFile;
    return result;
}

Result<void> CaptureStore::open(bool resume)
{
    std::error_code error;
    std::filesystem::create_directories(m_folder / "activations", error);
    std::filesystem::create_directories(m_folder / "judgments", error);
    if (error)
        return fail(ErrorKind::Failed, "to create the study's folder", error.message(), m_folder.string());
    if (std::filesystem::exists(m_folder / "study.json", error))
        return badInput("a new folder", "a finished study", m_folder.string());
    const bool begun = std::filesystem::exists(m_folder / "capture.json", error);
    if (begun && !resume)
        return badInput("a new folder, or --resume", "a capture that was begun", m_folder.string());
    if (begun)
        return reopen();
    LODESTONE_CHECK(writeTexts(m_folder, m_set));
    return m_form.keepFloat32 ? openArrays(false) : Result<void>();
}

Result<void> CaptureStore::reopen()
{
    LODESTONE_TRY(const json old, formats::readJson(m_folder / "capture.json"));
    if (!old.is_object() || !old.contains("plan") || old["plan"] != m_form.manifest.at("plan"))
        return badInput(
            "the texts, model, layers and shard that this capture began with", "others",
            (m_folder / "capture.json").string());
    for (std::vector<Target>* targets : { &m_targets, &m_cloze })
        for (Target& target : *targets) { // the file, not the manifest, tells whether an array was widened
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

Result<void> CaptureStore::openArrays(bool keep)
{
    m_open = true;
    for (std::vector<Target>* targets : { &m_targets, &m_cloze })
        for (Target& target : *targets) {
            LODESTONE_TRY(
                target.writer,
                formats::NpyWriter::create(
                    m_folder / target.info.file, target.type, { target.info.rows, m_form.width }, keep));
        }
    if (m_form.likelihoods) {
        LODESTONE_TRY(
            m_likelihoodWriter,
            formats::NpyWriter::create(
                m_folder / likelihoodFile, formats::NpyType::F32, { m_done.size(), 3 }, keep));
    }
    return writeFileAtomically(m_folder / "capture.json", dump(manifest()));
}

void CaptureStore::chooseType(Target& target, const std::vector<int>& rows, const RowMatrix& values)
{
    float largest = 0;
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (static_cast<std::size_t>(rows[i]) < target.info.rows)
            largest = std::max(largest, values.row(static_cast<Eigen::Index>(i)).cwiseAbs().maxCoeff());
    target.type = largest <= halfMargin ? formats::NpyType::F16 : formats::NpyType::F32;
}

Result<void> CaptureStore::write(const BatchRows& batch)
{
    if (!m_open) {
        for (std::size_t a = 0; a < m_targets.size(); ++a)
            chooseType(m_targets[a], batch.rows, batch.activations[a]);
        for (std::size_t s = 0; s < m_cloze.size(); ++s)
            chooseType(m_cloze[s], batch.rows, batch.cloze[s]);
        LODESTONE_CHECK(openArrays(false));
    }
    for (std::size_t a = 0; a < m_targets.size(); ++a)
        LODESTONE_CHECK(writeStates(m_targets[a], batch.rows, batch.activations[a]));
    for (std::size_t s = 0; s < m_cloze.size(); ++s)
        LODESTONE_CHECK(writeStates(m_cloze[s], batch.rows, batch.cloze[s]));
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        const auto row = static_cast<std::size_t>(batch.rows[i]);
        const auto place = static_cast<Eigen::Index>(i);
        if (m_likelihoodWriter)
            LODESTONE_CHECK(m_likelihoodWriter->writeRow(row, { batch.likelihoods.row(place).data(), 3 }));
    }
    m_unsynced.push_back(batch.rows);
    return {};
}

Result<void> CaptureStore::writeStates(Target& target, const std::vector<int>& rows, const RowMatrix& values)
{
    // The whole batch is looked at before a row of it is written, so that a resumed capture widens at the
    // same row.
    bool fits = true;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (static_cast<std::size_t>(rows[i]) >= target.info.rows)
            continue;
        const auto row = values.row(static_cast<Eigen::Index>(i));
        if (!row.allFinite())
            return badInput(
                "finite activations", "NaN or infinity",
                fmt::format(
                    "response '{}', {}", m_set.responses[static_cast<std::size_t>(rows[i])].id, target.what));
        fits = fits && row.cwiseAbs().maxCoeff() <= halfLimit;
    }
    if (!fits && target.type == formats::NpyType::F16) {
        LODESTONE_CHECK(sync());
        LODESTONE_CHECK(widen(target));
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (const auto row = static_cast<std::size_t>(rows[i]); row < target.info.rows)
            LODESTONE_CHECK(target.writer.writeRow(
                row, { values.row(static_cast<Eigen::Index>(i)).data(), m_form.width }));
    return {};
}

/// A value is too large for float16 after all: the array goes on as float32.
Result<void> CaptureStore::widen(Target& target)
{
    const std::filesystem::path path = m_folder / target.info.file;
    LODESTONE_TRY(const formats::NpyArray old, formats::NpyArray::open(path));
    LODESTONE_CHECK(formats::writeNpy(path, old.toFloat(), formats::NpyType::F32));
    target.type = formats::NpyType::F32;
    LODESTONE_TRY(
        target.writer,
        formats::NpyWriter::create(path, target.type, { target.info.rows, m_form.width }, true));
    return writeFileAtomically(m_folder / "capture.json", dump(manifest()));
}

Result<void> CaptureStore::sync()
{
    if (m_unsynced.empty())
        return {};
    for (std::vector<Target>* targets : { &m_targets, &m_cloze })
        for (Target& target : *targets)
            LODESTONE_CHECK(target.writer.sync());
    if (m_likelihoodWriter)
        LODESTONE_CHECK(m_likelihoodWriter->sync());
    std::ofstream journal(m_folder / "capture.journal", std::ios::app);
    for (const std::vector<int>& rows : m_unsynced) {
        journal << json(rows).dump() << '\n';
        for (const int row : rows)
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

Result<RowMatrix> CaptureStore::clozeStates(std::size_t suffix) const
{
    LODESTONE_TRY(
        const formats::NpyArray array,
        formats::NpyArray::open(m_folder / clozeFile(m_form.suffixes.at(suffix))));
    return array.toFloat();
}

Result<void> CaptureStore::finish(const json& words)
{
    json result = manifest();
    result["words"] = words;
    LODESTONE_CHECK(writeFileAtomically(m_folder / "study.json", dump(result)));
    std::error_code ignored;
    std::filesystem::remove(m_folder / "capture.json", ignored);
    std::filesystem::remove(m_folder / "capture.journal", ignored);
    return {};
}

} // namespace lodestone::data
