#include "core/session/study_quantities.h"

namespace lodestone::session {
namespace {

Result<StudyValues> thales(const Here& here) // T14
{
    LODESTONE_CHECK(needNeutral(here));
    // The line of w_c; on the side of w_J where w* lies when they share one.
    const double judge = here.cosCJ() < 0 ? -1.0 : 1.0;
    const double across = judge * here.rhoC - std::abs(here.cosCJ()) * here.rhoJ();
    return StudyValues{
        { { "phi", std::copysign(std::acos(std::min(1.0, std::abs(here.cosCJ()))) * degrees, across) },
          { "theta", std::acos(std::clamp(here.rhoJ(), -1.0, 1.0)) * degrees },
          { "w_norm", 1 },
          { "s_norm", 1 } },
        { { "gain_rate", { here.cosCJ() * here.rhoC, geometry::Interval() } } },
        "The judge's direction is the model's neutral good/bad judgment, the constitution's line that of "
        "w_c. "
        "The formula puts all three in one plane; the study need not."
    };
}
Result<StudyValues> adversarial(const Here& here) // T15
{
    LODESTONE_CHECK(needNeutral(here));
    return StudyValues{ { { "cos_theta", here.rhoJ() }, { "s_norm", 1 }, { "w_norm", 1 } },
                        {},
                        "w_J is the model's neutral good/bad judgment." };
}
Result<StudyValues> encoded(const Here& here) // T16
{
    LODESTONE_CHECK(needPrinciples(here, 1));
    StudyValues values{ { { "K", here.kl } }, {}, "Each direction is a principle of the constitution." };
    for (std::size_t i = 0; i < 5; ++i)
        values.inputs.push_back(
            { fmt::format("g_{}", i + 1), i < here.snapshot.judge->active.size() ? here.worth(i) : 0 });
    return values;
}
Result<StudyValues> composition(const Here& here) // T17
{
    LODESTONE_CHECK(needPrinciples(here, 2));
    const std::vector<int>& active = here.snapshot.judge->active;
    StudyValues values{ { { "K", here.kl } }, {}, {} };
    const auto& principles = here.snapshot.inputs.constitution.principles;
    for (std::size_t i = 0; i < 3; ++i) {
        const bool there = i < active.size();
        values.inputs.push_back({ fmt::format("a_{}", i + 1),
                                  there ? principles[static_cast<std::size_t>(active[i])].weight : 0 });
        values.inputs.push_back({ fmt::format("g_{}", i + 1), there ? here.worth(i) : 0 });
        for (std::size_t j = i + 1; j < 3; ++j)
            values.inputs.push_back({ fmt::format("G_{}{}", i + 1, j + 1),
                                      j < active.size() ? here.snapshot.judge->cosines(
                                          static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j))
                                                        : 0 });
    }
    if (active.size() > 3)
        values.says = fmt::format("The first three of {} principles.", active.size());
    else if (here.snapshot.inputs.constitution.mapping == constitution::Mapping::Weighted)
        values.measured.push_back(here.gain("DeltaV"));
    return values;
}
Result<StudyValues> order(const Here& here) // T18
{
    LODESTONE_CHECK(needPrinciples(here, 2));
    const double cosine = std::min(1.0, std::abs(here.snapshot.judge->cosines(0, 1)));
    return StudyValues{ { { "phi", std::acos(cosine) * degrees } },
                        {},
                        "The constitution's first two principles." };
}
Result<StudyValues> randomSubspace(const Here& here) // T19
{
    const Eigen::VectorXd& scores = here.snapshot.layer->people.scores;
    Eigen::MatrixXd principles(scores.size(), static_cast<Eigen::Index>(here.snapshot.judge->active.size()));
    for (Eigen::Index i = 0; i < principles.cols(); ++i)
        principles.col(i) = here.world.unit(here.principle(static_cast<std::size_t>(i)).scores);
    Eigen::MatrixXd gram(principles.cols(), principles.cols());
    Eigen::VectorXd with(principles.cols());
    for (Eigen::Index i = 0; i < gram.rows(); ++i) {
        with[i] = here.world.cosine(principles.col(i), scores);
        for (Eigen::Index j = 0; j < gram.cols(); ++j)
            gram(i, j) = here.world.cosine(principles.col(i), principles.col(j));
    }
    LODESTONE_TRY(const geometry::Subspace span, geometry::Subspace::fromGram(gram));
    return StudyValues{ { { "d", std::round(effectiveDimension(differences(here))) },
                          { "k", static_cast<double>(span.rank()) },
                          { "lambda", here.lambda * here.deviation },
                          { "K", here.kl } },
                        { { "F", { span.share(with, 1), geometry::Interval() } } },
                        fmt::format(
                            "Measured: the share of people's direction in the span of the constitution's "
                            "principles; the formula: in a random one of as many. {}",
                            effectiveSaid) };
}
Result<StudyValues> aims(const Here& here) // T20
{
    LODESTONE_CHECK(needPrinciples(here, 2));
    return StudyValues{ { { "c", here.snapshot.judge->cosines(0, 1) }, { "K", here.kl } },
                        {},
                        "The constitution's first two principles as aims." };
}
Result<StudyValues> rounds(const Here& here) // T21
{
    return StudyValues{ { { "T", 1 },
                          { "lambda", here.lambda },
                          { "gamma", here.rhoC * here.deviation },
                          { "s_c", here.deviation } },
                        { here.gain("DeltaV"), { "K", here.snapshot.policy->intervals.kl } },
                        "One round, as simulated here; more are the Policy lab's Rounds." };
}
Result<StudyValues> drift(const Here& here) // T22
{
    LODESTONE_CHECK(needNeutral(here));
    return StudyValues{
        { { "lambda", here.lambda * here.deviation }, { "gamma_0", here.rhoC }, { "gamma_g", here.rhoJ() } },
        {},
        "A judge that begins with this constitution and drifts to the model's neutral good/bad "
        "judgment; how fast, and for how many rounds, is not known."
    };
}
Result<StudyValues> selfPreference(const Here& here) // T23
{
    return StudyValues{
        { { "lambda", here.lambda }, { "gamma", here.rhoC * here.deviation }, { "s_c", here.deviation } },
        {},
        "kappa and T are not known: this judge reads replies, not the policy."
    };
}
Result<StudyValues> generations(const Here& here) // T24
{
    return StudyValues{
        { { "cos_0", here.rhoC },
          { "n", static_cast<double>(here.snapshot.layer->examples.training.size()) },
          { "d", std::round(effectiveDimension(differences(here))) } },
        {},
        fmt::format("As many pairs a generation as this study has training labels. {}", effectiveSaid)
    };
}
Result<StudyValues> selfConsumption(const Here& here) // T24b
{
    return StudyValues{ { { "n", std::round(here.candidates) },
                          { "lambda", here.lambda },
                          { "Sigma", here.deviation * here.deviation } },
                        {},
                        "As many own samples as a prompt has candidates here; Sigma along the judge." };
}

constexpr StudyEntry entriesOfConstitutions[] = {
    { "T14", thales }, { "T15", adversarial },    { "T16", encoded },     { "T17", composition },
    { "T18", order },  { "T19", randomSubspace }, { "T20", aims },        { "T21", rounds },
    { "T22", drift },  { "T23", selfPreference }, { "T24", generations }, { "T24b", selfConsumption },
};

} // namespace

std::span<const StudyEntry> studyEntriesOfConstitutions() { return entriesOfConstitutions; }

} // namespace lodestone::session
