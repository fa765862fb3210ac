// ctest labels: shared
// ctest libraries: lodestone_text
// Tokenizers of published models against the ids that an independent implementation gave for the same texts.
#include "core/formats/lines.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"
#include "tests/support/result_checks.h"

#include <sstream>

using namespace lodestone;
using namespace lodestone::text;
using namespace lodestone::testing;

namespace {

const std::filesystem::path sharedData = LODESTONE_SOURCE_DIR "/../shared/data";

struct Vector {
    std::string text;
    std::vector<TokenId> ids;
};

/// llama.cpp's test files: texts separated by a line of their own, and one line of ids per text.
std::vector<Vector> vectorsOf(const std::filesystem::path& vocabulary)
{
    const std::string texts = bytesOf(vocabulary.string() + ".inp");
    std::istringstream ids(bytesOf(vocabulary.string() + ".out"));
    const std::string separator = "\n__ggml_vocab_test__\n";
    std::vector<Vector> result;
    for (std::size_t at = 0;;) {
        const std::size_t end = texts.find(separator, at);
        Vector vector{ texts.substr(at, end == std::string::npos ? end : end - at), {} };
        std::string line;
        if (!std::getline(ids, line))
            return result; // what follows the last separator has no ids
        std::istringstream numbers(line);
        for (TokenId id = 0; numbers >> id;)
            vector.ids.push_back(id);
        result.push_back(std::move(vector));
        if (end == std::string::npos)
            return result;
        at = end + separator.size();
    }
}

Result<std::shared_ptr<const Tokenizer>> tokenizer(const std::filesystem::path& path)
{
    LODESTONE_TRY(const formats::Gguf file, formats::Gguf::open(path));
    return Tokenizer::fromGguf(file);
}

std::filesystem::path rebuilt(const std::string& name)
{
    return sharedData / "tokenizers" / name / "vocab.rebuilt.gguf";
}

} // namespace

