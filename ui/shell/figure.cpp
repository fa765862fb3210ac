#include "ui/shell/figure.h"

#include "ui/models/plane.h"
#include "ui/models/point_classes.h"
#include "ui/plots/theme.h"

#include <QApplication>
#include <algorithm>
#include <fmt/format.h>

namespace lodestone::ui {

Result<void> writeFigure(
    const session::Snapshot& snapshot, const std::filesystem::path& path, const FigureOptions& options)
{
    static constexpr const char* colours[] = { "label", "value", "judgment", "policy-weight" };
    const auto colour = std::find(std::begin(colours), std::end(colours), options.colourBy);
    if (colour == std::end(colours))
        return badInput(
            fmt::format("a colour among {}", fmt::join(colours, ", ")), "'" + options.colourBy + "'");
    if (options.width < 200 || options.height < 150 || options.width > 8000 || options.height > 8000)
        return badInput(
            "a size from 200 x 150 to 8000 x 8000", fmt::format("{} x {}", options.width, options.height));
    std::unique_ptr<QApplication> application;
    static int count = 1;
    static char name[] = "lodestone";
    static char* arguments[] = { name, nullptr };
    if (!QCoreApplication::instance()) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
        application = std::make_unique<QApplication>(count, arguments);
    }
    Theme theme;
    theme.setScheme(options.dark ? ColourScheme::Dark : ColourScheme::Light);
    const std::vector<NamedDirection> directions = namedDirections(snapshot);
    const auto axis = [&](const std::string& key) -> Result<int> {
        std::string known;
        for (std::size_t i = 0; i < directions.size(); ++i) {
            if (directions[i].key.toStdString() == key)
                return static_cast<int>(i);
            known += (known.empty() ? "" : ", ") + directions[i].key.toStdString();
        }
        return badInput(fmt::format("an axis among {}", known), "'" + key + "'");
    };
    LODESTONE_TRY(const int across, axis(options.across));
    LODESTONE_TRY(const int up, axis(options.up));
    ScatterView scatter(theme);
    scatter.resize(options.width, options.height);
    scatter.setAttribute(Qt::WA_DontShowOnScreen);
    scatter.show(); // a widget that was never shown keeps its viewport's first size
    PlaneView view = planeView(snapshot, directions, across, up, 1);
    PointClasses points
        = pointClasses(snapshot, static_cast<ColourBy>(colour - std::begin(colours)), view.x.size());
    scatter.setAxes(view.across, view.up);
    scatter.setData(view.x, view.y, std::move(points.classOf), std::move(points.kinds));
    scatter.setPointScales(std::move(points.scales));
    scatter.setArrows(planeView(snapshot, directions, across, up, arrowReach(scatter)).arrows);
    const QString file = QString::fromStdString(path.string());
    if (const QString problem = scatter.savePng(file); !problem.isEmpty())
        return fail(ErrorKind::Failed, "a file that can be written", problem.toStdString(), path.string());
    return {};
}

} // namespace lodestone::ui
