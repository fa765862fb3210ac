// Ways from a principle's words to judgments of every response: what the model itself says about them.
#pragma once

#include "core/base/progress.h"
#include "core/constitution/constitution.h"
#include "core/constitution/contrast.h"
#include "core/data/study.h"

#include <Eigen/Core>
#include <functional>
#include <map>
#include <memory>
#include <span>

namespace lodestone::model {
class ContextStore;
class LanguageModel;
} // namespace lodestone::model

namespace lodestone::constitution {

/// What a way finds (docs/theory.md 8.2).
enum class Yields {
    ReadOut, ///< one judgment per response, on which a read-out is regressed
    Displacement ///< a move of the residual stream, which becomes a read-out by Sigma^{-1}
};
std::string yieldsName(Yields yields); ///< "read-out", "displacement"

/// One judgment per response, higher towards the positive pole; or a displacement.
struct Judged {
    Eigen::VectorXd scores; ///< [responses], log-odds (natural log); NaN where not judged yet
    Eigen::MatrixXd perSuffix; ///< [responses, suffixes], for ways that average over suffixes; else empty
    std::vector<std::string> unknown; ///< pole words that could not be scored
    Eigen::VectorXd positiveAlone,
        negativeAlone; ///< [responses] what each pole says by itself, both higher
                       ///< the more it applies; empty where a way has one pole only
    std::shared_ptr<const Contrast> contrast; ///< of a displacement; then `scores` is empty
};

/// Hears partial results: scores so far (NaN where missing).
using PartialSink = std::function<void(const Judged&)>;

/// A way from words to judgments.
class Elicitation {
public:
    virtual ~Elicitation() = default;
    virtual std::string name() const = 0; ///< "cloze": the command line's word
    virtual std::string description() const = 0; ///< one sentence for people
    virtual bool needsModel() const = 0;
    virtual Yields yields() const { return Yields::ReadOut; }
    virtual Result<Judged>
    judge(const Principle& principle, const Work& work = {}, const PartialSink& partial = {}) const = 0;
};

/// The cloze ensemble on stored states: the log-odds of the positive against the negative words (difference
/// of the two logsumexps of their logits), averaged over the neutral suffixes. No model is needed for words
/// of the study's table; words that a model supplied are kept beside it. Immutable once shared; O(N d words
/// suffixes) per call.
class ClozeElicitation final : public Elicitation {
public:
    /// Reads states and word rows of a study. Error when the study has none.
    static Result<std::shared_ptr<ClozeElicitation>> open(const data::Study& study);

    std::string name() const override { return "cloze"; }
    std::string description() const override;
    bool needsModel() const override { return false; }
    /// Error when a pole has no word that can be scored.
    Result<Judged>
    judge(const Principle& principle, const Work& work = {}, const PartialSink& partial = {}) const override;

    /// log p(a word of the pole | response) among the words of the table, for either pole by itself (mean
    /// over the suffixes). Shapes [responses]. Costs a product with the whole table, unlike `judge`.
    std::pair<Eigen::VectorXd, Eigen::VectorXd> polesAlone(const Principle& principle) const;

    bool knows(const std::string& word) const; ///< by one row of the unembedding
    /// Words of a principle for which a model is needed: those that neither the table nor an earlier look-up
    /// can score. A word of several tokens counts by its first one where no other word of the principle and
    /// no word of the table begins with it; else the model continues the suffix with it after every response.
    std::vector<std::string> wordsToAsk(const Principle& principle) const;
    /// Changes whenever judge() would say something else about this principle.
    std::uint64_t knowledgeOf(const Principle& principle) const;
    /// Words of the table that start with a prefix, in table order, at most `limit`.
    std::vector<std::string> completions(const std::string& prefix, std::size_t limit) const;
    /// The table's words likeliest for a response, with their log-probabilities among the table's words.
    std::vector<std::pair<std::string, double>> wordsFor(int response, std::size_t limit) const;
    /// A copy that also knows these words, from a model (its unembedding row of the first token, where that
    /// is theirs alone among all words asked for). Words that the model cannot score by one row are returned
    /// in `unknown`.
    Result<std::shared_ptr<ClozeElicitation>> withWords(
        const model::LanguageModel& model, const std::vector<std::string>& words,
        std::vector<std::string>& unknown) const;

