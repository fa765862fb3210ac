// ctest labels: torch
// Model folders as people have them, each architecture as a tiny model of random weights, against a plain
// forward pass in double precision; and folders that are not whole.
#include "core/model/model_library.h"
#include "core/model/model_source.h"
#include "tests/support/architecture_cases.h"
#include "tests/support/model_folder_writer.h"

using namespace lodestone;
using namespace lodestone::model;
using namespace lodestone::testing;
using nlohmann::json;

namespace {

struct FolderCase {
    const char* name;
    const char* like; ///< the case of the GGUF files
    const char* type; ///< model_type
    json more; ///< of config.json
    std::size_t shards = 1;
};

std::vector<FolderCase> folderCases()
{
    const json gemma{ { "hidden_act", "gelu" }, { "hidden_activation", "gelu_pytorch_tanh" } };
    json gemma2 = gemma, gemma3 = gemma, gemma3Long = gemma;
    gemma2.update({ { "sliding_window", 6 },
                    { "attn_logit_softcapping", 0.7 },
                    { "final_logit_softcapping", 1.5 },
                    { "query_pre_attn_scalar", 12 } });
    gemma3.update({ { "sliding_window", 4 },
                    { "rope_local_base_freq", 10000.0 },
                    { "query_pre_attn_scalar", 12 },
                    { "sliding_window_pattern", 6 } });
    // As newer releases of the library write the same.
    gemma3Long.update(
        { { "sliding_window", 4 },
          { "query_pre_attn_scalar", 12 },
          { "layer_types", json::array() },
          { "rope_parameters",
            { { "full_attention", { { "rope_type", "linear" }, { "factor", 8.0 }, { "rope_theta", 1e6 } } },
              { "sliding_attention", { { "rope_type", "default" }, { "rope_theta", 10000.0 } } } } } });
    for (int k = 0; k < 7; ++k)
        gemma3Long["layer_types"].push_back(k == 5 ? "full_attention" : "sliding_attention");
    return {
        { "llama", "llama", "llama", json::object(), 3 },
        { "llama 3",
          "llama 3",
          "llama",
          { { "rope_scaling",
              { { "rope_type", "llama3" },
                { "factor", 8.0 },
                { "low_freq_factor", 1.0 },
                { "high_freq_factor", 4.0 },
                { "original_max_position_embeddings", 32 } } } } },
        { "llama, linear",
          "llama linear",
          "llama",
          { { "rope_scaling", { { "type", "linear" }, { "factor", 4.0 } } } } },
        { "mistral", "llama mistral", "mistral", { { "sliding_window", 5 } } },
        { "mistral without a window", "llama", "mistral", { { "sliding_window", nullptr } } },
        { "qwen2", "qwen2", "qwen2", { { "sliding_window", 5 }, { "use_sliding_window", false } } },
        { "qwen3", "qwen3", "qwen3", json::object() },
        { "gemma", "gemma", "gemma", gemma },
        { "gemma2", "gemma2", "gemma2", gemma2 },
        { "gemma3", "gemma3", "gemma3_text", gemma3 },
        { "gemma3 long", "gemma3 long", "gemma3_text", gemma3Long, 2 },
        { "gpt2", "gpt2", "gpt2", json::object() },
        { "gpt_neox",
          "gptneox",
          "gpt_neox",
          { { "hidden_act", "gelu" },
            { "rotary_pct", 0.25 },
            { "use_parallel_residual", true },
            { "layer_norm_eps", 1e-5 } } },
        { "phi3", "phi3", "phi3", { { "sliding_window", 7 } } },
        { "phi3 long",
          "phi3 long",
          "phi3",
          { { "sliding_window", 7 },
            { "original_max_position_embeddings", 80 },
            { "rope_scaling",
              { { "type", "longrope" },
                { "short_factor", { 1.0, 1.25, 1.5, 2.0 } },
                { "long_factor", { 3.0, 3.0, 3.0, 3.0 } },
                { "attention_factor", 1.125 } } } } },
    };
}

} // namespace

