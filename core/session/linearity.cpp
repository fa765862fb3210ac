#include "core/session/linearity.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::session {
namespace {

/// At most `most` of the rows, spread evenly over them.
std::vector<int> thinned(const std::vector<int>& rows, int most)
{
    const auto n = static_cast<int>(rows.size());
    if (n <= most)
        return rows;
    std::vector<int> result;
    result.reserve(static_cast<std::size_t>(most));
    for (int i = 0; i < most; ++i)
        result.push_back(rows[static_cast<std::size_t>(static_cast<std::int64_t>(i) * n / most)]);
    return result;
}

Eigen::VectorXd answersOf(const Eigen::VectorXd& values, const std::vector<int>& rows)
{
    Eigen::VectorXd result(static_cast<Eigen::Index>(rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i)
        result[static_cast<Eigen::Index>(i)] = values[rows[i]];
    return result;
}

} // namespace

Result<Linearity> linearityOf(
    const Foundation& foundation, const std::vector<constitution::Principle>& principles,
    const constitution::WayContext& context, const LinearityOptions& options, const Work& work)
{
    const data::Study& study = *foundation.study;
    LODESTONE_TRY(const auto way, constitution::makeWay(options.way, context));
    if (way->yields() == constitution::Yields::Displacement)
        return fail(
            ErrorKind::Usage, "a way that answers about every reply (cloze, yes-no, ...)",
            "'" + options.way + "', which yields a displacement", "way");
    Linearity result;
    std::vector<Eigen::VectorXd> answers(principles.size());
    result.problems.resize(principles.size());
    for (std::size_t p = 0; p < principles.size(); ++p) {
        auto judged = way->judge(principles[p], work);
        if (judged)
            answers[p] = std::move(judged->scores);
        else if (judged.error().kind == ErrorKind::Cancelled || principles.size() == 1)
            return tl::unexpected(judged.error());
        else
            result.problems[p] = judged.error().message();
    }
    const std::vector<Layer> layers = options.layers.empty() ? study.layers() : options.layers;
    std::vector<std::vector<LinearityRow>> found(principles.size());
    for (std::size_t l = 0; l < layers.size(); ++l) {
        if (work.cancelled())
            return cancelled();
        work.tell({ "Probing layers", static_cast<double>(l), static_cast<double>(layers.size()), 0, "layers",
                    -1 });
        LODESTONE_TRY(const geometry::Rows rows, study.activations(layers[l], options.position));
        std::vector<int> training, heldOut;
        for (const int row : context.rows)
            if (row < rows.rows())
                (foundation.training[static_cast<std::size_t>(row)] ? training : heldOut).push_back(row);
        std::sort(training.begin(), training.end());
        std::sort(heldOut.begin(), heldOut.end());
        training = thinned(training, largestKernel);
        result.training = static_cast<int>(training.size());
        result.heldOut = static_cast<int>(heldOut.size());
        for (std::size_t p = 0; p < principles.size(); ++p) {
            if (answers[p].size() == 0)
                continue;
            auto remainder = geometry::nonlinearRemainder(
                rows, training, heldOut, answersOf(answers[p], training), answersOf(answers[p], heldOut),
                foundation.groups, options.components, options.seed);
            if (remainder)
                found[p].push_back({ static_cast<int>(p), layers[l], *remainder });
            else if (layers.size() == 1 || !layers[l].isEmbedding())
                result.problems[p] = fmt::format("{}: {}", layers[l].label(), remainder.error().message());
        }
    }
    for (const std::vector<LinearityRow>& own : found)
        result.rows.insert(result.rows.end(), own.begin(), own.end());
    if (result.rows.empty())
        return badInput(
            "answers that a probe can be fitted to",
            result.problems.empty() ? "no principle" : result.problems.front(), study.folder().string());
    return result;
}

} // namespace lodestone::session
