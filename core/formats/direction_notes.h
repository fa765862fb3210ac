// What a direction file says about its directions, as the texts that safetensors and GGUF carry.
#pragma once

#include "core/formats/direction_file.h"

namespace lodestone::formats {

/// The keys: model, model_sha256, layer ("embedding" or a block's number), position, way, role ("read-out" or
/// "displacement"), orientation, held_out_score.
struct DirectionNotes {
    DirectionOrigin origin;
    std::optional<Layer> layer;
    DirectionRole role = DirectionRole::Unstated;
};

/// Unknown keys are passed over; a known one of another form is an error.
Result<DirectionNotes>
directionNotes(const std::map<std::string, std::string, std::less<>>& texts, const std::string& where);
std::map<std::string, std::string, std::less<>> textsOf(const DirectionNotes& notes);

/// "embedding", "block_12_output": what tensors of several layers are called in files written here.
std::string layerTensorName(Layer layer);
std::optional<Layer> layerNamed(const std::string& name);

} // namespace lodestone::formats
