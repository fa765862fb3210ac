#include "tests/support/small_study.h"

#include "core/base/rng.h"
#include "core/formats/npy.h"

#include <Eigen/Dense>
#include <QFile>

namespace lodestone::testing {
namespace {

Eigen::VectorXd normals(Eigen::Index n, Rng& rng)
{
    Eigen::VectorXd vector(n);
    for (double& value : vector)
        value = rng.normal();
    return vector;
}

Eigen::MatrixXd store(const std::filesystem::path& path, const Eigen::MatrixXd& matrix)
{
    const formats::RowMatrix floats = matrix.cast<float>();
    if (const auto written = formats::writeNpy(path, floats); !written)
        qFatal("%s", written.error().message().c_str());
    return floats.cast<double>();
}

} // namespace

SmallStudy writeSmallStudy(const std::filesystem::path& folder, const SmallStudyOptions& options)
{
    Rng rng(options.seed);
    SmallStudy study;
    study.folder = folder;
    std::filesystem::create_directories(folder / "activations");
    std::filesystem::create_directories(folder / "judgments");
    const Eigen::Index d = options.width;

    // Sigma = A A', neither diagonal nor on one scale.
    Eigen::MatrixXd a = Eigen::MatrixXd::Identity(d, d);
    for (Eigen::Index i = 0; i < d; ++i)
        for (Eigen::Index j = 0; j < d; ++j)
            a(i, j) = ((i == j ? 1.0 : 0.0) + 0.25 * rng.normal() / std::sqrt(static_cast<double>(d)))
                * (0.5 + 1.5 * static_cast<double>(i) / static_cast<double>(d));
    study.sigma = a * a.transpose();
    const auto unit
        = [&](const Eigen::VectorXd& w) { return Eigen::VectorXd(w / std::sqrt(w.dot(study.sigma * w))); };
    // Orthonormal in Sigma: columns of A^{-T} Q.
    const Eigen::MatrixXd q = Eigen::HouseholderQR<Eigen::MatrixXd>(Eigen::MatrixXd::NullaryExpr(d, d, [&] {
                                  return rng.normal();
                              })).householderQ();
    const Eigen::MatrixXd basis = a.transpose().inverse() * q;
    study.kind = unit(basis.col(0));
    study.honest = unit(0.3 * basis.col(0) + basis.col(1));
    study.people = unit(0.8 * study.kind + 0.5 * study.honest + 0.3 * basis.col(2));
    study.neutral = unit(0.6 * study.kind + 0.3 * study.honest + 0.7 * basis.col(3));
    study.generation = unit(0.3 * study.kind + 0.9 * basis.col(4));
    for (int i = 0; i < options.genericPrinciples; ++i)
        study.generic.push_back(unit(normals(d, rng)));

    // Texts.
    data::ResponseSet& set = study.set;
    const int prompts = options.pairPrompts + options.samplePrompts;
    for (int p = 0; p < prompts; ++p) {
        const bool paired = p < options.pairPrompts;
        const std::string value = p % 2 == 0 ? "kind" : "honest";
        set.prompts.push_back(
            { "prompt-" + std::to_string(p), { { "user", "Question " + std::to_string(p) + "?" } }, p });
        for (int r = 0; r < (paired ? 2 : options.candidates); ++r) {
            const int tokens = 5 + static_cast<int>(rng.below(36));
            set.responses.push_back(
                { "reply-" + std::to_string(p) + "-" + std::to_string(r), p,
                  "Reply " + std::to_string(r) + std::string(static_cast<std::size_t>(tokens), '.'), value, 0,
                  tokens });
        }
    }
    const auto n = static_cast<Eigen::Index>(set.responses.size());

    // Top layer: an offset of the prompt and independent replies around it.
    Eigen::MatrixXd top(n, d), noise(n, d), alone(n, d);
    int current = -1;
    Eigen::VectorXd offset;
    for (Eigen::Index i = 0; i < n; ++i) {
        if (set.responses[static_cast<std::size_t>(i)].prompt != current) {
            current = set.responses[static_cast<std::size_t>(i)].prompt;
            offset = normals(d, rng);
        }
        top.row(i) = offset + a * normals(d, rng);
        noise.row(i) = offset + a * normals(d, rng);
        alone.row(i) = a * normals(d, rng);
    }
    study.rows = store(folder / "activations/mean-2.npy", top);
    store(folder / "activations/mean-1.npy", top * 1.5);
    store(folder / "activations/mean-0.npy", (top + noise) / 2);
    store(folder / "activations/last-2.npy", top + 0.5 * alone);
    // The embedding was captured for replies in pairs only.
    const Eigen::Index pairRows = 2 * options.pairPrompts;
    store(folder / "activations/mean-embedding.npy", noise.topRows(pairRows));

    for (int p = 0; p < options.pairPrompts; ++p) {
        const double difference = study.people.dot(study.rows.row(2 * p) - study.rows.row(2 * p + 1))
            + options.labelNoise * std::sqrt(2.0) * rng.normal();
        const int chosen = difference > 0 ? 2 * p : 2 * p + 1;
        set.pairs.push_back(
            { "pair-" + std::to_string(p), chosen, 4 * p + 1 - chosen, p % 2 == 0 ? "kind" : "honest" });
    }

    // Words: orthonormal rows U and states U' logits, so that the logits of the table's words are what is
    // planted.
    struct Pole {
        const Eigen::VectorXd* direction;
        std::vector<std::string> positive, negative;
    };
    std::vector<Pole> poles{ { &study.kind, { "kind", "polite", "caring" }, { "rude", "cruel", "hurtful" } },
                             { &study.honest, { "honest", "truthful" }, { "dishonest", "false" } },
                             { &study.neutral, { "good" }, { "bad" } } };
    for (int i = 0; i < options.genericPrinciples; ++i)
        poles.push_back({ &study.generic[static_cast<std::size_t>(i)],
                          { "up" + std::to_string(i) },
                          { "down" + std::to_string(i) } });
    for (const Pole& pole : poles)
        for (const auto* words : { &pole.positive, &pole.negative })
            study.words.insert(study.words.end(), words->begin(), words->end());
    const auto count = static_cast<Eigen::Index>(study.words.size());
    if (count > d)
        qFatal("a small study of width %d cannot hold %d words", options.width, static_cast<int>(count));
    const Eigen::MatrixXd rotation
        = Eigen::HouseholderQR<Eigen::MatrixXd>(Eigen::MatrixXd::NullaryExpr(d, d, [&] {
              return rng.normal();
          })).householderQ();
    study.wordRows = store(folder / "judgments/words.npy", rotation.topRows(count));
    nlohmann::json list = nlohmann::json::array();
    for (std::size_t i = 0; i < study.words.size(); ++i)
        list.push_back({ { "word", study.words[i] }, { "row", i }, { "whole", true } });
    const auto writeText = [&](const std::string& name, const std::string& bytes) {
        QFile file(QString::fromStdString((folder / name).string()));
        if (!file.open(QIODevice::WriteOnly)
            || file.write(bytes.data(), static_cast<qint64>(bytes.size())) < 0)
            qFatal("cannot write a scratch file");
    };
    writeText("judgments/words.json", list.dump());

    nlohmann::json cloze = nlohmann::json::array();
    for (const std::string suffix : { "one-word", "overall" }) {
        Eigen::MatrixXd logits(n, count);
        Eigen::Index word = 0;
        for (const Pole& pole : poles) {
            Eigen::VectorXd judgment = study.rows * *pole.direction;
            for (double& value : judgment)
                value += options.judgeNoise * rng.normal();
            for (const auto& [words, sign] :
                 { std::pair(&pole.positive, 0.5), std::pair(&pole.negative, -0.5) })
                for (std::size_t i = 0; i < words->size(); ++i)
                    logits.col(word++) = (sign * judgment).array()
                        + 0.4 * rng.normal(); // words differ in how frequent they are
        }
        study.clozeStates.push_back(
            store(folder / ("judgments/cloze-" + suffix + ".npy"), logits * rotation.topRows(count)));
        cloze.push_back({ { "name", suffix },
                          { "text", " In one word, this reply was" },
                          { "file", "judgments/cloze-" + suffix + ".npy" } });
    }

    Eigen::MatrixXd likelihoods(n, 3);
    for (Eigen::Index i = 0; i < n; ++i) {
        const double tokens = set.responses[static_cast<std::size_t>(i)].tokens;
        const double pmi = study.generation.dot(study.rows.row(i)) + 0.1 * tokens + 0.3 * rng.normal();
        likelihoods.row(i) << -2.5 * tokens + pmi, -2.5 * tokens, tokens;
    }
    study.likelihoods = store(folder / "judgments/likelihood.npy", likelihoods);

    if (const auto written = data::writeTexts(folder, set); !written)
        qFatal("%s", written.error().message().c_str());
    nlohmann::json arrays = nlohmann::json::array();
    const auto addArray = [&](Layer layer, const char* position, const char* file, Eigen::Index held) {
        arrays.push_back({ { "layer", data::layerToJson(layer) },
                           { "position", position },
                           { "file", file },
                           { "rows", held },
                           { "type", "<f4" } });
    };
    addArray(Layer::embedding(), "mean", "activations/mean-embedding.npy", pairRows);
    addArray(Layer::blockOutput(0), "mean", "activations/mean-0.npy", n);
    addArray(Layer::blockOutput(1), "mean", "activations/mean-1.npy", n);
    addArray(Layer::blockOutput(2), "mean", "activations/mean-2.npy", n);
    addArray(Layer::blockOutput(2), "last", "activations/last-2.npy", n);
    const nlohmann::json manifest{
        { "format", "lodestone-study" },
        { "version", 1 },
        { "name", options.name },
        { "kind", "reply" },
        { "seed", 0 },
        { "responses", n },
        { "model",
          { { "name", "planted" },
            { "sha256", std::string(64, 'a') },
            { "architecture", "llama" },
            { "blocks", SmallStudy::blocks },
            { "width", options.width } } },
        { "splits", { { "seed", 0 }, { "train_fraction", options.trainFraction } } },
        { "arrays", arrays },
        { "cloze", cloze },
        { "words", { { "file", "judgments/words.npy" }, { "list", "judgments/words.json" } } },
        { "likelihood", "judgments/likelihood.npy" }
    };
    writeText("study.json", manifest.dump(1));
    return study;
}

} // namespace lodestone::testing
