// Subcommands from labels and words to directions: directions, elicit.
#include "app/cli/context.h"
#include "app/cli/study_access.h"

#include "core/session/layer_sweep.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json intervalJson(const geometry::Interval& interval)
{
    return Json::array({ number(interval.low), number(interval.high) });
}

Json rowJson(const session::SweepRow& row, bool pairs)
{
    const auto pick = [&](const geometry::Score& score) {
        return number(pairs ? score.accuracy.value : score.auc.value);
    };
    Json result{ { "layer", layerJson(row.layer) },
                 { "pair_accuracy", pairs ? number(row.accuracy.value) : Json(nullptr) },
                 { "pair_accuracy_ci", pairs ? intervalJson(row.accuracy.interval) : Json(nullptr) },
                 { "auc", number(row.auc.value) },
                 { "auc_ci", intervalJson(row.auc.interval) },
                 { "random", number(pairs ? row.random.accuracy : row.random.auc) },
                 { "random_upper", number(pairs ? row.random.accuracyUpper : row.random.aucUpper) },
                 { "shuffled", number(pairs ? row.shuffled.accuracy : row.shuffled.auc) },
                 { "shuffled_upper", number(pairs ? row.shuffled.accuracyUpper : row.shuffled.aucUpper) },
                 { "length", row.length ? pick(*row.length) : Json(nullptr) },
                 { "embedding", row.embedding ? pick(*row.embedding) : Json(nullptr) },
                 { "cross_validated", number(row.crossValidated) },
                 { "relative_strength", number(row.relativeStrength) } };
    if (std::isfinite(row.linearity))
        result["linearity"] = row.linearity;
    if (row.rawDifference) { // massive activations shown, not hidden
        result["raw_difference_of_means"] = pick(*row.rawDifference);
        result["massive_share"] = row.massiveShare;
    }
    return result;
}

std::string sweepTable(const session::Sweep& sweep)
{
    std::string table = fmt::format(
        "{:<17}{:>9} {:>9}{:>8} {:>9}{:>8}{:>8}{:>8}{:>8}{:>8}\n", "layer", sweep.pairs ? "pairs" : "",
        "95 %", "AUC", "95 %", "random", "shuffled", "length", "embed.", "linear");
    for (std::size_t i = 0; i < sweep.rows.size(); ++i) {
        const session::SweepRow& row = sweep.rows[i];
        const auto optional = [&](const std::optional<geometry::Score>& score) {
            return score ? percent(sweep.pairs ? score->accuracy.value : score->auc.value) : std::string("-");
        };
        table += fmt::format(
            "{:<17}{:>9} {:>9}{:>8.2f} {:>9}{:>8}{:>8}{:>8}{:>8}{:>8}{}\n", row.layer.label(),
            sweep.pairs ? percent(row.accuracy.value) : "",
            sweep.pairs ? percentInterval(row.accuracy.interval.low, row.accuracy.interval.high) : "",
            row.auc.value, fmt::format("{:.2f}-{:.2f}", row.auc.interval.low, row.auc.interval.high),
            percent(sweep.pairs ? row.random.accuracy : row.random.auc),
            percent(sweep.pairs ? row.shuffled.accuracy : row.shuffled.auc), optional(row.length),
            optional(row.embedding),
            std::isfinite(row.linearity) ? fmt::format("{:.2f}", row.linearity) : "-",
            static_cast<int>(i) == sweep.best ? "  <- best inside training" : "");
    }
    return table;
}

Result<std::vector<Layer>> layersAsked(const std::string& text)
{
    if (text.empty() || text == "all")
        return std::vector<Layer>{};
    LODESTONE_TRY(const Layer layer, Layer::parse(text));
    return std::vector<Layer>{ layer };
}

