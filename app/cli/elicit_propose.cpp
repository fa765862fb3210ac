// elicit --propose: pole words for a principle's text, by templates and by the model.
#include "app/cli/elicit_command.h"
#include "app/cli/study_access.h"

#include "core/constitution/propose.h"

#include <fmt/format.h>

namespace lodestone::app {
namespace {

Json proposalJson(const constitution::PoleProposal& proposal)
{
    Json json{ { "way", proposal.way },
               { "positive", proposal.positive },
               { "negative", proposal.negative },
               { "log_odds", nullptr } };
    if (proposal.way == "model")
        json["log_odds"]
            = { { "positive", proposal.positiveLogOdds }, { "negative", proposal.negativeLogOdds } };
    if (!proposal.problem.empty())
        json["problem"] = proposal.problem;
    return json;
}

std::string poleLine(const std::vector<std::string>& words, const std::vector<double>& odds)
{
    std::string line;
    for (std::size_t i = 0; i < words.size(); ++i)
        line += fmt::format(
            "{}{}{}", i == 0 ? "" : ", ", words[i],
            i < odds.size() ? fmt::format(" ({:+.2f})", odds[i]) : "");
    return line.empty() ? "-" : line;
}

} // namespace

Result<void> elicitPropose(const ElicitOptions& options, CommandContext& context)
{
    if (options.principle.find_first_not_of(" \t\r\n") == std::string::npos)
        return badInput("a principle's text: write one sentence", "an empty one", "--principle");
    LODESTONE_TRY(const auto opposites, constitution::Opposites::read(resourcesFolder() / "opposites.txt"));
    std::vector<constitution::PoleProposal> proposals{ constitution::proposeByTemplates(
        options.principle, opposites) };
    auto model = context.loadModel();
    if (model) {
        LODESTONE_TRY(const auto words, readWordList({}));
        LODESTONE_TRY(
            auto asked,
            constitution::proposeByModel(options.principle, **model, opposites, words, context.work()));
        proposals.push_back(std::move(asked));
    } else if (model.error().kind == ErrorKind::MissingModel)
        context.say("Only the templates propose: " + model.error().message());
    else
        return tl::unexpected(model.error());
    Json list = Json::array();
    std::string table = options.principle + "\n";
    for (const constitution::PoleProposal& proposal : proposals) {
        list.push_back(proposalJson(proposal));
        table += fmt::format(
            "by {}{}\n  positive: {}\n  negative: {}\n", proposal.way == "model" ? "the model" : "templates",
            proposal.way == "model" ? " (how much likelier the text makes the word, natural log)" : "",
            poleLine(proposal.positive, proposal.positiveLogOdds),
            poleLine(proposal.negative, proposal.negativeLogOdds));
        if (!proposal.problem.empty())
            table += "  " + proposal.problem + "\n";
    }
    context.print({ { "principle", options.principle }, { "proposals", std::move(list) } }, table);
    return {};
}

} // namespace lodestone::app
