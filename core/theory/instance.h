// The three-dimensional model on which several statements are computed: reference instance R unless it is
// changed.
#pragma once

#include "core/theory/statement.h"

#include <Eigen/Core>

namespace lodestone::theory {

/// Sigma [3 x 3], the read-outs w*, w_c, w_gen [3] and what h does not encode.
struct Instance {
    Eigen::Matrix3d sigma{ { 1, .3, 0 }, { .3, 1, .2 }, { 0, .2, .5 } };
    Eigen::Vector3d truth{ 1, .5, 0 }, judge{ .8, 0, .6 }, generator{ .2, .9, -.3 };
    double unencoded = .4; ///< s_xi^2

    double inner(const Eigen::Vector3d& a, const Eigen::Vector3d& b) const { return a.dot(sigma * b); }
    double norm(const Eigen::Vector3d& a) const { return std::sqrt(inner(a, a)); }
    /// 0 for a zero vector.
    double cosine(const Eigen::Vector3d& a, const Eigen::Vector3d& b) const;
    double valueVariance() const { return inner(truth, truth) + unencoded; }
    double quality() const { return inner(truth, truth) / valueVariance(); }
    Eigen::Matrix3d factor() const; ///< L with L L' = Sigma
};

/// Inputs Sigma_11 .. Sigma_33, w_1 .. w_3 (w*), w_c1 .., w_gen1 .., s_xi2, at the values of R.
std::vector<Input> covarianceInputs();
std::vector<Input>
vectorInputs(const std::string& name, const Eigen::Vector3d& at, const std::string& meaning);
std::vector<Input> truthInputs();
std::vector<Input> judgeInputs();
std::vector<Input> generatorInputs();
Input unencodedInput();
/// Joins lists of inputs.
std::vector<Input> joined(std::initializer_list<std::vector<Input>> lists);

/// The instance at these values; what is not an input stays as in R. Error: Sigma not positive definite.
Result<Instance> instanceAt(const Values& values);
Eigen::Vector3d vectorAt(const Values& values, const std::string& name);

/// |w*|_S, s_c, sV and so on of R, for statements whose inputs are such numbers.
struct ReferenceNumbers {
    double truthNorm, judgeNorm, generatorNorm, valueDeviation, quality, truthJudge, rhoJudge, rhoGenerator,
        judgeGenerator, efficiency;
};
ReferenceNumbers referenceNumbers();

} // namespace lodestone::theory
