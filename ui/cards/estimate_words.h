// How an estimate is written: as a number, with its interval, as a row of a figure.
#pragma once

#include "ui/models/translated.h"
#include "ui/widgets/interval_rows.h"

#include <cmath>

namespace lodestone::ui::lab {

inline QString text(const std::string& value) { return QString::fromStdString(value); }
inline QString plain(double value)
{
    return std::isfinite(value) ? QString::number(value, 'g', 6) : QString();
}

/// A value with its interval in brackets, where it has one.
inline QString withInterval(const geometry::Estimate& estimate, int decimals = 2)
{
    return estimate.interval.isKnown()
        ? QStringLiteral("%1 (%2 to %3)")
              .arg(
                  number(estimate.value, decimals, true), number(estimate.interval.low, decimals),
                  number(estimate.interval.high, decimals))
        : number(estimate.value, decimals, true);
}

/// "86 % (73 to 100)", of a share.
inline QString percentWithInterval(const geometry::Estimate& estimate)
{
    const QString value = tr("%1 %").arg(percent(estimate.value));
    return estimate.interval.isKnown()
        ? tr("%1 (%2 to %3)").arg(value, percent(estimate.interval.low), percent(estimate.interval.high))
        : value;
}

/// ".42 (.30 to .53)", of a cosine or an AUC.
inline QString cosineWithInterval(const geometry::Estimate& estimate)
{
    const auto one = [](double value) { return number(value, 2, false, true); };
    return estimate.interval.isKnown()
        ? tr("%1 (%2 to %3)")
              .arg(one(estimate.value), one(estimate.interval.low), one(estimate.interval.high))
        : one(estimate.value);
}

inline IntervalRow
rowOf(const QString& title, const geometry::Estimate& estimate, Ink ink, const QString& note = {})
{
    IntervalRow row;
    row.title = title;
    row.note = note;
    row.value = estimate.value;
    row.low = estimate.interval.low;
    row.high = estimate.interval.high;
    row.text = withInterval(estimate);
    row.ink = ink;
    return row;
}

} // namespace lodestone::ui::lab
