#include "core/session/trial.h"

#include "core/judgment/preference.h"
#include "core/model/language_model.h"
#include "core/session/ordered_judge.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace lodestone::session {

Eigen::VectorXd Trial::state(int reply, Layer layer, data::Position position) const
{
    const auto found = std::find(layers.begin(), layers.end(), layer);
    if (found == layers.end() || reply < 0 || reply > 1)
        return {};
    const auto& states = (position == data::Position::Mean ? mean : last)[static_cast<std::size_t>(reply)];
    return states.row(found - layers.begin()).cast<double>().transpose();
}

Result<Trial> readTrial(
    model::LanguageModel& model, const data::Study& study, const std::string& prompt,
    const std::array<std::string, 2>& replies, const Work& work)
{
    const auto start = std::chrono::steady_clock::now();
    if (model.sha256() != study.model().sha256)
        return badInput("the model that read this study (" + study.model().name + ")", model.config().name);
    if (prompt.empty())
        return badInput("a prompt", "an empty one");
    Trial trial;
    trial.prompt = prompt;
    trial.replies = replies;
    trial.layers = study.layers();
    const auto opening
        = model.tokenizer().encode(model.chatTemplate().prompt({ { "user", prompt } }), text::Special::Parse);
    std::vector<model::Request> requests;
    for (const std::string& reply : replies) {
        model::Request request;
        request.tokens = opening;
        const auto own = model.tokenizer().encode(reply, text::Special::Plain);
        if (own.empty())
            return badInput("two replies", "an empty one");
        request.tokens.insert(request.tokens.end(), own.begin(), own.end());
        request.pooled = { static_cast<int>(opening.size()), static_cast<int>(request.tokens.size()) };
        request.last = true;
        requests.push_back(std::move(request));
    }
    LODESTONE_TRY(auto readings, model.read(requests, trial.layers, work));
    for (std::size_t i = 0; i < 2; ++i) {
        trial.mean[i] = std::move(readings[i].mean);
        trial.last[i] = std::move(readings[i].last);
    }
    trial.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return trial;
}

std::array<double, 2> trialScores(const Trial& trial, const Snapshot& snapshot, const Direction& direction)
{
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    std::array<double, 2> scores{ unknown, unknown };
    for (int i = 0; i < 2; ++i) {
        const Eigen::VectorXd h = trial.state(i, snapshot.inputs.layer, snapshot.inputs.position);
        if (direction.found() && h.size() == direction.readOut.weights.size())
            scores[static_cast<std::size_t>(i)] = direction.readOut.weights.dot(h) + direction.readOut.offset;
    }
    return scores;
}

double trialPreference(const Trial& trial, const Snapshot& snapshot)
{
    if (snapshot.judge->inParts())
        return judgment::preference(trialMargin(trial, snapshot), 0, snapshot.inputs.tau);
    double margin = 0;
    for (std::size_t i = 0; i < snapshot.judge->active.size(); ++i) {
        const auto scores = trialScores(
            trial, snapshot,
            snapshot.principles[static_cast<std::size_t>(snapshot.judge->active[i])]->direction);
        margin += snapshot.judge->coefficients[static_cast<Eigen::Index>(i)] * (scores[0] - scores[1]);
    }
    return judgment::preference(margin, 0, snapshot.inputs.tau);
}

} // namespace lodestone::session
