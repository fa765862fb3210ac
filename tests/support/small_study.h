// Writes a small study whose truth is known: activations, words, judgments, likelihoods and labels are drawn
// from planted directions, so that whatever the pipeline finds can be compared with what was put in.
#pragma once

#include "core/data/study.h"
#include "tests/support/result_checks.h"

#include <Eigen/Core>
#include <cmath>
#include <string>
#include <vector>

namespace lodestone::testing {

struct SmallStudyOptions {
    int width = 12;
    int pairPrompts = 40; ///< two replies each, one chosen
    int samplePrompts = 12; ///< candidates each, in no pair
    int candidates = 6;
    double labelNoise = 0.3; ///< of a pair's value difference, in standard deviations of w*'h
    double judgeNoise = 0.2; ///< of each judgment, in standard deviations
    int genericPrinciples = 0; ///< adds the words up0/down0, up1/down1, ... with directions of their own
    std::uint64_t seed = 1;
    double trainFraction = 0.6;
    std::string name = "small";
};

/// What was planted. All directions are read-outs on the raw h of the top layer with Sigma-norm 1.
struct SmallStudy {
    std::filesystem::path folder;
    data::ResponseSet set;
    Eigen::MatrixXd rows; ///< [responses, width], top layer, as stored (float32)
    Eigen::MatrixXd sigma; ///< within a prompt
    Eigen::VectorXd people, kind, honest, neutral, generation; ///< [width]
    std::vector<Eigen::VectorXd> generic;
    std::vector<std::string> words; ///< in table order
    Eigen::MatrixXd wordRows; ///< [words, width], as stored
    std::vector<Eigen::MatrixXd> clozeStates; ///< per suffix [responses, width], as stored
    Eigen::MatrixXd likelihoods; ///< [responses, 3]: log p(y|x), log p(y), tokens

    static constexpr int blocks
        = 3; ///< layers: embedding (no signal), block 0 (half of it), blocks 1 and 2 (all)
    static Layer top() { return Layer::blockOutput(2); }

    double inner(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const { return a.dot(sigma * b); }
    double cosine(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const
    {
        return inner(a, b) / std::sqrt(inner(a, a) * inner(b, b));
    }
    std::size_t pairRows() const { return 2 * set.pairs.size(); }
};

/// Writes the study into `folder`, which must exist. Two values, "kind" and "honest", alternate over the
/// prompts; the word table holds kind, polite, caring | rude, cruel, hurtful | honest, truthful | dishonest,
/// false | good | bad: "sincere", "misleading", "great" and others of the default words are missing on
/// purpose.
SmallStudy writeSmallStudy(const std::filesystem::path& folder, const SmallStudyOptions& options = {});

/// The study in a folder of its own that lives as long as this.
struct ScratchStudy {
    ScratchFolder scratch;
    SmallStudy truth;
    std::shared_ptr<const data::Study> study;

    explicit ScratchStudy(const SmallStudyOptions& options = {})
        : truth(writeSmallStudy(scratch.path(), options))
    {
        auto opened = data::Study::open(scratch.path());
        if (!opened)
            qFatal("%s", opened.error().message().c_str());
        study = std::move(*opened);
    }
};

} // namespace lodestone::testing
