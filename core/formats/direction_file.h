// Directions as people keep and exchange them: read from .npy, .npz, .safetensors, .pt and control vectors,
// written with what they are and where they come from.
#pragma once

#include "core/base/layer.h"

#include <Eigen/Core>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lodestone::formats {

struct TensorFile;

/// What a direction is for: to read a score off the residual stream, or to move along (geometry's two types).
/// Files of other tools do not say.
enum class DirectionRole { Unstated, ReadOut, Displacement };
std::string_view directionRoleName(DirectionRole role); ///< "unstated", "read-out", "displacement"

struct FileDirection {
    std::string name; ///< what the file calls it: a tensor, or "3/10" for a row of a larger array
    Eigen::VectorXf values; ///< finite
    std::optional<Layer> layer; ///< nothing when the file does not say
    DirectionRole role = DirectionRole::Unstated;
};

/// Where directions come from; empty where not known.
struct DirectionOrigin {
    std::string model, modelSha256;
    std::string position; ///< "mean", "last"
    std::string way; ///< how it was found: "cloze", "difference-of-means"
    std::string orientation; ///< what lies at its positive end: "kind"
    std::optional<double> heldOutScore; ///< share of held-out pairs ordered rightly, or AUC
};

struct DirectionFile {
    std::filesystem::path path;
    std::string format; ///< "npy", "npz", "safetensors", "pt", "control vector"
    DirectionOrigin origin;
    std::vector<FileDirection> directions; ///< at least one

    /// The one direction of a file with only one; else an error that says how to choose.
    Result<const FileDirection*> only() const;
    /// The one to use at a layer: of a file with layers the one stated for it, else the only one.
    Result<const FileDirection*> at(Layer layer) const;
};

/// Reads every direction of a file, or with FILE#NAME one of them: NAME is a tensor, TENSOR/3/10 a row of a
/// larger array (counted from 0), and in a sparse autoencoder encoder/N the read-out and decoder/N the
/// displacement of feature N (tensors W_enc, W_dec, encoder.weight, decoder.weight). Layers: of a control
/// vector see ControlVectorLayer, of files written here as stated there; other files state none. Errors: not
/// one of these formats, no such name, NaN or infinity, too many rows to choose from without #NAME.
Result<DirectionFile> readDirectionFile(const std::string& path);
/// The same of tensors that are read already; `name` as behind '#', empty for all.
Result<DirectionFile> directionsOf(const TensorFile& file, const std::string& name);

/// Writes by the name's ending: .npy (one direction; origin in FILE.json beside it), .safetensors (origin in
/// the metadata), .gguf (a control vector: displacements with layers from block 1 on).
Result<void> writeDirectionFile(const std::filesystem::path& path, const DirectionFile& file);

} // namespace lodestone::formats