    /// A copy that can score all words of these principles: looked up, and where their first token is not
    /// theirs alone continued by the model, 32 well-spread responses first; `partial` hears of every batch.
    /// Errors: another model than the study's; cancellation.
    Result<std::shared_ptr<ClozeElicitation>> withAllWords(
        model::LanguageModel& model, const data::Study& study, const std::vector<Principle>& principles,
        const Work& work = {},
        const std::function<void(const std::shared_ptr<ClozeElicitation>&)>& partial = {}) const;

    const std::vector<std::string>& words() const { return m_order; } ///< of the study's table, in order
    /// Logits of words of the table (indices into words()) after the listed responses and one suffix. Shape
    /// [rows, words]. For one word a pole's score is its logit.
    Eigen::MatrixXf logits(std::size_t suffix, std::span<const int> rows, std::span<const int> words) const;

    /// Cosines of the table's words with the given ones, by unembedding rows less the mean row of the table.
    /// Shape [words(), given]; NaN where a word has no row of its own, and for words() that a model looked
    /// up.
    Eigen::MatrixXf similarities(std::span<const std::string> given) const;

    std::size_t responses() const
    {
        return m_states.empty() ? 0 : static_cast<std::size_t>(m_states[0].rows());
    }
    const std::vector<data::ClozeSuffix>& suffixes() const { return m_suffixes; }

private:
    /// A word that a model looked up.
    struct Extra {
        std::vector<int> tokens; ///< empty: the model cannot write it
        int row = -1; ///< of the first token, in m_rows
        bool beginsTableWord = false; ///< the first token is itself a word of the study's table
        data::RowMatrix continuation; ///< [N, suffixes] log p(later tokens | response, suffix, first token);
                                      ///< NaN where not read, empty when nobody asked
        std::size_t continued = 0; ///< responses read
    };
    const Extra* extra(const std::string& word) const;
    /// The first token of an extra word is its own among the principle's words and the table's.
    bool isAlone(const std::string& word, const Extra& extra, const Principle& principle) const;
    Result<void> lookUp(const model::LanguageModel& model, const std::vector<std::string>& words);

    std::vector<data::ClozeSuffix> m_suffixes;
    std::vector<data::RowMatrix> m_states; ///< per suffix [N, d]
    data::RowMatrix m_rows; ///< [words, d]
    std::map<std::string, int> m_rowOf; ///< words that are one token
    std::vector<std::string> m_order;
    Eigen::Index m_tableRows = 0; ///< the first ones of m_rows; the others were looked up
    std::map<std::string, Extra> m_extra;
};

/// The conditioned cloze: "Principle: <text> Judged by this principle, in one word, this reply was", good
/// against bad words. The text itself counts, so every response is asked again; 32 well-spread responses come
/// first.
class ConditionedCloze final : public Elicitation {
public:
    /// `contexts`: of the study's replies, which are then read once for all texts; null: read every time.
    ConditionedCloze(
        std::shared_ptr<const data::Study> study, model::LanguageModel& model,
        std::shared_ptr<model::ContextStore> contexts = {})
        : m_study(std::move(study))
        , m_model(model)
        , m_contexts(std::move(contexts))
    {
    }
    std::string name() const override { return "conditioned-cloze"; }
    std::string description() const override;
    bool needsModel() const override { return true; }
    Result<Judged>
    judge(const Principle& principle, const Work& work = {}, const PartialSink& partial = {}) const override;

private:
    std::shared_ptr<const data::Study> m_study;
    model::LanguageModel& m_model;
    std::shared_ptr<model::ContextStore> m_contexts;
};

/// The words that stand for "yes, it follows" and "no" in ways that judge by a text: good against bad.
const Principle& verdictWords();

/// Indices 0 .. n-1 so ordered that every prefix is spread over the whole (van der Corput order).
std::vector<int> spreadOrder(int n);

} // namespace lodestone::constitution
