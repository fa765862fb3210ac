#include "ui/models/point_classes.h"

#include "ui/models/translated.h"

#include <algorithm>
#include <cmath>

namespace lodestone::ui {
PointClasses pointClasses(const session::Snapshot& snapshot, ColourBy colour, std::size_t rows)
{
    PointClasses result;
    QVector<PointClass>& kinds = result.kinds;
    std::vector<int>& classes = result.classOf;
    std::vector<float>& scales = result.scales;
    classes.assign(rows, 0);
    const int by = static_cast<int>(colour);
    const data::ResponseSet& set = snapshot.foundation->study->set();
    if (by == 0 && set.labelled()) {
        kinds = { { QString::fromStdString(set.positiveLabel), Ink::chosen(), Marker::Circle },
                  { QString::fromStdString(set.negativeLabel), Ink::rejected(), Marker::Diamond } };
        for (std::size_t i = 0; i < rows; ++i)
            classes[i] = set.responses[i].label > 0 ? 0 : 1;
    } else if (by == 0) {
        kinds = { { tr("chosen"), Ink::chosen(), Marker::Circle },
                  { tr("rejected"), Ink::rejected(), Marker::Diamond },
                  { tr("sampled"), Ink::secondary(), Marker::Triangle } };
        std::fill(classes.begin(), classes.end(), 2);
        for (const data::Pair& pair : set.pairs)
            for (const auto& [row, kind] : { std::pair(pair.chosen, 0), std::pair(pair.rejected, 1) })
                if (static_cast<std::size_t>(row) < rows)
                    classes[static_cast<std::size_t>(row)] = kind;
        if (std::find(classes.begin(), classes.end(), 2) == classes.end())
            kinds.removeLast();
    } else if (by == 1) {
        const auto values = set.values();
        constexpr Marker shapes[]
            = { Marker::Circle, Marker::Diamond, Marker::Square, Marker::Triangle, Marker::Cross };
        for (std::size_t v = 0; v < std::min<std::size_t>(values.size(), 8); ++v)
            kinds.push_back(
                { QString::fromStdString(values[v]), Ink::principle(static_cast<int>(v)), shapes[v % 5] });
        kinds.push_back({ tr("other"), Ink::secondary(), Marker::Circle });
        for (std::size_t i = 0; i < rows; ++i)
            classes[i] = static_cast<int>(std::min<std::size_t>(
                static_cast<std::size_t>(
                    std::find(values.begin(), values.end(), set.responses[i].value) - values.begin()),
                static_cast<std::size_t>(kinds.size()) - 1));
        if (std::find(classes.begin(), classes.end(), static_cast<int>(kinds.size()) - 1) == classes.end())
            kinds.removeLast();
    } else {
        constexpr int steps = 9;
        for (int i = 0; i < steps; ++i)
            kinds.push_back({ i == 0               ? tr("low")
                                  : i == steps - 1 ? tr("high")
                                                   : QString(),
                              Ink::onRamp(2.0 * i / (steps - 1) - 1), Marker::Circle });
        const double spread = snapshot.judge->norm > 0 ? 2 * snapshot.judge->norm : 1;
        std::vector<double> weight(rows, 0);
        if (by == 3) {
            std::size_t at = 0;
            for (const policy::Pool::Prompt& prompt : snapshot.layer->pool.prompts)
                for (const int row : prompt.rows)
                    weight[static_cast<std::size_t>(row)] = std::log(std::max(
                        1e-12,
                        snapshot.policy->tilt.probabilities[at++] * static_cast<double>(prompt.rows.size())));
            scales.assign(rows, 0.6f);
        }
        for (std::size_t i = 0; i < rows; ++i) {
            const double value
                = by == 2 ? snapshot.judge->rewards[static_cast<Eigen::Index>(i)] / spread : weight[i] / 2;
            classes[i]
                = std::clamp(static_cast<int>(std::lround((value + 1) / 2 * (steps - 1))), 0, steps - 1);
            if (by == 3 && weight[i] != 0)
                scales[i] = static_cast<float>(std::clamp(std::exp(weight[i] / 2), 0.4, 3.0));
        }
    }
    return result;
}

} // namespace lodestone::ui
