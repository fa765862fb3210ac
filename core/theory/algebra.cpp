#include "core/theory/algebra.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestone::theory {

Eigen::MatrixXd lowerFactor(const Eigen::MatrixXd& a)
{
    const Eigen::Index n = a.rows();
    Eigen::MatrixXd lower = Eigen::MatrixXd::Zero(n, n);
    for (Eigen::Index j = 0; j < n; ++j) {
        double pivot = a(j, j);
        for (Eigen::Index k = 0; k < j; ++k)
            pivot -= lower(j, k) * lower(j, k);
        if (pivot < 1e-12)
            continue;
        lower(j, j) = std::sqrt(pivot);
        for (Eigen::Index i = j + 1; i < n; ++i) {
            double rest = a(i, j);
            for (Eigen::Index k = 0; k < j; ++k)
                rest -= lower(i, k) * lower(j, k);
            lower(i, j) = rest / lower(j, j);
        }
    }
    return lower;
}

double smallestPivot(const Eigen::MatrixXd& a)
{
    Eigen::MatrixXd rest = a;
    double smallest = std::numeric_limits<double>::infinity();
    for (Eigen::Index j = 0; j < a.rows(); ++j) {
        const double pivot = rest(j, j);
        smallest = std::min(smallest, pivot);
        if (!(pivot > 1e-12))
            return smallest;
        for (Eigen::Index i = j + 1; i < a.rows(); ++i)
            for (Eigen::Index k = j + 1; k < a.rows(); ++k)
                rest(i, k) -= rest(i, j) * rest(j, k) / pivot;
    }
    return smallest;
}

Eigen::VectorXd solve(const Eigen::MatrixXd& a, const Eigen::VectorXd& b)
{
    const Eigen::MatrixXd lower = lowerFactor(a);
    Eigen::VectorXd x = b;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
        for (Eigen::Index k = 0; k < i; ++k)
            x[i] -= lower(i, k) * x[k];
        x[i] /= lower(i, i);
    }
    for (Eigen::Index i = x.size() - 1; i >= 0; --i) {
        for (Eigen::Index k = i + 1; k < x.size(); ++k)
            x[i] -= lower(k, i) * x[k];
        x[i] /= lower(i, i);
    }
    return x;
}

Eigen::MatrixXd orthonormal(const Eigen::MatrixXd& columns)
{
    Eigen::MatrixXd basis(columns.rows(), columns.cols());
    Eigen::Index kept = 0;
    for (Eigen::Index c = 0; c < columns.cols(); ++c) {
        Eigen::VectorXd v = columns.col(c);
        const double before = v.norm();
        for (int pass = 0; pass < 2; ++pass)
            for (Eigen::Index k = 0; k < kept; ++k)
                v -= basis.col(k).dot(v) * basis.col(k);
        const double after = v.norm();
        if (after > 1e-9 * before && after > 0)
            basis.col(kept++) = v / after;
    }
    return basis.leftCols(kept);
}

Eigen::VectorXd topDirection(const Eigen::MatrixXd& a, const Eigen::VectorXd& start, int iterations)
{
    Eigen::VectorXd v = start.normalized();
    for (int i = 0; i < iterations; ++i) {
        Eigen::VectorXd next = Eigen::VectorXd::Zero(v.size());
        for (Eigen::Index k = 0; k < v.size(); ++k)
            next += v[k] * a.col(k);
        const double norm = next.norm();
        if (!(norm > 0))
            return v;
        next /= norm;
        const double moved = (next - v).squaredNorm();
        v = next;
        if (moved < 1e-24)
            break;
    }
    return v;
}

} // namespace lodestone::theory
