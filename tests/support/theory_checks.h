// What tests of statements share: the formula against printed values, and the simulation against the formula.
#pragma once

#include "core/theory/statement.h"

#include <QTest>
#include <cmath>
#include <fmt/format.h>
#include <string>
#include <vector>

namespace lodestone::testing {

using Settings = std::vector<std::pair<const char*, double>>;

/// A value that docs/theory.md prints; `digits` after the point.
struct Golden {
    const char* id;
    Settings settings;
    const char* name;
    double value;
    int digits;
};

inline theory::Values valuesOf(const theory::Statement& statement, const Settings& settings)
{
    theory::Values values = statement.standard();
    for (const auto& [name, value] : settings)
        if (auto set = statement.set(values, name, value); !set)
            qFatal("%s", set.error().message().c_str());
    return values;
}

/// Empty when the formula gives the printed value to its last digit.
inline std::string goldenFault(const Golden& golden)
{
    const theory::Statement* statement = theory::findStatement(golden.id);
    if (!statement)
        return fmt::format("there is no {}", golden.id);
    const auto outputs = theory::evaluate(*statement, valuesOf(*statement, golden.settings));
    if (!outputs)
        return outputs.error().message();
    const theory::Quantity* found = theory::find(*outputs, golden.name);
    if (!found)
        return fmt::format("{} has no {}", golden.id, golden.name);
    const double tolerance = .5001 * std::pow(10, -golden.digits);
    if (std::abs(found->value - golden.value) <= tolerance)
        return {};
    return fmt::format("{} {} is {:.9g}, printed {:.9g}", golden.id, golden.name, found->value, golden.value);
}

/// Empty when every simulated quantity lies within four standard errors of the formula (asymptotic ones: and
/// one percent); `least` quantities must be simulated.
inline std::string simulationFault(
    const char* id, const Settings& settings, std::size_t least = 1, int draws = 40000,
    std::uint64_t seed = 1)
{
    const theory::Statement* statement = theory::findStatement(id);
    if (!statement)
        return fmt::format("there is no {}", id);
    const theory::Values values = valuesOf(*statement, settings);
    const auto outputs = theory::evaluate(*statement, values);
    if (!outputs)
        return outputs.error().message();
    const auto found = theory::simulate(*statement, values, seed, draws);
    if (!found)
        return found.error().message();
    if (found->size() < least)
        return fmt::format("{} simulates {} quantities", id, found->size());
    for (const theory::Measured& one : *found) {
        const theory::Quantity* output = theory::find(*outputs, one.name);
        if (!output)
            return fmt::format("{} simulates {}, which the formula has not", id, one.name);
        const double tolerance = 4 * one.standardError
            + (statement->asymptotic ? .01 * std::abs(output->value) : 0)
            + 1e-7 * std::max(1.0, std::abs(output->value));
        if (!(std::abs(one.value - output->value) <= tolerance))
            return fmt::format(
                "{} {}: formula {:.6g}, simulation {:.6g} +- {:.2g}", id, one.name, output->value, one.value,
                one.standardError);
        // An error bar that says nothing would pass everything.
        if (one.standardError > .2 * std::max(std::abs(output->value), .5))
            return fmt::format(
                "{} {}: a standard error of {:.2g} shows nothing", id, one.name, one.standardError);
    }
    return {};
}

inline void addGoldenRows(const std::vector<Golden>& rows)
{
    QTest::addColumn<int>("row");
    for (std::size_t i = 0; i < rows.size(); ++i)
        QTest::addRow("%s %s %d", rows[i].id, rows[i].name, static_cast<int>(i)) << static_cast<int>(i);
}

/// A simulation to compare: statement, settings away from the standard ones, how many quantities at least.
struct Simulated {
    const char* id;
    Settings settings;
    std::size_t least = 1;
    int draws = 40000;
};

inline void addSimulationRows(const std::vector<Simulated>& rows)
{
    QTest::addColumn<int>("row");
    for (std::size_t i = 0; i < rows.size(); ++i)
        QTest::addRow("%s %d", rows[i].id, static_cast<int>(i)) << static_cast<int>(i);
}

} // namespace lodestone::testing

#define LODESTONE_NO_FAULT(fault)                                                                            \
    do {                                                                                                     \
        const std::string said_ = (fault);                                                                   \
        QVERIFY2(said_.empty(), said_.c_str());                                                              \
    } while (false)
