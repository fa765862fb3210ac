#include "core/session/defence.h"

#include "core/constitution/word_paraphrases.h"
#include "core/session/pipeline.h"

#include <algorithm>
#include <cmath>

namespace lodestone::session {
namespace {

std::span<const double> viewOf(const Eigen::VectorXd& v)
{
    return { v.data(), static_cast<std::size_t>(v.size()) };
}

/// Rows of one side that a layer holds, and their prompts.
struct Side {
    std::vector<int> rows, groups;

    Side(const Foundation& foundation, const LayerStage& layer, bool training)
    {
        for (Eigen::Index i = 0; i < layer.rows.rows(); ++i)
            if (foundation.training[static_cast<std::size_t>(i)] == training) {
                rows.push_back(static_cast<int>(i));
                groups.push_back(foundation.groups[static_cast<std::size_t>(i)]);
            }
    }
    /// Values within prompts, as they are where no prompt has two rows.
    Eigen::VectorXd within(const Eigen::VectorXd& values) const
    {
        std::vector<double> own;
        for (const int row : rows)
            own.push_back(values[row]);
        const Eigen::VectorXd centred = geometry::centredWithinGroups(own, groups);
        return centred.norm() > 1e-12 ? centred
                                      : Eigen::VectorXd(Eigen::Map<const Eigen::VectorXd>(
                                          own.data(), static_cast<Eigen::Index>(own.size())));
    }
};

/// Mean correlation between several answers about the same replies: the value, and one per resample.
struct Agreement {
    double value = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> draws;
};
Agreement
agreementOf(const Eigen::MatrixXd& columns, const Side& side, const geometry::ClusterBootstrap& bootstrap)
{
    Agreement result;
    const Eigen::Index frames = columns.cols();
    if (frames < 2)
        return result;
    Eigen::MatrixXd answers(static_cast<Eigen::Index>(side.rows.size()), frames);
    for (Eigen::Index f = 0; f < frames; ++f)
        answers.col(f) = side.within(columns.col(f));
    if (!answers.allFinite())
        return result;
    Eigen::MatrixXd products(answers.rows(), frames * frames);
    for (Eigen::Index a = 0; a < frames; ++a)
        for (Eigen::Index b = 0; b < frames; ++b)
            products.col(a * frames + b) = answers.col(a).cwiseProduct(answers.col(b));
    const auto mean = [frames](const Eigen::RowVectorXd& sums) {
        double total = 0;
        for (Eigen::Index a = 0; a < frames; ++a)
            for (Eigen::Index b = a + 1; b < frames; ++b) {
                const double norm = std::sqrt(sums[a * frames + a] * sums[b * frames + b]);
                total += norm > 0 ? sums[a * frames + b] / norm : 0;
            }
        return total / (static_cast<double>(frames * (frames - 1)) / 2);
    };
    result.value = mean(products.colwise().sum());
    const Eigen::MatrixXd sums = bootstrap.sums(products);
    for (Eigen::Index r = 0; r < sums.rows(); ++r)
        result.draws.push_back(mean(sums.row(r)));
    return result;
}

/// The least agreement over principles, and what a threshold is made of.
struct Least {
    std::vector<double> draws; ///< per resample
    std::vector<double> training; ///< of each principle, on training prompts
    int principle = -1; ///< of the least

