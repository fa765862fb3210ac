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
std::vector<Vector> vectors(const std::string& name)
{
    const std::filesystem::path folder = sharedData / "tokenizers/llama.cpp-tests";
    const std::string texts = bytesOf(folder / ("ggml-vocab-" + name + ".gguf.inp"));
    std::istringstream ids(bytesOf(folder / ("ggml-vocab-" + name + ".gguf.out")));
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

Result<std::shared_ptr<const Tokenizer>> tokenizer(const std::string& folder)
{
    LODESTONE_TRY(
        const formats::Gguf file,
        formats::Gguf::open(sharedData / "tokenizers" / folder / "vocab.rebuilt.gguf"));
    return Tokenizer::fromGguf(file);
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

    void idsEqualThePublishedOnes_data()
    {
        QTest::addColumn<QByteArray>("folder");
        QTest::newRow("refact") << QByteArray("refact");
        QTest::newRow("gpt-2") << QByteArray("gpt-2");
    }
    void idsEqualThePublishedOnes()
    {
        QFETCH(QByteArray, folder);
        const auto tokens = tokenizer(folder.toStdString());
        VERIFY_OK(tokens);
        const std::vector<Vector> all = vectors(folder.toStdString());
        QVERIFY2(all.size() >= 40, qPrintable(QString::number(all.size())));
        for (const Vector& vector : all) {
            const auto ids = (*tokens)->encode(vector.text, Special::Plain);
            if (ids != vector.ids)
                qWarning("text: %s", vector.text.c_str());
            QCOMPARE(ids, vector.ids);
            QCOMPARE((*tokens)->decode(ids), vector.text);
            QCOMPARE((*tokens)->encode(vector.text, Special::Parse), vector.ids);
        }
    }

    void gpt2WritesTheReferencesTexts()
    {
        const auto tokens = tokenizer("gpt-2");
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
            const auto tokens = tokenizer(folder);
            VERIFY_OK(tokens);
            for (TokenId id = 0; id < static_cast<TokenId>((*tokens)->size()); ++id)
                if (!(*tokens)->isSpecial(id))
                    QCOMPARE((*tokens)->find((*tokens)->piece(id)).value(), id);
        }
    }

    void otherKindsOfTokenizersAreNamed()
    {
        for (const auto& [name, said] :
             { std::pair("llama-spm", "'llama'"), std::pair("llama-bpe", "a pre-tokenizer among") }) {
            const auto file = formats::Gguf::open(
                sharedData / "tokenizers/llama.cpp-vocabs" / (std::string("ggml-vocab-") + name + ".gguf"));
            VERIFY_OK(file);
            const auto tokens = Tokenizer::fromGguf(*file);
            if (tokens) // read by now: then its published ids must come out
                for (const Vector& vector : vectors(name))
                    QCOMPARE((*tokens)->encode(vector.text, Special::Plain), vector.ids);
            else
                VERIFY_FAILS(tokens, said);
        }
    }

    void chatFormsAreRecognised()
    {
        const std::filesystem::path folder = sharedData / "tokenizers/chat-templates";
        const ChatTemplate qwen = ChatTemplate::recognise(bytesOf(folder / "Qwen-Qwen2.5-7B-Instruct.jinja"));
        QCOMPARE(qwen.name(), std::string("ChatML"));
        QCOMPARE(
            qwen.prompt({ { "user", "Hi" } }),
            std::string("<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful "
                        "assistant.<|im_end|>\n"
                        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"));
        for (const char* name : { "google-gemma-2-2b-it", "meta-llama-Llama-3.1-8B-Instruct",
                                  "mistralai-Mistral-Nemo-Instruct-2407" })
            QVERIFY(
                ChatTemplate::recognise(bytesOf(folder / (std::string(name) + ".jinja"))).name() != "ChatML");
    }
};

QTEST_GUILESS_MAIN(TestSharedTokenizers)
#include "tst_shared_tokenizers.moc"
