// What a session knows of a study before any layer is chosen: its split, likelihoods and cloze judgments.
#pragma once

#include "core/constitution/elicitation.h"
#include "core/constitution/study_examples.h"
#include "core/constitution/ways.h"

#include <memory>

namespace lodestone::session {

/// Loaded once per study; immutable.
struct Foundation {
    std::shared_ptr<const data::Study> study;
    std::vector<bool> training; ///< per response
    std::vector<int> groups; ///< prompt group per response
    std::vector<double> lengths; ///< in tokens
    std::vector<data::Likelihood> likelihoods; ///< empty where they were not captured
    std::shared_ptr<constitution::ClozeElicitation> cloze; ///< null where the study carries no cloze states
    std::string noCloze; ///< why, then
    std::map<std::string, constitution::Judged>
        conditioned; ///< what a model said of principles' texts, by text
    std::shared_ptr<constitution::AnswerStore> answers; ///< of the study and of the user's cache; never null
    /// Keys and values of replies that a model has read, for whoever asks about them often; null: nobody
    /// does.
    std::shared_ptr<model::ContextStore> contexts;
    std::string answersProblem; ///< why the study's own answers could not be read; empty when they could

    /// What the ways work with on this study, asking about its labelled responses; without a model only what
    /// is stored can be said.
    constitution::WayContext wayContext(model::LanguageModel* model = nullptr) const;

    static Result<std::shared_ptr<const Foundation>>
    open(std::shared_ptr<const data::Study> study, std::optional<double> trainFraction = {});

    /// log p(y|x) - log p(y), with what length explains removed on the training rows (linear): the proxy of
    /// what the model itself prefers to write (docs/theory.md 8.5). Shape [responses]; empty without
    /// likelihoods.
    Eigen::VectorXd generationScores() const;
    enum class LikelihoodKind { Total, PerToken, Pmi };
    Eigen::VectorXd likelihoodScores(LikelihoodKind kind) const;
};

} // namespace lodestone::session
