// The subcommand elicit: from a principle's words to a direction, one way or all of them side by side.
#include "app/cli/elicit_command.h"
#include "app/cli/study_access.h"
#include "app/cli/sweep_output.h"

#include "core/constitution/reply_reader.h"
#include "core/model/context_store.h"
#include "core/session/elicitation_bench.h"
#include "core/session/pipeline.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <sstream>

namespace lodestone::app {

Result<std::unique_ptr<model::LanguageModel>>
modelFor(const data::Study& study, const CommandContext& context)
{
    LODESTONE_TRY(auto model, context.loadModel());
    if (model->sha256() != study.model().sha256)
        return badInput(
            "the model that read this study (" + study.model().name + ")",
            model->config().name + ": name that model with --model, or capture the study again with this one",
            study.name());
    return model;
}

Result<std::vector<Layer>>
ElicitRun::layersOrBest(const ElicitOptions& options, const CommandContext& context) const
{
    if (options.layerOption->count() > 0)
        return layers.empty() ? study->layers() : layers;
    const auto best = session::preferredLayer(*foundation, position, context.work());
    return std::vector<Layer>{ best ? *best : session::defaultInputs(*foundation).layer };
}

void ElicitRun::loadWhereMissing(
    const std::vector<std::string>& wanted, const CommandContext& context, bool force)
{
    const bool complete = std::all_of(wanted.begin(), wanted.end(), [&](const std::string& way) {
        return constitution::isAnswered(way, principles, ask);
    });
    // Pole words outside the study's table: the model looks them up once, for all ways that judge by words.
    const bool byWords = ask.cloze && std::any_of(wanted.begin(), wanted.end(), [](const std::string& way) {
                             return !constitution::findWay(way)->needsModel;
                         });
    const bool wordsMissing = byWords
        && std::any_of(principles.begin(), principles.end(),
                       [&](const auto& one) { return !ask.cloze->wordsToAsk(one).empty(); });
    if (complete && !force && !wordsMissing)
        return;
    auto loaded = modelFor(*study, context);
    if (loaded)
        model = std::move(*loaded);
    else
        context.say("Only stored answers are shown: " + loaded.error().message());
    ask.model = model.get();
    if (!model || !wordsMissing)
        return;
    if (auto extended = ask.cloze->withAllWords(*model, *study, principles, context.work()))
        ask.cloze = std::move(*extended);
    else
        context.say("Words outside the study's table are left out: " + extended.error().message());
}

namespace {

using constitution::Principle;

/// What the options name: a file, words, or one principle per value of the study.
Result<std::vector<Principle>> principlesOf(const ElicitOptions& options, const data::Study& study)
{
    if (!options.constitution.empty()) {
        LODESTONE_TRY(const auto constitution, constitution::readConstitution(options.constitution));
        if (constitution.principles.empty())
            return badInput("at least one principle", "none", options.constitution);
        return constitution.principles;
    }
    if (options.principleOption->count() > 0
        && options.principle.find_first_not_of(" \t\r\n") == std::string::npos)
        return badInput("a principle's text: write one sentence", "an empty one", "--principle");
    if (!options.principle.empty() || !options.positive.empty()) {
        Principle principle = constitution::neutralPrinciple();
        principle.id = principle.name = options.principle.empty() ? options.positive : options.principle;
        principle.text = options.principle.empty()
            ? "The " + data::itemKindName(study.set().kind) + " is " + options.positive + "."
            : options.principle;
        if (!options.positive.empty())
            principle.positive = constitution::wordsOf(options.positive);
        if (!options.negative.empty())
            principle.negative = constitution::wordsOf(options.negative);
        principle.value = options.label;
        if (const std::string problem = constitution::problemOf(principle); !problem.empty())
            return badInput("a principle that can be judged", problem, "--principle");
        return std::vector<Principle>{ principle };
    }
    return constitution::constitutionForValues(
               study.set().labelled() && study.set().positiveLabel == "harmless"
                   ? std::vector<std::string>{ "harmless" }
                   : study.set().labelled() ? std::vector<std::string>{}
                                            : study.set().values())
        .principles;
}

/// Stored answers of the study and of the user's cache, and how many there were before asking.
struct Answers {
    std::shared_ptr<constitution::AnswerStore> store;
    std::size_t before = 0;
};
Result<void>
keepAnswers(const Answers& answers, const data::Study& study, bool withStudy, const CommandContext& context)
{
    if (answers.store->size() == 0 || (!withStudy && answers.store->size() == answers.before))
        return {};
    auto saved = answers.store->save(
        withStudy ? constitution::shippedAnswers(study) : constitution::cachedAnswers(study));
    if (withStudy)
        return saved;
    if (!saved) // the numbers are there; only asking again will take its time
        context.say("The answers could not be kept: " + saved.error().message());
    return {};
}

Result<void> elicit(const ElicitOptions& options, CommandContext& context)
{
    if (options.propose)
        return elicitPropose(options, context);
    if (options.study.empty())
        return fail(ErrorKind::Usage, "a study folder, or sample / requests", "none", "--study");
    LODESTONE_TRY(const auto study, openStudy(options.study));
    LODESTONE_TRY(const auto foundation, session::Foundation::open(study));
    LODESTONE_TRY(const std::vector<Principle> principles, principlesOf(options, *study));
    if (!foundation->answersProblem.empty())
        context.say("The study's stored answers are left out: " + foundation->answersProblem);
    const Answers answers{ foundation->answers, foundation->answers->size() };
    LODESTONE_TRY(const data::Position wantedPosition, data::parsePosition(options.position));
    const data::Position position = session::availablePosition(*study, wantedPosition);
    LODESTONE_TRY(const std::vector<Layer> layers, layersAsked(options.layer));
    std::vector<std::string> ways;
    std::istringstream list(options.way);
    for (std::string way; std::getline(list, way, ',');)
        ways.push_back(way);
    for (const std::string& way : ways)
        if (!constitution::findWay(way))
            return fail(
                ErrorKind::Usage, "a way among " + constitution::wayNames(), "'" + way + "'", "--way");
    constitution::WayContext ask = foundation->wayContext();
    ask.contexts = std::make_shared<model::ContextStore>(); // every way reads the same replies
    ask.rows = constitution::labelledRows(study->set());
    ask.paraphrases = options.paraphrases;
    ask.seed = context.seed;
    if (options.enacted || options.nonlinear || options.adversarial) {
        ElicitRun run{ study, foundation, principles, ask, position, layers, ways, nullptr };
        auto done = options.enacted ? elicitEnacted(options, run, context)
            : options.nonlinear     ? elicitNonlinear(options, run, context)
                                    : elicitAdversarial(options, run, context);
        LODESTONE_CHECK(keepAnswers(answers, *study, options.keep, context)); // also what a stop left
        return done;
    }
    std::unique_ptr<model::LanguageModel> model;

    if (options.bench) {
        if (ways.empty())
            for (const constitution::WayInfo& info : constitution::allWays())
                ways.push_back(info.name);
        ElicitRun run{ study, foundation, principles, ask, position, layers, ways, nullptr };
        run.loadWhereMissing(ways, context, false);
        model = std::move(run.model);
        ask = run.ask;
        session::BenchOptions bench;
        bench.ways = ways;
        bench.layers = layers;
        bench.randomWords = 40;
        bench.position = position;
        bench.seed = context.seed;
        auto result = session::runBench(*foundation, principles, ask, bench, context.work());
        LODESTONE_CHECK(keepAnswers(answers, *study, options.keep, context)); // also what a stop left
        if (!result)
            return tl::unexpected(result.error());
        printBench(*result, options.study, context);
        return {};
    }

    if (ways.size() > 1)
        return fail(ErrorKind::Usage, "one way, or --bench", options.way, "--way");
    const std::string way = ways.empty() ? "cloze" : ways.front();
    Json results = Json::array();
    std::string table;
    for (const Principle& principle : principles) {
        const std::string value
            = options.label.empty() ? (study->set().labelled() ? "" : principle.value) : options.label;
        const auto values = study->set().values();
        if (!options.label.empty() && std::find(values.begin(), values.end(), value) == values.end()
            && !study->set().labelled())
            return badInput(
                fmt::format("a value among {}", fmt::join(values, ", ")), "'" + value + "'", "--label");
        const bool known = std::find(values.begin(), values.end(), value) != values.end();
        const bool unknownWord = foundation->cloze && !foundation->cloze->wordsToAsk(principle).empty();
        const bool modelWanted = constitution::findWay(way)->needsModel
            ? !constitution::isAnswered(way, std::span(&principle, 1), ask)
            : unknownWord;
        if (modelWanted && !model) {
            auto loaded = modelFor(*study, context);
            if (loaded)
                model = std::move(*loaded);
            else if (constitution::findWay(way)->needsModel)
                return tl::unexpected(loaded.error());
            ask.model = model.get();
        }
        LODESTONE_TRY(const auto strategy, constitution::makeWay(way, ask));
        auto judgedOrError = strategy->judge(principle, context.work());
        LODESTONE_CHECK(keepAnswers(answers, *study, options.keep, context));
        LODESTONE_TRY(const constitution::Judged judged, std::move(judgedOrError));
        session::SweepTarget target{ judged.scores, {}, judged.contrast };
        session::SweepOptions sweepOptions;
        sweepOptions.method = geometry::Method::Ridge;
        sweepOptions.position = position;
        sweepOptions.layers = layers;
        sweepOptions.seed = context.seed;
        sweepOptions.scoredValue = known && !study->set().labelled() ? value : "";
        LODESTONE_TRY(
            const session::Sweep sweep,
            session::sweepLayers(*foundation, target, sweepOptions, context.work()));
        // The judgments themselves were fitted to nothing: all labelled items may score them.
        const auto all = constitution::examplesOf(
            study->set(), std::vector<bool>(study->set().responses.size(), false),
            study->set().responses.size(), sweepOptions.scoredValue);
        geometry::Score direct;
        if (!judged.contrast) {
            LODESTONE_TRY(
                direct,
                geometry::scoreRowScores(
                    { judged.scores.data(), static_cast<std::size_t>(judged.scores.size()) }, all.heldOut,
                    1000, context.seed));
        }
        LODESTONE_TRY(const auto length, geometry::lengthOnly(foundation->lengths, all.heldOut, all.heldOut));
        Json rows = Json::array();
        for (const session::SweepRow& row : sweep.rows)
            rows.push_back(sweepRowJson(row, sweep.pairs));
        Json result{
            { "principle", principle.name },
            { "way", way },
            { "yields", constitution::yieldsName(strategy->yields()) },
            { "value", value },
            { "direct_accuracy", sweep.pairs ? jsonNumber(direct.accuracy.value) : Json(nullptr) },
            { "direct_accuracy_ci", sweep.pairs ? jsonInterval(direct.accuracy.interval) : Json(nullptr) },
            { "direct_auc", jsonNumber(direct.auc.value) },
            { "direct_auc_ci", jsonInterval(direct.auc.interval) },
            { "length_accuracy", jsonNumber(sweep.pairs ? length.accuracy.value : length.auc.value) },
            { "unknown_words", judged.unknown },
            { "layers", rows },
            { "best", rows[static_cast<std::size_t>(sweep.best)] }
        };
        // What needs no labels, at the layer chosen.
        session::BenchOptions evidence;
        evidence.ways = { way };
        evidence.layers = { sweep.rows[static_cast<std::size_t>(sweep.best)].layer };
        evidence.position = position;
        evidence.people = false;
        evidence.seed = context.seed;
        std::string evidenceLine;
        if (const auto bench
            = session::runBench(*foundation, { principle }, ask, evidence, Work{ context.work().stop, {} });
            bench && !bench->rows.empty()) {
            const session::Evidence& found = bench->rows.front().evidence;
            result["evidence"] = evidenceJson(found);
            evidenceLine = fmt::format(
                "  without labels: linear {}, agreement {}, symmetry of the poles {}, independence of length "
                "{}, share of variance {}, norm against random {}\n",
                plainNumber(found.linearity), plainNumber(found.agreement), plainNumber(found.symmetry),
                plainNumber(found.lengthIndependence), plainNumber(found.shareOfVariance),
                plainNumber(found.normAgainstRandom));
        }
        results.push_back(std::move(result));
        table += fmt::format(
            "{} ({}, a {}): {} / {}\n", principle.name, way, constitution::yieldsName(strategy->yields()),
            constitution::joinWords(principle.positive), constitution::joinWords(principle.negative));
        if (!judged.unknown.empty())
            table += fmt::format(
                "  not one token of their own, left out: {}\n", fmt::join(judged.unknown, ", "));
        if (!judged.contrast)
            table += sweep.pairs ? fmt::format(
                         "  the model's answers agree with people in {} of the pairs ({}), length alone {}\n",
                         percent(direct.accuracy.value),
                         percentInterval(direct.accuracy.interval.low, direct.accuracy.interval.high),
                         percent(length.accuracy.value))
                                 : fmt::format(
                                     "  the model's answers: AUC {:.2f} ({:.2f}-{:.2f})\n", direct.auc.value,
                                     direct.auc.interval.low, direct.auc.interval.high);
        table += evidenceLine + sweepTable(sweep) + "\n";
    }
    if (results.size() == 1)
        context.print(results[0], table);
    else {
        Json document = results[0];
        document["principles"] = results;
        context.print(document, table);
    }
    return {};
}

} // namespace

void addElicitCommand(CLI::App& app)
{
    auto options = std::make_shared<ElicitOptions>();
    CLI::App* sub = addCommand(
        app, "elicit", "From a principle's words to a direction, with the evidence beside it",
        [options](CommandContext& context) { return elicit(*options, context); });
    std::string names = "A way (with --bench a list, default all):\n";
    for (const constitution::WayInfo& way : constitution::allWays())
        names += fmt::format("{} ({}): {}\n", way.name, constitution::yieldsName(way.yields), way.sentence);
    sub->add_option("--study", options->study, "A study folder, or sample / requests (--propose needs none)");
    sub->add_option("--constitution", options->constitution, "A constitution file");
    options->principleOption = sub->add_option("--principle", options->principle, "A principle's text");
    sub->add_option("--positive", options->positive, "Words of the positive pole");
    sub->add_option("--negative", options->negative, "Words of the negative pole");
    sub->add_option("--way", options->way, names);
    options->layerOption = sub->add_option("--layer", options->layer, "A block's number, embedding, or all")
                               ->capture_default_str();
    sub->add_option("--position", options->position, "mean or last")->capture_default_str();
    sub->add_option("--label", options->label, "Score on the labels of this value only");
    sub->add_option(
           "--paraphrases", options->paraphrases, "Wordings of every statement and request, averaged: 1 to 4")
        ->capture_default_str()
        ->check(CLI::Range(1, 4));
    sub->add_flag(
           "--propose", options->propose,
           "Propose words for both poles of the text of --principle: by templates, and by what the model "
           "says "
           "of replies that follow or break it")
        ->needs(options->principleOption);
    sub->add_flag(
        "--bench", options->bench,
        "Every way on every principle (none given: the study's values) at every layer: evidence without "
        "labels beside held-out agreement");
    auto* enacted = sub->add_flag(
        "--enacted", options->enacted,
        "Beside the direction by which the model judges, the one along which it moves when told to act so "
        "(--way names one of each kind; default cloze,persona-difference): cosines, what each says of the "
        "other's answers, at the layer that people's labels choose unless one is named");
    sub->add_option(
           "--steering", options->steering,
           "With --enacted and the model: push along either direction on so many held-out pairs")
        ->needs(enacted)
        ->check(CLI::Range(2, 1000));
    auto* nonlinear = sub->add_flag(
        "--nonlinear", options->nonlinear,
        "How linear the answers are, layer by layer: what a quadratic and a kernel probe add on held-out "
        "prompts, beside shuffled answers");
    enacted->excludes(nonlinear);
    auto* adversarial = sub->add_flag(
        "--adversarial", options->adversarial,
        "Search words for the principles that would harm people's direction most while looking harmless, and "
        "say which filters would have caught them (--constitution: the principles to hide behind, default "
        "the shipped ones)");
    adversarial->excludes(enacted)->excludes(nonlinear);
    sub->add_option("--looks", options->looks, "Least cos_S with the neutral judgment of good against bad")
        ->needs(adversarial)
        ->check(CLI::Range(-1.0, 1.0))
        ->capture_default_str();
    sub->add_option("--principles", options->principles, "Most principles of the constitution written")
        ->needs(adversarial)
        ->check(CLI::Range(1, 6))
        ->capture_default_str();
    sub->add_option("--avoid", options->avoid, "Words that no pole may hold")->needs(adversarial);
    sub->add_option("--save", options->saveTo, "Save the constitution found")->needs(adversarial);
    sub->add_flag("--keep", options->keep, "Keep the model's answers in the study instead of in the cache");
}

} // namespace lodestone::app
