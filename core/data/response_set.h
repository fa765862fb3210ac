// Prompts, responses, pairs and labels: what a study is about, before any model has read it.
#pragma once

#include "core/base/error.h"
#include "core/text/chat_template.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace lodestone::data {

/// What a row of the study is, which decides how the model reads it and what the cloze suffixes call it.
enum class ItemKind {
    Reply, ///< an assistant's reply to a conversation
    Request, ///< a user's request; read as a user turn, position: last token of the rendered prompt
    Statement ///< a plain text; position: its last token
};
std::string itemKindName(ItemKind kind); ///< "reply", "request", "statement"
Result<ItemKind> parseItemKind(const std::string& name);

struct Prompt {
    std::string id;
    std::vector<text::Message> conversation; ///< empty for statements
    int group = 0; ///< prompts of one group are never split between training and held out
};

struct Response {
    std::string id;
    int prompt = 0; ///< index into prompts
    std::string text; ///< the reply, or the statement itself; empty for requests, whose text is the prompt's
    std::string value; ///< the value a pair or text is about ("kind"); may be empty
    int label = 0; ///< +1 / -1 for labelled texts, 0 where there is none
    int tokens = 0; ///< of the response; 0 until captured
};

/// A preference of people: responses `chosen` over `rejected`.
struct Pair {
    std::string id;
    int chosen = 0, rejected = 0; ///< indices into responses
    std::string value; ///< may be empty
};

/// The texts of a study. Rows of every array of the study are the responses, in this order.
struct ResponseSet {
    ItemKind kind = ItemKind::Reply;
    std::vector<Prompt> prompts;
    std::vector<Response> responses;
    std::vector<Pair> pairs;
    std::string positiveLabel, negativeLabel; ///< names of labels +1 and -1, for labelled texts

    int groupOf(int response) const
    {
        return prompts[static_cast<std::size_t>(responses[static_cast<std::size_t>(response)].prompt)].group;
    }
    /// The last user turn of a response's prompt: what lists show.
    const std::string& promptText(int response) const;
    /// The text that a reader sees for a response (a request's own words for requests).
    const std::string& shownText(int response) const;
    bool labelled() const { return !positiveLabel.empty(); }
    /// Distinct values in order of first appearance.
    std::vector<std::string> values() const;
};

/// Reading options of user tables.
struct ImportOptions {
    std::size_t limit = 0; ///< at most so many rows (pairs, groups or texts), 0: all; rows are taken in order
    bool skipBad = false; ///< count bad rows instead of stopping at the first
    bool lastTurnOnly = false; ///< keep only the last user turn of a dialogue
    std::string
        positiveLabel; ///< which of two label texts is +1; default: true/1/yes, else the alphabetically later
};
struct Import {
    ResponseSet set;
    std::size_t skipped = 0; ///< rows left out
    std::vector<Error> problems; ///< of the skipped rows
};

/// Reads preference pairs ({prompt, chosen, rejected}; {chosen, rejected} with the dialogue inside, split at
/// the last
/// "\n\nAssistant:"; conversational lists), prompt groups ({prompt, responses}), or labelled texts (text,
/// statement, instruction or prompt, with label). JSON Lines, JSON array or CSV, also gzipped. A bad row is
/// an error (or skipped and counted, as the options say). A transcript that ends before its reply is no
/// error: public data have them; its pair is left out and counted.
Result<Import> importTable(const std::filesystem::path& path, const ImportOptions& options = {});

/// "\n\nHuman: ...\n\nAssistant: ..." as turns; text before the first speaker is dropped.
std::vector<text::Message> parseTranscript(std::string_view transcript);

} // namespace lodestone::data
