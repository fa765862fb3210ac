// A study is a folder that numpy and jq can read: texts, activations, likelihoods and cloze states of one
// model.
#pragma once

#include "core/base/fingerprint.h"
#include "core/base/layer.h"
#include "core/data/cloze.h"
#include "core/data/response_set.h"
#include "core/formats/npy.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

namespace lodestone::data {

using formats::RowMatrix;

/// Where in a response the residual stream was taken.
enum class Position {
    Mean, ///< mean over the response's tokens
    Last ///< at its last token
};
std::string positionName(Position position); ///< "mean", "last"
Result<Position> parsePosition(const std::string& name);

nlohmann::json layerToJson(Layer layer); ///< {"kind":"embedding"} or {"kind":"block","index":k}
Result<Layer> layerFromJson(const nlohmann::json& json, const std::string& where);

/// The model that read the study.
struct StudyModel {
    std::string name, sha256, architecture;
    int blocks = 0, width = 0;
};

/// Training and held-out prompts: a share of the groups, drawn with a seed, balanced over values.
struct SplitSpec {
    std::uint64_t seed = 0;
    double trainFraction = 0.6;
};

/// Log-probabilities of the responses, natural log.
struct Likelihood {
    double given = std::numeric_limits<double>::quiet_NaN(); ///< log p(response | prompt), summed over tokens
    double alone = std::numeric_limits<double>::quiet_NaN(); ///< log p(response) after the words that open an
                                                             ///< assistant's turn
    double tokens = 0;
};

/// A word that can be scored on the cloze states without the model.
struct Word {
    std::string text; ///< without the leading blank
    int row = 0; ///< in the table of unembedding rows
    bool whole = true; ///< false: the row is that of the word's first token
};

struct ArrayInfo {
    Layer layer;
    Position position = Position::Mean;
    std::string file;
    std::size_t rows = 0; ///< the first rows of the study that it holds
    std::string type;
};

/// An opened study. Immutable; safe to share between threads. Arrays are mapped and read on demand.
class Study {
public:
    /// Opens a folder: finished (study.json) or half-written (capture.json and its journal), then as what is
    /// complete.
    static Result<std::shared_ptr<const Study>> open(const std::filesystem::path& folder);

    const std::filesystem::path& folder() const { return m_folder; }
    const std::string& name() const { return m_name; }
    const ResponseSet& set() const { return m_set; }
    const StudyModel& model() const { return m_model; }
    const SplitSpec& split() const { return m_split; }
    std::uint64_t seed() const { return m_seed; }
    const std::vector<ArrayInfo>& arrays() const { return m_arrays; }
    std::vector<Layer> layers() const; ///< distinct, in order
    std::vector<Position> positions() const;
    const std::vector<ClozeSuffix>& suffixes() const { return m_suffixes; }
    const std::vector<Word>& words() const { return m_words; }
    const std::optional<std::string>& incomplete() const
    {
        return m_incomplete;
    } ///< why, for a half-written study
    Fingerprint fingerprint() const
    {
        return m_fingerprint;
    } ///< of texts, labels, model and the list of arrays

    bool has(Layer layer, Position position) const { return info(layer, position) != nullptr; }
    /// Activations [rows, width] of the first `rows` responses at a layer; error when the study has none.
    Result<RowMatrix> activations(Layer layer, Position position) const;
    /// How many of the responses have activations at this layer.
    std::size_t rowsAt(Layer layer, Position position) const;
    Result<std::vector<Likelihood>>
    likelihoods() const; ///< one per response; error when they were not captured
    /// Hidden states after the final norm at the end of a suffix. Shape [responses, width].
    Result<RowMatrix> clozeStates(std::size_t suffix) const;
    Result<RowMatrix> wordRows() const; ///< unembedding rows of words(), shape [words, width]

private:
    friend class StudyReader;
    Study() = default;
    const ArrayInfo* info(Layer layer, Position position) const;
    Result<RowMatrix> array(const std::string& file, std::size_t rows) const;
    Result<RowMatrix> finiteArray(const std::string& file, std::size_t rows) const;

    std::filesystem::path m_folder;
    std::string m_name;
    ResponseSet m_set;
    StudyModel m_model;
    SplitSpec m_split;
    std::uint64_t m_seed = 0;
    std::vector<ArrayInfo> m_arrays;
    std::vector<ClozeSuffix> m_suffixes;
    std::vector<std::string> m_clozeFiles;
    std::string m_likelihoodFile, m_wordFile;
    std::vector<Word> m_words;
    std::size_t m_rows = 0; ///< responses on disk; a half-written study's set() holds fewer
    std::vector<int> m_kept; ///< of a half-written study: the finished rows
    std::optional<std::string> m_incomplete;
    Fingerprint m_fingerprint;
};

/// The texts as prompts.jsonl, responses.jsonl and pairs.jsonl.
Result<void> writeTexts(const std::filesystem::path& folder, const ResponseSet& set);
Result<ResponseSet>
readTexts(const std::filesystem::path& folder, const nlohmann::json& manifest, const std::string& where);

} // namespace lodestone::data
