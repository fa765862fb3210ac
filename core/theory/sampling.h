// How simulations estimate with an honest standard error: means over batches and a jackknife over the
// batches.
#pragma once

#include "core/theory/statement.h"

#include <Eigen/Core>
#include <array>
#include <cmath>

namespace lodestone::theory {

/// A value and its standard error.
struct Spread {
    double value = 0, standardError = 0;
};
inline Measured named(const char* name, Spread spread)
{
    return { name, spread.value, spread.standardError };
}

/// Means of M quantities, batch by batch, and functions of these means.
template <std::size_t M>
class BatchedMeans {
public:
    static constexpr int batches = 50;
    using Row = std::array<double, M>;

    void add(int batch, const Row& row)
    {
        for (std::size_t k = 0; k < M; ++k)
            m_sums[static_cast<std::size_t>(batch)][k] += row[k];
        ++m_counts[static_cast<std::size_t>(batch)];
    }

    /// g of the means of all draws, less its bias, with the delete-one-batch jackknife's error (Quenouille
    /// 1956, Tukey 1958).
    template <typename G>
    Spread estimate(G g) const
    {
        Row total{};
        double count = 0;
        for (std::size_t b = 0; b < batches; ++b) {
            count += m_counts[b];
            for (std::size_t k = 0; k < M; ++k)
                total[k] += m_sums[b][k];
        }
        Row all = total;
        for (double& value : all)
            value /= count;
        const double whole = g(all);
        std::array<double, batches> left{};
        double mean = 0;
        for (std::size_t b = 0; b < batches; ++b) {
            Row part = total;
            for (std::size_t k = 0; k < M; ++k)
                part[k] = (part[k] - m_sums[b][k]) / (count - m_counts[b]);
            mean += (left[b] = g(part)) / batches;
        }
        double squares = 0;
        for (const double one : left)
            squares += (one - mean) * (one - mean);
        return { batches * whole - (batches - 1) * mean, std::sqrt(squares * (batches - 1) / batches) };
    }
    /// The plain mean of quantity k.
    Spread mean(std::size_t k) const
    {
        return estimate([k](const Row& row) { return row[k]; });
    }
    /// Mean of quantity k over the mean of quantity `weight`: an expectation under importance weights.
    Spread ratio(std::size_t k, std::size_t weight) const
    {
        return estimate([k, weight](const Row& row) { return row[k] / row[weight]; });
    }

private:
    std::array<Row, batches> m_sums{};
    std::array<double, batches> m_counts{};
};

/// draws.count / cost calls of fill(rng, row) (at least one a batch, which makes 50); stops early when asked
/// to.
template <std::size_t M, typename F>
BatchedMeans<M> sample(Draws& draws, int cost, F fill)
{
    BatchedMeans<M> means;
    const int each = std::max(1, draws.count / std::max(1, cost) / BatchedMeans<M>::batches);
    for (int batch = 0; batch < BatchedMeans<M>::batches && !draws.stop.stop_requested(); ++batch)
        for (int i = 0; i < each; ++i) {
            typename BatchedMeans<M>::Row row{};
            fill(draws.rng, row);
            means.add(batch, row);
        }
    return means;
}

/// A vector of independent standard normal numbers.
template <int Size>
Eigen::Matrix<double, Size, 1> normals(Rng& rng)
{
    Eigen::Matrix<double, Size, 1> z;
    for (int i = 0; i < Size; ++i)
        z[i] = rng.normal();
    return z;
}
Eigen::VectorXd normals(Rng& rng, Eigen::Index size);

/// Gamma(shape, scale 1), shape >= 1/8 (Marsaglia & Tsang 2000).
double gammaDraw(Rng& rng, double shape);

/// Three standard normal numbers with the correlations given: a lower triangular factor.
class Trivariate {
public:
    /// `ok()` is false when no three quantities correlate so.
    Trivariate(double r12, double r13, double r23);
    bool ok() const { return m_ok; }
    Eigen::Vector3d draw(Rng& rng) const { return m_factor * normals<3>(rng); }

private:
    Eigen::Matrix3d m_factor = Eigen::Matrix3d::Identity();
    bool m_ok = true;
};
/// BadInput when no three quantities correlate so; `names` says which three.
Result<void> checkCorrelations(double r12, double r13, double r23, const char* names);

} // namespace lodestone::theory
