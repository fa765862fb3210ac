// The subcommand judge: the constitution's judgment of every pair, by the linear judge or by asking the
// model.
#include "app/cli/judge_labels.h"
#include "app/cli/session_options.h"

#include "core/geometry/composition.h"
#include "core/judgment/calibration.h"
#include "core/judgment/prompted_judge.h"
#include "core/session/judge_cone.h"

#include <cmath>
#include <fmt/format.h>
#include <map>

namespace lodestone::app {
namespace {

Json calibrationJson(const judgment::Calibration& calibration, const std::vector<double>& p)
{
    Json bins = Json::array();
    for (const judgment::ReliabilityBin& bin : calibration.bins)
        bins.push_back({ { "p", number(bin.meanP) }, { "agreed", number(bin.agreed) }, { "n", bin.count } });
    return { { "ece", number(calibration.ece.value) },
             { "ece_ci", intervalJson(calibration.ece.interval) },
             { "temperature", number(judgment::fitTemperature(p)) },
             { "reliability", std::move(bins) } };
}

struct JudgeOptions : SessionOptions {
    bool prompted = false, reasoning = false, labels = false;
    int fewShot = 0;
    std::string preamble;
};

/// The model's own comparison of every pair in both orders, beside the linear judge.
struct Prompted {
    judgment::PromptedJudgments judgments;
    std::map<int, const judgment::PromptedPair*> ofPair;
};
Result<Prompted>
askModel(const JudgeOptions& options, const OpenSession& session, const CommandContext& context)
{
    judgment::PromptedOptions ask;
    ask.preamble = options.preamble;
    ask.fewShot = options.fewShot;
    ask.reasoning = options.reasoning;
    ask.seed = context.seed;
    LODESTONE_TRY(const auto model, context.loadModel());
    Prompted result;
    LODESTONE_TRY(
        result.judgments,
        judgment::judgeByPrompt(
            *session.foundation->study, *model, session.inputs.constitution, session.foundation->training,
            ask, {}, context.work()));
    for (const judgment::PromptedPair& pair : result.judgments.pairs)
        result.ofPair[pair.pair] = &pair;
    return result;
}

Json biasJson(const judgment::PositionBias& bias)
{
    return { { "logit", number(bias.bias) },
             { "deviation", number(bias.deviation) },
             { "bias_over_deviation", number(bias.deviation > 0 ? bias.bias / bias.deviation : 0) },
             { "same_position", number(bias.samePosition.value) },
             { "same_position_ci", intervalJson(bias.samePosition.interval) },
             { "same_position_implied", number(bias.samePositionImplied) },
             { "first_among_same", number(bias.firstAmongSame) } };
}

/// What the principles can do at all at this layer (docs/theory.md T15-T18), and where they fight.
Json compositionJson(const session::Snapshot& snapshot)
{
    const session::JudgeStage& judge = *snapshot.judge;
    const session::LayerStage& layer = *snapshot.layer;
    const auto k = static_cast<Eigen::Index>(judge.active.size());
    Eigen::VectorXd gains = Eigen::VectorXd::Zero(k);
    Json names = Json::array(), cosines = Json::array(), order = Json::array(), shares = Json::array();
    for (Eigen::Index i = 0; i < k; ++i) {
        const auto at = static_cast<std::size_t>(judge.active[static_cast<std::size_t>(i)]);
        names.push_back(snapshot.inputs.constitution.principles[at].name);
        if (layer.people.found())
            gains[i] = snapshot.principles[at]->direction.readOut.weights.dot(layer.people.displacement);
    }
    const Eigen::MatrixXd dependence = geometry::orderDependences(judge.cosines);
    for (Eigen::Index i = 0; i < k; ++i) {
        Json row = Json::array(), swapped = Json::array();
        for (Eigen::Index j = 0; j < k; ++j) {
            row.push_back(number(judge.cosines(i, j)));
            swapped.push_back(number(dependence(i, j)));
        }
        cosines.push_back(std::move(row));
        order.push_back(std::move(swapped));
    }
    Json result{ { "principles", std::move(names) },
                 { "conflicts", std::move(cosines) },
                 { "order_dependence", std::move(order) } };
    if (!layer.people.found() || k == 0)
        return result;
    Json gainsJson = Json::array();
    for (const double gain : gains)
        gainsJson.push_back(number(gain));
    result["gains"] = std::move(gainsJson);
    if (const auto mix = geometry::bestMix(judge.cosines, gains, 0.5)) {
        for (const double share : mix->share)
            shares.push_back(number(share));
        result["share"] = std::move(shares);
        result["best_gain"] = mix->valueGain;
    }
    // K = 1/2, so that sqrt(2 K) = 1: gains in units of |w*| = 1 at unit length of the judge.
    const geometry::Reach weights = geometry::reachOfWeights(gains, 0.5);
    result["reach_of_weights"] = Json::array({ weights.worst, weights.best });
    if (layer.neutral.found()) {
        const double cosine = layer.neutral.readOut.weights.dot(layer.people.displacement);
        const geometry::Reach projections = geometry::reachOfProjections(1, 1, cosine);
        result["reach_of_projections"] = Json::array({ projections.worst, projections.best });
    }
    return result;
}

/// What became of the principles' marked pairs; empty where there are none.
Json examplesJson(const session::Snapshot& snapshot, std::string& table)
{
    Json list = Json::array();
    for (std::size_t i = 0; i < snapshot.principles.size(); ++i) {
        const session::MarksUsed& marks = snapshot.principles[i]->marks;
        if (marks.count() == 0)
            continue;
        const std::string& name = snapshot.inputs.constitution.principles[i].name;
        list.push_back({ { "principle", name },
                         { "training", marks.training },
                         { "held_out", marks.heldOut },
                         { "unknown", marks.unknown },
                         { "used", marks.used() },
                         { "log_bayes_factor", number(marks.logBayesFactor) },
                         { "cosine_with_words", number(marks.cosineWithWords) } });
        table += fmt::format(
            "{}: {} examples train, {} are held out, {} are not of this study{}\n", name, marks.training,
            marks.heldOut, marks.unknown,
            marks.used() && std::isfinite(marks.cosineWithWords) ? fmt::format(
                "; cosine with the words' own direction {:.2f}, log Bayes factor {:.2f}",
                marks.cosineWithWords, marks.logBayesFactor)
                                                                 : "");
    }
    return list;
}

} // namespace

void addJudgeCommand(CLI::App& app)
{
    auto options = std::make_shared<JudgeOptions>();
    CLI::App* sub = addCommand(
        app, "judge", "The constitution's judgment of every pair",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const OpenSession session, openSession(*options, context));
            LODESTONE_TRY(const auto snapshot, snapshotOf(session, context, !options->prompted));
            const data::ResponseSet& set = session.foundation->study->set();
            // Intervals by the cone around w_c; a prompted judge may stand without a linear one.
            session::JudgeCone cone;
            cone.pairs = snapshot->judge->pairs;
            if (snapshot->judge->problem.empty()) {
                LODESTONE_TRY(cone, session::judgeCone(*snapshot));
            }
            std::optional<Prompted> prompted;
            if (options->prompted) {
                LODESTONE_TRY(prompted, askModel(*options, session, context));
            }
            Json pairs = Json::array(), disagreements = Json::array();
            std::string table;
            std::vector<double> linear, asked;
            for (std::size_t at = 0; at < cone.pairs.size(); ++at) {
                const judgment::PairJudgment& judged = cone.pairs[at];
                const data::Pair& pair = set.pairs[static_cast<std::size_t>(judged.pair)];
                Json row{ { "id", pair.id },
                          { "p", judged.p },
                          { "label", "chosen" },
                          { "held_out", judged.heldOut },
                          { "interval", intervalJson(judged.interval) } };
                std::string said = judged.agrees() ? "agrees" : "disagrees";
                if (snapshot->judge->inParts()) {
                    const int level = snapshot->judge->decidedBy[at];
                    row["decided_by"] = level < 0
                        ? Json(nullptr)
                        : Json(snapshot->judge->priorities[static_cast<std::size_t>(level)]);
                    said = level < 0 ? "no principle applies"
                                     : fmt::format(
                                         "{}, priority {}", said,
                                         snapshot->judge->priorities[static_cast<std::size_t>(level)]);
                }
                if (prompted) {
                    const auto found = prompted->ofPair.find(judged.pair);
                    if (found == prompted->ofPair.end())
                        continue;
                    const judgment::PromptedPair& both = *found->second;
                    row["linear_p"] = judged.p;
                    row["p"] = both.p();
                    row["p_chosen_first"] = judgment::preference(both.chosenFirst, 0, 1);
                    row["p_chosen_second"] = judgment::preference(0, both.chosenSecond, 1);
                    row["flipped_by_order"] = both.flippedByOrder();
                    said = fmt::format(
                        "{}{}", both.p() > 0.5 ? "agrees" : "disagrees",
                        both.flippedByOrder() ? ", flips with the order" : "");
                    if ((both.p() > 0.5) != judged.agrees()) {
                        disagreements.push_back(pair.id);
                        said += ", unlike the linear judge";
                    }
                    linear.push_back(judged.p - 0.5);
                    asked.push_back(both.p() - 0.5);
                }
                table += fmt::format(
                    "{:<20} {:>5.0f} %  ({:>3.0f}-{:.0f})  {}{}\n", pair.id, 100 * row["p"].get<double>(),
                    100 * judged.interval.low, 100 * judged.interval.high, said,
                    judged.heldOut ? "" : "  (training prompt)");
                pairs.push_back(std::move(row));
            }
            geometry::Estimate agreement = snapshot->judge->agreement;
            Json document{ { "pairs", pairs },
                           { "agreement", number(agreement.value) },
                           { "agreement_ci", intervalJson(agreement.interval) },
                           { "flipped_by_order", 0 },
                           { "cone_degrees", number(cone.degrees) } };
            if (prompted) {
                // Asked of every pair, fitted to none (but for the exemplars): all pairs count.
                const judgment::PositionBias& bias = prompted->judgments.bias;
                document["linear_agreement"] = document["agreement"];
                document["linear_agreement_ci"] = document["agreement_ci"];
                agreement = prompted->judgments.agreement;
                document["agreement"] = number(agreement.value);
                document["agreement_ci"] = intervalJson(agreement.interval);
                document["one_order_agreement"] = number(prompted->judgments.oneOrder.value);
                document["one_order_agreement_ci"] = intervalJson(prompted->judgments.oneOrder.interval);
                document["flipped_by_order"] = number(bias.samePosition.value);
                document["position_bias"] = biasJson(bias);
                document["disagreements"] = disagreements;
                document["kappa"] = number(judgment::kappa(linear, asked));
                document["prompt"] = prompted->judgments.prompt;
                table += fmt::format(
                    "asked in both orders: agreement with people {} ({}), one order {}; the order changes {} "
                    "of the answers (bias {:.2f} for the first, spread {:.2f}); linear judge {}, kappa of "
                    "the "
                    "two {:.2f}\n",
                    percent(agreement.value),
                    percentInterval(agreement.interval.low, agreement.interval.high),
                    percent(prompted->judgments.oneOrder.value), percent(bias.samePosition.value), bias.bias,
                    bias.deviation, percent(snapshot->judge->agreement.value),
                    judgment::kappa(linear, asked));
            } else
                table += fmt::format(
                    "agreement with people on held-out pairs: {} ({}), {}\n", percent(agreement.value),
                    percentInterval(agreement.interval.low, agreement.interval.high),
                    session.inputs.layer.label());
            std::vector<double> p;
            std::vector<int> groups;
            for (const judgment::PairJudgment& judged : snapshot->judge->pairs)
                if (judged.heldOut) {
                    p.push_back(judged.p);
                    groups.push_back(set.groupOf(set.pairs[static_cast<std::size_t>(judged.pair)].chosen));
                }
            document["calibration"] = calibrationJson(judgment::calibration(p, groups, context.seed), p);
            if (snapshot->judge->inParts()) {
                document["linear_share"] = number(snapshot->judge->linearShare);
                table += fmt::format(
                    "scopes or priorities are in use: one direction explains {} of the judge's rewards\n",
                    percent(snapshot->judge->linearShare));
            }
            if (Json examples = examplesJson(*snapshot, table); !examples.empty())
                document["examples"] = std::move(examples);
            document["composition"] = compositionJson(*snapshot);
            if (options->labels) {
                LODESTONE_TRY(Json labels, labelsJson(*snapshot, table));
                document["labels"] = std::move(labels);
            }
            document["layer"] = layerJson(session.inputs.layer);
            document["mapping"] = constitution::mappingName(session.inputs.constitution.mapping);
            document["fingerprint"] = snapshot->fingerprint().hex();
            context.print(document, table);
            return {};
        });
    options->addTo(*sub, true);
    sub->add_flag(
        "--prompted", options->prompted,
        "Ask the model to compare each pair, in both orders averaged; flipped_by_order is then the share of "
        "pairs whose answer changes with the order (the linear judge has none: it is antisymmetric, 0)");
    sub->add_option("--few-shot", options->fewShot, "Exemplars from training prompts: 0, 1, 2 or 8")
        ->check(CLI::IsMember({ 0, 1, 2, 8 }))
        ->capture_default_str();
    sub->add_flag(
        "--labels", options->labels,
        "What raters said in \"Label pairs\": how far they agree with each other, the study and this judge, "
        "and the pairs to ask about next");
    sub->add_flag("--reasoning", options->reasoning, "Let the model reason before it answers");
    sub->add_option("--preamble", options->preamble, "The prompt's first sentences, instead of ours");
}

} // namespace lodestone::app
