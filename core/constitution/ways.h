// Every way from a principle's words to a direction, by name, over one store of answers: what nobody asked
// yet is asked of the model once, together with whatever else is wanted of the same replies.
#pragma once

#include "core/constitution/answer_store.h"
#include "core/constitution/elicitation.h"

#include <span>

namespace lodestone::model {
class ContextStore;
}

namespace lodestone::constitution {

/// What is known of a way before it runs.
struct WayInfo {
    const char* name; ///< "yes-no": the word of command line and file
    const char* sentence; ///< for people
    Yields yields = Yields::ReadOut;
    bool needsModel = true; ///< false: the study's stored states are enough
    /// Its answers are no words of the model but a projection of its states: that they are linear in other
    /// states of the same reply says little of a judgment.
    bool fromStates = false;
};
/// All ways, in the order of the bench.
std::span<const WayInfo> allWays();
const WayInfo* findWay(const std::string& name);
/// "cloze, cloze-chat, ...".
std::string wayNames();

/// What the ways work with. `model` may be null: then only what the store already holds can be said.
struct WayContext {
    std::shared_ptr<const data::Study> study;
    std::shared_ptr<const ClozeElicitation> cloze; ///< may be null
    model::LanguageModel* model = nullptr;
    std::shared_ptr<AnswerStore> store; ///< grows by what is asked
    std::vector<int> rows; ///< responses to ask about, in this order; empty: all of the study
    std::vector<bool> training; ///< per response; displacements come from training prompts only. Empty: all
    int paraphrases = 1; ///< 1 .. 4 wordings of every statement, request and frame, averaged
    std::uint64_t seed = 0; ///< of replies that the model writes
    std::shared_ptr<model::ContextStore> contexts; ///< keys and values of replies; null: none are kept
};

/// The strategy of that name. Errors: an unknown name (Usage, with all names); a cloze way on a study
/// without cloze states. Its `judge` fails with MissingModel when an answer is missing and there is no model,
/// with BadInput for principles that it cannot put (see problemOf), for another model than the study's, and
/// for a study without replies where it needs them.
Result<std::unique_ptr<Elicitation>> makeWay(const std::string& name, WayContext context);

/// Asks everything that the named ways need for these principles and the store does not hold, in as few
/// readings of the replies as possible. Ways that need no model are skipped.
Result<void> askAhead(
    std::span<const std::string> ways, std::span<const Principle> principles, const WayContext& context,
    const Work& work = {});

/// True when the store answers the way for every one of the principles without a model.
bool isAnswered(const std::string& way, std::span<const Principle> principles, const WayContext& context);

/// The statements, requests and frames, so that documentation and tests see what the model sees.
/// `form` 0 .. 3 counts the wordings.
std::string listed(const std::vector<std::string>& words); ///< "kind, polite and caring"
std::string statementOf(const std::vector<std::string>& words, const std::string& noun, int form);
std::string requestFor(const std::vector<std::string>& words, int form);
std::vector<Question>
questionsOf(const std::string& way, const Principle& principle, data::ItemKind kind, int form);

} // namespace lodestone::constitution
