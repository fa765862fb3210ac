// Statements in print: symbols, formulas with their numbers, and the page docs/theory.md.
#pragma once

#include "core/theory/statement.h"

namespace lodestone::theory {

/// The symbol as people write it: "rho_c" gives "ρ_c", "DeltaV" gives "ΔV", "s_xi2" gives "s_ξ²".
std::string symbol(std::string_view name);
/// A formula's expression in symbols: {name} becomes the symbol, Greek names become letters.
std::string expressionText(const std::string& expression);
/// The same with numbers in place of {name}; names without a number stay symbols.
std::string expressionNumbers(const std::string& expression, const Values& values, const Quantities& outputs);
/// Six significant digits; "infinite" where it is.
std::string numberText(double value);
/// The names in braces of an expression.
std::vector<std::string> namesIn(const std::string& expression);

/// The statement's section of docs/theory.md. The test theory_page holds page and statements together.
std::string markdown(const Statement& statement);

} // namespace lodestone::theory
