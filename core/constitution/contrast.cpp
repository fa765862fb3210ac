#include "core/constitution/contrast.h"

#include "core/base/rng.h"
#include "core/geometry/numbers.h"

#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <map>

namespace lodestone::constitution {
namespace {

double cosine(const Eigen::VectorXd& a, const Eigen::VectorXd& b)
{
    const double norms = a.norm() * b.norm();
    return norms > 0 ? a.dot(b) / norms : 0;
}

/// mean(p)/rms(p) of the projections of the differences on w: the correlation of +-p with the side.
double sideCorrelation(const Eigen::MatrixXd& differences, const Eigen::VectorXd& w)
{
    const Eigen::VectorXd projections = differences * w;
    const double square = projections.squaredNorm() / static_cast<double>(projections.size());
    return square > 0 ? projections.mean() / std::sqrt(square) : 0;
}

} // namespace

void ContrastBuilder::add(
    const formats::RowMatrix& positive, const formats::RowMatrix& negative, int form,
    const formats::RowMatrix& neutral)
{
    m_items.push_back({ positive, negative, neutral, form });
}

Result<Contrast> ContrastBuilder::finish(const std::string& where, std::uint64_t seed) const
{
    const auto n = static_cast<Eigen::Index>(m_items.size());
    if (n < 2)
        return badInput("at least two contrasts", std::to_string(n), where);
    const auto layers = static_cast<Eigen::Index>(m_layers.size());
    const Eigen::Index width = m_items.front().positive.cols();
    Contrast contrast;
    contrast.layers = m_layers;
    contrast.items = static_cast<int>(n);
    contrast.delta = formats::RowMatrix::Zero(layers, width);
    for (Eigen::VectorXd* measure :
         { &contrast.heldOutCorrelation, &contrast.templateAgreement, &contrast.poleSymmetry,
           &contrast.shareOfVariance, &contrast.normAgainstRandom })
        *measure = Eigen::VectorXd::Constant(layers, geometry::nan);
    bool anywhere = false, neutral = true;
    for (const Item& item : m_items)
        neutral = neutral && item.neutral.size() > 0;
    for (Eigen::Index l = 0; l < layers; ++l) {
        Eigen::MatrixXd positive(n, width), negative(n, width), between(neutral ? n : 0, width);
        for (Eigen::Index i = 0; i < n; ++i) {
            const Item& item = m_items[static_cast<std::size_t>(i)];
            positive.row(i) = item.positive.row(l).cast<double>();
            negative.row(i) = item.negative.row(l).cast<double>();
            if (neutral)
                between.row(i) = item.neutral.row(l).cast<double>();
        }
        if (!positive.allFinite() || !negative.allFinite() || !between.allFinite())
            return badInput(
                "finite activations", "NaN or infinity",
                fmt::format("{}, {}", where, m_layers[static_cast<std::size_t>(l)].label()));
        const Eigen::RowVectorXd mean = (positive.colwise().mean() + negative.colwise().mean()) / 2;
        Eigen::RowVectorXd scale = (((positive.rowwise() - mean).cwiseAbs2().colwise().sum()
                                     + (negative.rowwise() - mean).cwiseAbs2().colwise().sum())
                                    / static_cast<double>(2 * n))
                                       .cwiseSqrt();
        for (double& each : scale)
            each = each > 1e-9 ? 1 / each : 0;
        const Eigen::MatrixXd differences = (positive - negative) * scale.asDiagonal();
        const Eigen::VectorXd delta = differences.colwise().mean().transpose();
        contrast.delta.row(l) = (positive - negative).colwise().mean().cast<float>();
        if (!(delta.norm() > 1e-9))
            continue;
        anywhere = true;
        const double total = differences.squaredNorm();
        contrast.shareOfVariance[l] = (differences * delta.normalized()).squaredNorm() / total;
        Rng rng(seed, 0xc0);
        double random = 0;
        constexpr int draws = 20;
        for (int r = 0; r < draws; ++r) {
            Eigen::VectorXd signs(n);
            for (double& sign : signs)
                sign = rng.below(2) == 0 ? 1.0 : -1.0;
            random += (differences.transpose() * signs).norm() / static_cast<double>(n) / draws;
        }
        contrast.normAgainstRandom[l] = random > 0 ? delta.norm() / random : geometry::nan;
        if (n >= 4) {
            Eigen::MatrixXd halves[2]
                = { Eigen::MatrixXd((n + 1) / 2, width), Eigen::MatrixXd(n / 2, width) };
            for (Eigen::Index i = 0; i < n; ++i)
                halves[i % 2].row(i / 2) = differences.row(i);
            const Eigen::VectorXd first = halves[0].colwise().mean().transpose(),
                                  second = halves[1].colwise().mean().transpose();
            contrast.heldOutCorrelation[l]
                = (sideCorrelation(halves[1], first) + sideCorrelation(halves[0], second)) / 2;
        }
        std::map<int, std::pair<Eigen::VectorXd, int>> forms;
        for (Eigen::Index i = 0; i < n; ++i) {
            auto& [sum, count] = forms[m_items[static_cast<std::size_t>(i)].form];
            if (count == 0)
                sum = Eigen::VectorXd::Zero(width);
            sum += differences.row(i).transpose();
            ++count;
        }
        if (forms.size() >= 2) {
            double sum = 0;
            int pairs = 0;
            for (auto a = forms.begin(); a != forms.end(); ++a)
                for (auto b = std::next(a); b != forms.end(); ++b, ++pairs)
                    sum += cosine(a->second.first, b->second.first);
            contrast.templateAgreement[l] = sum / pairs;
        }
        if (neutral) {
            const Eigen::VectorXd up
                = ((positive - between) * scale.asDiagonal()).colwise().mean().transpose(),
                down = ((between - negative) * scale.asDiagonal()).colwise().mean().transpose();
            contrast.poleSymmetry[l] = cosine(up, down);
        }
    }
    if (!anywhere)
        return badInput(
            "poles that the model reads differently", "the same states for both: name other words", where);
    return contrast;
}

} // namespace lodestone::constitution
