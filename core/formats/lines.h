// Tables of texts as people have them: JSON Lines (also gzipped), JSON arrays and CSV, read row by row with
// row numbers.
#pragma once

#include "core/base/error.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lodestone::formats {

/// The file's text, unpacked when it is gzip (by content, not by name); at most `limit` bytes unpacked.
Result<std::string> readText(const std::filesystem::path& path, std::size_t limit = std::size_t(1) << 31);

/// One row of a table and the line it began at (1-based; of a JSON array: which element it is).
struct TableRow {
    nlohmann::json value; ///< an object; CSV rows are objects of texts
    std::size_t line = 0;
};
/// A row that could not be read.
struct BadRow {
    Error error;
    std::size_t line = 0;
};
struct Table {
    std::vector<TableRow> rows;
    std::vector<BadRow> bad; ///< in order
    std::string unit = "line"; ///< what `line` counts: "line" or "element"
};

/// Reads .jsonl, .json (an array of objects), .csv, each optionally gzipped, by content: a text that starts
/// with '[' is a JSON array, with '{' JSON Lines, else CSV with a header line (RFC 4180). Bad rows are
/// collected, not fatal; an unreadable file is.
Result<Table> readTable(const std::filesystem::path& path);

/// One JSON document; the error names the line and column.
Result<nlohmann::json> parseJson(std::string_view text, const std::string& where);
Result<nlohmann::json> readJson(const std::filesystem::path& path);

} // namespace lodestone::formats
