// The table of transformer families: which choices each makes over the blocks that all share.
#pragma once

#include "core/base/error.h"

#include <span>
#include <string>
#include <string_view>

namespace lodestone::model {

/// Root mean square (Zhang & Sennrich 2019), or mean and variance with a bias (Ba et al. 2016).
enum class NormKind { Rms, Layer };
/// silu (Elfwing et al. 2018); gelu by its tanh form or by the error function (Hendrycks & Gimpel 2016).
enum class Activation { Silu, GeluTanh, GeluErf };
/// Which coordinates of a head form the pairs that are rotated by position (Su et al. 2021): neighbours (2i,
/// 2i + 1), or the two halves (i, i + width / 2).
enum class Rotary { None, Neighbours, Halves };

/// What a family's blocks are made of.
struct Choices {
    NormKind norm = NormKind::Rms;
    Activation activation = Activation::Silu;
    Rotary rotary = Rotary::Halves;
    bool gated = true; ///< feed forward: activation(gate) * up (Shazeer 2020), not activation(up)
    bool parallel = false; ///< attention and feed forward both read the block's input (GPT-NeoX)
    bool queryKeyNorms = false; ///< queries and keys are normed per head before the rotation
    bool sandwichNorms = false; ///< what attention and feed forward write is normed again (Gemma 2)
    bool learnedPositions = false; ///< a table of position embeddings (GPT-2)
    bool scaledEmbedding = false; ///< the embedding is multiplied by the root of the width (Gemma)
    bool attentionBias = false; ///< queries, keys and values have a bias
    bool allBiases = false; ///< every linear layer of a block has one
    bool gainPlusOne = false; ///< in folders, the norms' gain is 1 + weight; in GGUF files it is the weight
    int slidingPeriod
        = 0; ///< of so many blocks, all but the last see the sliding window only; 1: every block
    int slidingWindow = 0; ///< tokens, when the file does not say
    double localRotaryBase = 0; ///< of the blocks with a sliding window; 0: that of the others
};

/// A row of the table.
struct Family {
    std::string_view name; ///< `general.architecture` of GGUF files
    std::string_view folderType; ///< `model_type` of config.json
    Choices choices;
    bool inGguf = true; ///< false: GGUF files of this family call themselves by another row's name
};

std::span<const Family> families();

/// The row for a GGUF file's architecture, or for a folder's model_type. An unknown one is a BadInput error
/// that names all that are known.
Result<const Family*> familyOfGguf(std::string_view architecture, const std::string& where);
Result<const Family*> familyOfFolder(std::string_view modelType, const std::string& where);

/// silu, gelu, gelu_new, gelu_pytorch_tanh: `hidden_act` of config.json.
Result<Activation> activationNamed(std::string_view name, const std::string& where);

} // namespace lodestone::model
