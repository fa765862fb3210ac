// tokenizer.json, and by the first byte of the input instead SentencePiece models, llama2.c vocabularies and
// chat templates; what is read must encode any bytes.
#include "core/text/chat_template.h"
#include "core/text/tokenizer_files.h"
#include "tests/fuzz/fuzz_input.h"

using namespace lodestone;

namespace {

void use(const text::Tokenizer& tokenizer, std::string_view text)
{
    for (const text::Special special :
         { text::Special::Parse, text::Special::Continue, text::Special::Plain })
        for (const text::TokenId id : tokenizer.encode(text, special))
            fuzz::require(tokenizer.contains(id));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::string_view sample = "ab <s>  the\xff\xc3\xa4\xf0\x9f\x98\x80 12\n\n\xe2\x96\x81";
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    if (size > 0 && data[0] == '%') { // a chat template
        const text::ChatTemplate form
            = text::ChatTemplate::recognise(std::string_view(bytes).substr(1), "<s>", "</s>");
        fuzz::require(!form.name().empty());
        form.prompt({ { "system", "x" }, { "user", "y" }, { "assistant", "z" }, { "user", "" } });
        return 0;
    }
    const bool protocolBuffer = size > 0 && data[0] == '\n';
    const fuzz::InputFile file(data, size);
    auto parts = protocolBuffer ? text::readSentencePiece(file.path()) : text::readTokenizerJson(file.path());
    if (!parts) {
        fuzz::require(!parts.error().message().empty());
        if (const auto small = text::Tokenizer::fromLlama2c(file.path()))
            use(**small, sample);
        return 0;
    }
    const text::Tokenizer tokenizer(std::move(*parts));
    use(tokenizer, sample);
    use(tokenizer, bytes.substr(0, 200));
    return 0;
}
