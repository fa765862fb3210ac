// The failures one by one: what each does to a reward, and its cure. Split from failure_modes, which measures
// them.
#pragma once

#include "core/policy/failure_modes.h"

#include <limits>

namespace lodestone::policy {

/// A reward that failed, its cure, and the failure's own figures.
struct FailureCase {
    Eigen::VectorXd clean, failed, mitigated;
    double failedKl = -1, mitigatedKl = -1; ///< < 0: the common budget
    double figure = std::numeric_limits<double>::quiet_NaN(),
           mitigatedFigure = std::numeric_limits<double>::quiet_NaN(),
           closed = std::numeric_limits<double>::quiet_NaN();
    std::string closedSays{}, note{};
};

/// What the failures are made of: scores with deviation 1 within prompts.
struct FailureParts {
    const World& world;
    Eigen::VectorXd judge, people, generation, style, length, echo, noise;
    double kl;

    FailureParts(const World& w, double budget);
    /// A read-out drawn at random: features times a normal vector, without the judge's part.
    Eigen::VectorXd randomDirection(std::uint64_t stream) const;
    /// `a` less its projection on `b` within prompts, deviation 1 again.
    Eigen::VectorXd without(const Eigen::VectorXd& a, const Eigen::VectorXd& b) const;
    /// Mean change of a score under the tilt of `reward` at the budget, in its own unit.
    double drift(const Eigen::VectorXd& reward, const Eigen::VectorXd& score) const;
};

Result<FailureCase> selfConfirmation(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> garbageIn(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> preferenceDrift(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> lengthGaming(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> sycophancyUser(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> sycophancyLabeler(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> sycophancySelf(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> outOfDistribution(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> promptSensitivity(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> validationDependency(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> labelNoise(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> positionBias(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> conceptShift(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> errorPropagation(const FailureParts& parts, double dose, const Work& work);
Result<FailureCase> judgeCost(const FailureParts& parts, double dose, const Work& work);

} // namespace lodestone::policy
