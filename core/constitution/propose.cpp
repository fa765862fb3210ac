// The templates: which words of a sentence ask for a pole, and which forbid one.
#include "core/constitution/propose.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace lodestone::constitution {
namespace {

/// Pieces of a sentence: words in lower case, commas, and what ends a clause.
struct Piece {
    enum class Kind { Word, Comma, End } kind = Kind::Word;
    std::string word;
};

template <std::size_t N>
bool isOneOf(const std::array<std::string_view, N>& list, std::string_view word)
{
    return std::find(list.begin(), list.end(), word) != list.end();
}

constexpr std::array<std::string_view, 23> negators{
    "never",   "not",  "no",       "don't",    "dont", "cannot",   "avoid",   "avoids",
    "without", "nor",  "neither",  "nothing",  "fail", "fails",    "refrain", "hesitate",
    "afraid",  "less", "avoiding", "minimise", "stop", "minimize", "omit",
};
constexpr std::array<std::string_view, 12> copulas{
    "be", "being", "is", "are", "sound", "sounds", "seem", "seems", "stay", "remain", "remains", "appear",
};
/// What may be told to be so: "the reply is", "say what is". Of anything else nothing is asked.
constexpr std::array<std::string_view, 21> subjects{
    "reply",  "replies",   "response", "responses", "answer",  "answers", "text",
    "output", "assistant", "model",    "ai",        "it",      "that",    "which",
    "what",   "message",   "you",      "tone",      "wording", "always",  "should",
};
constexpr std::array<std::string_view, 26> askingVerbs{
    "prefer",  "favour", "favor", "choose", "select",  "pick",   "value", "show",  "give",
    "keep",    "make",   "use",   "tell",   "say",     "speak",  "write", "treat", "answer",
    "respond", "reply",  "act",   "offer",  "provide", "strive", "aim",   "try",
};
constexpr std::array<std::string_view, 14> conditions{
    "if",      "when",    "whenever", "while",    "unless", "although", "though",
    "because", "whether", "where",    "wherever", "who",    "whom",     "matter",
};
/// What stands after them says something of others than the reply.
constexpr std::array<std::string_view, 17> prepositions{
    "to", "about", "on",        "for", "from", "at",     "against", "towards", "toward",
    "of", "in",    "regarding", "by",  "into", "around", "between", "under",
};

std::vector<Piece> piecesOf(const std::string& text)
{
    std::vector<Piece> pieces;
    std::string word;
    const auto flush = [&] {
        while (!word.empty() && (word.back() == '\'' || word.back() == '-'))
            word.pop_back();
        if (!word.empty())
            pieces.push_back({ Piece::Kind::Word, std::exchange(word, {}) });
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (text.compare(i, 3, "\xe2\x80\x99") == 0) { // a typeset apostrophe
            word += '\'';
            i += 2;
        } else if (text.compare(i, 3, "\xe2\x80\x93") == 0 || text.compare(i, 3, "\xe2\x80\x94") == 0) {
            flush(); // a dash
            pieces.push_back({ Piece::Kind::End, {} });
            i += 2;
        } else if (
            std::isalpha(byte) != 0 || byte >= 0x80u || ((byte == '\'' || byte == '-') && !word.empty()))
            word += static_cast<char>(std::tolower(byte));
        else {
            flush();
            if (byte == ',' || byte == '(' || byte == ')' || byte == '/')
                pieces.push_back({ Piece::Kind::Comma, {} });
            else if (byte == '.' || byte == ':' || byte == ';' || byte == '!' || byte == '?' || byte == '\n')
                pieces.push_back({ Piece::Kind::End, {} });
        }
    }
    flush();
    return pieces;
}

/// Goes through a sentence once and knows at each word whether it is asked for, forbidden or neither.
class SentenceReader {
public:
    SentenceReader(const std::string& text, const Opposites& opposites)
        : m_pieces(piecesOf(text))
        , m_opposites(opposites)
    {
        for (m_at = 0; m_at < m_pieces.size(); ++m_at)
            switch (m_pieces[m_at].kind) {
            case Piece::Kind::Word:
                word(m_pieces[m_at].word);
                break;
            case Piece::Kind::Comma:
                comma();
                break;
            case Piece::Kind::End:
                m_side = Side::None;
                m_negating = m_aside = m_elsewhere = m_preferring = m_nounsOnly = m_inserted = false;
                break;
            }
    }
    std::vector<std::string> positive, negative;
    bool asked = false; ///< a template fitted, whatever its words

private:
    enum class Side { None, Positive, Negative };

