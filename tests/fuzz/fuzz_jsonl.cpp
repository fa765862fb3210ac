// Tables of texts: JSON Lines, JSON arrays, CSV, each also gzipped.
#include "core/formats/lines.h"
#include "tests/fuzz/fuzz_input.h"

using namespace lodestone;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const fuzz::InputFile file(data, size);
    const auto table = formats::readTable(file.path());
    if (!table)
        return 0;
    for (const formats::TableRow& row : table->rows) {
        fuzz::require(row.value.is_object() && row.line > 0);
        const nlohmann::json copy = row.value;
        fuzz::require(!copy.dump().empty()); // every text is UTF-8
    }
    for (const formats::BadRow& row : table->bad)
        fuzz::require(!row.error.message().empty());
    return 0;
}