    /// Takes one more principle in; `value` is the least so far.
    void add(const Agreement& own, const Agreement& inTraining, int index, double& value)
    {
        if (!std::isfinite(own.value))
            return;
        training.push_back(inTraining.value);
        if (draws.empty())
            draws = own.draws;
        for (std::size_t r = 0; r < own.draws.size(); ++r)
            draws[r] = std::min(draws[r], own.draws[r]);
        if (principle < 0 || own.value < value) {
            value = own.value;
            principle = index;
        }
    }
};

/// What is kept of a constitution beside what is shown.
struct ExaminedCase {
    Examined shown;
    double below = 0; ///< share of resamples whose cosine is below 0
    Least frames, paraphrases;
};

/// The cloze answers by a principle's own words beside those by other words: [responses, 1 + wordings]. Empty
/// where a wording cannot be judged.
Eigen::MatrixXd answersByWording(
    const Foundation& foundation, const constitution::Principle& principle,
    const std::vector<constitution::Principle>& wordings)
{
    std::vector<constitution::Principle> all{ principle };
    all.insert(all.end(), wordings.begin(), wordings.end());
    Eigen::MatrixXd columns(
        static_cast<Eigen::Index>(foundation.cloze->responses()), static_cast<Eigen::Index>(all.size()));
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto judged = foundation.cloze->judge(all[i]);
        if (!judged)
            return {};
        columns.col(static_cast<Eigen::Index>(i)) = judged->scores;
    }
    return columns;
}

Result<ExaminedCase>
examine(Pipeline& pipeline, Inputs inputs, const constitution::Constitution& constitution, const Work& work)
{
    inputs.constitution = constitution;
    LODESTONE_TRY(const auto snapshot, pipeline.recompute(inputs, nullptr, work));
    ExaminedCase result;
    result.shown.name = constitution.name;
    const JudgeStage& judge = *snapshot->judge;
    const LayerStage& layer = *snapshot->layer;
    result.shown.problem = judge.problem;
    if (!judge.problem.empty() || judge.active.empty())
        return result;
    const Side heldOut(*snapshot->foundation, layer, false), training(*snapshot->foundation, layer, true);
    const geometry::ClusterBootstrap bootstrap(heldOut.groups, 1000, inputs.seed),
        none(training.groups, 0, inputs.seed);
    const Eigen::VectorXd rewards = heldOut.within(judge.rewards),
                          people = heldOut.within(layer.people.scores);
    result.shown.harm = snapshot->meters->efficiency;
    result.shown.agreement = judge.agreement;
    if (layer.neutral.found())
        result.shown.looks
            = bootstrap.correlation(viewOf(heldOut.within(layer.neutral.scores)), viewOf(rewards));
    result.below = 1 - bootstrap.probabilityCovariancePositive(viewOf(people), viewOf(rewards));
    const Foundation& foundation = *snapshot->foundation;
    std::vector<std::vector<constitution::Principle>> wordings;
    for (const int index : judge.active) {
        const auto& judged = snapshot->principles[static_cast<std::size_t>(index)]->judged;
        const auto& principle = inputs.constitution.principles[static_cast<std::size_t>(index)];
        result.frames.add(
            agreementOf(judged.perSuffix, heldOut, bootstrap), agreementOf(judged.perSuffix, training, none),
            static_cast<int>(wordings.size()), result.shown.frames.value);
        wordings.push_back(
            foundation.cloze && principle.way == "cloze"
                ? constitution::wordParaphrases(*foundation.cloze, principle)
                : std::vector<constitution::Principle>());
        if (wordings.back().empty())
            continue;
        const Eigen::MatrixXd answers = answersByWording(foundation, principle, wordings.back());
        result.paraphrases.add(
            agreementOf(answers, heldOut, bootstrap), agreementOf(answers, training, none),
            static_cast<int>(wordings.size()) - 1, result.shown.paraphrases.value);
    }
    if (result.frames.principle >= 0)
        result.shown.frames.interval = geometry::percentileInterval(result.frames.draws);
    if (result.paraphrases.principle >= 0) {
        result.shown.paraphrases.interval = geometry::percentileInterval(result.paraphrases.draws);
        result.shown.wordings = std::move(wordings[static_cast<std::size_t>(result.paraphrases.principle)]);
    }
    return result;
}

double shareBelow(const std::vector<double>& draws, double threshold)
{
    const auto count
        = std::count_if(draws.begin(), draws.end(), [&](double draw) { return draw < threshold; });
    return draws.empty() ? 0 : static_cast<double>(count) / static_cast<double>(draws.size());
}

} // namespace