class TestSharedTokenizers : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (!std::filesystem::exists(sharedData))
            QSKIP("skipped: no ../shared/data");
    }

    /// Every vocabulary there is; LODESTONE_VOCABULARIES names a further folder of llama.cpp's, with the
    /// texts and ids beside each.
    void idsEqualThePublishedOnes_data()
    {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QByteArray>("vectors");
        const std::filesystem::path published = sharedData / "tokenizers/llama.cpp-tests";
        for (const char* name : { "refact", "gpt-2" })
            QTest::newRow(name) << QByteArray::fromStdString(rebuilt(name).string())
                                << QByteArray::fromStdString(
                                       (published / ("ggml-vocab-" + std::string(name) + ".gguf")).string());
        const char* further = std::getenv("LODESTONE_VOCABULARIES");
        for (const std::filesystem::path& folder :
             { sharedData / "tokenizers/llama.cpp-vocabs", std::filesystem::path(further ? further : "") }) {
            std::error_code error;
            for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
                if (entry.path().extension() != ".gguf")
                    continue;
                std::filesystem::path beside = entry.path();
                if (!std::filesystem::exists(beside.string() + ".out"))
                    beside = published / entry.path().filename();
                if (std::filesystem::exists(beside.string() + ".out"))
                    QTest::newRow(entry.path().c_str()) << QByteArray::fromStdString(entry.path().string())
                                                        << QByteArray::fromStdString(beside.string());
            }
        }
    }
    void idsEqualThePublishedOnes()
    {
        QFETCH(QByteArray, file);
        QFETCH(QByteArray, vectors);
        const auto tokens = tokenizer(file.toStdString());
        if (!tokens && tokens.error().message().find("'bert'") != std::string::npos)
            QSKIP("WordPiece is not read");
        VERIFY_OK(tokens);
        const std::vector<Vector> all = vectorsOf(vectors.toStdString());
        QVERIFY2(all.size() >= 40, qPrintable(QString::number(all.size())));
        for (const Vector& vector : all) {
            const auto ids = (*tokens)->encode(vector.text, Special::Plain);
            if (ids != vector.ids)
                qWarning("text: %s", vector.text.c_str());
            QCOMPARE(ids, vector.ids);
            QCOMPARE((*tokens)->decode(ids), vector.text);
            // No text of these holds a mark: read with marks it only gains those that stand around it.
            const auto marked = (*tokens)->encode(vector.text, Special::Parse);
            const std::size_t before
                = !marked.empty() && (*tokens)->bos() == marked.front() && ids.size() < marked.size() ? 1 : 0;
            QCOMPARE(
                std::vector<TokenId>(marked.begin() + static_cast<std::ptrdiff_t>(before), marked.end()),
                ids);
        }
    }

    void stories260kWritesItsPublishedText()
    {
        const auto tokens = Tokenizer::fromLlama2c(sharedData / "models/stories260K/tokenizer.bin");
        VERIFY_OK(tokens);
        QCOMPARE((*tokens)->size(), std::size_t(512));
        const auto reference = formats::readJson(sharedData / "reference/stories260K_reference.json");
        VERIFY_OK(reference);
        const auto ids = (*reference)["greedy_ids_incl_bos"].get<std::vector<TokenId>>();
        const auto text = (*reference)["greedy_text"].get<std::string>();
        QCOMPARE((*tokens)->decode(ids, true).substr(0, text.size()), text);
        // The model need not write a text as its tokenizer would, but this beginning it does.
        const std::string opening = text.substr(0, text.find('.') + 1);
        const auto encoded = (*tokens)->encode(opening, Special::Parse);
        QCOMPARE(
            encoded,
            std::vector<TokenId>(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(encoded.size())));
    }

    /// The same vocabulary in the formats of llama2.c, llama.cpp and SentencePiece gives the same ids.
    void llama2InThreeFormats()
    {
        const auto one = Tokenizer::fromLlama2c(sharedData / "tokenizers/llama2/tokenizer.bin");
        const auto other = tokenizer(sharedData / "tokenizers/llama.cpp-vocabs/ggml-vocab-llama-spm.gguf");
        const auto third = Tokenizer::open(sharedData / "tokenizers/llama2/tokenizer.model");
        VERIFY_OK(one);
        VERIFY_OK(other);
        VERIFY_OK(third);
        for (const Vector& vector :
             vectorsOf(sharedData / "tokenizers/llama.cpp-tests/ggml-vocab-llama-spm.gguf")) {
            QCOMPARE((*one)->encode(vector.text, Special::Plain), vector.ids);
            QCOMPARE((*third)->encode(vector.text, Special::Plain), vector.ids);
            QCOMPARE(
                (*one)->encode(vector.text, Special::Parse), (*other)->encode(vector.text, Special::Parse));
        }
    }

    void gpt2WritesTheReferencesTexts()
    {
        const auto tokens = tokenizer(rebuilt("gpt-2"));
        VERIFY_OK(tokens);
        const auto reference = formats::readJson(sharedData / "reference/gpt2_hf_expected_ids.json");
        VERIFY_OK(reference);
        for (const char* item : { "gpt2_greedy_max_length_20", "distilgpt2_greedy" }) {
            const auto& entry = (*reference)[item];
            for (const auto& [text, ids] :
                 { std::pair("input_text", "input_ids"), std::pair("expected_text", "expected_ids") }) {
                const auto expected = entry[ids].get<std::vector<TokenId>>();
                QCOMPARE((*tokens)->decode(expected), entry[text].get<std::string>());
                QCOMPARE((*tokens)->encode(entry[text].get<std::string>(), Special::Plain), expected);
            }
        }
    }

    /// Every token's bytes are found again under its own id, except where the vocabulary writes the same
    /// bytes twice.
    void everyTokenHasItsBytes()
    {
        for (const char* folder : { "refact", "gpt-2" }) {
            const auto tokens = tokenizer(rebuilt(folder));
            VERIFY_OK(tokens);
            for (TokenId id = 0; id < static_cast<TokenId>((*tokens)->size()); ++id)
                if (!(*tokens)->isSpecial(id))
                    QCOMPARE((*tokens)->find((*tokens)->piece(id)).value(), id);
        }
    }

    /// The texts that Jinja 3.1.6 renders from the same templates, with BOS "<bos>" and EOS "<eos>".
    void chatFormsWriteWhatTheTemplatesWrite()
    {
        const std::vector<std::vector<Message>> conversations{ { { "user", "Hi" } },
                                                               { { "system", "Be brief. " },
                                                                 { "user", " Why? " },
                                                                 { "assistant", " So. " },
                                                                 { "user", "And\nthen?" } } };
        const std::vector<std::tuple<std::string, std::string, std::size_t, std::string>> expected{
            { "HuggingFaceTB-SmolLM3-3B", "SmolLM3", 1,
              "<|im_start|>system\n## Metadata\n\nKnowledge Cutoff Date: June 2025\nReasoning Mode: "
              "/think\n\n## Custom Instructions\n\nBe brief.\n\n<|im_end|>\n<|im_start|>user\n Why? "
              "<|im_end|>\n<|im_start|>assistant\n So. "
              "<|im_end|>\n<|im_start|>user\nAnd\nthen?<|im_end|>\n<|im_start|>assistant\n" },
            { "Qwen-Qwen2.5-7B-Instruct", "ChatML", 0,
              "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful "
              "assistant.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n" },
            { "Qwen-Qwen2.5-7B-Instruct", "ChatML", 1,
              "<|im_start|>system\nBe brief. <|im_end|>\n<|im_start|>user\n Why? "
              "<|im_end|>\n<|im_start|>assistant\n So. "
              "<|im_end|>\n<|im_start|>user\nAnd\nthen?<|im_end|>\n<|im_start|>assistant\n" },
            { "google-gemma-2-2b-it", "Gemma", 0,
              "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n" },
            { "meta-llama-Llama-3.1-8B-Instruct", "Llama 3", 0,
              "<bos><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December "
              "2023\nToday Date: 26 Jul "
              "2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>"
              "assistant<|end_header_id|>\n\n" },
            { "meta-llama-Llama-3.1-8B-Instruct", "Llama 3", 1,
              "<bos><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December "
              "2023\nToday Date: 26 Jul 2024\n\nBe "
              "brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|><|start_header_id|>"
              "assistant<|end_header_id|>\n\nSo.<|eot_id|><|start_header_id|>user<|end_header_id|>"
              "\n\nAnd\nthen?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n" },
            { "microsoft-Phi-3.5-mini-instruct", "Phi-3", 0, "<|user|>\nHi<|end|>\n<|assistant|>\n" },
            { "microsoft-Phi-3.5-mini-instruct", "Phi-3", 1,
              "<|system|>\nBe brief. <|end|>\n<|user|>\n Why? <|end|>\n<|assistant|>\n So. "
              "<|end|>\n<|user|>\nAnd\nthen?<|end|>\n<|assistant|>\n" },
            { "mistralai-Mistral-Nemo-Instruct-2407", "Mistral", 0, "<bos>[INST]Hi[/INST]" },
            { "mistralai-Mistral-Nemo-Instruct-2407", "Mistral", 1,
              "<bos>[INST] Why? [/INST] So. <eos>[INST]Be brief. \n\nAnd\nthen?[/INST]" },
            { "vocab phi-3", "Phi-3", 0, "<bos><|user|>\nHi<|end|>\n<|assistant|>\n" },
            { "vocab phi-3", "Phi-3", 1,
              "<bos><|user|>\n Why? <|end|>\n<|assistant|>\n So. "
              "<|end|>\n<|user|>\nAnd\nthen?<|end|>\n<|assistant|>\n" },
            { "vocab qwen2", "ChatML", 0,
              "<|im_start|>system\nYou are a helpful "
              "assistant<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n" },
            { "vocab qwen2", "ChatML", 1,
              "<|im_start|>system\nBe brief. <|im_end|>\n<|im_start|>user\n Why? "
              "<|im_end|>\n<|im_start|>assistant\n So. "
              "<|im_end|>\n<|im_start|>user\nAnd\nthen?<|im_end|>\n<|im_start|>assistant\n" },
        };
        for (const auto& [file, name, conversation, rendered] : expected) {
            std::string jinja;
            if (file.compare(0, 6, "vocab ") == 0) {
                const auto gguf = formats::Gguf::open(
                    sharedData / "tokenizers/llama.cpp-vocabs" / ("ggml-vocab-" + file.substr(6) + ".gguf"));
                VERIFY_OK(gguf);
                jinja = gguf->text("tokenizer.chat_template").value_or("");
            } else
                jinja = bytesOf(sharedData / "tokenizers/chat-templates" / (file + ".jinja"));
            const ChatTemplate form = ChatTemplate::recognise(jinja, "<bos>", "<eos>");
            QCOMPARE(form.name(), name);
            QCOMPARE(form.prompt(conversations[conversation]), rendered);
        }
    }
};

QTEST_GUILESS_MAIN(TestSharedTokenizers)
#include "tst_shared_tokenizers.moc"
