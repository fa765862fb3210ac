#include "app/cli/judge_labels.h"

#include "app/cli/session_options.h"

#include "core/judgment/labelling.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::app {
namespace {

constexpr int nextPairs = 10;

Json ratersJson(const judgment::RaterAgreement& agreement)
{
    return { { "pairs", agreement.pairs },
             { "accuracy", number(agreement.accuracy.value) },
             { "accuracy_ci", intervalJson(agreement.accuracy.interval) },
             { "kappa", number(agreement.kappa.value) },
             { "kappa_ci", intervalJson(agreement.kappa.interval) } };
}
std::string ratersLine(const std::string& who, const judgment::RaterAgreement& agreement)
{
    if (agreement.pairs == 0)
        return fmt::format("  {}: no pair in common\n", who);
    return fmt::format(
        "  {}: equal on {} of {} pairs{}, kappa {:.2f}{}\n", who, percent(agreement.accuracy.value),
        agreement.pairs,
        agreement.accuracy.interval.isKnown()
            ? " (" + percentInterval(agreement.accuracy.interval.low, agreement.accuracy.interval.high) + ")"
            : "",
        agreement.kappa.value,
        agreement.kappa.interval.isKnown()
            ? fmt::format(" ({:.2f} to {:.2f})", agreement.kappa.interval.low, agreement.kappa.interval.high)
            : "");
}

} // namespace

Result<Json> labelsJson(const session::Snapshot& snapshot, std::string& table)
{
    const data::Study& study = *snapshot.foundation->study;
    const data::ResponseSet& set = study.set();
    const std::uint64_t seed = snapshot.inputs.seed;
    LODESTONE_TRY(const data::LabelFile file, data::readLabels(data::labelFile(study)));
    const auto raters = judgment::sidesByRater(set, file.labels);
    const judgment::Sides people = judgment::sidesOfStudy(set),
                          judge = judgment::sidesOfJudge(set, snapshot.judge->pairs);
    Json each = Json::array(), between = Json::array(), next = Json::array();
    table += fmt::format(
        "labels given at the program: {}{}\n", file.labels.size(),
        file.damaged > 0 ? fmt::format(", {} damaged lines left out", file.damaged) : "");
    for (const auto& [rater, sides] : raters) {
        const auto count = [&, own = rater](data::LabelAnswer answer) {
            return std::count_if(file.labels.begin(), file.labels.end(), [&](const data::PairLabel& label) {
                return label.rater == own && label.answer == answer;
            });
        };
        const auto withStudy = judgment::agreementOf(set, sides, people, seed),
                   withJudge = judgment::agreementOf(set, sides, judge, seed);
        each.push_back({ { "rater", rater },
                         { "left", count(data::LabelAnswer::Left) },
                         { "right", count(data::LabelAnswer::Right) },
                         { "tie", count(data::LabelAnswer::Tie) },
                         { "skip", count(data::LabelAnswer::Skip) },
                         { "study", ratersJson(withStudy) },
                         { "judge", ratersJson(withJudge) } });
        table += ratersLine(rater + " and the study's labels", withStudy)
            + ratersLine(rater + " and the constitution", withJudge);
    }
    for (auto a = raters.begin(); a != raters.end(); ++a)
        for (auto b = std::next(a); b != raters.end(); ++b) {
            const auto both = judgment::agreementOf(set, a->second, b->second, seed);
            Json row = ratersJson(both);
            row["raters"] = Json::array({ a->first, b->first });
            between.push_back(std::move(row));
            table += ratersLine(a->first + " and " + b->first, both);
        }
    // Nobody has said anything of these yet; the judge is least sure of the first.
    std::vector<bool> done(set.pairs.size(), false);
    for (std::size_t i = 0; i < set.pairs.size(); ++i)
        done[i] = std::any_of(file.labels.begin(), file.labels.end(), [&](const data::PairLabel& label) {
            return label.pair == set.pairs[i].id;
        });
    for (int n = 0; n < nextPairs; ++n) {
        const int pair = judgment::leastCertain(set, snapshot.judge->pairs, done);
        if (pair < 0)
            break;
        done[static_cast<std::size_t>(pair)] = true;
        next.push_back(set.pairs[static_cast<std::size_t>(pair)].id);
    }
    if (!next.empty())
        table += fmt::format("  to ask about next: {}\n", next.front().get<std::string>());
    return Json{ { "raters", std::move(each) },
                 { "between", std::move(between) },
                 { "damaged_lines", file.damaged },
                 { "next", std::move(next) } };
}

} // namespace lodestone::app