void addDirectionsCommand(CLI::App& app)
{
    struct Options {
        std::string study, target = "labels", method = "difference-of-means", position = "mean",
                           layer = "all";
        double trainFraction = 0;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "directions", "Fit a direction at each layer on training prompts, score it on held-out ones",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const auto study, openStudy(options->study));
            LODESTONE_TRY(
                const auto foundation,
                session::Foundation::open(
                    study,
                    options->trainFraction > 0 ? std::optional(options->trainFraction) : std::nullopt));
            session::SweepOptions sweepOptions;
            LODESTONE_TRY(sweepOptions.method, geometry::parseMethod(options->method));
            LODESTONE_TRY(const data::Position position, data::parsePosition(options->position));
            sweepOptions.position = session::availablePosition(*study, position);
            LODESTONE_TRY(sweepOptions.layers, layersAsked(options->layer));
            sweepOptions.seed = context.seed;
            session::SweepTarget target;
            using Kind = session::Foundation::LikelihoodKind;
            const bool likelihood = options->target == "pmi" || options->target == "loglik"
                || options->target == "loglik-per-token";
            if (likelihood && foundation->likelihoods.empty())
                return badInput("captured likelihoods", "none in this study", options->study);
            if (options->target == "pmi")
                target.scores = foundation->generationScores();
            else if (likelihood)
                target.scores = foundation->likelihoodScores(
                    options->target == "loglik" ? Kind::Total : Kind::PerToken);
            else if (options->target == "length")
                target.scores = Eigen::Map<const Eigen::VectorXd>(
                    foundation->lengths.data(), static_cast<Eigen::Index>(foundation->lengths.size()));
            else if (options->target != "labels") {
                const auto values = study->set().values();
                if (std::find(values.begin(), values.end(), options->target) == values.end())
                    return badInput(
                        fmt::format(
                            "a target among labels, pmi, loglik, loglik-per-token, length{}{}",
                            values.empty() ? "" : ", ", fmt::join(values, ", ")),
                        "'" + options->target + "'", "--target");
                target.value = options->target;
            }
            LODESTONE_TRY(
                const session::Sweep sweep,
                session::sweepLayers(*foundation, target, sweepOptions, context.work()));
            Json layers = Json::array();
            for (const session::SweepRow& row : sweep.rows)
                layers.push_back(rowJson(row, sweep.pairs));
            Json document{ { "target", options->target },
                           { "method", options->method },
                           { "position", data::positionName(sweepOptions.position) },
                           { "n_train", sweep.training },
                           { "n_held_out", sweep.heldOut },
                           { "layers", layers },
                           { "best", layers[static_cast<std::size_t>(sweep.best)] } };
            std::string table = fmt::format(
                "{} by {}, position {}: fitted on {} and scored on {} held-out {}\n", options->target,
                options->method, data::positionName(sweepOptions.position), sweep.training, sweep.heldOut,
                sweep.pairs ? "pairs" : "texts");
            if (target.scores.size() > 0) {
                // How well the target itself, without a direction, agrees with people.
                const auto examples = constitution::examplesOf(
                    study->set(), foundation->training, study->set().responses.size());
                LODESTONE_TRY(
                    const auto direct,
                    geometry::scoreRowScores(
                        { target.scores.data(), static_cast<std::size_t>(target.scores.size()) },
                        examples.heldOut, 1000, context.seed));
                document["direct_accuracy"] = number(direct.accuracy.value);
                document["direct_accuracy_ci"] = intervalJson(direct.accuracy.interval);
                table += fmt::format(
                    "the target itself agrees with people in {} of held-out pairs ({})\n",
                    percent(direct.accuracy.value),
                    percentInterval(direct.accuracy.interval.low, direct.accuracy.interval.high));
            }
            context.print(document, table + sweepTable(sweep));
            return {};
        });
    sub->add_option("--study", options->study, "A study folder, or sample / requests")->required();
    sub->add_option(
           "--target", options->target,
           "labels, pmi, loglik, loglik-per-token, length, or one of the study's values")
        ->capture_default_str();
    sub->add_option(
           "--method", options->method, "difference-of-means, ridge, logistic, mass-mean, lda or lat")
        ->capture_default_str();
    sub->add_option("--position", options->position, "mean or last")->capture_default_str();
    sub->add_option("--layer", options->layer, "A block's number, embedding, or all")->capture_default_str();
    sub->add_option(
           "--train-fraction", options->trainFraction, "Share of prompts for training (default: the study's)")
        ->check(CLI::Range(0.05, 0.95));
}

