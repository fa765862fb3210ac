// What the place "Ways" shows of a bench and of a snapshot, as grids, sentences and tables: pure functions of
// results.
#pragma once

#include "core/session/elicitation_bench.h"
#include "core/session/snapshot.h"
#include "ui/models/text_table_model.h"
#include "ui/plots/palette.h"

namespace lodestone::ui::ways {

/// What a heat map draws; row-major, NaN: an empty cell.
struct Grid {
    QStringList rows, columns;
    std::vector<double> values;
    QVector<Ink> rowInks, columnInks;
};

// Of a bench on one principle.

/// Ways by layers, in per cent of held-out items; below them what people's labels reach and length alone. The
/// row of `way`, by which the principle is judged, has its colour.
Grid benchGrid(const session::Bench& bench, const std::string& way, Ink principle);
/// The bench's row of a cell; null for baselines and empty cells.
const session::BenchRow* benchRowAt(const session::Bench& bench, const Grid& grid, int row, int column);
QString benchSentence(const session::Bench& bench); ///< is the value found, by which way
/// What one would have chosen without labels; `way`: by which the principle is judged.
QString benchDetail(const session::Bench& bench, const std::string& way);
QString cellDetail(const session::Bench& bench, const session::BenchRow& row);
TextTable benchTable(const session::Bench& bench);
QStringList unasked(const session::Bench& bench); ///< ways that only the model could answer

// Of a snapshot: which of its directions pull against each other.

/// The principles that are on, people's direction and the model's own good/bad, all with all.
struct Conflicts {
    QStringList names;
    QVector<Ink> inks;
    int principles = 0; ///< the first so many are principles
    std::vector<bool> agrees; ///< per principle: its direction agrees with people's labels of its value
    std::vector<double> cosines; ///< in the Sigma of training prompts, row-major
    std::vector<geometry::Estimate> heldOut; ///< on prompts that trained neither, row-major; diagonal: NaN
    std::size_t at(int first, int second) const
    {
        return static_cast<std::size_t>(first) * static_cast<std::size_t>(names.size())
            + static_cast<std::size_t>(second);
    }
};
/// Not for the window's thread: bootstraps every pair.
Conflicts measureConflicts(const session::Snapshot& snapshot);
Grid conflictGrid(const Conflicts& conflicts);
QString conflictSentence(const Conflicts& conflicts);
QString pairDetail(const Conflicts& conflicts, int first, int second); ///< empty for one with itself
TextTable conflictTable(const Conflicts& conflicts);

} // namespace lodestone::ui::ways
