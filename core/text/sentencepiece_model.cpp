// The tokenizer.model of the SentencePiece library: a protocol buffer (sentencepiece_model.proto) whose wire
// format is read here, field by field and never beyond the bytes that are there.
#include "core/formats/byte_reader.h"
#include "core/formats/mapped_file.h"
#include "core/text/sentencepiece.h"
#include "core/text/tokenizer_files.h"

namespace lodestone::text {
namespace {

/// One field of a message: a number (wire types 0, 1, 5) or bytes (type 2).
struct Field {
    std::uint32_t number = 0;
    std::uint32_t wire = 0;
    std::uint64_t value = 0;
    std::span<const std::byte> bytes;

    std::string text() const { return { reinterpret_cast<const char*>(bytes.data()), bytes.size() }; }
    float real() const { return std::bit_cast<float>(static_cast<std::uint32_t>(value)); }
};

/// Walks over the fields of one message.
class Message {
public:
    Message(std::span<const std::byte> bytes, const std::string& where)
        : m_reader(bytes, where)
    {
    }

    bool atEnd() const { return m_reader.left() == 0; }

    Result<Field> next()
    {
        LODESTONE_TRY(const std::uint64_t key, varint());
        Field field;
        field.number = static_cast<std::uint32_t>(key >> 3u);
        field.wire = static_cast<std::uint32_t>(key & 7u);
        if (field.number == 0 || key >> 32u != 0)
            return badInput("a field number", std::to_string(key >> 3u), m_reader.where("protocol buffer"));
        if (field.wire == 0) {
            LODESTONE_TRY(field.value, varint());
        } else if (field.wire == 1) {
            LODESTONE_TRY(field.value, m_reader.read<std::uint64_t>("64-bit field"));
        } else if (field.wire == 5) {
            LODESTONE_TRY(field.value, m_reader.read<std::uint32_t>("32-bit field"));
        } else if (field.wire == 2) {
            LODESTONE_TRY(const std::uint64_t length, varint());
            LODESTONE_TRY(field.bytes, m_reader.take(length, "field of bytes"));
        } else
            return badInput(
                "a wire type among 0, 1, 2, 5", std::to_string(field.wire),
                m_reader.where("protocol buffer"));
        return field;
    }

    /// What was found where another wire type was due.
    tl::unexpected<Error> wrong(const char* expected, const Field& field) const
    {
        return badInput(
            expected, fmt::format("wire type {}", field.wire),
            m_reader.where(fmt::format("field {}", field.number)));
    }

private:
    Result<std::uint64_t> varint()
    {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            LODESTONE_TRY(const auto byte, m_reader.read<std::uint8_t>("variable-length number"));
            value |= static_cast<std::uint64_t>(byte & 0x7fu) << shift;
            if (byte < 0x80)
                return value;
        }
        return badInput("a number of at most 10 bytes", "a longer one", m_reader.where("protocol buffer"));
    }

