#include "core/model/steering.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::model {
namespace {

bool covers(TokenRange range, int position) { return position >= range.begin && position < range.end; }

bool coversAll(TokenRange range, std::span<const int> positions)
{
    return std::all_of(positions.begin(), positions.end(), [&](int p) { return covers(range, p); });
}

/// Hands `change` all rows at once where the intervention covers them all, else one at a time.
template <typename Change>
void onRows(
    Eigen::Ref<RowMatrix> states, std::span<const int> positions, TokenRange range, const Change& change)
{
    if (coversAll(range, positions))
        return change(states);
    for (std::size_t i = 0; i < positions.size(); ++i)
        if (covers(range, positions[i]))
            change(states.middleRows(static_cast<Eigen::Index>(i), 1));
}

void ablate(Eigen::Ref<RowMatrix> states, std::span<const int> positions, const Intervention& change)
{
    const Eigen::VectorXf unit = change.direction.normalized();
    onRows(states, positions, change.tokens, [&](Eigen::Ref<RowMatrix> rows) {
        const Eigen::VectorXf along = rows * unit;
        rows.noalias() -= along * unit.transpose();
    });
}

Result<void> checkSite(const ModelConfig& config, WriteSite site, const LowRankMap& map)
{
    if (site.part != WriteSite::Part::Embedding && (site.block < 0 || site.block >= config.blocks))
        return badInput(fmt::format("a block below {}", config.blocks), std::to_string(site.block));
    if (map.left.rows() != config.width || map.right.rows() != config.width
        || map.left.cols() != map.right.cols())
        return badInput(
            fmt::format("two matrices of {} rows and as many columns", config.width),
            fmt::format(
                "{} x {} and {} x {}", map.left.rows(), map.left.cols(), map.right.rows(), map.right.cols()));
    if (!map.left.allFinite() || !map.right.allFinite())
        return badInput("finite numbers", "NaN or infinity");
    return {};
}

} // namespace

void steerStream(
    Eigen::Ref<RowMatrix> states, std::span<const int> positions, Layer layer,
    std::span<const Intervention> interventions)
{
    for (const Intervention& change : interventions) {
        if (change.kind == Intervention::Kind::Ablate)
            ablate(states, positions, change);
        else if (change.kind == Intervention::Kind::Add && change.layer == layer) {
            const Eigen::RowVectorXf shift
                = static_cast<float>(change.coefficient) * change.direction.transpose();
            onRows(states, positions, change.tokens, [&](Eigen::Ref<RowMatrix> rows) {
                rows.rowwise() += shift;
            });
        }
    }
}

void ablateStream(
    Eigen::Ref<RowMatrix> states, std::span<const int> positions, std::span<const Intervention> interventions)
{
    for (const Intervention& change : interventions)
        if (change.kind == Intervention::Kind::Ablate)
            ablate(states, positions, change);
}

void projectWrites(
    Eigen::Ref<RowMatrix> writes, std::span<const int> positions, WriteSite site,
    std::span<const Intervention> interventions)
{
    for (const Intervention& change : interventions)
        if (change.kind == Intervention::Kind::Project && change.site == site)
            onRows(writes, positions, change.tokens, [&](Eigen::Ref<RowMatrix> rows) {
                applyMap(rows, change.map);
            });
}

void applyMap(Eigen::Ref<RowMatrix> rows, const LowRankMap& map)
{
    const RowMatrix mapped = (rows * map.right) * map.left.transpose();
    if (map.keep)
        rows = mapped;
    else
        rows -= mapped;
}

Result<void> checkInterventions(const ModelConfig& config, std::span<const Intervention> interventions)
{
    for (const Intervention& change : interventions) {
        if (change.kind == Intervention::Kind::Project) {
            LODESTONE_CHECK(checkSite(config, change.site, change.map));
            continue;
        }
        const bool ablates = change.kind == Intervention::Kind::Ablate;
        if (change.direction.size() != config.width)
            return badInput(
                fmt::format("a direction of {} numbers", config.width),
                fmt::format("{}", change.direction.size()));
        if (!change.direction.allFinite() || !std::isfinite(change.coefficient))
            return badInput("a direction of finite numbers", "NaN or infinity");
        if (ablates && !(change.direction.norm() > 0))
            return badInput("a direction to ablate", "all zeros");
        if (!ablates && change.layer.row() >= config.layers())
            return badInput(
                fmt::format("a layer up to block {} output", config.blocks - 1), change.layer.label());
    }
    return {};
}

Result<void> checkEdits(const ModelConfig& config, std::span<const WeightEdit> edits)
{
    for (const WeightEdit& edit : edits)
        LODESTONE_CHECK(checkSite(config, edit.site, edit.map));
    return {};
}

