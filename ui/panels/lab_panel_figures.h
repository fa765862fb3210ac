// What the policy lab shows, as figures, sentences and tables: pure functions of results.
#pragma once

#include "core/data/response_set.h"
#include "core/policy/failure_modes.h"
#include "core/policy/mechanisms.h"
#include "core/policy/overoptimisation.h"
#include "core/policy/pipelines.h"
#include "core/policy/rounds.h"
#include "core/session/principle_effects.h"
#include "ui/models/text_table_model.h"
#include "ui/plots/series_view.h"
#include "ui/widgets/interval_rows.h"

namespace lodestone::ui::lab {

/// Gains more along held-out labels; pipelines that could not be trained come last.
bool gainsMore(const policy::PipelineRow& a, const policy::PipelineRow& b);
QVector<IntervalRow> pipelineRows(const std::vector<policy::PipelineRow>& rows);
QString pipelineSentence(const std::vector<policy::PipelineRow>& rows, double kl);
QString pipelineDetail(const policy::PipelineRow& row); ///< one pipeline in words: reward, rule, cost, note
TextTable pipelineTable(const std::vector<policy::PipelineRow>& rows);

QVector<IntervalRow>
principleRows(const session::PrincipleEffects& effects, const constitution::Constitution& constitution);
QString
principleSentence(const session::PrincipleEffects& effects, const constitution::Constitution& constitution);
QString
principleDetail(const session::PrincipleEffects& effects, const constitution::Constitution& constitution);
/// The edit as a button says it; empty when there is none to make.
QString repairText(const session::PrincipleRepair& repair, const constitution::Constitution& constitution);
TextTable
principleTable(const session::PrincipleEffects& effects, const constitution::Constitution& constitution);

QVector<Series> overoptimisationSeries(const policy::Overoptimisation& found);
QString overoptimisationDetail(const policy::Overoptimisation& found); ///< fits with intervals
TextTable overoptimisationTable(const policy::Overoptimisation& found);

/// The trainers' curves: rewards/* and margins, or logps/*.
QVector<Series> rewardCurves(const policy::TrainedPolicy& trained);
QVector<Series> logpCurves(const policy::TrainedPolicy& trained);
QString dpoSentence(const policy::TrainedPolicy& trained);
QString dpoDetail(const policy::TrainedPolicy& trained, const data::ResponseSet& set);
TextTable dpoTable(const policy::TrainedPolicy& trained);

QVector<IntervalRow> failureRows(const policy::FailureEffect& effect);
QVector<Series> doseSeries(const std::vector<policy::FailureEffect>& curve);
QString failureSentence(const policy::FailureEffect& effect);
QString failureDetail(const policy::FailureEffect& effect);
TextTable failureTable(const policy::FailureEffect& effect, const std::vector<policy::FailureEffect>& curve);

QVector<Series> roundSeries(const std::vector<policy::RoundState>& states);
QString roundSentence(const policy::RoundState& state);
TextTable roundTable(const std::vector<policy::RoundState>& states);

double wantedLogit(); ///< what training brings the good reply to: 99 in 100
/// Alignment, then capability training in the context without the prompt; gains after both.
policy::Credit bothStages(const std::vector<policy::Mechanism>& mechanisms);
QVector<IntervalRow>
mechanismRows(const std::vector<policy::Mechanism>& mechanisms, const policy::Credit& credit);
QString mechanismSentence(const policy::Credit& credit);
/// The laws at work (T39-T41), and what the second stage fed where there is one.
QString mechanismDetail(const std::vector<policy::Mechanism>& mechanisms, bool twoStages);
TextTable mechanismTable(const std::vector<policy::Mechanism>& mechanisms, const policy::Credit& credit);

} // namespace lodestone::ui::lab
