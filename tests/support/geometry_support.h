// What the tests of core/geometry share: comparison of doubles with a readable failure, and random rows.
#pragma once

#include "core/base/rng.h"
#include "core/geometry/rows.h"

#include <QtTest>
#include <cmath>

/// Passes when |actual - expected| <= tolerance; NaN never passes.
#define COMPARE_NEAR(actual, expected, tolerance)                                                            \
    QVERIFY2(                                                                                                \
        std::abs((actual) - (expected)) <= (tolerance),                                                      \
        qPrintable(QStringLiteral("%1 is %2, expected %3 +- %4")                                             \
                       .arg(QLatin1String(#actual))                                                          \
                       .arg(static_cast<double>(actual), 0, 'g', 15)                                         \
                       .arg(static_cast<double>(expected), 0, 'g', 15)                                       \
                       .arg(static_cast<double>(tolerance))))

namespace lodestone::testing {

/// Independent standard normal entries.
inline geometry::Rows gaussianRows(Eigen::Index n, Eigen::Index d, Rng& rng)
{
    geometry::Rows rows(n, d);
    for (Eigen::Index i = 0; i < n; ++i)
        for (Eigen::Index j = 0; j < d; ++j)
            rows(i, j) = static_cast<float>(rng.normal());
    return rows;
}

inline Eigen::VectorXd gaussianVector(Eigen::Index n, Rng& rng)
{
    Eigen::VectorXd vector(n);
    for (double& value : vector)
        value = rng.normal();
    return vector;
}

/// Largest absolute difference.
template <typename A, typename B>
double distance(const A& a, const B& b)
{
    return (a - b).cwiseAbs().maxCoeff();
}

/// Timings mean nothing under a sanitizer.
constexpr bool isSanitized =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    true;
#elif defined(__clang__)
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
    false;
#endif

} // namespace lodestone::testing
