#include "ui/models/spread_layers.h"

#include <algorithm>

namespace lodestone::ui {

std::vector<Layer> spreadLayers(const std::vector<Layer>& all, Layer chosen, int most)
{
    const int count = static_cast<int>(all.size());
    if (count <= most)
        return all;
    const int step = (count + most - 1) / most;
    const auto found = std::find(all.begin(), all.end(), chosen);
    const int at = found == all.end() ? count - 1 : static_cast<int>(found - all.begin());
    std::vector<Layer> some;
    if (all.front().isEmbedding() && at % step != 0)
        some.push_back(all.front()); // a bag of tokens: what every layer must beat
    for (int i = at % step; i < count; i += step)
        some.push_back(all[static_cast<std::size_t>(i)]);
    return some;
}

} // namespace lodestone::ui
