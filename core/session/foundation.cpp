#include "core/session/foundation.h"

#include "core/constitution/reply_reader.h"

#include <cmath>

namespace lodestone::session {

Result<std::shared_ptr<const Foundation>>
Foundation::open(std::shared_ptr<const data::Study> study, std::optional<double> trainFraction)
{
    auto result = std::make_shared<Foundation>();
    data::SplitSpec split = study->split();
    if (trainFraction)
        split.trainFraction = *trainFraction;
    result->training = constitution::trainingRows(study->set(), split);
    result->groups = constitution::groupsOf(study->set());
    result->lengths = constitution::lengthsOf(study->set());
    if (auto likelihoods = study->likelihoods())
        result->likelihoods = std::move(*likelihoods);
    if (auto cloze = constitution::ClozeElicitation::open(*study))
        result->cloze = std::move(*cloze);
    else
        result->noCloze = cloze.error().message();
    const std::string& sha256 = study->model().sha256;
    const std::size_t responses = study->set().responses.size();
    auto store = constitution::AnswerStore::open(constitution::shippedAnswers(*study), sha256, responses);
    if (!store) {
        result->answersProblem = store.error().message();
        store = constitution::AnswerStore(sha256, responses);
    }
    // A cache that cannot be read is a cache that is not there.
    if (const auto cached
        = constitution::AnswerStore::open(constitution::cachedAnswers(*study), sha256, responses))
        store->merge(*cached);
    result->answers = std::make_shared<constitution::AnswerStore>(std::move(*store));
    result->study = std::move(study);
    return std::shared_ptr<const Foundation>(std::move(result));
}

constitution::WayContext Foundation::wayContext(model::LanguageModel* model) const
{
    constitution::WayContext context;
    context.study = study;
    context.cloze = cloze;
    context.model = model;
    context.store = answers;
    context.contexts = contexts;
    context.training = training;
    context.rows = constitution::labelledRows(study->set());
    return context;
}

Eigen::VectorXd Foundation::likelihoodScores(LikelihoodKind kind) const
{
    Eigen::VectorXd scores(static_cast<Eigen::Index>(likelihoods.size()));
    for (std::size_t i = 0; i < likelihoods.size(); ++i) {
        const data::Likelihood& one = likelihoods[i];
        const double tokens = std::max(1.0, one.tokens);
        scores[static_cast<Eigen::Index>(i)] = kind == LikelihoodKind::Total ? one.given
            : kind == LikelihoodKind::PerToken                               ? one.given / tokens
                                                                             : one.given - one.alone;
    }
    return scores;
}

Eigen::VectorXd Foundation::generationScores() const
{
    Eigen::VectorXd scores = likelihoodScores(LikelihoodKind::Pmi);
    double n = 0, sumX = 0, sumY = 0, sumXX = 0, sumXY = 0;
    for (Eigen::Index i = 0; i < scores.size(); ++i)
        if (training[static_cast<std::size_t>(i)]) {
            const double x = lengths[static_cast<std::size_t>(i)], y = scores[i];
            n += 1;
            sumX += x;
            sumY += y;
            sumXX += x * x;
            sumXY += x * y;
        }
    const double variance = sumXX - sumX * sumX / n;
    const double slope = n > 1 && variance > 1e-12 ? (sumXY - sumX * sumY / n) / variance : 0;
    for (Eigen::Index i = 0; i < scores.size(); ++i)
        scores[i] -= slope * lengths[static_cast<std::size_t>(i)];
    return scores;
}

} // namespace lodestone::session
