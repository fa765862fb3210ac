// Subcommands on the statements of docs/theory.md (list, show, run) and on worlds drawn from their model.
#include "app/cli/session_options.h"

#include "core/session/study_statement.h"
#include "core/session/world_study.h"
#include "core/theory/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <optional>

namespace lodestone::app {
namespace {

using theory::Statement;

Json inputsJson(const Statement& statement, const theory::Values& values)
{
    Json inputs = Json::array();
    for (const theory::Input& input : statement.inputs)
        inputs.push_back({ { "name", input.name },
                           { "symbol", theory::symbol(input.name) },
                           { "default", input.standard },
                           { "value", values[input.name] },
                           { "low", input.low },
                           { "high", input.high },
                           { "whole", input.whole },
                           { "meaning", input.meaning } });
    return inputs;
}

Result<const Statement*> statementNamed(const std::string& id)
{
    if (const Statement* found = theory::findStatement(id))
        return found;
    return fail(
        ErrorKind::Usage,
        fmt::format(
            "a statement from {} to {}", theory::statements().front().id, theory::statements().back().id),
        id, "theory");
}

/// "name=value" for one of the inputs; `set` checks name and range.
template <typename Set>
Result<void> applySetting(const std::vector<theory::Input>& inputs, const std::string& text, Set set)
{
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        return fail(ErrorKind::Usage, "name=value", text, "--set");
    const std::string name = text.substr(0, equals), value = text.substr(equals + 1);
    double parsed = 0;
    const char* begin = value.data() + (!value.empty() && value[0] == '+' ? 1 : 0);
    const char* end = value.data() + value.size();
    const auto result = std::from_chars(begin, end, parsed);
    const bool known = std::any_of(
        inputs.begin(), inputs.end(), [&](const theory::Input& input) { return input.name == name; });
    if (known && (result.ec != std::errc() || result.ptr != end))
        return badInput("a number", "'" + value + "'", "input " + name);
    return set(name, parsed);
}

Json documentOf(
    const Statement& statement, const theory::Values& values, const theory::Quantities& closed,
    const theory::Measurements& simulated)
{
    Json closedJson = Json::object(), simulatedJson = Json::object(), errors = Json::object(),
         infinite = Json::array();
    for (const theory::Quantity& one : closed) {
        closedJson[one.name] = number(one.value);
        if (!std::isfinite(one.value))
            infinite.push_back(one.name);
    }
    for (const theory::Measured& one : simulated) {
        simulatedJson[one.name] = number(one.value);
        errors[one.name] = number(one.standardError);
    }
    Json formula = Json::array();
    for (const theory::FormulaLine& line : statement.formula)
        formula.push_back(
            { { "output", line.output }, { "expression", theory::expressionText(line.expression) } });
    return { { "id", statement.id },
             { "title", statement.title },
             { "label", theory::labelText(statement.label) },
             { "inputs", inputsJson(statement, values) },
             { "formula", formula },
             { "closed", closedJson },
             { "infinite", infinite },
             { "simulated", simulatedJson },
             { "standard_error", errors },
             { "asymptotic", statement.asymptotic },
             { "assumptions", statement.assumptions },
             { "words", statement.words },
             { "figure", statement.figure },
             { "source", statement.source } };
}

std::string tableOf(
    const Statement& statement, const theory::Values& values, const theory::Quantities& closed,
    const theory::Measurements& simulated, bool ran)
{
    std::string table = fmt::format("{} {}\n{}\n\n", statement.id, statement.title, statement.words);
    for (const theory::FormulaLine& line : statement.formula)
        table += fmt::format(
            "  {} = {}\n", theory::symbol(line.output), theory::expressionText(line.expression));
    table += "\nInputs\n";
    for (const theory::Input& input : statement.inputs)
        table += fmt::format(
            "  {:<10} {:>12}  {} ({:g} to {:g})\n", input.name, theory::numberText(values[input.name]),
            input.meaning, input.low, input.high);
    table += ran ? "\nResult             formula    simulation  standard error\n"
                 : "\nResult             formula\n";
    for (const theory::Quantity& one : closed) {
        table += fmt::format("  {:<14} {:>10}", one.name, theory::numberText(one.value));
        if (const theory::Measured* found = theory::find(simulated, one.name))
            table += fmt::format("  {:>12.6g}  {:>14.2g}", found->value, found->standardError);
        table += "\n";
    }
    table += fmt::format(
        "\nAssumes: {}\nSource: {}\nLabel: {}\n", statement.assumptions, statement.source,
        theory::labelText(statement.label));
    return table;
}

/// The study's values for a statement, set into `values`.
Result<session::StudyValues> valuesOfStudy(
    const Statement& statement, const SessionOptions& options, theory::Values& values,
    CommandContext& context)
{
    LODESTONE_TRY(const OpenSession opened, openSession(options, context));
    LODESTONE_TRY(const auto snapshot, snapshotOf(opened, context));
    LODESTONE_TRY(session::StudyValues found, session::studyValues(*snapshot, statement.id));
    for (const theory::Quantity& input : found.inputs)
        values.put(input.name, statement.input(input.name)->whole ? std::round(input.value) : input.value);
    return found;
}

Json studyJson(const session::StudyValues& found)
{
    Json inputs = Json::object(), measured = Json::object();
    for (const theory::Quantity& input : found.inputs)
        inputs[input.name] = number(input.value);
    for (const session::StudyMeasured& one : found.measured)
        measured[one.output]
            = { { "value", number(one.value.value) }, { "ci", intervalJson(one.value.interval) } };
    return { { "inputs", inputs }, { "measured", measured }, { "says", found.says } };
}

std::string studyTable(const session::StudyValues& found, const theory::Quantities& closed)
{
    std::string table = found.measured.empty()
        ? "\nOn the study: nothing is measured beside the formula, its inputs are the study's.\n"
        : "\nOn the study          measured                    formula\n";
    for (const session::StudyMeasured& one : found.measured) {
        const theory::Quantity* formula = theory::find(closed, one.output);
        const geometry::Interval& interval = one.value.interval;
        table += fmt::format(
            "  {:<18} {:>10.4g} {:<20} {:>10}\n", one.output, one.value.value,
            interval.isKnown() ? fmt::format("({:.3g} to {:.3g})", interval.low, interval.high) : "",
            formula ? theory::numberText(formula->value) : "");
    }
    return table + (found.says.empty() ? "" : found.says + "\n");
}

Result<void> showPage(CommandContext& context)
{
    std::string page;
    for (const Statement& statement : theory::statements())
        page += theory::markdown(statement) + "\n";
    context.print(Json{ { "markdown", page } }, page);
    return {};
}

void addWorldCommand(CLI::App& group)
{
    struct Options {
        std::string study;
        std::vector<std::string> settings;
    };
    auto options = std::make_shared<Options>();
    std::string footer = "Settings of --set:\n";
    for (const theory::Input& input : theory::worldInputs())
        footer += fmt::format(
            "  {:<9} {:>6g}  {} ({:g} to {:g})\n", input.name, input.standard, input.meaning, input.low,
            input.high);
    CLI::App* world = addCommand(
        group, "world", "Draw a linear-Gaussian world of known truth and write it as a study",
        [options](CommandContext& context) -> Result<void> {
            const std::vector<theory::Input> inputs = theory::worldInputs();
            theory::Values values(inputs);
            for (const std::string& setting : options->settings)
                LODESTONE_CHECK(applySetting(inputs, setting, [&](const std::string& name, double value) {
                    return theory::setWorld(values, name, value);
                }));
            LODESTONE_TRY(
                const session::WorldStudy written,
                session::writeWorldStudy(values, context.seed, options->study));
            Json settings = Json::object();
            std::string table = fmt::format(
                "{}: {} replies, {} pairs; the truth is in {}\n", options->study, written.responses,
                written.pairs, written.truth.string());
            for (const theory::Quantity& one : values.all()) {
                settings[one.name] = one.value;
                table += fmt::format("  {:<10} {:g}\n", one.name, one.value);
            }
            context.print(
                { { "study", options->study },
                  { "responses", written.responses },
                  { "pairs", written.pairs },
                  { "truth", written.truth.string() },
                  { "seed", context.seed },
                  { "settings", settings } },
                table);
            return {};
        });
    world->add_option("--study", options->study, "The new study's folder")->required();
    world->add_option("--set", options->settings, "name=value of a setting; may be given again")->take_all();
    world->footer(footer);
}

} // namespace

void addTheoryCommands(CLI::App& app)
{
    CLI::App* group
        = app.add_subcommand("theory", "The statements T1 to T51: formulas, simulations, sources");
    group->require_subcommand(1);
    group->fallthrough();
    addCommand(
        *group, "list", "Every statement with its inputs", [](CommandContext& context) -> Result<void> {
            Json list = Json::array();
            std::string table;
            for (const Statement& statement : theory::statements()) {
                list.push_back({ { "id", statement.id },
                                 { "title", statement.title },
                                 { "inputs", inputsJson(statement, statement.standard()) } });
                std::string names;
                for (const theory::Input& input : statement.inputs)
                    names += (names.empty() ? "" : " ") + input.name;
                table += fmt::format("{:<5} {:<45} {}\n", statement.id, statement.title, names);
            }
            context.print({ { "statements", list } }, table);
            return {};
        });

    struct Options {
        std::string id;
        std::vector<std::string> settings;
        int draws = 200000;
        bool markdown = false;
        SessionOptions study; ///< none: the standard values
    };
    auto shown = std::make_shared<Options>();
    CLI::App* show = addCommand(
        *group, "show", "A statement: its formula at the default values, without a simulation",
        [shown](CommandContext& context) -> Result<void> {
            if (shown->id == "all" && shown->markdown)
                return showPage(context);
            LODESTONE_TRY(const Statement* statement, statementNamed(shown->id));
            const theory::Values values = statement->standard();
            LODESTONE_TRY(const theory::Quantities closed, theory::evaluate(*statement, values));
            context.print(
                documentOf(*statement, values, closed, {}),
                shown->markdown ? theory::markdown(*statement)
                                : tableOf(*statement, values, closed, {}, false));
            return {};
        });
    show->add_option("statement", shown->id, "T1 to T51 (with --markdown also: all)")->required();
    show->add_flag("--markdown", shown->markdown, "As a section of docs/theory.md");

    auto ran = std::make_shared<Options>();
    CLI::App* run = addCommand(
        *group, "run", "A statement at the values given: formula and simulation",
        [ran](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const Statement* statement, statementNamed(ran->id));
            theory::Values values = statement->standard();
            std::optional<session::StudyValues> study;
            if (!ran->study.study.empty()) {
                LODESTONE_TRY(study, valuesOfStudy(*statement, ran->study, values, context));
            }
            for (const std::string& setting : ran->settings)
                LODESTONE_CHECK(
                    applySetting(statement->inputs, setting, [&](const std::string& name, double value) {
                        return statement->set(values, name, value);
                    }));
            LODESTONE_TRY(const theory::Quantities closed, theory::evaluate(*statement, values));
            LODESTONE_TRY(
                const theory::Measurements simulated,
                theory::simulate(*statement, values, context.seed, ran->draws, context.work().stop));
            Json document = documentOf(*statement, values, closed, simulated);
            std::string table = tableOf(*statement, values, closed, simulated, true);
            if (study) {
                document["study"] = studyJson(*study);
                table += studyTable(*study, closed);
            }
            context.print(document, table);
            return {};
        });
    run->add_option("statement", ran->id, "T1 to T51")->required();
    run->add_option("--set", ran->settings, "name=value of an input; may be given again")->take_all();
    run->add_option(
        "--study", ran->study.study,
        "Take the inputs from this study (a folder, or sample), and show what was measured on it beside the "
        "formula; --set comes after");
    run->add_option("--constitution", ran->study.constitution, "With --study: a constitution's JSON file");
    run->add_option(
        "--layer", ran->study.layer, "With --study: a block's number (default: by cross-validation)");
    addWorldCommand(*group);
    run->add_option("--draws", ran->draws, "Size of the simulation")
        ->capture_default_str()
        ->check(CLI::Range(100, 100000000));
}

} // namespace lodestone::app
