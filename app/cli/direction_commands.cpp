// The subcommand from labels to directions: directions.
#include "app/cli/context.h"
#include "app/cli/direction_dimensions.h"
#include "app/cli/study_access.h"
#include "app/cli/sweep_output.h"

#include "core/constitution/study_examples.h"
#include "core/geometry/direction_evidence.h"
#include "core/session/elicitation_bench.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

Json matrixJson(const Eigen::MatrixXd& matrix)
{
    Json rows = Json::array();
    for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
        Json row = Json::array();
        for (Eigen::Index j = 0; j < matrix.cols(); ++j)
            row.push_back(jsonNumber(matrix(i, j)));
        rows.push_back(std::move(row));
    }
    return rows;
}

/// How far people's direction at a layer can be trusted: the cone of its resamples and the items against it.
Result<void> addTrust(
    const session::Foundation& foundation, const session::SweepOptions& options, const std::string& value,
    Layer layer, Json& document, std::string& table)
{
    LODESTONE_TRY(const geometry::Rows rows, foundation.study->activations(layer, options.position));
    const auto examples = constitution::examplesOf(
        foundation.study->set(), foundation.training, static_cast<std::size_t>(rows.rows()), value);
    LODESTONE_TRY(const auto design, geometry::designOf(rows, examples.training));
    const auto cone = geometry::bootstrapCone(design, 1000, options.seed);
    if (!cone)
        return {}; // one prompt says nothing about the spread over prompts
    LODESTONE_TRY(const auto fit, geometry::fitDirection(geometry::Method::DifferenceOfMeans, design));
    const double against
        = geometry::antiAlignedShare(design, design.coordinates.fromRaw(*fit.displacement).delta);
    document["cone"] = { { "median_cosine", jsonNumber(cone->median) },
                         { "low_cosine", jsonNumber(cone->low) },
                         { "half_angle_degrees", jsonNumber(cone->halfAngleDegrees()) } };
    document["anti_aligned"] = jsonNumber(against);
    geometry::FitOptions asked;
    asked.seed = options.seed;
    if (const auto own = geometry::fitDirection(options.method, design, asked)) {
        document["note"] = own->note; // how it was oriented, and what centring took away (T45)
        table += fmt::format("{}: {}\n", geometry::methodName(options.method), own->note);
    }
    table += fmt::format(
        "difference of means at {}: refits on resampled prompts lie within {:.0f} degrees (95 %), median "
        "cosine {:.2f}; {} of the training items point against it\n",
        layer.label(), cone->halfAngleDegrees(), cone->median, percent(against));
    return {};
}

/// Values against each other at one layer: transfer, leave-one-out and cosines.
Result<void> addComparison(
    const session::Foundation& foundation, const session::SweepOptions& options, Layer layer, Json& document,
    std::string& table, const Work& work)
{
    const data::Study& study = *foundation.study;
    LODESTONE_TRY(const geometry::Rows rows, study.activations(layer, options.position));
    std::vector<geometry::NamedExamples> sets;
    for (const std::string& value : study.set().values()) {
        const auto examples = constitution::examplesOf(
            study.set(), foundation.training, static_cast<std::size_t>(rows.rows()), value);
        if (examples.training.size() > 0 && examples.heldOut.size() > 0)
            sets.push_back({ value, examples.training, examples.heldOut });
    }
    if (sets.size() < 2)
        return badInput(
            "a study with labels about two values or more", std::to_string(sets.size()), "--compare");
    LODESTONE_TRY(const auto found, geometry::transfer(options.method, rows, sets, options.seed, work));
    std::vector<int> training;
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
        if (foundation.training[static_cast<std::size_t>(i)])
            training.push_back(static_cast<int>(i));
    LODESTONE_TRY(const auto coordinates, geometry::Standardiser::fit(rows, training));
    LODESTONE_TRY(const auto sigma, session::sigmaOf(rows, training, foundation.groups, coordinates));
    LODESTONE_TRY(const auto cosines, geometry::cosinesOf(found.displacements, coordinates, sigma));
    Json accuracy = Json::array(), intervals = Json::array(), without = Json::array();
    table += fmt::format("transfer at {}, fitted on rows, scored on columns\n{:<14}", layer.label(), "");
    for (const std::string& name : found.names)
        table += fmt::format("{:>14}", name.substr(0, 13));
    table += "\n";
    for (std::size_t i = 0; i < found.names.size(); ++i) {
        Json row = Json::array(), bounds = Json::array();
        table += fmt::format("{:<14}", found.names[i].substr(0, 13));
        for (const geometry::Estimate& cell : found.accuracy[i]) {
            row.push_back(jsonNumber(cell.value));
            bounds.push_back(jsonInterval(cell.interval));
            table += fmt::format("{:>14}", percent(cell.value));
        }
        table += "\n";
        accuracy.push_back(std::move(row));
        intervals.push_back(std::move(bounds));
        without.push_back({ { "value", found.names[i] },
                            { "accuracy", jsonNumber(found.withoutIt[i].value) },
                            { "accuracy_ci", jsonInterval(found.withoutIt[i].interval) } });
    }
    table += fmt::format("{:<14}", "all others");
    for (const geometry::Estimate& cell : found.withoutIt)
        table += fmt::format("{:>14}", percent(cell.value));
    table += "\n";
    document["transfer"] = { { "layer", layerJson(layer) },
                             { "values", found.names },
                             { "accuracy", std::move(accuracy) },
                             { "accuracy_ci", std::move(intervals) },
                             { "leave_one_out", std::move(without) },
                             { "cosines", matrixJson(cosines.euclidean) },
                             { "cosines_sigma", matrixJson(cosines.sigma) } };
    return {};
}

