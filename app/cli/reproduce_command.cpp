// Subcommand reproduce: published figures beside what this program makes of them.
#include "app/cli/context.h"

#include "core/session/published.h"

#include <fmt/format.h>

namespace lodestone::app {

void addReproduceCommand(CLI::App& app)
{
    struct Options {
        std::string work, data = "../shared/data";
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "reproduce", "Published figures beside what this program makes of them",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const auto figures, session::publishedFigures(options->work, options->data));
            Json rows = Json::array();
            std::string table;
            for (const session::PublishedFigure& figure : figures) {
                Json row{ { "name", figure.name } };
                if (figure.published)
                    row["published"] = *figure.published;
                else
                    row["published"]
                        = figure.publishedText.empty() ? Json(nullptr) : Json(figure.publishedText);
                row["here"] = figure.here ? Json(*figure.here) : Json(nullptr);
                row["difference"] = figure.published && figure.here ? Json(*figure.here - *figure.published)
                                                                    : Json(nullptr);
                row["kind"] = session::figureKindName(figure.kind);
                row["source"] = figure.source;
                row["note"] = figure.note;
                rows.push_back(std::move(row));
                table += fmt::format(
                    "{}\n  published {:<14} here {:<10} {}\n  {}. {}\n", figure.name,
                    figure.published ? fmt::format("{:.4g}", *figure.published) : figure.publishedText,
                    figure.here ? fmt::format("{:.4g}", *figure.here) : "-",
                    session::figureKindName(figure.kind), figure.source, figure.note);
            }
            context.print({ { "work", options->work }, { "rows", rows } }, table);
            return {};
        });
    sub->add_option("work", options->work, "lee, gao, arditi or young")
        ->required()
        ->check(CLI::IsMember(session::publishedWorks()));
    sub->add_option("--data", options->data, "Folder of the authors' released files (arditi)")
        ->capture_default_str();
}

} // namespace lodestone::app