    formats::ByteReader m_reader;
};

/// What the model says of itself; the fields' defaults are those of the .proto.
struct ModelFile {
    std::vector<Token> tokens;
    bool bpe = false, suffixBlanks = false;
    std::uint64_t modelType = 1;
    std::int32_t unknown = 0, bos = 1, eos = 2;
    std::string table;
    bool prefix = true, removeExtra = true, escape = true;
};

Result<Token> readPiece(std::span<const std::byte> bytes, const std::string& where)
{
    Message message(bytes, where);
    Token token;
    while (!message.atEnd()) {
        LODESTONE_TRY(const Field field, message.next());
        if (field.number == 1 && field.wire != 2)
            return message.wrong("a text", field);
        if (field.number == 2 && field.wire != 5)
            return message.wrong("a 32-bit real number", field);
        if (field.number == 3 && (field.wire != 0 || field.value < 1 || field.value > 6))
            return badInput("a kind from 1 to 6", std::to_string(field.value), where);
        if (field.number == 1)
            token.bytes = field.text();
        else if (field.number == 2)
            token.score = field.real();
        else if (field.number == 3)
            token.kind = static_cast<TokenKind>(field.value);
    }
    if (token.bytes.empty())
        return badInput("a piece with a text", "an empty one", where);
    if (!(token.score > -1e30F && token.score < 1e30F))
        return badInput("a finite score", fmt::format("{}", token.score), where);
    return token;
}

Result<void> readTrainer(std::span<const std::byte> bytes, const std::string& where, ModelFile& model)
{
    Message message(bytes, where);
    while (!message.atEnd()) {
        LODESTONE_TRY(const Field field, message.next());
        const bool known
            = field.number == 3 || field.number == 24 || (field.number >= 40 && field.number <= 42);
        if (known && field.wire != 0)
            return message.wrong("a number", field);
        if (field.number == 3)
            model.modelType = field.value;
        else if (field.number == 24)
            model.suffixBlanks = field.value != 0;
        else if (known)
            (field.number == 40       ? model.unknown
                 : field.number == 41 ? model.bos
                                      : model.eos)
                = static_cast<std::int32_t>(field.value);
    }
    return {};
}

Result<void> readNormaliser(std::span<const std::byte> bytes, const std::string& where, ModelFile& model)
{
    Message message(bytes, where);
    while (!message.atEnd()) {
        LODESTONE_TRY(const Field field, message.next());
        if (field.number == 2 && field.wire != 2)
            return message.wrong("bytes", field);
        if (field.number >= 3 && field.number <= 5 && field.wire != 0)
            return message.wrong("a flag", field);
        if (field.number == 2)
            model.table = field.text();
        else if (field.number >= 3 && field.number <= 5)
            (field.number == 3       ? model.prefix
                 : field.number == 4 ? model.removeExtra
                                     : model.escape)
                = field.value != 0;
    }
    return {};
}

Result<ModelFile> readModel(std::span<const std::byte> bytes, const std::string& where)
{
    ModelFile model;
    Message message(bytes, where);
    while (!message.atEnd()) {
        LODESTONE_TRY(const Field field, message.next());
        if (field.number >= 1 && field.number <= 3 && field.wire != 2)
            return message.wrong("a message", field);
        if (field.number == 1) {
            LODESTONE_TRY(
                Token token, readPiece(field.bytes, fmt::format("{}, piece {}", where, model.tokens.size())));
            model.tokens.push_back(std::move(token));
        } else if (field.number == 2) {
            LODESTONE_CHECK(readTrainer(field.bytes, where + ", trainer_spec", model));
        } else if (field.number == 3) {
            LODESTONE_CHECK(readNormaliser(field.bytes, where + ", normalizer_spec", model));
        }
    }
    if (model.tokens.empty())
        return badInput("a SentencePiece model", "no pieces", where);
    if (model.modelType != 1 && model.modelType != 2)
        return badInput(
            "a unigram (1) or BPE (2) model", fmt::format("model_type {}", model.modelType), where);
    if (model.suffixBlanks || !model.escape)
        return badInput(
            "blanks before words, written as U+2581", "another rule", where + ", normalizer_spec");
    model.bpe = model.modelType == 2;
    return model;
}

} // namespace

Result<TokenizerParts> readSentencePiece(const std::filesystem::path& path, const std::vector<Mark>& added)
{
    const std::string where = path.string();
    LODESTONE_TRY(const formats::MappedFile file, formats::MappedFile::open(path));
    LODESTONE_TRY(ModelFile model, readModel(file.bytes(), where));
    std::vector<Mark> marks = added;
    std::vector<PrefixIndex::Entry> symbols;
    for (std::size_t i = 0; i < model.tokens.size(); ++i) {
        Token& token = model.tokens[i];
        if (token.kind == TokenKind::Byte) {
            const auto byte = byteOfName(token.bytes);
            if (!byte)
                return badInput(
                    "a byte's name such as <0x0A>", "'" + formats::shownName(token.bytes) + "'",
                    fmt::format("{}, piece {}", where, i));
            token.bytes = std::string(1, static_cast<char>(*byte));
        } else if (token.kind == TokenKind::Control || token.kind == TokenKind::Unknown)
            marks.push_back({ token.bytes, static_cast<TokenId>(i) });
        else {
            if (token.kind == TokenKind::UserDefined)
                symbols.push_back({ token.bytes, static_cast<TokenId>(i) });
            token.bytes = withBlanks(token.bytes);
        }
    }
    LODESTONE_CHECK(addMarks(model.tokens, added, where));

    TokenizerParts parts;
    const auto controlOf = [&](std::int32_t id) -> std::optional<TokenId> {
        const bool is = id >= 0 && static_cast<std::size_t>(id) < model.tokens.size()
            && model.tokens[static_cast<std::size_t>(id)].kind == TokenKind::Control;
        return is ? std::optional<TokenId>(id) : std::nullopt;
    };
    parts.bos = controlOf(model.bos);
    parts.eos = controlOf(model.eos);
    const std::size_t size = model.tokens.size();
    parts.vocabulary = std::make_unique<Vocabulary>(std::move(model.tokens));
    parts.marks = Marks(std::move(marks));
    if (!model.table.empty()) {
        LODESTONE_TRY(
            StepPointer step,
            characterMap(model.table, PrefixIndex(std::move(symbols)), where + ", precompiled_charsmap"));
        parts.normaliser.push_back(std::move(step));
    }
    parts.normaliser.push_back(blanks({ model.prefix, true, model.removeExtra }));
    parts.blankBefore = parts.blankAfterMark = model.prefix;
    parts.segmenter = model.bpe ? makeScoreBpe(*parts.vocabulary) : makeUnigram(*parts.vocabulary);
    parts.description = fmt::format("SentencePiece {}, {} tokens", model.bpe ? "BPE" : "unigram", size);
    return parts;
}

} // namespace lodestone::text