Intervention addition(Layer layer, double coefficient, Eigen::VectorXf displacement, TokenRange tokens)
{
    Intervention change;
    change.layer = layer;
    change.coefficient = coefficient;
    change.direction = std::move(displacement);
    change.tokens = tokens;
    return change;
}

Intervention ablation(Eigen::VectorXf direction)
{
    Intervention change;
    change.kind = Intervention::Kind::Ablate;
    change.direction = std::move(direction);
    return change;
}

std::vector<WriteSite> writeSites(const ModelConfig& config)
{
    std::vector<WriteSite> sites{ { WriteSite::Part::Embedding, 0 } };
    for (int k = 0; k < config.blocks; ++k) {
        sites.push_back({ WriteSite::Part::Attention, k });
        sites.push_back({ WriteSite::Part::FeedForward, k });
    }
    return sites;
}

std::vector<WeightEdit> orthogonalisation(const ModelConfig& config, const Eigen::VectorXf& direction)
{
    std::vector<WeightEdit> edits;
    const RowMatrix unit = direction.normalized();
    for (const WriteSite site : writeSites(config))
        edits.push_back({ site, removeRanks(unit) });
    return edits;
}

Result<RowMatrix> writesOn(
    LanguageModel& model, WriteSite site, std::span<const std::vector<TokenId>> sequences,
    std::span<const TokenRange> ranges, const Work& work)
{
    if (!ranges.empty() && ranges.size() != sequences.size())
        return badInput(
            fmt::format("a range for each of {} sequences", sequences.size()),
            fmt::format("{}", ranges.size()));
    RowMatrix all(0, model.config().width);
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        Request request;
        request.tokens = sequences[i];
        request.written = site;
        LODESTONE_TRY(const auto readings, model.read(std::span(&request, 1), {}, work));
        const auto count = static_cast<int>(sequences[i].size());
        const TokenRange range = ranges.empty() ? TokenRange{ 0, count } : ranges[i];
        if (range.begin < 0 || range.end > count || range.empty())
            return badInput(
                fmt::format("a range within {} tokens", count),
                fmt::format("[{}, {})", range.begin, range.end), fmt::format("sequence {}", i));
        const Eigen::Index before = all.rows();
        all.conservativeResize(before + range.size(), Eigen::NoChange);
        all.bottomRows(range.size()) = readings[0].written.middleRows(range.begin, range.size());
    }
    return all;
}

RowMatrix topRanks(const Eigen::Ref<const RowMatrix>& scores, int ranks)
{
    // The smaller of S'S and SS' decides; both have the squared singular values as eigenvalues.
    const Eigen::MatrixXd s = scores.cast<double>();
    const bool tall = s.rows() >= s.cols();
    const Eigen::MatrixXd gram
        = tall ? Eigen::MatrixXd(s.transpose() * s) : Eigen::MatrixXd(s * s.transpose());
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(gram);
    const Eigen::VectorXd& values = eigen.eigenvalues(); // ascending
    const Eigen::Index size = values.size();
    const double floor = size > 0 ? 1e-12 * std::max(values[size - 1], 0.0) : 0;
    Eigen::Index found = 0;
    while (found < std::min<Eigen::Index>(std::max(ranks, 0), size) && values[size - 1 - found] > floor)
        ++found;
    RowMatrix result(s.cols(), found);
    for (Eigen::Index k = 0; k < found; ++k) {
        Eigen::VectorXd v = eigen.eigenvectors().col(size - 1 - k);
        if (!tall)
            v = (s.transpose() * v).normalized();
        Eigen::Index largest = 0;
        v.cwiseAbs().maxCoeff(&largest);
        result.col(k) = (v[largest] < 0 ? -v : v).cast<float>();
    }
    return result;
}

LowRankMap removeRanks(const RowMatrix& ranks) { return { ranks, ranks, false }; }

LowRankMap keepRanks(const RowMatrix& ranks) { return { ranks, ranks, true }; }

LowRankMap removeOutside(const RowMatrix& s, const RowMatrix& u)
{
    return { s - u * (u.transpose() * s), s, false };
}

double
klDivergence(const Eigen::Ref<const Eigen::VectorXf>& logP, const Eigen::Ref<const Eigen::VectorXf>& logQ)
{
    const Eigen::ArrayXd p = logP.cast<double>().array(), q = logQ.cast<double>().array();
    double sum = 0;
    for (Eigen::Index i = 0; i < p.size(); ++i)
        if (p[i] > -700)
            sum += std::exp(p[i]) * (p[i] - q[i]);
    return std::max(0.0, sum);
}

} // namespace lodestone::model
