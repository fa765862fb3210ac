#include "ui/panels/lab_panel_figures.h"

#include "ui/cards/estimate_words.h"

#include <algorithm>

namespace lodestone::ui::lab {
namespace {

QString nameOf(const constitution::Constitution& constitution, int principle)
{
    const auto i = static_cast<std::size_t>(std::max(0, principle));
    return i < constitution.principles.size() ? text(constitution.principles[i].name) : QString();
}

const session::PrincipleEffect* extreme(const session::PrincipleEffects& effects, bool worst)
{
    const auto less = [](const session::PrincipleEffect& a, const session::PrincipleEffect& b) {
        return a.part.value < b.part.value;
    };
    const auto& all = effects.principles;
    if (all.empty())
        return nullptr;
    return &*(
        worst ? std::min_element(all.begin(), all.end(), less)
              : std::max_element(all.begin(), all.end(), less));
}

} // namespace

QVector<IntervalRow>
principleRows(const session::PrincipleEffects& effects, const constitution::Constitution& constitution)
{
    QVector<IntervalRow> rows{ rowOf(
        tr("the whole constitution"), effects.whole, Ink::constitution(),
        tr("gain at KL %1 nats").arg(number(effects.kl, 2, false, true))) };
    for (const session::PrincipleEffect& effect : effects.principles) {
        IntervalRow row = rowOf(
            nameOf(constitution, effect.principle), effect.part, Ink::principle(effect.principle),
            tr("whole less without it · alone %1").arg(number(effect.alone.value, 2, true)));
        rows << row;
    }
    if (effects.repair.edit != session::PrincipleRepair::Edit::None)
        rows << rowOf(
            repairText(effects.repair, constitution), effects.repair.gained, Ink::accent(),
            tr("gain after that edit"));
    return rows;
}

QString
principleSentence(const session::PrincipleEffects& effects, const constitution::Constitution& constitution)
{
    const session::PrincipleEffect* worst = extreme(effects, true);
    const session::PrincipleEffect* best = extreme(effects, false);
    if (!worst)
        return {};
    if (worst->part.interval.high < 0)
        return tr("“%1” costs most: it changes the gain along people's held-out labels by %2.")
            .arg(nameOf(constitution, worst->principle), withInterval(worst->part));
    if (best->part.interval.low > 0)
        return tr("“%1” brings most: it changes the gain along people's held-out labels by %2. None clearly "
                  "costs.")
            .arg(nameOf(constitution, best->principle), withInterval(best->part));
    return tr("No single principle clearly changes the gain on these prompts; the whole gains %1.")
        .arg(withInterval(effects.whole));
}

QString repairText(const session::PrincipleRepair& repair, const constitution::Constitution& constitution)
{
    switch (repair.edit) {
    case session::PrincipleRepair::Edit::SwitchOff:
        return tr("Switch “%1” off").arg(nameOf(constitution, repair.principle));
    case session::PrincipleRepair::Edit::TurnRound:
        return tr("Turn “%1” round").arg(nameOf(constitution, repair.principle));
    case session::PrincipleRepair::Edit::None:
        break;
    }
    return {};
}

QString
principleDetail(const session::PrincipleEffects& effects, const constitution::Constitution& constitution)
{
    const QString result
        = tr("Each principle: the gain of the whole constitution less that of the others without it, both "
             "trained to the same KL; 95 % over prompts. The policy panel below scores its own beta by "
             "people's "
             "training labels; here held-out labels score KL %1.")
              .arg(number(effects.kl, 2, false, true))
        + QLatin1Char(' ');
    if (effects.repair.edit == session::PrincipleRepair::Edit::None)
        return result
            + tr("No single edit would agree more with people's training labels than the constitution as it "
                 "is.");
    return result
        + tr("The edit that agrees most with people's training labels: %1. On the held-out ones it changes "
             "the gain by %2.")
              .arg(repairText(effects.repair, constitution), withInterval(effects.repair.change));
}

TextTable
principleTable(const session::PrincipleEffects& effects, const constitution::Constitution& constitution)
{
    TextTable table;
    table.title = tr("What each principle brings");
    table.header = { tr("principle"), tr("part"), tr("low"),     tr("high"), tr("alone"),
                     tr("low"),       tr("high"), tr("without"), tr("low"),  tr("high") };
    const auto add = [&](const QString& name, std::initializer_list<const geometry::Estimate*> estimates) {
        QStringList row{ name };
        for (const geometry::Estimate* estimate : estimates)
            row << (estimate ? plain(estimate->value) : QString())
                << (estimate ? plain(estimate->interval.low) : QString())
                << (estimate ? plain(estimate->interval.high) : QString());
        table.rows.push_back(row);
    };
    for (const session::PrincipleEffect& effect : effects.principles)
        add(nameOf(constitution, effect.principle), { &effect.part, &effect.alone, &effect.without });
    add(tr("the whole constitution"), { nullptr, &effects.whole, nullptr });
    if (effects.repair.edit != session::PrincipleRepair::Edit::None)
        add(repairText(effects.repair, constitution),
            { &effects.repair.change, &effects.repair.gained, nullptr });
    return table;
}

} // namespace lodestone::ui::lab