    std::string_view before(std::size_t back = 1) const { return wordAt(m_at - back, m_at >= back); }
    std::string_view after(std::size_t on = 1) const { return wordAt(m_at + on, true); }
    std::string_view wordAt(std::size_t at, bool there) const
    {
        return there && at < m_pieces.size() ? std::string_view(m_pieces[at].word) : std::string_view();
    }
    bool firstOfClause() const
    {
        for (std::size_t at = m_at; at > 0; --at) {
            const Piece& piece = m_pieces[at - 1];
            if (piece.kind != Piece::Kind::Word)
                return true;
            if (piece.word != "please" && piece.word != "always" && piece.word != "and"
                && piece.word != "but")
                return false;
        }
        return true;
    }

    void comma()
    {
        if (m_inserted) { // "not, under any circumstances, ..."
            m_inserted = false;
            return;
        }
        m_aside = m_elsewhere = m_nounsOnly = false;
        if (m_negating && isNegator(before()))
            m_inserted = true;
        else
            m_negating = false;
    }

    static bool isNegator(std::string_view word) { return isOneOf(negators, word) || word.ends_with("n't"); }

    void turn(Side side)
    {
        m_side = side;
        m_negating = m_elsewhere = m_nounsOnly = false;
        asked = asked || side != Side::None;
    }

    void negate()
    {
        const std::string_view next = after();
        if (m_negating) // "do not avoid being", "never fail to be"
            return turn(Side::Positive);
        if (next == "only" || next == "just" || next == "merely") // "not only A but also B"
            return turn(Side::Positive);
        turn(Side::Negative);
        m_negating = true;
    }

    /// A verb that asks for what follows, unless something before it forbids that.
    void ask()
    {
        if (m_negating)
            return;
        const std::string_view last = before();
        if (m_side == Side::Negative) {
            if (last == "or" || last == "nor" || last == "to" || last == "over" || last == "than"
                || last == "of")
                return; // still forbidden
            if (last == "and") // "never be A and say B": either is meant
                return turn(Side::None);
        }
        turn(Side::Positive);
    }

    void copula(std::string_view word)
    {
        const std::string_view last = before();
        if (word == "be" || word == "being") {
            if (last == "could" || last == "may" || last == "might" || last == "can" || last == "would")
                return turn(Side::None); // no demand
            return ask();
        }
        if (word == "is" || word == "are" || word == "sounds" || word == "seems" || word == "remains") {
            if (!isOneOf(subjects, last) && !m_negating)
                return turn(Side::None);
            return ask();
        }
        if (firstOfClause() || last == "should" || last == "must" || m_negating)
            ask();
    }

