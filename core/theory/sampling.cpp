#include "core/theory/sampling.h"

#include <fmt/format.h>

namespace lodestone::theory {

Eigen::VectorXd normals(Rng& rng, Eigen::Index size)
{
    Eigen::VectorXd z(size);
    for (Eigen::Index i = 0; i < size; ++i)
        z[i] = rng.normal();
    return z;
}

double gammaDraw(Rng& rng, double shape)
{
    if (shape < 1) // Gamma(a) = Gamma(a + 1) U^(1/a)
        return gammaDraw(rng, shape + 1) * std::pow(1 - rng.uniform(), 1 / shape);
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double z = rng.normal(), root = 1 + c * z;
        if (root <= 0)
            continue;
        const double v = root * root * root;
        if (std::log(1 - rng.uniform()) < z * z / 2 + d - d * v + d * std::log(v))
            return d * v;
    }
}

Trivariate::Trivariate(double r12, double r13, double r23)
{
    // Cholesky by hand, so that perfect correlations are allowed.
    const double s2 = 1 - r12 * r12;
    m_factor(1, 0) = r12;
    m_factor(1, 1) = std::sqrt(std::max(s2, 0.0));
    m_factor(2, 0) = r13;
    const double rest = r23 - r12 * r13;
    m_factor(2, 1) = s2 > 1e-12 ? rest / m_factor(1, 1) : 0;
    const double s3 = 1 - r13 * r13 - m_factor(2, 1) * m_factor(2, 1);
    m_factor(2, 2) = std::sqrt(std::max(s3, 0.0));
    m_ok = s2 > -1e-12 && s3 > -1e-9 && (s2 > 1e-12 || std::abs(rest) < 1e-9);
}

Result<void> checkCorrelations(double r12, double r13, double r23, const char* names)
{
    if (!Trivariate(r12, r13, r23).ok())
        return badInput(
            fmt::format("correlations that three quantities ({}) can have", names),
            fmt::format("{:g}, {:g} and {:g}, which exclude each other", r12, r13, r23));
    return {};
}

} // namespace lodestone::theory
