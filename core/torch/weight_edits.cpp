// Changes for good what the matrices write into the residual stream: they are made again from the file with
// the edits in force; embedding rows are edited as they are read.
#include "core/model/steering.h"
#include "core/torch/transformer.h"

#include <algorithm>
#include <fmt/format.h>

namespace lodestone::torch_engine {
namespace {

using model::WeightEdit;
using model::WriteSite;

/// A matrix of the file without its ending ".weight".
std::string nameOf(WriteSite site)
{
    if (site.part == WriteSite::Part::Embedding)
        return "token_embd";
    return fmt::format(
        "blk.{}.{}", site.block, site.part == WriteSite::Part::Attention ? "attn_output" : "ffn_down");
}

bool touches(const std::vector<WeightEdit>& edits, WriteSite site)
{
    return std::any_of(edits.begin(), edits.end(), [&](const WeightEdit& edit) { return edit.site == site; });
}

} // namespace

/// W' of a site, a row per input, and its bias as a last row where it has one: each is written as it stands.
Result<RowMatrix> Transformer::editedRows(WriteSite site, bool& biased) const
{
    LODESTONE_TRY(const model::Weights weights, m_source->weights(nameOf(site) + ".weight"));
    const auto rows = static_cast<Eigen::Index>(weights.shape[0]),
               columns = static_cast<Eigen::Index>(weights.shape[1]);
    RowMatrix read(rows, columns);
    weights.read(0, weights.shape[0], read.data());
    const std::string bias = nameOf(site) + ".bias";
    biased = site.part != WriteSite::Part::Embedding && m_source->has(bias);
    RowMatrix result;
    if (site.part == WriteSite::Part::Embedding)
        result = std::move(read);
    else {
        result.resize(columns + (biased ? 1 : 0), rows);
        result.topRows(columns) = read.transpose();
    }
    if (biased) {
        LODESTONE_TRY(const model::Weights added, m_source->weights(bias));
        added.read(0, added.items(), result.row(columns).data());
    }
    for (const WeightEdit& edit : m_edits)
        if (edit.site == site)
            model::applyMap(result, edit.map);
    return result;
}

void Transformer::editEmbedding(RowMatrix& rows) const
{
    for (const WeightEdit& edit : m_edits)
        if (edit.site.part == WriteSite::Part::Embedding)
            model::applyMap(rows, edit.map);
}

Result<RowMatrix> Transformer::writeWeights(WriteSite site) const
{
    if (site.part != WriteSite::Part::Embedding && (site.block < 0 || site.block >= m_config.blocks))
        return badInput(fmt::format("a block below {}", m_config.blocks), std::to_string(site.block));
    bool biased = false;
    LODESTONE_TRY(const RowMatrix rows, editedRows(site, biased));
    return RowMatrix(rows.topRows(rows.rows() - (biased ? 1 : 0)).transpose());
}

Result<void> Transformer::editWeights(std::span<const WeightEdit> edits)
{
    LODESTONE_CHECK(model::checkEdits(m_config, edits));
    const std::vector<WeightEdit> before = std::move(m_edits);
    m_edits.assign(edits.begin(), edits.end());
    try {
        for (const WriteSite site : model::writeSites(m_config)) {
            if (site.part == WriteSite::Part::Embedding
                || (!touches(before, site) && !touches(m_edits, site)))
                continue;
            bool biased = false;
            LODESTONE_TRY(const RowMatrix rows, editedRows(site, biased));
            const Eigen::Index inputs = rows.rows() - (biased ? 1 : 0);
            std::vector<float> bias;
            if (biased)
                bias.assign(rows.row(inputs).data(), rows.row(inputs).data() + rows.cols());
            BlockWeights& block = m_weights.blocks[static_cast<std::size_t>(site.block)];
            (site.part == WriteSite::Part::Attention ? block.attentionOut : block.down)
                = Linear::make(m_path, RowMatrix(rows.topRows(inputs).transpose()), std::move(bias));
        }
    } catch (const std::exception& error) {
        return fail(ErrorKind::Failed, "to change the weights", error.what());
    }
    return {};
}

} // namespace lodestone::torch_engine
