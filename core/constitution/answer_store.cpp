#include "core/constitution/answer_store.h"

#include "core/base/files.h"
#include "core/formats/lines.h"

#include <cmath>
#include <fmt/format.h>

namespace lodestone::constitution {
namespace {

using nlohmann::json;

constexpr const char* listFile = "answers.json";
constexpr const char* answersFile = "answers.npy";
constexpr const char* contrastsFile = "contrasts.npy";

nlohmann::ordered_json questionJson(const Question& question)
{
    nlohmann::ordered_json result{ { "way", question.way }, { "text", question.text } };
    if (!question.userTurn.empty())
        result["user_turn"] = question.userTurn;
    if (!question.positive.empty())
        result["positive"] = question.positive;
    if (!question.negative.empty())
        result["negative"] = question.negative;
    return result;
}

Question questionOf(const json& entry)
{
    Question question;
    question.way = entry.at("way").get<std::string>();
    question.text = entry.at("text").get<std::string>();
    question.userTurn = entry.value("user_turn", std::string());
    question.positive = entry.value("positive", std::vector<std::string>());
    question.negative = entry.value("negative", std::vector<std::string>());
    return question;
}

/// Four digits are more than an interval over a hundred contrasts can tell.
nlohmann::ordered_json numbersOf(const Eigen::VectorXd& values)
{
    using ordered = nlohmann::ordered_json;
    ordered list = ordered::array();
    for (const double value : values)
        list.push_back(std::isfinite(value) ? ordered(std::round(value * 1e4) / 1e4) : ordered(nullptr));
    return list;
}

Eigen::VectorXd vectorOf(const json& list, Eigen::Index size)
{
    Eigen::VectorXd values = Eigen::VectorXd::Constant(size, std::numeric_limits<double>::quiet_NaN());
    for (Eigen::Index i = 0; i < std::min<Eigen::Index>(size, static_cast<Eigen::Index>(list.size())); ++i)
        if (list[static_cast<std::size_t>(i)].is_number())
            values[i] = list[static_cast<std::size_t>(i)].get<double>();
    return values;
}

/// Beside the target, then renamed: a reader never sees half an array.
Result<void>
writeArray(const std::filesystem::path& path, const formats::RowMatrix& matrix, formats::NpyType type)
{
    const std::filesystem::path beside = path.string() + ".new";
    LODESTONE_CHECK(formats::writeNpy(beside, matrix, type));
    std::error_code error;
    std::filesystem::rename(beside, path, error);
    if (error)
        return fail(ErrorKind::Failed, "to save answers", error.message(), path.string());
    return {};
}

} // namespace

Fingerprint Question::key(const std::string& modelSha256) const
{
    Fingerprint print;
    print.add(modelSha256).add(way).add(text).add(userTurn);
    for (const auto* words : { &positive, &negative }) {
        print.add(words->size());
        for (const std::string& word : *words)
            print.add(word);
    }
    return print;
}

Result<AnswerStore>
AnswerStore::open(const std::filesystem::path& folder, const std::string& modelSha256, std::size_t responses)
{
    AnswerStore store(modelSha256, responses);
    std::error_code error;
    const auto path = folder / listFile;
    if (!std::filesystem::exists(path, error))
        return store;
    LODESTONE_TRY(const json document, formats::readJson(path));
    try {
        if (document.at("format") != "lodestone-answers" || document.at("version") != 1)
            return badInput(
                "format lodestone-answers, version 1", document.at("format").dump(), path.string());
        if (document.at("model") != modelSha256 || document.at("responses") != responses)
            return badInput(
                fmt::format("answers of the study's model about its {} responses", responses),
                fmt::format(
                    "those of model {} about {}", document.at("model").get<std::string>().substr(0, 12),
                    document.at("responses").dump()),
                path.string());
        if (!document.at("answers").empty()) {
            LODESTONE_TRY(const auto array, formats::NpyArray::open(folder / answersFile));
            if (array.rows() < document.at("answers").size() || array.rowItems() != responses)
                return badInput(
                    fmt::format("{} rows of {} numbers", document.at("answers").size(), responses),
                    fmt::format("{} of {}", array.rows(), array.rowItems()), (folder / answersFile).string());
            const formats::RowMatrix rows = array.toFloat();
            Eigen::Index row = 0;
            for (const json& entry : document.at("answers"))
                store.put(questionOf(entry), rows.row(row++).transpose());
        }
        if (!document.at("contrasts").empty()) {
            LODESTONE_TRY(const auto array, formats::NpyArray::open(folder / contrastsFile));
            const formats::RowMatrix rows = array.toFloat();
            Eigen::Index row = 0;
            for (const json& entry : document.at("contrasts")) {
                Contrast contrast;
                for (const json& layer : entry.at("layers")) {
                    LODESTONE_TRY(const Layer each, data::layerFromJson(layer, path.string()));
                    contrast.layers.push_back(each);
                }
                const auto layers = static_cast<Eigen::Index>(contrast.layers.size());
                if (row + layers > rows.rows())
                    return badInput(
                        fmt::format("at least {} rows", row + layers), std::to_string(rows.rows()),
                        (folder / contrastsFile).string());
                contrast.delta = rows.middleRows(row, layers);
                if (!contrast.delta.allFinite())
                    return badInput(
                        "finite displacements", "NaN or infinity", (folder / contrastsFile).string());
                row += layers;
                contrast.items = entry.at("items");
                contrast.heldOutCorrelation = vectorOf(entry.at("held_out_correlation"), layers);
                contrast.templateAgreement = vectorOf(entry.at("template_agreement"), layers);
                contrast.poleSymmetry = vectorOf(entry.at("pole_symmetry"), layers);
                contrast.shareOfVariance = vectorOf(entry.at("share_of_variance"), layers);
                contrast.normAgainstRandom = vectorOf(entry.at("norm_against_random"), layers);
                store.putContrast(questionOf(entry), std::move(contrast));
            }
        }
    } catch (const json::exception& problem) {
        return badInput("a list of answers", problem.what(), path.string());
    }
    return store;
}

Result<void> AnswerStore::save(const std::filesystem::path& folder) const
{
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        return fail(ErrorKind::Failed, "to create a folder for answers", error.message(), folder.string());
    nlohmann::ordered_json answers = nlohmann::ordered_json::array(),
                           contrasts = nlohmann::ordered_json::array();
    formats::RowMatrix rows(
        static_cast<Eigen::Index>(m_answers.size()), static_cast<Eigen::Index>(m_responses));
    Eigen::Index row = 0;
    for (const auto& [key, answer] : m_answers) {
        rows.row(row++) = answer.values.transpose();
        answers.push_back(questionJson(answer.question));
    }
    Eigen::Index total = 0, width = 0;
    for (const auto& [key, kept] : m_contrasts) {
        total += kept.contrast.delta.rows();
        width = kept.contrast.delta.cols();
    }
    formats::RowMatrix displacements(total, width);
    row = 0;
    for (const auto& [key, kept] : m_contrasts) {
        const Contrast& contrast = kept.contrast;
        displacements.middleRows(row, contrast.delta.rows()) = contrast.delta;
        row += contrast.delta.rows();
        nlohmann::ordered_json entry = questionJson(kept.question);
        entry["items"] = contrast.items;
        entry["layers"] = nlohmann::ordered_json::array();
        for (const Layer layer : contrast.layers)
            entry["layers"].push_back(nlohmann::ordered_json(data::layerToJson(layer)));
        entry["held_out_correlation"] = numbersOf(contrast.heldOutCorrelation);
        entry["template_agreement"] = numbersOf(contrast.templateAgreement);
        entry["pole_symmetry"] = numbersOf(contrast.poleSymmetry);
        entry["share_of_variance"] = numbersOf(contrast.shareOfVariance);
        entry["norm_against_random"] = numbersOf(contrast.normAgainstRandom);
        contrasts.push_back(std::move(entry));
    }
    if (rows.rows() > 0)
        LODESTONE_CHECK(writeArray(folder / answersFile, rows, formats::NpyType::F32));
    if (total > 0) {
        const bool half = displacements.cwiseAbs().maxCoeff() < 4094;
        LODESTONE_CHECK(writeArray(
            folder / contrastsFile, displacements, half ? formats::NpyType::F16 : formats::NpyType::F32));
    }
    const nlohmann::ordered_json document{ { "format", "lodestone-answers" },
                                           { "version", 1 },
                                           { "model", m_sha256 },
                                           { "responses", m_responses },
                                           { "answers", std::move(answers) },
                                           { "contrasts", std::move(contrasts) } };
    return writeFileAtomically(
        folder / listFile, document.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

const Eigen::VectorXf* AnswerStore::find(const Question& question) const
{
    const auto found = m_answers.find(question.key(m_sha256).value());
    return found == m_answers.end() ? nullptr : &found->second.values;
}

void AnswerStore::put(const Question& question, Eigen::VectorXf answer)
{
    m_answers[question.key(m_sha256).value()] = { question, std::move(answer) };
}

const Contrast* AnswerStore::findContrast(const Question& question) const
{
    const auto found = m_contrasts.find(question.key(m_sha256).value());
    return found == m_contrasts.end() ? nullptr : &found->second.contrast;
}

void AnswerStore::putContrast(const Question& question, Contrast contrast)
{
    m_contrasts[question.key(m_sha256).value()] = { question, std::move(contrast) };
}

void AnswerStore::merge(const AnswerStore& other)
{
    m_answers.insert(other.m_answers.begin(), other.m_answers.end());
    m_contrasts.insert(other.m_contrasts.begin(), other.m_contrasts.end());
}

std::filesystem::path shippedAnswers(const data::Study& study) { return study.folder() / "judgments"; }

std::filesystem::path cachedAnswers(const data::Study& study)
{
    return userCacheFolder() / "answers" / study.fingerprint().hex();
}

} // namespace lodestone::constitution