double caughtByLabels(double agreement, int n)
{
    if (n < 1 || !std::isfinite(agreement))
        return std::numeric_limits<double>::quiet_NaN();
    const double a = std::clamp(agreement, 0.0, 1.0);
    if (a == 0 || a == 1)
        return 1 - a;
    double below = 0;
    for (int k = 0; 2 * k <= n; ++k) {
        const double p = std::exp(
            std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) + k * std::log(a)
            + (n - k) * std::log1p(-a));
        below += 2 * k == n ? p / 2 : p;
    }
    return below;
}

Result<std::vector<constitution::Constitution>> ordinaryConstitutions(const std::filesystem::path& folder)
{
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
        if (entry.path().extension() == ".json" && entry.path().stem() != "adversarial")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<constitution::Constitution> found;
    for (const auto& file : files) {
        LODESTONE_TRY(found.emplace_back(), constitution::readConstitution(file));
    }
    if (found.empty())
        return badInput("the shipped constitutions", "none", folder.string());
    return found;
}

Result<Defence> defend(
    const std::shared_ptr<const Foundation>& foundation, const Inputs& inputs,
    const constitution::Constitution& suspect, const std::vector<constitution::Constitution>& ordinary,
    const Work& work)
{
    Pipeline pipeline(foundation);
    LODESTONE_TRY(const ExaminedCase caught, examine(pipeline, inputs, suspect, work));
    if (!caught.shown.problem.empty())
        return badInput("a suspect with a judge in this model", caught.shown.problem, suspect.name);
    if (!std::isfinite(caught.shown.agreement.value))
        return badInput(
            "pairs on held-out prompts", "none in this study", foundation->study->folder().string());
    Defence result;
    result.suspect = caught.shown;
    std::vector<ExaminedCase> others;
    for (std::size_t i = 0; i < ordinary.size(); ++i) {
        work.tell({ "Examining ordinary constitutions", static_cast<double>(i),
                    static_cast<double>(ordinary.size()), 0, "constitutions", -1 });
        auto one = examine(pipeline, inputs, ordinary[i], work);
        if (!one)
            return tl::unexpected(one.error());
        if (!one->shown.problem.empty()) {
            result.leftOut.push_back(ordinary[i].name);
            continue;
        }
        result.ordinary.push_back(one->shown);
        others.push_back(std::move(*one));
    }
    if (others.empty())
        return badInput(
            "ordinary constitutions with a judge in this model", "none",
            foundation->study->folder().string());
    const auto add = [&](const std::string& name, double threshold, const geometry::Estimate& found,
                         const auto& alarmOf) {
        Filter filter{ name, threshold, found, 0, {} };
        for (const ExaminedCase& other : others) {
            filter.alarms.push_back(alarmOf(other));
            filter.falseAlarms += filter.alarms.back() / static_cast<double>(others.size());
        }
        result.filters.push_back(std::move(filter));
    };
    add("cosine", 0, { caught.below, {} }, [](const ExaminedCase& other) { return other.below; });
    const auto addLeast = [&](const std::string& name, Least ExaminedCase::*which) {
        std::vector<double> usual;
        for (const ExaminedCase& other : others)
            usual.insert(usual.end(), (other.*which).training.begin(), (other.*which).training.end());
        if (usual.empty() || (caught.*which).draws.empty())
            return;
        const double threshold = geometry::quantile(usual, 0.1);
        add(name, threshold, { shareBelow((caught.*which).draws, threshold), {} },
            [&](const ExaminedCase& other) { return shareBelow((other.*which).draws, threshold); });
    };
    addLeast("paraphrases", &ExaminedCase::paraphrases);
    addLeast("frames", &ExaminedCase::frames);
    for (const int n : { 8, 16, 32, 64 }) {
        const geometry::Estimate& a = caught.shown.agreement;
        const geometry::Interval carried = a.interval.isKnown()
            ? geometry::Interval{ caughtByLabels(a.interval.high, n), caughtByLabels(a.interval.low, n) }
            : geometry::Interval{};
        add("labels-" + std::to_string(n), 0.5, { caughtByLabels(a.value, n), carried },
            [n](const ExaminedCase& other) { return caughtByLabels(other.shown.agreement.value, n); });
    }
    return result;
}

} // namespace lodestone::session
