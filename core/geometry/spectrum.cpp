#include "core/geometry/spectrum.h"

#include <Eigen/Eigenvalues>
#include <Spectra/MatOp/DenseSymMatProd.h>
#include <Spectra/SymEigsSolver.h>
#include <algorithm>
#include <cmath>
#include <exception>
#include <string>

namespace lodestone::geometry {

namespace {

// Below this the dense solver takes milliseconds and gives everything.
constexpr Eigen::Index denseLimit = 256;

struct Eigenpairs {
    Eigen::VectorXd values;
    Eigen::MatrixXd vectors;
};

/// Of the symmetric matrix, the k largest, largest first.
Eigenpairs largestPairs(const Eigen::MatrixXd& gram, Eigen::Index k)
{
    const Eigen::Index size = gram.rows();
    if (size > denseLimit && 4 * k < size) {
        try {
            Spectra::DenseSymMatProd<double> product(gram);
            const Eigen::Index krylov = std::min(size, std::max<Eigen::Index>(3 * k, 24));
            Spectra::SymEigsSolver<Spectra::DenseSymMatProd<double>> solver(product, k, krylov);
            solver.init();
            solver.compute(Spectra::SortRule::LargestAlge, 1000, 1e-10);
            if (solver.info() == Spectra::CompInfo::Successful)
                return { solver.eigenvalues(), solver.eigenvectors() };
        } catch (const std::exception&) {
            // Spectra throws where its iteration breaks down; the dense solver below always has an answer.
        }
    }
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(gram);
    return { eigen.eigenvalues().tail(k).reverse(), eigen.eigenvectors().rightCols(k).rowwise().reverse() };
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
    Rows centredRows(rows.rows(), rows.cols());
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
        centredRows.row(i) = (rows.row(i).cast<double>() - spectrum.mean.transpose()).cast<float>();
    const bool dual = rows.rows() < rows.cols();
    const Eigenpairs pairs = largestPairs(dual ? rowGram(centredRows) : columnGram(centredRows), wanted);

    Eigen::Index kept = 0;
    while (kept < pairs.values.size() && pairs.values[kept] > 1e-12 * total)
        ++kept;
    if (dual) {
        spectrum.components.resize(rows.cols(), kept);
        for (Eigen::Index j = 0; j < kept; ++j)
            spectrum.components.col(j) = transposeTimes(centredRows, pairs.vectors.col(j)).normalized();
    } else {
        spectrum.components = pairs.vectors.leftCols(kept);
    }
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
