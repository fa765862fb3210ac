// What a model answered, kept by (model, way, text put to it), so that an edit undone is instant and a study
// can ship the answers of its bench.
#pragma once

#include "core/constitution/contrast.h"
#include "core/data/study.h"

#include <map>
#include <optional>

namespace lodestone::constitution {

/// One text put to the model after every reply, and the words between whose odds its answer lies; or any
/// other text that gives one number per reply.
struct Question {
    std::string way; ///< the kind of reading: "yes-no", "implicit-reward"
    std::string text; ///< what the model reads, or the request it is given
    std::string userTurn; ///< not empty: said by the user after the closed reply; `text` opens the answer
    std::vector<std::string> positive, negative; ///< answers; empty where the number is no log-odds

    /// Identifies the question for a model of this SHA-256.
    Fingerprint key(const std::string& modelSha256) const;
};

/// Answers in memory, loaded from and saved to a folder: answers.json (a list of what was asked),
/// answers.npy ([questions, responses], float32, NaN where not asked) and contrasts.npy
/// ([contrasts x layers, width]). Copy to change; sharing is safe.
class AnswerStore {
public:
    explicit AnswerStore(std::string modelSha256 = {}, std::size_t responses = 0)
        : m_sha256(std::move(modelSha256))
        , m_responses(responses)
    {
    }

    /// An empty store when the folder has none. Errors: a damaged file, answers of another model or of
    /// another number of responses.
    static Result<AnswerStore>
    open(const std::filesystem::path& folder, const std::string& modelSha256, std::size_t responses);
    /// Writes the three files by renaming, the list last.
    Result<void> save(const std::filesystem::path& folder) const;

    /// The answer, one number per response (NaN: not asked); null when nobody asked.
    const Eigen::VectorXf* find(const Question& question) const;
    void put(const Question& question, Eigen::VectorXf answer);
    const Contrast* findContrast(const Question& question) const;
    void putContrast(const Question& question, Contrast contrast);

    /// Takes what `other` has and this has not.
    void merge(const AnswerStore& other);
    std::size_t size() const { return m_answers.size() + m_contrasts.size(); }
    std::size_t responses() const { return m_responses; }
    const std::string& modelSha256() const { return m_sha256; }

private:
    struct Answer {
        Question question;
        Eigen::VectorXf values;
    };
    struct Kept {
        Question question;
        Contrast contrast;
    };
    std::string m_sha256;
    std::size_t m_responses = 0;
    std::map<std::uint64_t, Answer> m_answers;
    std::map<std::uint64_t, Kept> m_contrasts;
};

/// Where answers about a study are kept beside it: its folder's `judgments`.
std::filesystem::path shippedAnswers(const data::Study& study);
/// Where a user's answers about a study are kept: the cache, by the study's fingerprint.
std::filesystem::path cachedAnswers(const data::Study& study);

} // namespace lodestone::constitution