void addDirectionsCommand(CLI::App& app)
{
    struct Options {
        std::string study, target = "labels", method = "difference-of-means", position = "mean",
                           layer = "all";
        double trainFraction = 0;
        bool compare = false, rank = false;
        std::vector<std::string> also;
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
                layers.push_back(sweepRowJson(row, sweep.pairs));
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
                document["direct_accuracy"] = jsonNumber(direct.accuracy.value);
                document["direct_accuracy_ci"] = jsonInterval(direct.accuracy.interval);
                table += fmt::format(
                    "the target itself agrees with people in {} of held-out pairs ({})\n",
                    percent(direct.accuracy.value),
                    percentInterval(direct.accuracy.interval.low, direct.accuracy.interval.high));
            }
            table += sweepTable(sweep);
            const Layer best = sweep.rows[static_cast<std::size_t>(sweep.best)].layer;
            if (target.scores.size() == 0)
                LODESTONE_CHECK(addTrust(*foundation, sweepOptions, target.value, best, document, table));
            if (options->compare)
                LODESTONE_CHECK(
                    addComparison(*foundation, sweepOptions, best, document, table, context.work()));
            if (options->rank)
                LODESTONE_CHECK(addDimensions(
                    *foundation, sweepOptions, target.value, best, options->also, document, table, context));
            context.print(document, table);
            return {};
        });
    std::string methodNames;
    for (const geometry::Method method : geometry::allMethods())
        methodNames += (methodNames.empty() ? "" : ", ") + std::string(geometry::methodName(method));
    sub->add_option("--study", options->study, "A study folder, or sample / requests")->required();
    sub->add_flag(
        "--compare", options->compare,
        "Values against each other at the best layer: transfer, leave one out, cosines");
    auto* rank = sub->add_flag(
        "--rank", options->rank,
        "How many directions carry the value at the best layer: agreement and gain against rank, what is "
        "left "
        "when found directions are taken out, and other coordinates (raw, whitened, leading components "
        "dropped)");
    sub->add_option("--also", options->also, "With --rank: studies of the same pairs by other models")
        ->needs(rank);
    sub->add_option(
           "--target", options->target,
           "labels, pmi, loglik, loglik-per-token, length, or one of the study's values")
        ->capture_default_str();
    sub->add_option("--method", options->method, methodNames)->capture_default_str();
    sub->add_option("--position", options->position, "mean or last")->capture_default_str();
    sub->add_option("--layer", options->layer, "A block's number, embedding, or all")->capture_default_str();
    sub->add_option(
           "--train-fraction", options->trainFraction, "Share of prompts for training (default: the study's)")
        ->check(CLI::Range(0.05, 0.95));
}

} // namespace

void addDirectionCommands(CLI::App& app)
{
    addDirectionsCommand(app);
    addElicitCommand(app);
    addRefusalCommand(app);
}

} // namespace lodestone::app
