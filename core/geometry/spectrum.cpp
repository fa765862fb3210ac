#include "core/geometry/spectrum.h"

#include <Eigen/Eigenvalues>
#include <Spectra/SymEigsSolver.h>
#include <algorithm>
#include <cmath>
#include <string>

namespace lodestone::geometry {

namespace {

// Below this the dense solver takes milliseconds and gives everything.
constexpr Eigen::Index denseLimit = 256;

/// v -> C'C v, C the rows minus the mean, without forming either.
class ScatterProduct {
public:
    using Scalar = double;

    ScatterProduct(const RowsRef& rows, const Eigen::VectorXd& mean)
        : m_rows(rows)
        , m_mean(mean)
    {
    }

    Eigen::Index rows() const { return m_rows.cols(); }
    Eigen::Index cols() const { return m_rows.cols(); }

    void perform_op(const double* in, double* out) const
    {
        const Eigen::Map<const Eigen::VectorXd> v(in, rows());
        const Eigen::VectorXd scores = times(m_rows, Eigen::VectorXd(v)).array() - m_mean.dot(v);
        Eigen::Map<Eigen::VectorXd>(out, rows()) = transposeTimes(m_rows, scores) - scores.sum() * m_mean;
    }

private:
    const RowsRef& m_rows;
    const Eigen::VectorXd& m_mean;
};

struct Eigenpairs {
    Eigen::VectorXd values;
    Eigen::MatrixXd vectors; ///< [d x k]
};

Eigenpairs dense(const RowsRef& rows, const Eigen::VectorXd& mean, Eigen::Index k)
{
    Rows centred(rows.rows(), rows.cols());
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
        centred.row(i) = (rows.row(i).cast<double>() - mean.transpose()).cast<float>();
    const bool dual = rows.rows() < rows.cols();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(dual ? rowGram(centred) : columnGram(centred));
    Eigenpairs pairs;
    pairs.values = eigen.eigenvalues().tail(k).reverse();
    const Eigen::MatrixXd vectors = eigen.eigenvectors().rightCols(k).rowwise().reverse();
    if (!dual) {
        pairs.vectors = vectors;
        return pairs;
    }
    pairs.vectors.resize(rows.cols(), k);
    for (Eigen::Index j = 0; j < k; ++j)
        pairs.vectors.col(j) = transposeTimes(centred, vectors.col(j)).normalized();
    return pairs;
}

} // namespace

Result<Spectrum> principalComponents(const RowsRef& rows, int k, bool centred)
{
    if (rows.rows() == 0 || rows.cols() == 0)
        return badInput("at least one row", "none", "principal components");
    if (k < 1)
        return fail(ErrorKind::Usage, "at least one component", std::to_string(k), "principal components");
    const auto n = static_cast<double>(rows.rows());
    Spectrum spectrum;
    spectrum.mean = Eigen::VectorXd::Zero(rows.cols());
    if (centred)
        spectrum.mean = transposeTimes(rows, Eigen::VectorXd::Ones(rows.rows())) / n;
    double total = 0;
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
        total += (rows.row(i).cast<double>() - spectrum.mean.transpose()).squaredNorm();
    if (!std::isfinite(total))
        return badInput("finite activations", "NaN or infinity", "principal components");
    spectrum.totalVariance = total / n;

    const Eigen::Index smaller = std::min(rows.rows(), rows.cols());
    const Eigen::Index wanted = std::min<Eigen::Index>(k, smaller);
    Eigenpairs pairs;
    bool found = false;
    if (smaller > denseLimit && 4 * wanted < smaller) {
        ScatterProduct product(rows, spectrum.mean);
        const Eigen::Index krylov = std::min(rows.cols(), std::max<Eigen::Index>(2 * wanted + 10, 24));
        Spectra::SymEigsSolver<ScatterProduct> solver(product, wanted, krylov);
        solver.init();
        solver.compute(Spectra::SortRule::LargestAlge, 1000, 1e-10);
        if (solver.info() == Spectra::CompInfo::Successful) {
            pairs = { solver.eigenvalues(), solver.eigenvectors() };
            found = true;
        }
    }
    if (!found)
        pairs = dense(rows, spectrum.mean, wanted);

    Eigen::Index kept = 0;
    while (kept < pairs.values.size() && pairs.values[kept] > 1e-12 * total)
        ++kept;
    spectrum.components = pairs.vectors.leftCols(kept);
    spectrum.variances = pairs.values.head(kept) / n;
    spectrum.shares = pairs.values.head(kept) / (total > 0 ? total : 1.0);
    for (Eigen::Index j = 0; j < kept; ++j) {
        Eigen::Index largest = 0;
        spectrum.components.col(j).cwiseAbs().maxCoeff(&largest);
        if (spectrum.components(largest, j) < 0)
            spectrum.components.col(j) *= -1.0;
    }
    return spectrum;
}

} // namespace lodestone::geometry
