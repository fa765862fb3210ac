// The tokenizer of a model's folder, from whichever of the usual files are there.
#include "core/base/files.h"
#include "core/formats/byte_reader.h"
#include "core/formats/lines.h"
#include "core/text/tokenizer_files.h"

#include <algorithm>

namespace lodestone::text {
namespace {

using nlohmann::json;

bool isFile(const std::filesystem::path& path)
{
    std::error_code error;
    return std::filesystem::is_regular_file(path, error);
}

/// "bos_token" of tokenizer_config.json: a text, or an object with one.
std::string nameOf(const json& config, const char* key)
{
    if (!config.is_object() || !config.contains(key))
        return {};
    const json& value = config[key];
    if (value.is_string())
        return value.get<std::string>();
    const bool object = value.is_object() && value.contains("content") && value["content"].is_string();
    return object ? value["content"].get<std::string>() : std::string();
}

std::optional<TokenId> idOf(const Vocabulary& vocabulary, const std::string& text)
{
    if (text.empty())
        return std::nullopt;
    const auto& tokens = vocabulary.tokens();
    const auto found = std::find_if(tokens.begin(), tokens.end(), [&](const Token& token) {
        return token.kind != TokenKind::Normal && token.bytes == text;
    });
    return found == tokens.end() ? vocabulary.find(text)
                                 : std::optional(static_cast<TokenId>(found - tokens.begin()));
}

/// Marks that stand beside a tokenizer.model.
Result<std::vector<Mark>> addedBeside(const std::filesystem::path& folder, const json& config)
{
    if (config.is_object() && config.contains("added_tokens_decoder"))
        return readAddedTokens(
            config["added_tokens_decoder"],
            (folder / "tokenizer_config.json").string() + ", added_tokens_decoder");
    std::vector<Mark> marks;
    const std::filesystem::path file = folder / "added_tokens.json";
    if (!isFile(file))
        return marks;
    LODESTONE_TRY(const json document, formats::readJson(file));
    if (!document.is_object())
        return badInput("an object of texts and ids", document.type_name(), file.string());
    for (const auto& [text, id] : document.items()) {
        if (!id.is_number_unsigned() || id.get<std::uint64_t>() > 0x7fffffffu)
            return badInput(
                "an id", id.dump().substr(0, 60), file.string() + ", '" + formats::shownName(text) + "'");
        marks.push_back({ text, id.get<TokenId>() });
    }
    return marks;
}

/// BOS, EOS and what ends a reply, from tokenizer_config.json and what the tokenizer's own file says.
void addSpecialIds(TokenizerParts& parts, const json& config, bool bosByDefault)
{
    if (const auto id = idOf(*parts.vocabulary, nameOf(config, "bos_token")))
        parts.bos = id;
    if (const auto id = idOf(*parts.vocabulary, nameOf(config, "eos_token")))
        parts.eos = id;
    const auto flag = [&](const char* key, bool fallback) {
        return config.is_object() && config.contains(key) && config[key].is_boolean()
            ? config[key].get<bool>()
            : fallback;
    };
    if (!parts.saysWhatSurrounds) {
        if (parts.bos && flag("add_bos_token", bosByDefault))
            parts.before.push_back(*parts.bos);
        if (parts.eos && flag("add_eos_token", false))
            parts.after.push_back(*parts.eos);
    }
    if (!parts.bos && parts.before.size() == 1)
        parts.bos = parts.before.front();
    if (parts.eos)
        parts.ends.push_back(*parts.eos);
    addEndsByText(parts);
}

Result<std::shared_ptr<const Tokenizer>> finished(TokenizerParts parts, const json& config, bool bosByDefault)
{
    addSpecialIds(parts, config, bosByDefault);
    return std::make_shared<const Tokenizer>(std::move(parts));
}

} // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::fromFolder(const std::filesystem::path& folder)
{
    json config;
    if (isFile(folder / "tokenizer_config.json")) {
        LODESTONE_TRY(config, formats::readJson(folder / "tokenizer_config.json"));
    }
    if (isFile(folder / "tokenizer.json")) {
        LODESTONE_TRY(TokenizerParts parts, readTokenizerJson(folder / "tokenizer.json"));
        return finished(std::move(parts), config, false);
    }
    if (isFile(folder / "tokenizer.model")) {
        LODESTONE_TRY(const std::vector<Mark> added, addedBeside(folder, config));
        LODESTONE_TRY(TokenizerParts parts, readSentencePiece(folder / "tokenizer.model", added));
        return finished(std::move(parts), config, true);
    }
    return badInput("tokenizer.json or tokenizer.model", "neither", folder.string());
}

Result<std::string> chatTemplateText(const std::filesystem::path& model)
{
    std::error_code error;
    if (!std::filesystem::is_directory(model, error)) {
        if (model.extension() == ".json" || model.extension() == ".model" || model.extension() == ".bin")
            return std::string();
        LODESTONE_TRY(const formats::Gguf file, formats::Gguf::open(model));
        return file.text("tokenizer.chat_template").value_or("");
    }
    if (isFile(model / "chat_template.jinja"))
        return readFile(model / "chat_template.jinja", 1u << 22u);
    if (!isFile(model / "tokenizer_config.json"))
        return std::string();
    LODESTONE_TRY(const json config, formats::readJson(model / "tokenizer_config.json"));
    return config.is_object() && config.contains("chat_template") && config["chat_template"].is_string()
        ? config["chat_template"].get<std::string>()
        : std::string();
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::open(const std::filesystem::path& path)
{
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
        return fromFolder(path);
    const std::filesystem::path extension = path.extension();
    if (extension == ".json") {
        LODESTONE_TRY(TokenizerParts parts, readTokenizerJson(path));
        return finished(std::move(parts), {}, false);
    }
    if (extension == ".model") {
        LODESTONE_TRY(TokenizerParts parts, readSentencePiece(path));
        return finished(std::move(parts), {}, false);
    }
    if (extension == ".bin")
        return fromLlama2c(path);
    LODESTONE_TRY(const formats::Gguf file, formats::Gguf::open(path));
    return fromGguf(file);
}

} // namespace lodestone::text
