// The shape of a transformer as its file states it, checked for consistency before a weight is touched.
#pragma once

#include "core/formats/gguf.h"
#include "core/model/architecture.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace lodestone::model {

/// Sizes in numbers of coordinates, and the choices of the family.
struct ModelConfig {
    std::string architecture; ///< "llama", as GGUF files name it
    std::string name; ///< as the file calls itself
    std::string license; ///< as the file states it; may be empty
    int blocks = 0;
    int width = 0; ///< of the residual stream
    int feedForward = 0;
    int heads = 0;
    int kvHeads = 0;
    int headWidth = 0;
    int ropeWidth = 0; ///< leading coordinates of each head that are rotated
    int vocabulary = 0; ///< rows of the embedding
    int context = 0; ///< tokens
    double ropeBase = 10000;
    double normEpsilon = 1e-5;

    Choices choices;
    double normOffset = 0; ///< added to the norms' weights
    double embeddingScale = 1;
    double attentionScale = 0; ///< of query . key; 0: 1 / sqrt(headWidth)
    double attentionCap = 0; ///< scores become cap * tanh(score / cap) (Gemma 2); 0: none
    double outputCap = 0; ///< the same for the logits
    int slidingWindow = 0; ///< a token sees so many tokens, itself included; 0: all
    std::vector<bool> sliding; ///< per block; empty: none
    double localRopeBase = 0; ///< in blocks with a sliding window; 0: ropeBase
    double ropeFactor = 1; ///< positions are divided by it, but not in blocks with a base of their own
    std::vector<float> ropeFactors; ///< one per pair, each frequency is divided by it; empty: none
    double ropeMagnitude = 1; ///< multiplies the rotated coordinates of queries and keys

    int layers() const
    {
        return blocks + 1;
    } ///< places in the residual stream: the embedding and each block's output
    bool slides(int block) const { return !sliding.empty() && sliding[static_cast<std::size_t>(block)]; }
    /// Radians per token for each rotated pair of a block's heads. Shape [ropeWidth / 2].
    std::vector<double> frequencies(bool slidingBlock) const;

    /// From a GGUF file's metadata. Errors: an unknown architecture, a size that is missing or senseless, a
    /// choice that the engine does not make, each with its key.
    static Result<ModelConfig> fromGguf(const formats::Gguf& file);
    /// From the config.json of a model folder.
    static Result<ModelConfig> fromFolder(const nlohmann::json& document, const std::string& where);
};

/// "Q4_1, Q8_0, F32": the tensor types of a file, most weights first.
std::string quantisationOf(const formats::Gguf& file);

} // namespace lodestone::model
