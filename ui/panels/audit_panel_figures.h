// What the place "Audit" shows of a judge under examination, as marks, sentences and tables: pure functions
// of results.
#pragma once

#include "core/judgment/prompted_judge.h"
#include "core/session/adversarial_search.h"
#include "core/session/asked_enacted.h"
#include "core/session/defence.h"
#include "core/session/linearity.h"
#include "ui/models/text_table_model.h"
#include "ui/plots/score_view.h"

namespace lodestone::ui::audit {

/// What a place says, above and below its chart.
struct Words {
    QString sentence, detail;
};

// How linear is the judge: one principle, by layer.

struct Linear {
    session::Linearity found;
    QString principle, way; ///< what was probed
    Ink ink;
};
QVector<Series> linearSeries(const Linear& linear);
Words linearWords(const Linear& linear, Layer layer);
TextTable linearTable(const Linear& linear);

// Is its notion of a word the same as its conduct: all principles at one layer.

struct Scores {
    QVector<ScoreMark> marks;
    QVector<ReferenceLine> lines;
    QString title;
};
Scores enactedScores(const std::vector<session::AskedEnacted>& found);
/// `pairs`: agreements are shares of pairs, else AUCs.
Words enactedWords(const std::vector<session::AskedEnacted>& found, bool pairs);
TextTable enactedTable(const std::vector<session::AskedEnacted>& found);

// The linear judge beside the model that is asked to compare.

struct Asked {
    judgment::PromptedJudgments prompted;
    geometry::Estimate linear; ///< the linear judge's agreement with people on the same pairs
    geometry::Estimate longer; ///< of choosing the longer reply, the same
    double kappa = 0; ///< of both judges
    std::vector<int> differ; ///< pairs of which they prefer different replies, the surest of both first
    QString constitution; ///< what was asked by
};
/// The model's answers beside the judge of a snapshot of the same study, on the same pairs.
Asked beside(const session::Snapshot& snapshot, judgment::PromptedJudgments prompted);
Scores askedScores(const Asked& asked);
Words askedWords(const Asked& asked);
TextTable askedTable(const Asked& asked, const data::ResponseSet& set);

// What could fool it: the worst principles that look harmless, and what would have caught them.

struct Adversary {
    session::AdversarialSearch search;
    session::Defence defence;
    Layer layer;
};
Scores adversaryScores(const Adversary& adversary);
Words adversaryWords(const Adversary& adversary);
TextTable adversaryTable(const Adversary& adversary);

} // namespace lodestone::ui::audit