class TestModelFolders : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aFolderEqualsThePlainForward_data()
    {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const FolderCase& made : folderCases())
            QTest::newRow(made.name) << index++;
    }

    void aFolderEqualsThePlainForward()
    {
        QFETCH(const int, index);
        const FolderCase made = folderCases()[static_cast<std::size_t>(index)];
        const PlainTransformer plain = caseOf(made.like).plain;
        const ScratchFolder folder;
        writeModelFolder(folder, plain, made.type, made.more, made.shards);
        const auto source = ModelSource::open(folder.path());
        VERIFY_OK(source);
        QCOMPARE((*source)->quantisation(), std::string("F32"));
        auto loaded = loadModel(folder.path(), { 2, "onednn", {} });
        VERIFY_OK(loaded);
        LanguageModel& model = **loaded;
        QCOMPARE(model.sha256().size(), std::size_t(64));
        QCOMPARE(
            model.tokenizer().encode("Hi!", text::Special::Plain), (std::vector<TokenId>{ 'H', 'i', '!' }));

        std::vector<int> ids;
        for (int i = 0; i < 37; ++i)
            ids.push_back((i * 83 + 5) % 256);
        Request request;
        request.tokens.assign(ids.begin(), ids.end());
        request.last = request.logits = true;
        std::vector<Layer> layers;
        for (int row = 0; row < model.config().layers(); ++row)
            layers.push_back(Layer::atRow(row));
        const auto readings = model.read(std::span(&request, 1), layers, {});
        VERIFY_OK(readings);
        const auto expected = plain.run(ids);
        for (std::size_t row = 0; row < layers.size(); ++row) {
            const Eigen::RowVectorXd state = expected.layers[row].bottomRows(1);
            const double error
                = ((*readings)[0].last.row(static_cast<Eigen::Index>(row)).cast<double>() - state).norm()
                / state.norm();
            QVERIFY2(error <= 2e-5, qPrintable(QStringLiteral("layer %1: %2").arg(row).arg(error)));
        }
        QVERIFY(
            ((*readings)[0].nextLogProbabilities.cast<double>()
             - expected.logProbabilities.row(36).transpose())
                .cwiseAbs()
                .maxCoeff()
            <= 2e-5);
    }

    void foldersThatAreNotWholeAreNamed()
    {
        const PlainTransformer plain = caseOf("llama").plain;
        const auto opened = [&](const json& more, const std::function<void(const ScratchFolder&)>& change) {
            const ScratchFolder folder;
            writeModelFolder(folder, plain, "llama", more, 2);
            if (change)
                change(folder);
            return loadModel(folder.path(), { 1, "onednn", {} });
        };
        const auto removed = [](const char* name) {
            return [name](const ScratchFolder& folder) { std::filesystem::remove(folder / name); };
        };
        VERIFY_OK(opened(json::object(), {}));
        VERIFY_FAILS(opened(json::object(), removed("config.json")), "config.json");
        VERIFY_FAILS(opened(json::object(), removed("model-1.safetensors")), "model-1.safetensors");
        VERIFY_FAILS(
            opened({ { "model_type", "bert" } }, {}), "'llama'", "'gpt_neox'", "'bert'", "model_type");
        VERIFY_FAILS(opened({ { "hidden_size", 48 } }, {}), "embed_tokens", "48]", "32]");
        VERIFY_FAILS(opened({ { "hidden_size", -1 } }, {}), "a number from 1", "hidden_size");
        VERIFY_FAILS(opened({ { "vocab_size", "many" } }, {}), "vocab_size");
        VERIFY_FAILS(opened({ { "num_key_value_heads", 3 } }, {}), "equal groups", "4 over 3");
        VERIFY_FAILS(opened({ { "hidden_act", "relu6" } }, {}), "'relu6'", "hidden_act");
        VERIFY_FAILS(
            opened({ { "rope_scaling", { { "rope_type", "yarn" }, { "factor", 4 } } } }, {}), "'yarn'",
            "rope_scaling");
        VERIFY_FAILS(opened({ { "quantization_config", { { "bits", 4 } } } }, {}), "a quantised folder");
        VERIFY_FAILS(
            opened(json::object(), [](const ScratchFolder& folder) { folder.write("config.json", "[1, 2"); }),
            "config.json");
        Case gap = caseOf("llama");
        gap.plain.weights.erase("1.down");
        const ScratchFolder folder;
        writeModelFolder(folder, gap.plain, "llama", json::object());
        VERIFY_FAILS(loadModel(folder.path(), { 1, "onednn", {} }), "blk.1.ffn_down.weight");
    }
};

QTEST_GUILESS_MAIN(TestModelFolders)
#include "tst_model_folders.moc"
