// Control vectors of llama.cpp: a GGUF file with one direction per layer, whose layers are counted as
// llama.cpp does.
#pragma once

#include "core/base/layer.h"
#include "core/formats/gguf.h"

#include <Eigen/Core>

namespace lodestone::formats {

/// The N of a tensor "direction.N". llama.cpp adds direction N to the output of its block N, counted from 0,
/// and has none for block 0 and for the embedding. So N begins at 1, and direction N is at
/// Layer::blockOutput(N).
class ControlVectorLayer {
public:
    static Result<ControlVectorLayer> ofNumber(int number);
    /// BadInput for the embedding and for block 0.
    static Result<ControlVectorLayer> of(Layer layer);

    int number() const { return m_number; }
    Layer layer() const { return Layer::blockOutput(m_number); }
    auto operator<=>(const ControlVectorLayer&) const = default;

private:
    explicit ControlVectorLayer(int number)
        : m_number(number)
    {
    }
    int m_number = 1;
};

struct ControlVector {
    std::string modelHint; ///< the architecture it is for: "gemma"
    std::map<ControlVectorLayer, Eigen::VectorXf> directions; ///< at least one; all of one width, finite
    std::map<std::string, std::string, std::less<>> notes; ///< texts under "lodestone.", without that prefix
};

/// True when the file says that it is a control vector.
bool isControlVector(const Gguf& file);
/// Errors: another architecture, tensors that are not called direction.N, are not one-dimensional float32, or
/// differ in width; NaN and infinity.
Result<ControlVector> readControlVector(const Gguf& file);
/// Writes GGUF version 3 as llama.cpp's own generator does.
Result<void> writeControlVector(const std::filesystem::path& path, const ControlVector& vector);

} // namespace lodestone::formats