void addElicitCommand(CLI::App& app)
{
    struct Options {
        std::string study, constitution, principle, positive, negative, way = "cloze", layer = "all", label,
                                                                        position = "mean";
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "elicit", "From a principle's words to a direction, with the evidence beside it",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const auto study, openStudy(options->study));
            LODESTONE_TRY(const auto foundation, session::Foundation::open(study));
            std::vector<constitution::Principle> principles;
            if (!options->constitution.empty()) {
                LODESTONE_TRY(const auto constitution, constitution::readConstitution(options->constitution));
                principles = constitution.principles;
                if (principles.empty())
                    return badInput("at least one principle", "none", options->constitution);
            } else if (!options->principle.empty() || !options->positive.empty()) {
                constitution::Principle principle = constitution::neutralPrinciple();
                principle.id = principle.name
                    = options->principle.empty() ? options->positive : options->principle;
                principle.text = options->principle.empty()
                    ? "The " + data::itemKindName(study->set().kind) + " is " + options->positive + "."
                    : options->principle;
                if (!options->positive.empty())
                    principle.positive = constitution::wordsOf(options->positive);
                if (!options->negative.empty())
                    principle.negative = constitution::wordsOf(options->negative);
                principle.value = options->label;
                principles.push_back(std::move(principle));
            } else
                principles = constitution::constitutionForValues(
                                 study->set().labelled() && study->set().positiveLabel == "harmless"
                                     ? std::vector<std::string>{ "harmless" }
                                     : study->set().labelled() ? std::vector<std::string>{}
                                                               : study->set().values())
                                 .principles;
            std::unique_ptr<model::LanguageModel> model;
            std::unique_ptr<constitution::Elicitation> conditioned;
            if (options->way == "conditioned-cloze") {
                LODESTONE_TRY(model, context.loadModel());
                conditioned = std::make_unique<constitution::ConditionedCloze>(study, *model);
            } else if (!foundation->cloze)
                return badInput("a study with cloze states", foundation->noCloze, options->study);
            std::shared_ptr<constitution::ClozeElicitation> cloze = foundation->cloze;
            Json results = Json::array();
            std::string table;
            for (const constitution::Principle& principle : principles) {
                if (!conditioned) {
                    // Words outside the study's table need the model.
                    if (!cloze->wordsToAsk(principle).empty())
                        if (const auto path = context.resolveModel()) {
                            if (!model) {
                                LODESTONE_TRY(model, context.loadModel());
                            }
                            if (model->sha256() == study->model().sha256) {
                                LODESTONE_TRY(
                                    cloze,
                                    cloze->withAllWords(*model, *study, { principle }, context.work()));
                            }
                        }
                }
                const constitution::Elicitation& elicitation
                    = conditioned ? *conditioned : static_cast<const constitution::Elicitation&>(*cloze);
                LODESTONE_TRY(
                    const constitution::Judged judged, elicitation.judge(principle, context.work()));
                const std::string value = options->label.empty()
                    ? (study->set().labelled() ? "" : principle.value)
                    : options->label;
                const auto values = study->set().values();
                if (!options->label.empty() && std::find(values.begin(), values.end(), value) == values.end()
                    && !study->set().labelled())
                    return badInput(
                        fmt::format("a value among {}", fmt::join(values, ", ")), "'" + value + "'",
                        "--label");
                const bool known = std::find(values.begin(), values.end(), value) != values.end();
                session::SweepTarget target{ judged.scores, {} };
                session::SweepOptions sweepOptions;
                sweepOptions.method = geometry::Method::Ridge;
                LODESTONE_TRY(const data::Position position, data::parsePosition(options->position));
                sweepOptions.position = session::availablePosition(*study, position);
                LODESTONE_TRY(sweepOptions.layers, layersAsked(options->layer));
                sweepOptions.seed = context.seed;
                sweepOptions.scoredValue = known && !study->set().labelled() ? value : "";
                LODESTONE_TRY(
                    const session::Sweep sweep,
                    session::sweepLayers(*foundation, target, sweepOptions, context.work()));
                // The judgments themselves were fitted to nothing: all labelled items may score them.
                auto all = constitution::examplesOf(
                    study->set(), std::vector<bool>(study->set().responses.size(), false),
                    study->set().responses.size(), sweepOptions.scoredValue);
                LODESTONE_TRY(
                    const auto direct,
                    geometry::scoreRowScores(
                        { judged.scores.data(), static_cast<std::size_t>(judged.scores.size()) }, all.heldOut,
                        1000, context.seed));
                LODESTONE_TRY(
                    const auto length, geometry::lengthOnly(foundation->lengths, all.heldOut, all.heldOut));
                Json layers = Json::array();
                for (const session::SweepRow& row : sweep.rows)
                    layers.push_back(rowJson(row, sweep.pairs));
                results.push_back(
                    { { "principle", principle.name },
                      { "way", elicitation.name() },
                      { "value", value },
                      { "direct_accuracy", sweep.pairs ? number(direct.accuracy.value) : Json(nullptr) },
                      { "direct_accuracy_ci",
                        sweep.pairs ? intervalJson(direct.accuracy.interval) : Json(nullptr) },
                      { "direct_auc", number(direct.auc.value) },
                      { "direct_auc_ci", intervalJson(direct.auc.interval) },
                      { "length_accuracy", number(sweep.pairs ? length.accuracy.value : length.auc.value) },
                      { "unknown_words", judged.unknown },
                      { "layers", layers },
                      { "best", layers[static_cast<std::size_t>(sweep.best)] } });
                table += fmt::format(
                    "{} ({}): {} / {}\n", principle.name, elicitation.name(),
                    constitution::joinWords(principle.positive), constitution::joinWords(principle.negative));
                if (!judged.unknown.empty())
                    table += fmt::format(
                        "  not one token of their own, left out: {}\n", fmt::join(judged.unknown, ", "));
                table += sweep.pairs
                    ? fmt::format(
                        "  the model's answers agree with people in {} of the pairs ({}), length alone {}\n",
                        percent(direct.accuracy.value),
                        percentInterval(direct.accuracy.interval.low, direct.accuracy.interval.high),
                        percent(length.accuracy.value))
                    : fmt::format(
                        "  the model's answers: AUC {:.2f} ({:.2f}-{:.2f})\n", direct.auc.value,
                        direct.auc.interval.low, direct.auc.interval.high);
                table += sweepTable(sweep) + "\n";
            }
            if (results.size() == 1)
                context.print(results[0], table);
            else {
                Json document = results[0];
                document["principles"] = results;
                context.print(document, table);
            }
            return {};
        });
    sub->add_option("--study", options->study, "A study folder, or sample / requests")->required();
    sub->add_option("--constitution", options->constitution, "A constitution file");
    sub->add_option("--principle", options->principle, "A principle's text");
    sub->add_option("--positive", options->positive, "Words of the positive pole");
    sub->add_option("--negative", options->negative, "Words of the negative pole");
    sub->add_option("--way", options->way, "cloze or conditioned-cloze")
        ->capture_default_str()
        ->check(CLI::IsMember({ "cloze", "conditioned-cloze" }));
    sub->add_option("--layer", options->layer, "A block's number, embedding, or all")->capture_default_str();
    sub->add_option("--position", options->position, "mean or last")->capture_default_str();
    sub->add_option("--label", options->label, "Score on the labels of this value only");
}

} // namespace

void addDirectionCommands(CLI::App& app)
{
    addDirectionsCommand(app);
    addElicitCommand(app);
}

} // namespace lodestone::app
