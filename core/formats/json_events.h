// JSON read as a stream of events: a header of the expected form is taken in without building a document,
// whose size a lying file could choose.
#pragma once

#include "core/base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace lodestone::formats {

/// What a reader is told. Each function returns whether to go on; `refuse` says why not. Depth counts the
/// open objects and arrays, so that the keys of the outermost object come at depth 1.
class JsonEvents {
public:
    virtual ~JsonEvents() = default;
    virtual bool beginObject() { return refuse("no object here", "{"); }
    virtual bool endObject() { return true; }
    virtual bool key(std::string&) { return true; }
    virtual bool beginArray() { return refuse("no array here", "["); }
    virtual bool endArray() { return true; }
    virtual bool text(std::string& value) { return refuse("no text here", "'" + value.substr(0, 40) + "'"); }
    virtual bool number(std::uint64_t value) { return refuse("no number here", std::to_string(value)); }
    /// Anything else: a negative or fractional number, a boolean, null.
    virtual bool other(std::string_view what) { return refuse("a value of another kind", std::string(what)); }

    /// Remembers the error and stops the reading.
    bool refuse(std::string expected, std::string found);

    Error error;
    std::size_t depth = 0;
};

/// Reads one JSON document; an error of syntax names the byte.
Result<void> readJsonEvents(std::string_view json, const std::string& where, JsonEvents& events);

} // namespace lodestone::formats
