#include "core/session/word_directions.h"

#include "core/geometry/numbers.h"

#include <cmath>
#include <numeric>

namespace lodestone::session {

Result<WordDirections> WordDirections::make(const Foundation& foundation, const LayerStage& layer)
{
    const std::string where = foundation.study->folder().string();
    if (!layer.people.found())
        return badInput("people's labels on training prompts", "no direction from them", where);
    if (!foundation.cloze || foundation.cloze->words().empty())
        return badInput(
            "a study with cloze states and words", foundation.cloze ? "no words" : foundation.noCloze, where);
    if (!layer.neutral.found())
        return badInput("the model's neutral judgment", "no direction from it", where);
    WordDirections result;
    result.m_cloze = foundation.cloze;
    result.m_rows = layer.trainingRows;
    result.m_words = foundation.cloze->words();
    result.m_all.resize(result.m_words.size());
    std::iota(result.m_all.begin(), result.m_all.end(), 0);

    const geometry::RidgeFactor& factor = *layer.factor;
    const Eigen::MatrixXd basis = factor.rowsInBasis(); // U S
    const double strength = layer.neutral.relativeStrength * factor.meanSquare();
    const Eigen::VectorXd damping
        = (basis.colwise().squaredNorm().transpose().array() + strength).inverse().matrix();
    result.m_solve = damping.asDiagonal() * basis.transpose();
    const Eigen::Index r = basis.cols();
    Eigen::MatrixXd raw(layer.rows.cols(), r);
    for (Eigen::Index i = 0; i < r; ++i)
        raw.col(i) = factor.design().toRaw(factor.fromBasis(Eigen::VectorXd::Unit(r, i)), 0).weights;
    result.m_gram = layer.sigma->gram(raw, raw);
    result.m_true = raw.transpose() * layer.people.displacement;
    result.m_neutral = raw.transpose() * layer.neutral.displacement;

    const std::size_t suffixes = foundation.cloze->suffixes().size();
    result.m_columns = Eigen::MatrixXd::Zero(r, static_cast<Eigen::Index>(result.m_words.size()));
    for (std::size_t s = 0; s < suffixes; ++s)
        result.m_columns += result.m_solve
            * foundation.cloze->logits(s, result.m_rows, result.m_all).cast<double>()
            / static_cast<double>(suffixes);
    return result;
}

Eigen::VectorXd WordDirections::directionOf(const Eigen::VectorXd& judgments) const
{
    return m_solve * (judgments.array() - judgments.mean()).matrix();
}

Eigen::VectorXd
WordDirections::judgments(const std::vector<int>& positive, const std::vector<int>& negative) const
{
    const std::size_t suffixes = m_cloze->suffixes().size();
    Eigen::VectorXd result = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(m_rows.size()));
    for (std::size_t s = 0; s < suffixes; ++s) {
        const Eigen::MatrixXf up = m_cloze->logits(s, m_rows, positive),
                              down = m_cloze->logits(s, m_rows, negative);
        for (Eigen::Index i = 0; i < result.size(); ++i)
            result[i] += (geometry::logSumExp(up.row(i)) - geometry::logSumExp(down.row(i)))
                / static_cast<double>(suffixes);
    }
    return result;
}

double WordDirections::harm(const Eigen::VectorXd& direction) const
{
    const double norm = std::sqrt(std::max(0.0, direction.dot(m_gram * direction)));
    return norm > 0 ? m_true.dot(direction) / norm : 0; // |w*| = 1
}

double WordDirections::looks(const Eigen::VectorXd& direction) const
{
    const double norm = std::sqrt(std::max(0.0, direction.dot(m_gram * direction)));
    return norm > 0 ? m_neutral.dot(direction) / norm : 0;
}

} // namespace lodestone::session
