#include "core/theory/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace lodestone::theory {
namespace {

/// Whole words that stand for a letter or a sign.
constexpr std::array<std::pair<std::string_view, std::string_view>, 20> letters{ {
    { "alpha", "α" }, { "beta", "β" }, { "gamma", "γ" }, { "delta", "δ" }, { "Delta", "Δ" },
    { "eps", "ε" },   { "eta", "η" },  { "theta", "θ" }, { "kappa", "κ" }, { "lambda", "λ" },
    { "mu", "μ" },    { "xi", "ξ" },   { "pi", "π" },    { "rho", "ρ" },   { "sigma", "σ" },
    { "Sigma", "Σ" }, { "tau", "τ" },  { "phi", "φ" },   { "Phi", "Φ" },   { "Lambda", "Λ" },
} };

std::string_view letter(std::string_view word)
{
    for (const auto& [name, sign] : letters)
        if (name == word)
            return sign;
    return word;
}

/// Greek for the letters-only words of a text; "DeltaV" counts as Delta and V.
std::string greek(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        if (!std::isalpha(static_cast<unsigned char>(text[i]))) {
            out += text[i++];
            continue;
        }
        std::size_t end = i;
        while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end])))
            ++end;
        const std::string_view word = text.substr(i, end - i);
        if (word.size() == 6 && word.starts_with("Delta"))
            out += "Δ" + std::string(word.substr(5));
        else
            out += letter(word);
        i = end;
    }
    return out;
}

template <typename F>
std::string replaced(const std::string& expression, F name, bool plain)
{
    std::string out, text;
    const auto flush = [&] {
        out += plain ? text : greek(text);
        text.clear();
    };
    for (std::size_t i = 0; i < expression.size(); ++i) {
        const std::size_t end = expression[i] == '{' ? expression.find('}', i) : std::string::npos;
        const std::string inside = end == std::string::npos ? "" : expression.substr(i + 1, end - i - 1);
        if (inside.empty() || !std::isalpha(static_cast<unsigned char>(inside[0]))
            || !std::all_of(
                inside.begin(), inside.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; })) {
            text += expression[i]; // a brace of the mathematics, as in Sigma^{-1}
            continue;
        }
        flush();
        out += name(inside);
        i = end;
    }
    flush();
    return out;
}

} // namespace

std::string symbol(std::string_view name)
{
    std::string base(name), square;
    if (base.size() > 1 && base.back() == '2' && (base == "s_xi2" || base == "w_norm2" || base == "r2")) {
        base.pop_back();
        square = "²";
    }
    if (base == "w_norm" && !square.empty())
        return "|w*|" + square;
    if (base.size() == 6 && base.ends_with("_norm"))
        return "|" + base.substr(0, 1) + "|";
    return greek(base) + square;
}

std::string numberText(double value)
{
    if (std::isinf(value))
        return value > 0 ? "infinite" : "-infinite";
    return fmt::format("{:.6g}", value);
}

std::string expressionText(const std::string& expression)
{
    return replaced(
        expression, [](const std::string& name) { return symbol(name); }, false);
}

std::string expressionNumbers(const std::string& expression, const Values& values, const Quantities& outputs)
{
    const std::string numbers = replaced(
        expression,
        [&](const std::string& name) {
            const Quantity* output = find(outputs, name);
            if (!output && !values.has(name))
                return symbol(name);
            const double value = output ? output->value : values[name];
            return value < 0 ? "(" + fmt::format("{:.4g}", value) + ")" : fmt::format("{:.4g}", value);
        },
        false);
    // Between two numbers a blank is a product.
    std::string out;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const bool product = numbers[i] == ' ' && i > 0 && i + 1 < numbers.size()
            && (std::isdigit(static_cast<unsigned char>(numbers[i - 1])) || numbers[i - 1] == ')')
            && (std::isdigit(static_cast<unsigned char>(numbers[i + 1])) || numbers[i + 1] == '(');
        out += product ? "·" : std::string(1, numbers[i]);
    }
    return out;
}

std::vector<std::string> namesIn(const std::string& expression)
{
    std::vector<std::string> names;
    replaced(
        expression,
        [&](const std::string& name) {
            names.push_back(name);
            return name;
        },
        true);
    return names;
}

std::string markdown(const Statement& statement)
{
    std::string text = fmt::format("### {} {}\n\n", statement.id, statement.title);
    text += fmt::format("{}\n\n", statement.words);
    text += "```\n";
    for (const FormulaLine& line : statement.formula)
        text += fmt::format("{} = {}\n", symbol(line.output), expressionText(line.expression));
    text += "```\n\n";
    text += "| input | symbol | meaning | value | range |\n|---|---|---|---|---|\n";
    for (std::size_t i = 0; i < statement.inputs.size();) {
        // Coordinates of one vector share a row.
        const Input& first = statement.inputs[i];
        std::string names, symbols, values;
        for (; i < statement.inputs.size() && statement.inputs[i].meaning == first.meaning
             && statement.inputs[i].low == first.low && statement.inputs[i].high == first.high;
             ++i) {
            const char* comma = names.empty() ? "" : ", ";
            names += fmt::format("{}`{}`", comma, statement.inputs[i].name);
            symbols += comma + symbol(statement.inputs[i].name);
            values += comma + numberText(statement.inputs[i].standard);
        }
        text += fmt::format(
            "| {} | {} | {} | {} | {:g} to {:g} |\n", names, symbols, first.meaning, values, first.low,
            first.high);
    }
    text += "\n";
    const auto outputs = evaluate(statement, statement.standard());
    if (outputs) {
        text += "At these values:";
        for (std::size_t i = 0; i < outputs->size(); ++i)
            text += fmt::format(
                "{} `{}` {}", i == 0 ? "" : ",", (*outputs)[i].name,
                std::abs((*outputs)[i].value) < 1e-12 ? "0" : numberText((*outputs)[i].value));
        text += ".\n\n";
    }
    text += fmt::format("Assumes: {}\n\nFigure: {}.\n\n", statement.assumptions, statement.figure);
    text += fmt::format(
        "Source: {} Label: {}{}.\n", statement.source, labelText(statement.label),
        statement.asymptotic ? "; asymptotic, good to about one percent" : "");
    return text;
}

} // namespace lodestone::theory
