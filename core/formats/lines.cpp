#include "core/formats/lines.h"

#include "core/base/files.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <zlib.h>

namespace lodestone::formats {
namespace {

using nlohmann::json;

constexpr std::size_t jsonDepthLimit = 256;

/// Splits RFC 4180 text into records; a record's first line is kept for messages.
struct CsvRecord {
    std::vector<std::string> cells;
    std::size_t line = 0;
    bool closed = true; ///< false when a quoted cell never ended
};

std::vector<CsvRecord> splitCsv(std::string_view text)
{
    std::vector<CsvRecord> records;
    std::size_t line = 1, at = 0;
    while (at < text.size()) {
        CsvRecord record;
        record.line = line;
        std::string cell;
        bool quoted = false, ended = false;
        while (!ended) {
            if (at >= text.size()) {
                record.closed = !quoted;
                break;
            }
            const char c = text[at++];
            if (c == '\n')
                ++line;
            if (quoted) {
                if (c != '"')
                    cell += c;
                else if (at < text.size() && text[at] == '"') {
                    cell += '"';
                    ++at;
                } else
                    quoted = false;
            } else if (c == '"' && cell.empty())
                quoted = true;
            else if (c == ',') {
                record.cells.push_back(std::move(cell));
                cell.clear();
            } else if (c == '\n')
                ended = true;
            else if (c != '\r')
                cell += c;
        }
        record.cells.push_back(std::move(cell));
        if (record.cells.size() > 1 || !record.cells[0].empty())
            records.push_back(std::move(record));
    }
    return records;
}

/// How deep brackets are open at most, texts left out. Deep documents would overflow the stack where they are
/// copied or printed.
std::size_t nesting(std::string_view text)
{
    std::size_t depth = 0, deepest = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            i += c == '\\' ? 1 : 0;
            quoted = c != '"';
        } else if (c == '"')
            quoted = true;
        else if (c == '[' || c == '{')
            deepest = std::max(deepest, ++depth);
        else if ((c == ']' || c == '}') && depth > 0)
            --depth;
    }
    return deepest;
}

bool isUtf8(const std::string& text)
{
    try {
        (void)json(text).dump(); // the strict check that every text of JSON goes through as well
        return true;
    } catch (const json::exception&) {
        return false;
    }
}

Table tableOfCsv(std::string_view text, const std::string& name)
{
    Table table;
    const std::vector<CsvRecord> records = splitCsv(text);
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto reject = [&](std::string expected, std::string found) {
            table.bad.push_back({ { ErrorKind::BadInput, std::move(expected), std::move(found),
                                    fmt::format("{}, line {}", name, records[i].line) },
                                  records[i].line });
        };
        if (!records[i].closed) {
            reject("a closing quotation mark", "the end of the file");
            continue;
        }
        if (!std::all_of(records[i].cells.begin(), records[i].cells.end(), isUtf8)) {
            reject("text in UTF-8", "other bytes");
            if (i == 0) // without a header no row can be read
                return table;
            continue;
        }
        if (i == 0)
            continue;
        if (records[i].cells.size() != records[0].cells.size()) {
            reject(
                fmt::format("{} cells as in the header", records[0].cells.size()),
                fmt::format("{}", records[i].cells.size()));
            continue;
        }
        json row = json::object();
        for (std::size_t k = 0; k < records[i].cells.size(); ++k)
            row[records[0].cells[k]] = records[i].cells[k];
        table.rows.push_back({ std::move(row), records[i].line });
    }
    return table;
}

} // namespace

Result<std::string> readText(const std::filesystem::path& path, std::size_t limit)
{
    LODESTONE_TRY(std::string bytes, readFile(path, limit));
    if (bytes.size() < 2 || std::memcmp(bytes.data(), "\x1f\x8b", 2) != 0)
        return bytes;
    const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), &gzclose);
    if (!file)
        return badInput("a readable gzip file", "none", path.string());
    std::string text;
    std::vector<char> block(1u << 16u);
    int got = 0;
    while ((got = gzread(file.get(), block.data(), static_cast<unsigned>(block.size()))) > 0) {
        if (text.size() + static_cast<std::size_t>(got) > limit)
            return badInput(fmt::format("at most {} bytes unpacked", limit), "more", path.string());
        text.append(block.data(), static_cast<std::size_t>(got));
    }
    int code = Z_OK;
    const char* message = gzerror(file.get(), &code);
    if (got < 0 || code != Z_OK)
        return badInput(
            "a whole gzip file", code == Z_BUF_ERROR ? "one that is cut off" : message, path.string());
    return text;
}

Result<json> parseJson(std::string_view text, const std::string& where)
{
    if (nesting(text) > jsonDepthLimit)
        return badInput(fmt::format("JSON at most {} levels deep", jsonDepthLimit), "more levels", where);
    std::size_t byte = 0;
    try {
        return json::parse(text);
    } catch (const json::parse_error& error) {
        byte = error.byte;
    } catch (const json::exception&) { // a number beyond the range of doubles; where it stands is not told
        return badInput("valid JSON", "a number out of range", where);
    }
    const std::size_t at = std::min(byte == 0 ? 0 : byte - 1, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    std::string shown(text.substr(at, 20));
    for (char& c : shown)
        if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126)
            c = '?';
    return badInput(
        "valid JSON", at >= text.size() ? "the end of the text" : fmt::format("'{}' at byte {}", shown, at),
        fmt::format("{}, line {}", where, line));
}

Result<json> readJson(const std::filesystem::path& path)
{
    LODESTONE_TRY(const std::string text, readText(path));
    return parseJson(text, path.string());
}

Result<Table> readTable(const std::filesystem::path& path)
{
    LODESTONE_TRY(const std::string owned, readText(path));
    std::string_view text = owned;
    if (text.substr(0, 3) == "\xef\xbb\xbf")
        text.remove_prefix(3);
    const std::string name = path.string();
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos)
        return badInput("JSON Lines, a JSON array or CSV with a header", "an empty file", name);
    Table table;
    if (text[first] == '[') {
        table.unit = "element";
        LODESTONE_TRY(json document, parseJson(text, name));
        for (std::size_t i = 0; i < document.size(); ++i) {
            if (document[i].is_object())
                table.rows.push_back({ std::move(document[i]), i + 1 });
            else
                table.bad.push_back({ { ErrorKind::BadInput, "an object", document[i].type_name(),
                                        fmt::format("{}, element {}", name, i + 1) },
                                      i + 1 });
        }
        return table;
    }
    if (text[first] != '{')
        return tableOfCsv(text, name);
    std::size_t line = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view row = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++line;
        if (row.find_first_not_of(" \t\r") == std::string_view::npos)
            continue;
        Result<json> value = parseJson(row, name);
        if (!value)
            value.error().where = fmt::format("{}, line {}", name, line);
        if (value && !value->is_object())
            value = badInput("an object", value->type_name(), fmt::format("{}, line {}", name, line));
        if (value)
            table.rows.push_back({ std::move(*value), line });
        else
            table.bad.push_back({ value.error(), line });
    }
    return table;
}

} // namespace lodestone::formats
