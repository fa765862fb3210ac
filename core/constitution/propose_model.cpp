// What a model would call a reply that follows a principle, and one that breaks it.
#include "core/constitution/propose.h"
#include "core/model/language_model.h"

#include <algorithm>
#include <array>
#include <set>

namespace lodestone::constitution {
namespace {

constexpr std::size_t mostCandidates = 100; ///< likeliest words that are looked at
constexpr const char* neutralText = "Reply to what was asked.";

/// Words that name no quality, whatever the model thinks of them.
constexpr std::array<std::string_view, 118> functionWords{
    "the",    "and",   "but",    "for",   "nor",    "yet",    "with",    "from",    "into",     "that",
    "this",   "these", "those",  "which", "who",    "whom",   "whose",   "what",    "when",     "where",
    "why",    "how",   "not",    "all",   "any",    "both",   "each",    "few",     "more",     "most",
    "other",  "some",  "such",   "only",  "own",    "same",   "than",    "too",     "very",     "can",
    "will",   "just",  "should", "would", "could",  "may",    "might",   "must",    "shall",    "has",
    "have",   "had",   "was",    "were",  "are",    "been",   "being",   "does",    "did",      "done",
    "one",    "two",   "three",  "first", "second", "you",    "your",    "yours",   "they",     "them",
    "their",  "his",   "her",    "its",   "our",    "she",    "him",     "out",     "off",      "over",
    "under",  "again", "then",   "once",  "here",   "there",  "about",   "also",    "often",    "usually",
    "always", "never", "called", "known", "word",   "words",  "reply",   "answer",  "response", "principle",
    "likely", "still", "now",    "even",  "ever",   "either", "neither", "because", "while",    "using",
    "used",   "made",  "given",  "said",  "based",  "well",   "much",    "like",
};

bool isCandidate(std::string_view piece)
{
    return piece.size() >= 4 && piece.front() == ' '
        && std::all_of(piece.begin() + 1, piece.end(), [](char c) { return c >= 'a' && c <= 'z'; })
        && std::find(functionWords.begin(), functionWords.end(), piece.substr(1)) == functionWords.end();
}

/// How much likelier the principle makes each candidate, for one of the two questions.
struct Lift {
    std::string word;
    double here = 0; ///< in this question
    double there = 0; ///< in the other one
};

} // namespace

std::string poleQuestion(const model::LanguageModel& model, const std::string& text, bool follows)
{
    const std::string user = "Somebody was told: \"" + (text.empty() ? neutralText : text) + "\" They did "
        + (follows ? "so" : "the opposite") + ". Describe their reply in one word.";
    return model.chatTemplate().prompt({ { "user", user } }) + "Their reply was very";
}

Result<PoleProposal> proposeByModel(
    const std::string& text, model::LanguageModel& model, const Opposites& opposites,
    const std::vector<std::string>& words, const Work& work)
{
    if (text.find_first_not_of(" \t\r\n") == std::string::npos)
        return badInput("a principle with a text", "an empty one", "pole words");
    // Both questions about the principle, then both about the neutral text.
    std::vector<model::Request> requests;
    for (const std::string& about : { text, std::string() })
        for (const bool follows : { true, false }) {
            model::Request request;
            request.tokens
                = model.tokenizer().encode(poleQuestion(model, about, follows), text::Special::Parse);
            request.logits = true;
            if (request.tokens.size() > static_cast<std::size_t>(model.config().context))
                return badInput(
                    "a text that fits the model's context of " + std::to_string(model.config().context)
                        + " tokens",
                    std::to_string(request.tokens.size()), "pole words");
            requests.push_back(std::move(request));
        }
    work.tell({ "Proposing pole words", 0, 0, 0, {}, -1 });
    LODESTONE_TRY(const auto answers, model.read(requests, {}, Work{ work.stop, {} }));

    const std::set<std::string> allowed(words.begin(), words.end());
    const text::Tokenizer& tokenizer = model.tokenizer();
    std::vector<text::TokenId> ids;
    for (text::TokenId id = 0; id < model.config().vocabulary; ++id) {
        if (!tokenizer.contains(id) || tokenizer.isSpecial(id))
            continue;
        const std::string_view piece = tokenizer.piece(id);
        if (isCandidate(piece) && (allowed.empty() || allowed.count(std::string(piece.substr(1))) > 0))
            ids.push_back(id);
    }
    const PoleProposal named = proposeByTemplates(text, opposites);
    // Said on the other side by the text, or the opposite of what it says on this one.
    const auto isAgainst = [&](const std::string& word, bool positive) {
        const auto& own = positive ? named.positive : named.negative;
        const auto& other = positive ? named.negative : named.positive;
        return std::find(other.begin(), other.end(), word) != other.end()
            || std::any_of(own.begin(), own.end(), [&](const std::string& each) {
                   return opposites.areOpposite(word, each);
               });
    };
    PoleProposal proposal;
    proposal.way = "model";
    for (const bool positive : { true, false }) {
        const std::size_t question = positive ? 0 : 1, other = 1 - question;
        const Eigen::VectorXf& asked = answers[question].nextLogProbabilities;
        const auto lift = [&](std::size_t which, text::TokenId id) {
            return static_cast<double>(answers[which].nextLogProbabilities[id])
                - static_cast<double>(answers[which + 2].nextLogProbabilities[id]);
        };
        std::vector<text::TokenId> likely = ids;
        std::sort(likely.begin(), likely.end(), [&](text::TokenId a, text::TokenId b) {
            return asked[a] != asked[b] ? asked[a] > asked[b] : a < b;
        });
        likely.resize(std::min(likely.size(), mostCandidates));
        std::vector<Lift> lifts;
        lifts.reserve(likely.size());
        for (const text::TokenId id : likely)
            lifts.push_back(
                { std::string(tokenizer.piece(id).substr(1)), lift(question, id), lift(other, id) });
        std::stable_sort(
            lifts.begin(), lifts.end(), [](const Lift& a, const Lift& b) { return a.here > b.here; });
        auto& pole = positive ? proposal.positive : proposal.negative;
        auto& odds = positive ? proposal.positiveLogOdds : proposal.negativeLogOdds;
        std::set<std::string> seen;
        for (const Lift& one : lifts) {
            if (pole.size() >= mostProposed || !(one.here > 0))
                break;
            // What both questions raise alike goes to one pole only.
            const bool mine = positive ? one.here >= one.there : one.here > one.there;
            if (!mine || isAgainst(one.word, positive) || !seen.insert(one.word).second)
                continue;
            // A word and its opposite, or two of one stem ("selfless", "selfish"), do not make a pole.
            if (std::any_of(pole.begin(), pole.end(), [&](const std::string& each) {
                    return opposites.areOpposite(one.word, each)
                        || (one.word.size() > 4 && one.word.compare(0, 5, each, 0, 5) == 0);
                }))
                continue;
            pole.push_back(one.word);
            odds.push_back(one.here);
        }
    }
    if (!proposal.usable())
        proposal.problem = proposal.positive.empty() && proposal.negative.empty()
            ? "The model's words for such replies hardly change with this text."
            : proposal.positive.empty() ? "The model names no word for a reply that follows this text."
                                        : "The model names no word for a reply that breaks this text.";
    return proposal;
}

} // namespace lodestone::constitution
