#include "core/geometry/design.h"

#include <cmath>
#include <string>

namespace lodestone::geometry {

namespace {

Result<void> checkInput(const RowsRef& rows, std::size_t items, const Standardiser& coordinates)
{
    if (items == 0)
        return badInput("at least one labelled pair or row", "none", "training data");
    if (rows.cols() != coordinates.width())
        return badInput(
            "rows of width " + std::to_string(coordinates.width()), "width " + std::to_string(rows.cols()),
            "training data");
    return {};
}

Result<void> checkRow(const RowsRef& rows, int row, std::size_t item)
{
    if (row < 0 || row >= rows.rows())
        return badInput(
            "a row number below " + std::to_string(rows.rows()), std::to_string(row),
            "training item " + std::to_string(item));
    return {};
}

Result<void> checkFinite(const Design& design)
{
    if (!design.y.allFinite())
        return badInput("finite scores", "NaN or infinity", "training data");
    for (Eigen::Index i = 0; i < design.X.rows(); ++i)
        if (!design.X.row(i).allFinite())
            return badInput("finite activations", "NaN or infinity", "training item " + std::to_string(i));
    return {};
}

} // namespace

Eigen::VectorXd Design::labels() const
{
    // The centred y of a label +1 may be 0 when every label is +1: undo the centring for labels.
    const double shift = kind == DesignKind::Labels ? yMean : 0.0;
    return y.unaryExpr([shift](double value) { return value + shift > 0 ? 1.0 : -1.0; });
}

ReadOut Design::toRaw(const Eigen::VectorXd& weights, double intercept) const
{
    return coordinates.toRaw(ReadOut{ weights, intercept - weights.dot(xMean) });
}

Design Design::subset(std::span<const int> items) const
{
    Design part;
    part.X = gather(X, items);
    part.y.resize(static_cast<Eigen::Index>(items.size()));
    part.group.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        part.y[static_cast<Eigen::Index>(i)] = y[items[i]];
        part.group.push_back(group[static_cast<std::size_t>(items[i])]);
    }
    part.kind = kind;
    part.xMean = xMean;
    part.yMean = yMean;
    part.coordinates = coordinates;
    if (centred())
        part.centre();
    return part;
}

void Design::centre()
{
    if (X.rows() == 0)
        return;
    const double n = static_cast<double>(X.rows());
    const Eigen::VectorXd mean = transposeTimes(X, Eigen::VectorXd::Ones(X.rows())) / n;
    for (Eigen::Index i = 0; i < X.rows(); ++i)
        X.row(i) = (X.row(i).cast<double>() - mean.transpose()).cast<float>();
    xMean += mean;
    const double shift = y.mean();
    y.array() -= shift;
    yMean += shift;
}

Result<Design>
Design::fromPairs(const RowsRef& rows, std::span<const Pair> pairs, const Standardiser& coordinates)
{
    LODESTONE_CHECK(checkInput(rows, pairs.size(), coordinates));
    Design design;
    design.kind = DesignKind::Pairs;
    design.coordinates = coordinates;
    design.X.resize(static_cast<Eigen::Index>(pairs.size()), rows.cols());
    design.y = Eigen::VectorXd::Ones(static_cast<Eigen::Index>(pairs.size()));
    design.xMean = Eigen::VectorXd::Zero(rows.cols());
    const Eigen::RowVectorXd inverse = coordinates.scale.cwiseInverse().transpose();
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        LODESTONE_CHECK(checkRow(rows, pairs[i].chosen, i));
        LODESTONE_CHECK(checkRow(rows, pairs[i].rejected, i));
        design.X.row(static_cast<Eigen::Index>(i))
            = (rows.row(pairs[i].chosen).cast<double>() - rows.row(pairs[i].rejected).cast<double>())
                  .cwiseProduct(inverse)
                  .cast<float>();
        design.group.push_back(pairs[i].group);
    }
    LODESTONE_CHECK(checkFinite(design));
    return design;
}

Result<Design>
Design::fromLabels(const RowsRef& rows, std::span<const LabelledRow> labels, const Standardiser& coordinates)
{
    std::vector<ScoredRow> scores;
    scores.reserve(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels[i].label != 1 && labels[i].label != -1)
            return badInput(
                "labels +1 or -1", std::to_string(labels[i].label), "training item " + std::to_string(i));
        scores.push_back({ labels[i].row, static_cast<double>(labels[i].label), labels[i].group });
    }
    LODESTONE_TRY(Design design, fromScores(rows, scores, coordinates));
    design.kind = DesignKind::Labels;
    return design;
}

Result<Design>
Design::fromScores(const RowsRef& rows, std::span<const ScoredRow> scores, const Standardiser& coordinates)
{
    LODESTONE_CHECK(checkInput(rows, scores.size(), coordinates));
    Design design;
    design.kind = DesignKind::Scores;
    design.coordinates = coordinates;
    std::vector<int> which;
    which.reserve(scores.size());
    design.y.resize(static_cast<Eigen::Index>(scores.size()));
    for (std::size_t i = 0; i < scores.size(); ++i) {
        LODESTONE_CHECK(checkRow(rows, scores[i].row, i));
        which.push_back(scores[i].row);
        design.y[static_cast<Eigen::Index>(i)] = scores[i].score;
        design.group.push_back(scores[i].group);
    }
    design.X = coordinates.apply(gather(rows, which));
    design.xMean = Eigen::VectorXd::Zero(rows.cols());
    LODESTONE_CHECK(checkFinite(design));
    design.centre();
    return design;
}

} // namespace lodestone::geometry
