#include "core/theory/statement.h"

#include "core/theory/sections.h"

#include <algorithm>
#include <cassert>
#include <cctype>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::theory {
namespace {

std::vector<Statement> everything()
{
    std::vector<Statement> all;
    for (auto* section : { coreChain, coreComparisons, coreCapacity, adversarial, composition, iteration,
                           labelling, position, goodhart, pools, strengthening, steering, audit }) {
        std::vector<Statement> part = section();
        std::move(part.begin(), part.end(), std::back_inserter(all));
    }
    return all;
}

bool sameId(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

/// A stream of random numbers of its own for each statement.
std::uint64_t streamOf(std::string_view id)
{
    std::uint64_t stream = 0;
    for (const char letter : id)
        stream = stream * 131 + static_cast<unsigned char>(letter);
    return stream;
}

template <typename List>
const typename List::value_type* findIn(const List& list, std::string_view name)
{
    const auto at
        = std::find_if(list.begin(), list.end(), [name](const auto& one) { return one.name == name; });
    return at == list.end() ? nullptr : &*at;
}

} // namespace

Values::Values(const std::vector<Input>& inputs)
{
    for (const Input& input : inputs)
        m_values.push_back({ input.name, input.standard });
}

double Values::operator[](std::string_view name) const
{
    const Quantity* found = findIn(m_values, name);
    assert(found);
    return found ? found->value : std::nan("");
}

bool Values::has(std::string_view name) const { return findIn(m_values, name) != nullptr; }

void Values::put(std::string_view name, double value)
{
    for (Quantity& one : m_values)
        if (one.name == name)
            one.value = value;
}

std::string labelText(Label label)
{
    return label == Label::Reconstruction ? "reconstruction in a linear-Gaussian model"
                                          : "general: holds without the linear-Gaussian model";
}

const Input* Statement::input(std::string_view name) const { return findIn(inputs, name); }

Result<void> Statement::set(Values& values, std::string_view name, double value) const
{
    const Input* one = input(name);
    if (!one) {
        std::string names;
        for (const Input& other : inputs)
            names += (names.empty() ? "" : ", ") + other.name;
        return fail(ErrorKind::Usage, "one of the inputs " + names, std::string(name), "statement " + id);
    }
    const std::string where = fmt::format("statement {}, input {}", id, one->name);
    if (!std::isfinite(value) || value < one->low || value > one->high)
        return badInput(
            fmt::format("a value from {:g} to {:g}", one->low, one->high), fmt::format("{:g}", value), where);
    if (one->whole && value != std::floor(value))
        return badInput("a whole number", fmt::format("{:g}", value), where);
    values.put(name, value);
    return {};
}

std::span<const Statement> statements()
{
    static const std::vector<Statement> all = everything();
    return all;
}

const Statement* findStatement(std::string_view id)
{
    for (const Statement& statement : statements())
        if (sameId(statement.id, id))
            return &statement;
    return nullptr;
}

Result<Quantities> evaluate(const Statement& statement, const Values& values)
{
    LODESTONE_TRY(Quantities outputs, statement.closed(values));
    for (const Quantity& output : outputs)
        if (std::isnan(output.value))
            return badInput(
                "values at which the formula is defined", output.name + " undefined",
                "statement " + statement.id);
    return outputs;
}

Result<Measurements> simulate(
    const Statement& statement, const Values& values, std::uint64_t seed, int draws, std::stop_token stop)
{
    LODESTONE_TRY(const Quantities outputs, evaluate(statement, values));
    if (!statement.simulate)
        return Measurements{};
    Draws how{ Rng(seed, streamOf(statement.id)), std::max(draws, 100), std::move(stop) };
    Measurements found = statement.simulate(values, how);
    if (how.stop.stop_requested())
        return cancelled();
    for (const Measured& one : found)
        if (std::isnan(one.value) || std::isnan(one.standardError))
            return badInput(
                "values at which the simulation is defined", one.name + " undefined",
                "statement " + statement.id);
    return found;
}

const Quantity* find(const Quantities& quantities, std::string_view name) { return findIn(quantities, name); }
const Measured* find(const Measurements& measurements, std::string_view name)
{
    return findIn(measurements, name);
}

} // namespace lodestone::theory
