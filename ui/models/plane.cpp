#include "ui/models/plane.h"

#include "ui/models/translated.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lodestone::ui {
namespace {

QString symbolOf(const QString& key)
{
    return key == QLatin1String("people")    ? QStringLiteral("w*")
        : key == QLatin1String("generation") ? QStringLiteral("w_gen")
                                             : QStringLiteral("w_c");
}

} // namespace

double coneDegrees(
    const NamedDirection& direction, const std::vector<Eigen::VectorXd>& halves, const NamedDirection& across,
    const NamedDirection& up)
{
    if (halves.empty())
        return 0;
    const double whole = std::atan2(inner(direction, up), inner(direction, across));
    double sum = 0;
    for (const Eigen::VectorXd& half : halves) {
        const double angle = std::atan2(half.dot(up.displacement), half.dot(across.displacement));
        const double difference = std::remainder(angle - whole, 2 * std::numbers::pi);
        sum += difference * difference;
    }
    const double spread = std::sqrt(sum / static_cast<double>(halves.size()));
    return std::min(90.0, 1.96 * spread * 180 / std::numbers::pi);
}

double arrowReach(const ScatterView& scatter)
{
    return 0.55 * std::max(1.0, std::min(std::abs(scatter.windowX().high), std::abs(scatter.windowY().high)));
}

PlaneView planeView(
    const session::Snapshot& snapshot, const std::vector<NamedDirection>& directions, int x, int y,
    double reach)
{
    PlaneView view;
    const NamedDirection& across = directions[static_cast<std::size_t>(x)];
    const NamedDirection& up = directions[static_cast<std::size_t>(y)];
    view.x.assign(across.scores.data(), across.scores.data() + across.scores.size());
    view.y.assign(up.scores.data(), up.scores.data() + up.scores.size());
    const QString place = QStringLiteral("%1, %2").arg(
        QString::fromStdString(snapshot.inputs.layer.label()),
        snapshot.inputs.position == data::Position::Mean ? tr("mean of reply") : tr("last token"));
    view.across.title = tr("%1 · score, sd units · %2").arg(across.name, place);
    view.up.title = tr("%1 · score, sd units").arg(up.name);
    const session::MeterStage& meters = *snapshot.meters;
    for (const NamedDirection& direction : directions) {
        if (direction.key.startsWith(QLatin1String("component"))
            || direction.key.startsWith(QLatin1String("principle")))
            continue;
        const auto& halves = direction.key == QLatin1String("people") ? meters.peopleHalves
            : direction.key == QLatin1String("generation")            ? meters.generationHalves
                                                                      : meters.judgeHalves;
        const QPointF tip(reach * inner(direction, across), reach * inner(direction, up));
        view.arrows.push_back(
            { direction.name, direction.ink, tip, coneDegrees(direction, halves, across, up), false });
        view.keys << direction.key;
        view.shares << tr("%1 %2 %")
                           .arg(symbolOf(direction.key))
                           .arg(std::lround(100 * shareInPlane(direction, across, up)));
    }
    return view;
}

} // namespace lodestone::ui
