// Every word of a study's table as a direction at one layer, in a few hundred coordinates, so that a search
// over words costs products of small vectors.
#pragma once

#include "core/session/snapshot.h"

namespace lodestone::session {

/// The directions that ridge regression at one fixed strength gives: linear in the judgments, so that the
/// direction of "a against b" is the difference of two columns. Coordinates are those of the ridge factor's
/// basis, of rank r.
class WordDirections {
public:
    /// Errors: no people's direction, no neutral judgment, no cloze states or words.
    static Result<WordDirections> make(const Foundation& foundation, const LayerStage& layer);

    const std::vector<std::string>& words() const { return m_words; }
    const Eigen::MatrixXd& columns() const { return m_columns; } ///< [r, words], of the mean logit
    const Eigen::MatrixXd& gram() const { return m_gram; } ///< Sigma in these coordinates [r, r]

    /// The direction of judgments of the layer's training rows. Shape [training rows] -> [r].
    Eigen::VectorXd directionOf(const Eigen::VectorXd& judgments) const;
    /// The judgments of pole words (indices into words()) on the training rows, as ClozeElicitation makes
    /// them: mean over suffixes of the difference of two logsumexps.
    Eigen::VectorXd judgments(const std::vector<int>& positive, const std::vector<int>& negative) const;

    /// cos_S with people's direction and with the neutral judgment; 0 for a zero direction.
    double harm(const Eigen::VectorXd& direction) const;
    double looks(const Eigen::VectorXd& direction) const;
    const Eigen::VectorXd& withTrue() const { return m_true; } ///< <e_i, w*> [r]
    const Eigen::VectorXd& withNeutral() const { return m_neutral; } ///< <e_i, w_J> [r]

private:
    std::shared_ptr<const constitution::ClozeElicitation> m_cloze;
    std::vector<int> m_rows;
    std::vector<std::string> m_words;
    std::vector<int> m_all;
    Eigen::MatrixXd m_solve; ///< [r, training rows]
    Eigen::MatrixXd m_columns, m_gram;
    Eigen::VectorXd m_true, m_neutral;
};

} // namespace lodestone::session
