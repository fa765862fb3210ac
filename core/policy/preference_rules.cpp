#include "core/policy/rules.h"

#include "core/geometry/numbers.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::policy {
namespace {

using geometry::sigmoid;
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

/// Largest eigenvalue of the mean of (x_a - x_b)(x_a - x_b)', by power iteration: what bounds the step.
double largestCurvature(const Features& features, const std::vector<CandidatePair>& pairs)
{
    Eigen::VectorXd v(features.x.cols());
    for (Eigen::Index i = 0; i < v.size(); ++i)
        v[i] = 1 / (1.0 + static_cast<double>(i));
    double largest = 0;
    for (int step = 0; step < 50; ++step) {
        v.normalize();
        const Eigen::VectorXd scores = features.x * v;
        Eigen::VectorXd back = Eigen::VectorXd::Zero(scores.size());
        for (const CandidatePair& pair : pairs) {
            const double d = (scores[pair.a] - scores[pair.b]) / static_cast<double>(pairs.size());
            back[pair.a] += d;
            back[pair.b] -= d;
        }
        v = features.x.transpose() * back;
        largest = v.norm();
        if (!(largest > 0))
            return 0;
    }
    return 1.05 * largest; // the iteration approaches from below
}

int chosenOf(const CandidatePair& pair) { return pair.p >= 0.5 ? pair.a : pair.b; }
int rejectedOf(const CandidatePair& pair) { return pair.p >= 0.5 ? pair.b : pair.a; }

TrainingPoint pointOf(
    const Problem& problem, const std::vector<CandidatePair>& pairs, const Eigen::VectorXd& logits,
    const std::vector<double>& p, const std::vector<double>& reward, double beta, int step)
{
    TrainingPoint point;
    point.step = step;
    point.kl = klOf(problem.features, p);
    const auto& first = problem.features.first;
    for (std::size_t i = 0; i < p.size(); ++i)
        point.rewardGain += p[i] * reward[i] / problem.features.prompts();
    int counted = 0;
    for (const CandidatePair& pair : pairs) {
        if (pair.p == 0.5)
            continue;
        const int w = chosenOf(pair), l = rejectedOf(pair);
        const auto prompt = static_cast<std::size_t>(pair.prompt);
        const double base = -std::log(first[prompt + 1] - first[prompt]);
        const double logW = std::log(std::max(p[static_cast<std::size_t>(w)], 1e-300)),
                     logL = std::log(std::max(p[static_cast<std::size_t>(l)], 1e-300));
        point.logpsChosen += logW;
        point.logpsRejected += logL;
        point.rewardsChosen += beta * (logW - base);
        point.rewardsRejected += beta * (logL - base);
        const double margin = logits[w] - logits[l];
        point.accuracy += margin > 0 ? 1 : margin < 0 ? 0 : 0.5;
        ++counted;
    }
    for (double* sum : { &point.logpsChosen, &point.logpsRejected, &point.rewardsChosen,
                         &point.rewardsRejected, &point.accuracy })
        *sum = counted > 0 ? *sum / counted : 0;
    return point;
}

/// Chosen replies that lost probability while their margin rose: counted, and the largest explained.
void findFalls(
    const Problem& problem, const std::vector<CandidatePair>& pairs, const Eigen::VectorXd& logits,
    TrainedPolicy& policy)
{
    constexpr std::size_t kept = 5;
    const Features& features = problem.features;
    std::vector<int> rowOf;
    for (const Pool::Prompt& prompt : problem.pool.prompts)
        rowOf.insert(rowOf.end(), prompt.rows.begin(), prompt.rows.end());
    std::vector<std::pair<double, const CandidatePair*>> falls;
    for (const CandidatePair& pair : pairs) {
        if (pair.p == 0.5)
            continue;
        ++policy.compared;
        const auto prompt = static_cast<std::size_t>(pair.prompt);
        const double change
            = std::log(std::max(policy.probabilities[static_cast<std::size_t>(chosenOf(pair))], 1e-300))
            + std::log(features.first[prompt + 1] - features.first[prompt]);
        if (change < 0 && logits[chosenOf(pair)] > logits[rejectedOf(pair)]) {
            ++policy.fallen;
            falls.emplace_back(change, &pair);
        }
    }
    std::sort(falls.begin(), falls.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    falls.resize(std::min(falls.size(), kept));
    for (const auto& [change, pair] : falls) {
        const int w = chosenOf(*pair), l = rejectedOf(*pair);
        const int from = features.first[static_cast<std::size_t>(pair->prompt)],
                  to = features.first[static_cast<std::size_t>(pair->prompt) + 1];
        const Eigen::VectorXd difference = (features.x.row(w) - features.x.row(l)).transpose();
        ChosenFall fall;
        fall.chosen = rowOf[static_cast<std::size_t>(w)];
        fall.rejected = rowOf[static_cast<std::size_t>(l)];
        fall.logpChange = change;
        fall.marginChange = logits[w] - logits[l];
        const double base = 1.0 / (to - from);
        double worst = 0;
        for (int k = from; k < to; ++k) {
            const double term = base * (features.x.row(w) - features.x.row(k)).dot(difference);
            (k == l ? fall.own : fall.others) += term;
            if (k != l && term < worst) {
                worst = term;
                fall.strongest = rowOf[static_cast<std::size_t>(k)];
            }
        }
        fall.firstOrder = fall.own + fall.others;
        policy.falls.push_back(fall);
    }
}

/// At most 201 points, first and last among them.
void thin(std::vector<TrainingPoint>& curve)
{
    constexpr std::size_t most = 200;
    if (curve.size() <= most + 1)
        return;
    std::vector<TrainingPoint> kept;
    for (std::size_t i = 0; i <= most; ++i)
        kept.push_back(curve[i * (curve.size() - 1) / most]);
    curve = std::move(kept);
}

} // namespace

std::vector<CandidatePair> labelledPairs(const Problem& problem)
{
    const RuleSettings& settings = problem.settings;
    Rng choice(settings.seed, 0xc401ce), label(settings.seed, 0x1abe1), flip(settings.seed, 0xf11b);
    std::vector<CandidatePair> pairs;
    for (std::size_t prompt = 0; prompt < problem.pool.prompts.size(); ++prompt) {
        const auto& rows = problem.pool.prompts[prompt].rows;
        const int from = problem.features.first[prompt], count = static_cast<int>(rows.size());
        std::vector<CandidatePair> all;
        const double possible = 0.5 * count * (count - 1.0);
        if (possible <= std::max(4.0 * settings.pairsPerPrompt, 5000.0)) {
            for (int a = 0; a < count; ++a)
                for (int b = a + 1; b < count; ++b)
                    all.push_back({ from + a, from + b, static_cast<int>(prompt), 0.5 });
            choice.shuffle(all);
            if (settings.pairsPerPrompt > 0 && all.size() > static_cast<std::size_t>(settings.pairsPerPrompt))
                all.resize(static_cast<std::size_t>(settings.pairsPerPrompt));
        } else { // too many to list: repeats are rare
            for (int i = 0; i < settings.pairsPerPrompt; ++i) {
                const auto a = static_cast<int>(choice.below(static_cast<std::uint32_t>(count)));
                auto b = static_cast<int>(choice.below(static_cast<std::uint32_t>(count - 1)));
                b += b >= a ? 1 : 0;
                all.push_back({ from + a, from + b, static_cast<int>(prompt), 0.5 });
            }
        }
        for (CandidatePair& pair : all) {
            const double difference = problem.rewards[rows[static_cast<std::size_t>(pair.a - from)]]
                - problem.rewards[rows[static_cast<std::size_t>(pair.b - from)]];
            const double soft = sigmoid(difference / settings.tau);
            const double draw = label.uniform();
            pair.p = settings.labels == LabelKind::Soft ? soft
                : settings.labels == LabelKind::Hard
                ? (difference > 0       ? 1.0
                       : difference < 0 ? 0.0
                                        : 0.5)
                : (draw < soft ? 1.0 : 0.0);
            if (flip.uniform() < settings.flips)
                pair.p = 1 - pair.p;
        }
        pairs.insert(pairs.end(), all.begin(), all.end());
    }
    return pairs;
}

std::string PreferenceRule::name() const
{
    return m_loss == Loss::Dpo ? "dpo" : m_loss == Loss::ConservativeDpo ? "cdpo" : "ipo";
}

std::string PreferenceRule::description() const
{
    switch (m_loss) {
    case Loss::Dpo:
        return "Direct preference optimisation: logistic loss on the policy's own log ratios.";
    case Loss::ConservativeDpo:
        return "DPO with smoothed labels: margins stay bounded under noise (T27).";
    case Loss::Ipo:
        break;
    }
    return "Identity preference optimisation: squared loss towards a fixed margin.";
}

double PreferenceRule::loss(double h, double p, double beta, double smoothing) const
{
    if (m_loss == Loss::Ipo) {
        const double c = 1 / (2 * beta);
        return p * (h - c) * (h - c) + (1 - p) * (h + c) * (h + c);
    }
    const double q = m_loss == Loss::ConservativeDpo ? (1 - smoothing) * p + smoothing * (1 - p) : p;
    return softplus(beta * h) - q * beta * h;
}

double PreferenceRule::slope(double h, double p, double beta, double smoothing) const
{
    if (m_loss == Loss::Ipo)
        return 2 * (h - (2 * p - 1) / (2 * beta));
    const double q = m_loss == Loss::ConservativeDpo ? (1 - smoothing) * p + smoothing * (1 - p) : p;
    return beta * (sigmoid(beta * h) - q);
}

Result<TrainedPolicy>
PreferenceRule::train(const Problem& problem, const Target& target, const Work& work) const
{
    LODESTONE_CHECK(checkBudget(problem, target));
    const std::vector<CandidatePair> pairs = labelledPairs(problem);
    const Features& features = problem.features;
    TrainedPolicy policy;
    policy.comparisons = static_cast<double>(pairs.size());
    // With a budget: a larger lambda than the optimum's, so that the trajectory crosses it. The margins of
    // cDPO and IPO are bounded by theirs, so they need more.
    const double reach = m_loss == Loss::Dpo ? 2 : m_loss == Loss::ConservativeDpo ? 8 : 20;
    policy.lambda = target.kl ? reach * lambdaOf(problem, target) : target.lambda;
    Eigen::VectorXd theta = Eigen::VectorXd::Zero(features.x.cols());
    Eigen::VectorXd logits = Eigen::VectorXd::Zero(features.x.rows());
    policy.probabilities = softmaxWithin(features, logits);
    const double curvature = largestCurvature(features, pairs);
    if (!(policy.lambda > 0) || !(curvature > 0)) {
        policy.exactKl = !target.kl || *target.kl == 0;
        policy.note = "the rewards or the candidates do not differ: nothing to learn";
        return policy;
    }
    const double beta = 1 / policy.lambda, smoothing = problem.settings.labelSmoothing;
    const double bend = m_loss == Loss::Ipo ? 2.0 : beta * beta / 4;
    double length = 1 / (bend * curvature);
    std::vector<double> reward; // per candidate, less its prompt's mean
    for (const Pool::Prompt& prompt : problem.pool.prompts) {
        double mean = 0;
        for (const int row : prompt.rows)
            mean += problem.rewards[row] / static_cast<double>(prompt.rows.size());
        for (const int row : prompt.rows)
            reward.push_back(problem.rewards[row] - mean);
    }
    const auto record = [&](int step) {
        TrainingPoint point = pointOf(problem, pairs, logits, policy.probabilities, reward, beta, step);
        for (const CandidatePair& pair : pairs)
            point.objective += loss(logits[pair.a] - logits[pair.b], pair.p, beta, smoothing)
                / static_cast<double>(pairs.size());
        policy.curve.push_back(point);
    };
    record(0);
    bool crossed = false;
    double firstGradient = 0;
    for (int step = 1; step <= problem.settings.steps && !crossed; ++step) {
        if (work.cancelled())
            return cancelled();
        Eigen::VectorXd pull = Eigen::VectorXd::Zero(logits.size());
        for (const CandidatePair& pair : pairs) {
            const double s = slope(logits[pair.a] - logits[pair.b], pair.p, beta, smoothing)
                / static_cast<double>(pairs.size());
            pull[pair.a] -= s;
            pull[pair.b] += s;
        }
        const Eigen::VectorXd gradient = features.x.transpose() * pull;
        if (step == 1) {
            firstGradient = gradient.norm();
            // To a budget in some forty steps, so that early stopping has a path: KL is near Var(f)/2 at
            // first.
            const double spread = (features.variance.array() * gradient.array().square()).sum();
            if (target.kl && spread > 0)
                length = std::min(length, std::sqrt(2 * *target.kl / spread) / 40);
        }
        if (gradient.norm() <= 1e-9 * firstGradient)
            break;
        Eigen::VectorXd move = length * gradient;
        Eigen::VectorXd change = features.x * move;
        std::vector<double> next = softmaxWithin(features, logits + change);
        if (target.kl && klOf(features, next) >= *target.kl) {
            double low = 0, high = 1; // stop between two steps, where the budget is spent
            for (int i = 0; i < 60; ++i) {
                const double middle = (low + high) / 2;
                (klOf(features, softmaxWithin(features, logits + middle * change)) < *target.kl ? low : high)
                    = middle;
            }
            change *= high;
            move *= high;
            next = softmaxWithin(features, logits + change);
            crossed = true;
        }
        theta += move;
        logits += change;
        policy.probabilities = std::move(next);
        record(step);
        if (step % 20 == 0)
            work.tell({ "Training " + name(), static_cast<double>(step),
                        static_cast<double>(problem.settings.steps), 0, "steps", -1 });
    }
    policy.kl = policy.curve.back().kl;
    const int steps = policy.curve.back().step;
    policy.exactKl = !target.kl || crossed || policy.kl == *target.kl;
    policy.note = crossed ? fmt::format("stopped early, after {} steps, where the budget is spent", steps)
        : target.kl       ? fmt::format(
                    "{} steps reach {:.3f} nats: the nearest attainable with these labels", steps, policy.kl)
                    : fmt::format("{} steps", steps);
    findFalls(problem, pairs, logits, policy);
    thin(policy.curve);
    return policy;
}

} // namespace lodestone::policy
