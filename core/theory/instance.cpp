#include "core/theory/instance.h"

#include "core/theory/algebra.h"

#include <fmt/format.h>

namespace lodestone::theory {

double Instance::cosine(const Eigen::Vector3d& a, const Eigen::Vector3d& b) const
{
    const double norms = norm(a) * norm(b);
    return norms > 0 ? inner(a, b) / norms : 0;
}

Eigen::Matrix3d Instance::factor() const { return lowerFactor(sigma); }

std::vector<Input> covarianceInputs()
{
    const Instance reference;
    std::vector<Input> inputs;
    for (int i = 0; i < 3; ++i)
        inputs.push_back({ fmt::format("Sigma_{}{}", i + 1, i + 1), reference.sigma(i, i), .05, 4,
                           "variance of a coordinate of h" });
    for (int i = 0; i < 3; ++i)
        for (int j = i + 1; j < 3; ++j)
            inputs.push_back({ fmt::format("Sigma_{}{}", i + 1, j + 1), reference.sigma(i, j), -2, 2,
                               "covariance of two coordinates of h" });
    return inputs;
}

std::vector<Input>
vectorInputs(const std::string& name, const Eigen::Vector3d& at, const std::string& meaning)
{
    std::vector<Input> inputs;
    for (int i = 0; i < 3; ++i)
        inputs.push_back({ fmt::format("{}{}", name, i + 1), at[i], -2, 2, meaning });
    return inputs;
}

std::vector<Input> truthInputs()
{
    return vectorInputs("w_", Instance().truth, "coordinate of the true values' read-out w*");
}

std::vector<Input> judgeInputs()
{
    return vectorInputs("w_c", Instance().judge, "coordinate of the constitution's read-out w_c");
}

std::vector<Input> generatorInputs()
{
    return vectorInputs("w_gen", Instance().generator, "coordinate of the generation direction w_gen");
}

Input unencodedInput()
{
    return { "s_xi2", Instance().unencoded, 0, 10, "variance of the value that h does not encode" };
}

std::vector<Input> joined(std::initializer_list<std::vector<Input>> lists)
{
    std::vector<Input> all;
    for (const std::vector<Input>& list : lists)
        all.insert(all.end(), list.begin(), list.end());
    return all;
}

Eigen::Vector3d vectorAt(const Values& values, const std::string& name)
{
    return { values[name + "1"], values[name + "2"], values[name + "3"] };
}

Result<Instance> instanceAt(const Values& values)
{
    Instance instance;
    if (values.has("Sigma_11")) {
        for (int i = 0; i < 3; ++i)
            for (int j = i; j < 3; ++j)
                instance.sigma(i, j) = instance.sigma(j, i) = values[fmt::format("Sigma_{}{}", i + 1, j + 1)];
        const double pivot = smallestPivot(instance.sigma);
        if (!(pivot > 1e-6))
            return badInput(
                "a positive definite Sigma", fmt::format("a pivot of {:.3g}", pivot),
                "inputs Sigma_11 to Sigma_33");
    }
    if (values.has("w_1"))
        instance.truth = vectorAt(values, "w_");
    if (values.has("w_c1"))
        instance.judge = vectorAt(values, "w_c");
    if (values.has("w_gen1"))
        instance.generator = vectorAt(values, "w_gen");
    if (values.has("s_xi2"))
        instance.unencoded = values["s_xi2"];
    if (!(instance.valueVariance() > 0))
        return badInput("a value that varies", "w* = 0 and s_xi2 = 0", "inputs w_1 to w_3, s_xi2");
    return instance;
}

ReferenceNumbers referenceNumbers()
{
    const Instance r;
    ReferenceNumbers numbers{};
    numbers.truthNorm = r.norm(r.truth);
    numbers.judgeNorm = r.norm(r.judge);
    numbers.generatorNorm = r.norm(r.generator);
    numbers.valueDeviation = std::sqrt(r.valueVariance());
    numbers.quality = r.quality();
    numbers.truthJudge = r.inner(r.truth, r.judge);
    numbers.efficiency = r.cosine(r.truth, r.judge);
    numbers.rhoJudge = std::sqrt(r.quality()) * numbers.efficiency;
    numbers.rhoGenerator = std::sqrt(r.quality()) * r.cosine(r.truth, r.generator);
    numbers.judgeGenerator = r.cosine(r.judge, r.generator);
    return numbers;
}

} // namespace lodestone::theory
