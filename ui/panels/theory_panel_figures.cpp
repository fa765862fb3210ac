#include "ui/panels/theory_panel_figures.h"

#include "core/theory/text.h"
#include "ui/models/translated.h"

#include <algorithm>
#include <cmath>

namespace lodestone::ui::statement {
namespace {

QString text(const std::string& bytes) { return QString::fromStdString(bytes); }

/// Counts over several decades are set on a logarithmic scale.
bool logarithmic(const theory::Input& input) { return input.low > 0 && input.high / input.low >= 100; }

/// Where the curve is evaluated: the input's range; counts no further than four times the present one.
std::vector<double> samplesOf(const theory::Input& input, double now, int count)
{
    const double high = input.whole ? std::min(input.high, std::max(4 * now, input.low + 12)) : input.high;
    std::vector<double> samples;
    for (int i = 0; i < count; ++i) {
        double x = input.low + (high - input.low) * i / (count - 1);
        if (input.whole)
            x = std::round(x);
        if (samples.empty() || x > samples.back())
            samples.push_back(x);
    }
    return samples;
}

Ink inkOf(std::size_t output)
{
    const Ink inks[] = { Ink::constitution(), Ink::people(), Ink::generation() };
    return inks[output % 3];
}

} // namespace

double valueAt(const theory::Input& input, int step)
{
    const double share = static_cast<double>(step) / sliderSteps;
    double value = logarithmic(input) ? input.low * std::pow(input.high / input.low, share)
                                      : input.low + share * (input.high - input.low);
    if (input.whole)
        value = std::round(value);
    else if (!logarithmic(input)) {
        // Round to what a step means, so that zero is reached.
        const double unit = std::pow(10, std::floor(std::log10((input.high - input.low) / sliderSteps)));
        value = std::round(value / unit) * unit;
    }
    return std::clamp(value, input.low, input.high);
}

int stepAt(const theory::Input& input, double value)
{
    const double share = logarithmic(input) ? std::log(value / input.low) / std::log(input.high / input.low)
                                            : (value - input.low) / (input.high - input.low);
    return static_cast<int>(std::lround(share * sliderSteps));
}

QString valueText(const theory::Input& input, double value)
{
    const double width = input.high - input.low;
    return number(value, input.whole ? 0 : width > 50 ? 1 : width > 5 ? 2 : 3);
}

Curve curveOf(const theory::Statement& statement, const theory::Values& values, const Work& work)
{
    Curve curve;
    const theory::Input& input = *statement.input(statement.sweep.input);
    curve.closed.resize(statement.sweep.outputs.size());
    for (const double x : samplesOf(input, values[input.name], 121)) {
        if (work.cancelled())
            break;
        theory::Values here = values;
        here.put(input.name, x);
        const auto outputs = theory::evaluate(statement, here);
        curve.x.push_back(x);
        for (std::size_t k = 0; k < curve.closed.size(); ++k) {
            const theory::Quantity* found
                = outputs ? theory::find(*outputs, statement.sweep.outputs[k]) : nullptr;
            curve.closed[k].push_back(found && std::isfinite(found->value) ? found->value : std::nan(""));
        }
    }
    return curve;
}

Result<Simulated>
simulationOf(const theory::Statement& statement, const theory::Values& values, const Work& work)
{
    Simulated result;
    if (auto here = theory::simulate(statement, values, 0, 20000, work.stop))
        result.here = std::move(*here);
    const theory::Input& input = *statement.input(statement.sweep.input);
    for (const double x : samplesOf(input, values[input.name], 9)) {
        if (work.cancelled())
            return cancelled();
        theory::Values here = values;
        here.put(input.name, x);
        if (auto found = theory::simulate(statement, here, 1, 6000, work.stop)) {
            result.x.push_back(x);
            result.found.push_back(std::move(*found));
        }
    }
    return result;
}

QString formulaText(const Setting& setting)
{
    QStringList lines;
    for (const theory::FormulaLine& line : setting.statement.formula) {
        const theory::Quantity* value = theory::find(setting.outputs, line.output);
        const std::string general = theory::expressionText(line.expression);
        const std::string here = theory::expressionNumbers(line.expression, setting.values, setting.outputs);
        QString written = QStringLiteral("%1 = %2").arg(text(theory::symbol(line.output)), text(general));
        if (here != general)
            written += QStringLiteral(" = %1").arg(text(here));
        if (value)
            written += QStringLiteral(" = %1").arg(text(theory::numberText(value->value)));
        lines << written;
    }
    return lines.join(QLatin1Char('\n'));
}

QString studyText(const Setting& setting)
{
    if (!setting.study)
        return {};
    QStringList parts, apart;
    int compared = 0;
    for (const session::StudyMeasured& measured : setting.study->measured) {
        const theory::Quantity* closed = theory::find(setting.outputs, measured.output);
        if (!closed || !std::isfinite(measured.value.value))
            continue;
        const geometry::Interval& interval = measured.value.interval;
        parts << tr("%1 measured %2%3, formula %4")
                     .arg(
                         text(theory::symbol(measured.output)), number(measured.value.value, 2),
                         interval.isKnown()
                             ? tr(" (%1 to %2)").arg(number(interval.low, 2), number(interval.high, 2))
                             : QString(),
                         number(closed->value, 2));
        if (!interval.isKnown())
            continue;
        ++compared;
        if (closed->value < interval.low || closed->value > interval.high)
            apart << text(theory::symbol(measured.output));
    }
    QString verdict;
    if (!apart.isEmpty())
        verdict = tr("This study leaves the formula at %1: outside the 95 % interval. ")
                      .arg(apart.join(QStringLiteral(", ")));
    else if (compared > 0)
        verdict = tr("The formula lies in every 95 % interval measured here. ");
    return tr("This study: %1. %2%3")
        .arg(
            parts.isEmpty() ? tr("nothing measured beside the formula") : parts.join(QStringLiteral("; ")),
            verdict, text(setting.study->says));
}

QVector<Series> series(const Setting& setting, const Curve& curve, const Simulated& simulated)
{
    QVector<Series> all;
    const std::vector<std::string>& outputs = setting.statement.sweep.outputs;
    for (std::size_t k = 0; k < outputs.size() && k < curve.closed.size(); ++k) {
        Series line;
        line.label = text(theory::symbol(outputs[k]));
        line.ink = inkOf(k);
        line.x = curve.x;
        line.y = curve.closed[k];
        line.interval = Series::Interval::None;
        if (k > 0)
            line.stroke = k == 1 ? Series::Stroke::Dashed : Series::Stroke::Dotted;
        all << line;
        Series points;
        points.ink = inkOf(k);
        points.labelAt = Series::LabelAt::None;
        points.interval = Series::Interval::Whiskers;
        points.marks = true;
        points.opacity = 0; // the points alone, and none for the marker
        points.stroke = Series::Stroke::Dotted;
        for (std::size_t i = 0; i < simulated.x.size(); ++i)
            if (const theory::Measured* found = theory::find(simulated.found[i], outputs[k])) {
                points.x.push_back(simulated.x[i]);
                points.y.push_back(found->value);
                points.low.push_back(found->value - 2 * found->standardError);
                points.high.push_back(found->value + 2 * found->standardError);
            }
        if (!points.x.empty())
            all << points;
    }
    const theory::Input& input = *setting.statement.input(setting.statement.sweep.input);
    for (std::size_t k = 0; setting.study && k < outputs.size(); ++k)
        for (const session::StudyMeasured& measured : setting.study->measured)
            if (measured.output == outputs[k] && std::isfinite(measured.value.value)) {
                Series point;
                point.label = tr("this study");
                point.ink = Ink::accent();
                point.interval = Series::Interval::Whiskers;
                point.marks = true;
                point.x = { setting.values[input.name] };
                point.y = { measured.value.value };
                point.low = { measured.value.interval.low };
                point.high = { measured.value.interval.high };
                all << point;
            }
    return all;
}

TextTable table(const Setting& setting, const Curve& curve, const Simulated& simulated)
{
    const auto plain
        = [](double value) { return std::isfinite(value) ? QString::number(value, 'g', 8) : QString(); };
    TextTable result;
    result.title = tr("%1 %2").arg(text(setting.statement.id), text(setting.statement.title));
    result.header = { text(setting.statement.sweep.input),
                      tr("quantity"),
                      tr("formula"),
                      tr("simulation"),
                      tr("standard error"),
                      tr("this study"),
                      tr("low"),
                      tr("high") };
    const double now = setting.values[setting.statement.sweep.input];
    theory::Quantities outputs = setting.outputs;
    if (outputs.empty()) // asked for before the first result came
        if (auto here = theory::evaluate(setting.statement, setting.values))
            outputs = std::move(*here);
    for (const theory::Quantity& output : outputs) {
        const theory::Measured* found = theory::find(simulated.here, output.name);
        result.rows.push_back(
            { plain(now),
              text(output.name),
              std::isinf(output.value) ? text(theory::numberText(output.value)) : plain(output.value),
              found ? plain(found->value) : QString(),
              found ? plain(found->standardError) : QString(),
              {},
              {},
              {} });
        for (std::size_t i = 0; setting.study && i < setting.study->measured.size(); ++i)
            if (const session::StudyMeasured& measured = setting.study->measured[i];
                measured.output == output.name) {
                QStringList& row = result.rows.back();
                row[5] = plain(measured.value.value);
                row[6] = plain(measured.value.interval.low);
                row[7] = plain(measured.value.interval.high);
            }
    }
    for (std::size_t i = 0; i < curve.x.size(); ++i)
        for (std::size_t k = 0; k < curve.closed.size(); ++k) {
            const std::string& name = setting.statement.sweep.outputs[k];
            const theory::Measured* found = nullptr;
            for (std::size_t j = 0; j < simulated.x.size(); ++j)
                if (std::abs(simulated.x[j] - curve.x[i]) < 1e-9 * (1 + std::abs(curve.x[i])))
                    found = theory::find(simulated.found[j], name);
            result.rows.push_back({ plain(curve.x[i]),
                                    text(name),
                                    plain(curve.closed[k][i]),
                                    found ? plain(found->value) : QString(),
                                    found ? plain(found->standardError) : QString(),
                                    {},
                                    {},
                                    {} });
        }
    return result;
}

} // namespace lodestone::ui::statement
