#include "core/session/world_study.h"

#include "core/base/files.h"
#include "core/constitution/constitution.h"
#include "core/data/study.h"

#include <fmt/format.h>

namespace lodestone::session {
namespace {

using nlohmann::json;

Result<void> store(const std::filesystem::path& path, const Eigen::MatrixXd& matrix)
{
    const formats::RowMatrix floats = matrix.cast<float>();
    return formats::writeNpy(path, floats);
}

json list(const Eigen::VectorXd& vector)
{
    return std::vector<double>(vector.data(), vector.data() + vector.size());
}

const std::vector<std::string>& valueNames()
{
    static const std::vector<std::string> names{ "kind", "honest", "harmless", "helpful" };
    return names;
}

} // namespace

Result<WorldStudy>
writeWorldStudy(const theory::Values& settings, std::uint64_t seed, const std::filesystem::path& folder)
{
    std::error_code error;
    if (std::filesystem::exists(folder / "study.json", error))
        return badInput("a new folder", "a finished study", folder.string());
    LODESTONE_TRY(const theory::World world, theory::drawWorld(settings, seed));
    for (const char* name : { "activations", "judgments" }) {
        std::filesystem::create_directories(folder / name, error);
        if (error)
            return fail(ErrorKind::Failed, "to create the study's folder", error.message(), folder.string());
    }
    const Eigen::Index n = world.activations.rows(), d = world.activations.cols();
    const auto principles = static_cast<Eigen::Index>(world.principles.size());
    const std::vector<std::string> values(valueNames().begin(), valueNames().begin() + principles);

    // Texts: what was drawn, said in words.
    Rng rng(seed, 78);
    data::ResponseSet set;
    int candidate = 0;
    for (const theory::World::Reply& reply : world.replies) {
        if (static_cast<int>(set.prompts.size()) == reply.prompt) {
            set.prompts.push_back({ fmt::format("prompt-{}", reply.prompt + 1),
                                    { { "user",
                                        fmt::format(
                                            "Question {} of a world drawn from the linear-Gaussian model",
                                            reply.prompt + 1) } },
                                    reply.prompt });
            candidate = 0;
        }
        const std::string& value = values[static_cast<std::size_t>(reply.prompt) % values.size()];
        set.responses.push_back({ fmt::format("reply-{}-{}", reply.prompt + 1, ++candidate), reply.prompt,
                                  fmt::format("Reply {}: true value {:+.2f}", candidate, reply.value), value,
                                  0, 8 + static_cast<int>(rng.below(40)) });
    }
    for (std::size_t pair = 0; pair < world.firstChosen.size(); ++pair) {
        const int first = static_cast<int>(2 * pair), chosen = world.firstChosen[pair] ? first : first + 1;
        set.pairs.push_back({ fmt::format("pair-{}", pair + 1), chosen, 2 * first + 1 - chosen,
                              set.responses[static_cast<std::size_t>(first)].value });
    }
    LODESTONE_CHECK(data::writeTexts(folder, set));

    LODESTONE_CHECK(store(folder / "activations/embedding.mean.npy", world.lexical));
    LODESTONE_CHECK(store(folder / "activations/block-0.mean.npy", (world.activations + world.lexical) / 2));
    LODESTONE_CHECK(store(folder / "activations/block-1.mean.npy", world.activations));

    // Cloze states hold one score an axis; a pole's words all have the row +-1/2 of their axis.
    Eigen::MatrixXd states = Eigen::MatrixXd::Zero(n, d), likelihoods(n, 3);
    for (Eigen::Index i = 0; i < n; ++i) {
        const theory::World::Reply& reply = world.replies[static_cast<std::size_t>(i)];
        for (Eigen::Index k = 0; k < principles; ++k)
            states(i, k) = reply.principles[static_cast<std::size_t>(k)];
        states(i, principles) = reply.judged;
        const double tokens = set.responses[static_cast<std::size_t>(i)].tokens;
        likelihoods.row(i) << -2.5 * tokens + reply.generation, -2.5 * tokens, tokens;
    }
    LODESTONE_CHECK(store(folder / "judgments/cloze-one-word.npy", states));
    LODESTONE_CHECK(store(folder / "judgments/likelihood.npy", likelihoods));
    std::vector<constitution::Principle> poles = constitution::constitutionForValues(values).principles;
    poles.push_back(constitution::neutralPrinciple());
    json words = json::array();
    Eigen::MatrixXd rows = Eigen::MatrixXd::Zero(0, d);
    for (std::size_t k = 0; k < poles.size(); ++k)
        for (const auto& [pole, sign] :
             { std::pair(&poles[k].positive, .5), std::pair(&poles[k].negative, -.5) })
            for (const std::string& word : *pole) {
                words.push_back({ { "word", word }, { "row", rows.rows() }, { "whole", true } });
                rows.conservativeResize(rows.rows() + 1, Eigen::NoChange);
                rows.row(rows.rows() - 1).setZero();
                rows(rows.rows() - 1, static_cast<Eigen::Index>(k)) = sign;
            }
    LODESTONE_CHECK(store(folder / "judgments/words.npy", rows));
    LODESTONE_CHECK(writeFileAtomically(folder / "judgments/words.json", words.dump()));

    json set_ = json::object();
    for (const theory::Quantity& one : settings.all())
        set_[one.name] = one.value;
    json truth{ { "settings", set_ },
                { "seed", seed },
                { "layer", data::layerToJson(Layer::blockOutput(1)) },
                { "w", list(world.truth) },
                { "w_J", list(world.judge) },
                { "w_gen", list(world.generation) } };
    for (Eigen::Index k = 0; k < principles; ++k)
        truth["principles"][values[static_cast<std::size_t>(k)]]
            = list(world.principles[static_cast<std::size_t>(k)]);
    const Eigen::MatrixXd sigma = world.sigma();
    for (Eigen::Index i = 0; i < d; ++i)
        truth["Sigma"].push_back(list(sigma.row(i)));
    LODESTONE_CHECK(writeFileAtomically(folder / "truth.json", truth.dump(1)));

    Fingerprint content;
    content.add(world.activations.data(), static_cast<std::size_t>(world.activations.size()));
    json arrays = json::array();
    for (const auto& [layer, file] : { std::pair(Layer::embedding(), "activations/embedding.mean.npy"),
                                       std::pair(Layer::blockOutput(0), "activations/block-0.mean.npy"),
                                       std::pair(Layer::blockOutput(1), "activations/block-1.mean.npy") })
        arrays.push_back({ { "layer", data::layerToJson(layer) },
                           { "position", "mean" },
                           { "file", file },
                           { "rows", n },
                           { "type", "<f4" } });
    const json manifest{ { "format", "lodestone-study" },
                         { "version", 1 },
                         { "name", folder.filename().string() },
                         { "kind", data::itemKindName(set.kind) },
                         { "responses", n },
                         { "seed", seed },
                         { "splits", { { "seed", seed }, { "train_fraction", .6 } } },
                         { "model",
                           { { "name", "linear-Gaussian world" },
                             { "sha256", content.hex() },
                             { "architecture", "world" },
                             { "blocks", 2 },
                             { "width", d } } },
                         { "arrays", arrays },
                         { "likelihood", "judgments/likelihood.npy" },
                         { "cloze",
                           { { { "name", "one-word" },
                               { "text", "In one word, this reply was" },
                               { "file", "judgments/cloze-one-word.npy" } } } },
                         { "words",
                           { { "file", "judgments/words.npy" }, { "list", "judgments/words.json" } } } };
    LODESTONE_CHECK(writeFileAtomically(folder / "study.json", manifest.dump(1)));
    return WorldStudy{ set.responses.size(), set.pairs.size(), folder / "truth.json" };
}

} // namespace lodestone::session
