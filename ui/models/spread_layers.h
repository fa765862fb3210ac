// Some layers of many: as many columns or points as a figure has room or time for.
#pragma once

#include "core/base/layer.h"

#include <vector>

namespace lodestone::ui {

/// About `most` layers spread over all, the chosen one and the embedding among them.
std::vector<Layer> spreadLayers(const std::vector<Layer>& all, Layer chosen, int most);

} // namespace lodestone::ui
