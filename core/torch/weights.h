// A model's weights as the engine multiplies by them: read from wherever they are, checked, fused and packed.
#pragma once

#include "core/model/model_source.h"
#include "core/torch/kernels.h"
#include "core/torch/matrix_path.h"

namespace lodestone::torch_engine {

struct BlockWeights {
    NormWeights attentionNorm, feedForwardNorm;
    NormWeights attentionOutNorm, feedForwardOutNorm; ///< absent but in families with sandwich norms
    std::vector<float> queryGain, keyGain; ///< empty but in families with head norms
    std::unique_ptr<Linear> queryKeyValue; ///< one product: queries, keys, values
    std::unique_ptr<Linear> attentionOut;
    std::unique_ptr<Linear> up; ///< one product: gate and up, where there is a gate
    std::unique_ptr<Linear> down;
};

struct ModelWeights {
    std::vector<BlockWeights> blocks;
    NormWeights finalNorm;
    std::unique_ptr<Linear> head;
    model::Weights embedding, output; ///< rows are read as they are needed
    RowMatrix positions; ///< [context, width], only in families that learn them
};

/// Reads and packs everything. Errors: a tensor that is missing, of another shape or not finite, by name.
Result<ModelWeights> loadWeights(const model::ModelSource& source, MatrixPath path, const Work& work);

} // namespace lodestone::torch_engine
