// A statement of docs/theory.md as a value: what one sets, what the formula says, what a simulation finds,
// and in which words.
#pragma once

#include "core/base/error.h"
#include "core/base/rng.h"

#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace lodestone::theory {

/// What one may set. Names are the symbols of docs/theory.md in ASCII.
struct Input {
    std::string name;
    double standard = 0; ///< the value unless set; where the page prints a check, that of the check
    double low = 0, high = 0; ///< both allowed
    std::string meaning; ///< in words, with its unit
    bool whole = false; ///< only whole numbers
};

/// A named number. Infinite where the quantity is (t_max of T9); never NaN.
struct Quantity {
    std::string name;
    double value = 0;
};
using Quantities = std::vector<Quantity>;

/// What a simulation found for the quantity of that name; standard error 0 for searches and solvers, which
/// are exact to about 1e-8.
struct Measured {
    std::string name;
    double value = 0;
    double standardError = 0;
};
using Measurements = std::vector<Measured>;

/// The inputs of one statement with a value each.
class Values {
public:
    Values() = default;
    explicit Values(const std::vector<Input>& inputs);

    double operator[](std::string_view name) const; ///< the name must be an input's
    int whole(std::string_view name) const { return static_cast<int>((*this)[name]); }
    bool has(std::string_view name) const;
    /// Unchecked; Statement::set checks.
    void put(std::string_view name, double value);
    const Quantities& all() const { return m_values; }

private:
    Quantities m_values;
};

/// The randomness and the size of a simulation.
struct Draws {
    Rng rng;
    int count = 200000; ///< of the plainest quantity; what costs more per draw takes fewer
    std::stop_token stop{};
};

enum class Label {
    Reconstruction, ///< derived here in the linear-Gaussian model
    General ///< holds without that model
};
std::string labelText(Label label);

/// One line `output = expression`; {name} in the expression is an input or output, shown as symbol or as
/// number.
struct FormulaLine {
    std::string output, expression;
};

/// The plain figure of a statement: outputs over one input.
struct Sweep {
    std::string input;
    std::vector<std::string> outputs;
};

struct Statement {
    std::string id, title;
    std::vector<Input> inputs;
    std::vector<FormulaLine> formula;
    std::string assumptions, words, source;
    std::string figure; ///< what its picture shows
    Sweep sweep;
    Label label = Label::Reconstruction;
    bool asymptotic = false; ///< the formula is a limit: good to about one percent at sizes in use
    /// The formula. Error: values that exclude each other (a matrix that is no covariance).
    Result<Quantities> (*closed)(const Values&) = nullptr;
    /// The same quantities, or some of them, by drawing or searching, never from the formula.
    Measurements (*simulate)(const Values&, Draws&) = nullptr;

    const Input* input(std::string_view name) const; ///< null when there is none
    Values standard() const { return Values(inputs); }
    /// Errors: Usage for an unknown name; BadInput for a value out of range, not whole or not a number.
    Result<void> set(Values& values, std::string_view name, double value) const;
};

/// T1 to T51 (with T24b), in order. The table is made at the first call and never changes.
std::span<const Statement> statements();
/// Null when there is none; "t9" finds T9.
const Statement* findStatement(std::string_view id);

/// The formula at these values. Errors: those of `closed`; BadInput when it has no value there (NaN).
Result<Quantities> evaluate(const Statement& statement, const Values& values);
/// The simulation at these values, reproducible from the seed. Errors: as evaluate; Cancelled.
Result<Measurements> simulate(
    const Statement& statement, const Values& values, std::uint64_t seed, int draws = 200000,
    std::stop_token stop = {});

/// NaN-free lookups for callers that know the name; nullptr when there is none.
const Quantity* find(const Quantities& quantities, std::string_view name);
const Measured* find(const Measurements& measurements, std::string_view name);

} // namespace lodestone::theory
