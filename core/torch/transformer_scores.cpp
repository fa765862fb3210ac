// What follows the last block: the final norm, the output matrix, log-probabilities, contexts.
#include "core/torch/transformer_pass.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::torch_engine {

using model::Reading;
using model::TokenId;

namespace {

/// A state that meets the output matrix, and for which token (-1: the whole distribution).
struct Wanted {
    std::size_t request = 0;
    int row = 0; ///< packed; -1: the context's last state
    TokenId token = -1;
};

std::vector<Wanted> wantedOf(const std::vector<Run>& runs)
{
    std::vector<Wanted> wanted;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const model::Request& request = *runs[i].request;
        for (int t = request.scored.begin; t < request.scored.end; ++t)
            wanted.push_back(
                { i, t == 0 ? -1 : runs[i].firstRow + t - 1, request.tokens[static_cast<std::size_t>(t)] });
        if (request.logits)
            wanted.push_back({ i, runs[i].firstRow + runs[i].count() - 1, -1 });
    }
    return wanted;
}

} // namespace

void Transformer::score(const Pass& pass, std::vector<Reading>& readings) const
{
    const std::vector<Run>& runs = pass.runs;
    const auto norm = [&](RowMatrix& states) {
        normalise(
            view(std::as_const(states)), m_weights.finalNorm, m_config.choices.norm, m_config.normEpsilon,
            view(states));
    };
    RowMatrix last(static_cast<Eigen::Index>(runs.size()), m_config.width);
    for (std::size_t i = 0; i < runs.size(); ++i)
        last.row(static_cast<Eigen::Index>(i))
            = pass.x.row(pass.place(runs[i].firstRow + runs[i].count() - 1));
    norm(last);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const Run& run = runs[i];
        const Eigen::VectorXf state = last.row(static_cast<Eigen::Index>(i)).transpose();
        if (run.request->hidden)
            readings[i].hidden = state;
        if (run.keep) {
            const bool grown = run.past && run.page == run.past->page();
            readings[i].context = std::make_shared<CachedContext>(
                grown ? run.past->parent() : run.past, run.page, run.pageStart + run.count(), state);
        }
    }
    const std::vector<Wanted> wanted = wantedOf(runs);
    constexpr std::size_t chunk = 256; // rows of logits held at once
    for (std::size_t first = 0; first < wanted.size(); first += chunk) {
        const std::size_t count = std::min(chunk, wanted.size() - first);
        RowMatrix states(static_cast<Eigen::Index>(count), m_config.width);
        for (std::size_t i = 0; i < count; ++i)
            if (wanted[first + i].row >= 0)
                states.row(static_cast<Eigen::Index>(i)) = pass.x.row(pass.place(wanted[first + i].row));
            else
                states.row(static_cast<Eigen::Index>(i)).setZero();
        norm(states);
        for (std::size_t i = 0; i < count; ++i)
            if (wanted[first + i].row < 0)
                states.row(static_cast<Eigen::Index>(i))
                    = runs[wanted[first + i].request].past->lastHidden().transpose();
        RowMatrix logits(static_cast<Eigen::Index>(count), m_config.vocabulary);
        m_weights.head->apply(view(std::as_const(states)), view(logits));
        Eigen::VectorXf logSum(static_cast<Eigen::Index>(count));
        at::parallel_for(0, static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                softCap({ logits.row(i).data(), 1, logits.cols() }, m_config.outputCap);
                const auto row = logits.row(i);
                const float most = row.maxCoeff();
                logSum[i] = most + std::log((row.array() - most).exp().sum());
            }
        });
        for (std::size_t i = 0; i < count; ++i) {
            const Wanted& want = wanted[first + i];
            const auto row = logits.row(static_cast<Eigen::Index>(i));
            const float sum = logSum[static_cast<Eigen::Index>(i)];
            if (want.token >= 0)
                readings[want.request].logProbabilities.push_back(row[want.token] - sum);
            else
                readings[want.request].nextLogProbabilities = (row.array() - sum).matrix().transpose();
        }
    }
}

Result<RowMatrix> Transformer::unembedding(std::span<const TokenId> tokens) const
{
    RowMatrix rows(static_cast<Eigen::Index>(tokens.size()), m_config.width);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i] < 0 || tokens[i] >= m_config.vocabulary)
            return badInput(
                fmt::format("token ids below {}", m_config.vocabulary), std::to_string(tokens[i]));
        m_weights.output.read(
            static_cast<std::uint64_t>(tokens[i]), 1, rows.row(static_cast<Eigen::Index>(i)).data());
    }
    return rows;
}

} // namespace lodestone::torch_engine
