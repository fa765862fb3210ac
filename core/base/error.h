// What can go wrong, as a value: every Error says what was expected, what was found, and where.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace lodestone {

/// The kinds of failure that a caller may treat differently; the command line maps them to exit codes.
enum class ErrorKind {
    Usage, ///< the call itself is wrong (exit 2)
    BadInput, ///< a file, a row or a value is not what it must be (exit 3)
    MissingModel, ///< no language model where one is needed (exit 4)
    Cancelled, ///< the user asked to stop (exit 5)
    Failed ///< the machine refused: disk full, no permission, library missing (exit 1)
};

struct Error {
    ErrorKind kind = ErrorKind::BadInput;
    std::string expected; ///< what should have been there: "a GGUF file", "42 rows"
    std::string found; ///< what was there instead: "magic 'PK\3\4'", "40 rows"
    std::string where; ///< file, key, offset, line or row; empty when there is none

    /// One sentence: "study.json, key 'layers': expected an array, found a number".
    std::string message() const;
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error>
fail(ErrorKind kind, std::string expected, std::string found, std::string where = {})
{
    return tl::unexpected<Error>(Error{ kind, std::move(expected), std::move(found), std::move(where) });
}

/// Bad input is by far the most frequent failure.
inline tl::unexpected<Error> badInput(std::string expected, std::string found, std::string where = {})
{
    return fail(ErrorKind::BadInput, std::move(expected), std::move(found), std::move(where));
}

inline tl::unexpected<Error> cancelled()
{
    return fail(ErrorKind::Cancelled, "completion", "a request to stop");
}

} // namespace lodestone

/// Evaluates a Result and hands its error to the caller, or binds its value.
#define LODESTONE_CONCAT_IMPL(a, b) a##b
#define LODESTONE_CONCAT(a, b) LODESTONE_CONCAT_IMPL(a, b)
#define LODESTONE_TRY(variable, expression)                                                                  \
    auto LODESTONE_CONCAT(result_, __LINE__) = (expression);                                                 \
    if (!LODESTONE_CONCAT(result_, __LINE__))                                                                \
        return tl::unexpected<::lodestone::Error>(std::move(LODESTONE_CONCAT(result_, __LINE__)).error());   \
    variable = std::move(*LODESTONE_CONCAT(result_, __LINE__))
/// The same for a Result<void>.
#define LODESTONE_CHECK(expression)                                                                          \
    do {                                                                                                     \
        if (auto result_ = (expression); !result_)                                                           \
            return tl::unexpected<::lodestone::Error>(std::move(result_).error());                           \
    } while (false)
