// The shape of a transformer as its file states it, checked for consistency before a weight is touched.
#pragma once

#include "core/formats/gguf.h"

#include <string>

namespace lodestone::model {

/// Llama-family hyperparameters. Sizes in numbers of coordinates.
struct ModelConfig {
    std::string architecture; ///< "llama"
    std::string name; ///< as the file calls itself
    std::string license; ///< as the file states it; may be empty
    int blocks = 0;
    int width = 0; ///< of the residual stream
    int feedForward = 0;
    int heads = 0;
    int kvHeads = 0;
    int headWidth = 0;
    int ropeWidth = 0; ///< leading coordinates of each head that are rotated
    int vocabulary = 0;
    int context = 0;
    double ropeBase = 10000;
    double normEpsilon = 1e-5;

    int layers() const
    {
        return blocks + 1;
    } ///< places in the residual stream: the embedding and each block's output

    static Result<ModelConfig> fromGguf(const formats::Gguf& file);
};

/// "Q4_1, Q8_0, F32": the tensor types of a file, most weights first.
std::string quantisationOf(const formats::Gguf& file);

} // namespace lodestone::model