    void word(const std::string& word)
    {
        if (m_inserted)
            return;
        const std::string_view last = before(), next = after();
        if (isOneOf(conditions, word)) {
            m_aside = true;
            return;
        }
        if (m_aside)
            return;
        if (word == "than") {
            turn(m_less ? Side::None : Side::Negative);
        } else if (word == "instead" && next == "of") {
            turn(Side::Negative);
        } else if (
            (word == "over" || word == "to") && m_preferring && m_side == Side::Positive && next != "be") {
            m_preferring = false;
            turn(Side::Negative);
        } else if (word == "but") {
            turn(last == "anything" ? Side::Negative : m_side == Side::None ? Side::None : Side::Positive);
        } else if (word == "more") {
            if (!m_negating && m_side != Side::Negative)
                turn(Side::Positive);
        } else if (
            isNegator(word) || (word == "leave" && next == "out")
            || (word == "free" && (next == "of" || next == "from"))) {
            m_less = word == "less";
            negate();
        } else if (isOneOf(copulas, word)) {
            copula(word);
        } else if (
            isOneOf(askingVerbs, word) && (firstOfClause() || m_negating || last == "or" || last == "nor")) {
            m_preferring = m_preferring || word == "prefer" || word == "favour" || word == "favor"
                || word == "choose" || word == "select" || word == "pick" || word == "value";
            ask();
        } else if (word == "with") {
            if (m_side == Side::None)
                turn(Side::Positive);
            m_elsewhere = false;
            m_nounsOnly = true; // "with care", but not "careful with dangerous things"
        } else if (isOneOf(prepositions, word)) {
            const bool manner = word == "in" && (next == "a" || next == "an");
            const bool partOfTrigger = last == "free" || last == "instead" || last == "refrain"
                || last == "afraid" || last == "fail" || last == "hesitate" || next == "be";
            m_elsewhere = !manner && !partOfTrigger;
        } else {
            take(word);
        }
    }

    void take(const std::string& word)
    {
        if (m_side == Side::None || m_elsewhere || (word == "kind" && after() == "of")
            || (word == "longer" && before() == "no") || (word == "long" && after() == "as") // "as long as"
            || before() == "you")
            return;
        const Opposites::Known known = m_opposites.look(word);
        if (known.word.empty() || (m_nounsOnly && !known.noun))
            return;
        m_negating = false;
        std::vector<std::string>& pole = m_side == Side::Positive ? positive : negative;
        const auto stands = [&](const std::vector<std::string>& among) {
            return std::find(among.begin(), among.end(), known.word) != among.end();
        };
        const bool against = std::any_of(pole.begin(), pole.end(), [&](const std::string& other) {
            return m_opposites.areOpposite(known.word, other);
        });
        if (!stands(positive) && !stands(negative) && !against && pole.size() < mostProposed)
            pole.push_back(known.word);
    }

    std::vector<Piece> m_pieces;
    const Opposites& m_opposites;
    std::size_t m_at = 0;
    Side m_side = Side::None;
    bool m_negating = false; ///< a negator whose word has not come yet
    bool m_aside = false; ///< in a condition, up to the next comma
    bool m_elsewhere = false; ///< after a preposition: of others than the reply
    bool m_inserted = false; ///< between two commas after a negator
    bool m_preferring = false; ///< "prefer", whose "to" has not come yet
    bool m_nounsOnly = false; ///< after "with"
    bool m_less = false; ///< the last negator was "less": its "than" asks for nothing
};

/// A pole from the other one: the first opposite of each word that is not there yet.
void fill(std::vector<std::string>& pole, const std::vector<std::string>& other, const Opposites& opposites)
{
    for (const std::string& word : other)
        for (const std::string& against : opposites.of(word))
            if (std::find(pole.begin(), pole.end(), against) == pole.end()
                && std::find(other.begin(), other.end(), against) == other.end()) {
                pole.push_back(against);
                break;
            }
}

} // namespace

PoleProposal proposeByTemplates(const std::string& text, const Opposites& opposites)
{
    SentenceReader reader(text, opposites);
    PoleProposal proposal;
    proposal.way = "templates";
    proposal.positive = std::move(reader.positive);
    proposal.negative = std::move(reader.negative);
    if (proposal.positive.empty() && proposal.negative.empty()) {
        proposal.problem = !reader.asked
            ? "The text fits none of the templates, such as “Be A and B”, “Never be A” or “Prefer A to B”."
            : "The text asks for nothing by a word that has a known opposite.";
        return proposal;
    }
    if (proposal.negative.empty())
        fill(proposal.negative, proposal.positive, opposites);
    else if (proposal.positive.empty())
        fill(proposal.positive, proposal.negative, opposites);
    if (!proposal.usable())
        proposal.problem = "The words found have no opposite that is free.";
    return proposal;
}

} // namespace lodestone::constitution
