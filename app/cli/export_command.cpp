// Subcommand export: files that people keep of a session.
#include "app/cli/direction_export.h"
#include "app/cli/export_report.h"
#include "app/cli/session_options.h"

#include "core/base/files.h"

#include <fmt/format.h>

namespace lodestone::app {

void addExportCommand(CLI::App& app)
{
    struct Options : SessionOptions {
        std::string what, to, role = "displacement";
        Keepsake keepsake;
    };
    auto options = std::make_shared<Options>();
    CLI::App* sub = addCommand(
        app, "export", "Files people keep: scores, the direction, a figure, pairs, a report",
        [options](CommandContext& context) -> Result<void> {
            LODESTONE_TRY(const OpenSession session, openSession(*options, context));
            LODESTONE_TRY(const auto snapshot, snapshotOf(session, context, options->what == "direction"));
            const session::LayerStage& layer = *snapshot->layer;
            if (Keepsake::knows(options->what)) {
                LODESTONE_CHECK(options->keepsake.write(
                    options->what, options->to, *session.pipeline, snapshot, context));
            } else if (options->what == "direction") {
                LODESTONE_CHECK(writeJudgeDirection(
                    *snapshot,
                    options->role == "read-out" ? formats::DirectionRole::ReadOut
                                                : formats::DirectionRole::Displacement,
                    options->to));
            } else {
                const data::ResponseSet& set = session.foundation->study->set();
                std::string csv = "id,value,held_out,w_c,w_star,w_gen";
                for (const constitution::Principle& principle : session.inputs.constitution.principles)
                    csv += ",\"" + principle.id + "\"";
                csv += "\n";
                for (Eigen::Index i = 0; i < layer.rows.rows(); ++i) {
                    const data::Response& response = set.responses[static_cast<std::size_t>(i)];
                    const auto score = [&](const session::Direction& direction) {
                        return direction.found() ? fmt::format(",{}", direction.scores[i]) : std::string(",");
                    };
                    csv += fmt::format(
                               "\"{}\",\"{}\",{},{}", response.id, response.value,
                               session.foundation->training[static_cast<std::size_t>(i)] ? 0 : 1,
                               snapshot->judge->rewards[i])
                        + score(layer.people) + score(layer.generation);
                    for (const auto& principle : snapshot->principles)
                        csv += score(principle->direction);
                    csv += "\n";
                }
                LODESTONE_CHECK(writeFileAtomically(options->to, csv));
            }
            std::error_code error;
            const auto bytes = std::filesystem::file_size(options->to, error);
            context.print(
                { { "path", options->to },
                  { "bytes", bytes },
                  { "what", options->what },
                  { "layer", layerJson(layer.layer) },
                  { "fingerprint", snapshot->fingerprint().hex() } },
                fmt::format("{}: {} bytes\n", options->to, bytes));
            return {};
        });
    options->addTo(*sub, false);
    sub->add_option(
           "--what", options->what,
           "coordinates (CSV), direction (.npy, .safetensors or .gguf), figure (PNG of the projection), "
           "selection (pairs as JSON Lines) or report (Markdown)")
        ->required()
        ->check(CLI::IsMember({ "coordinates", "direction", "figure", "selection", "report" }));
    sub->add_option("--to", options->to, "The file to write")->required();
    options->keepsake.addTo(*sub);
    sub->add_option(
           "--role", options->role,
           "Of a direction: the displacement Sigma w_c, to steer along, or the read-out w_c, to score with")
        ->capture_default_str()
        ->check(CLI::IsMember({ "displacement", "read-out" }));
}

} // namespace lodestone::app
