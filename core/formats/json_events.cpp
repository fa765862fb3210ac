#include "core/formats/json_events.h"

#include "core/formats/byte_reader.h"

#include <nlohmann/json.hpp>

namespace lodestone::formats {
namespace {

using Json = nlohmann::json;

/// Hands the library's events on and counts the depth.
class Relay : public nlohmann::json_sax<Json> {
public:
    explicit Relay(JsonEvents& events)
        : m_events(events)
    {
    }

    bool null() override { return m_events.other("null"); }
    bool boolean(bool value) override { return m_events.other(value ? "true" : "false"); }
    bool number_integer(Json::number_integer_t value) override
    {
        return m_events.other("the number " + std::to_string(value));
    }
    bool number_unsigned(Json::number_unsigned_t value) override { return m_events.number(value); }
    bool number_float(Json::number_float_t, const Json::string_t& text) override
    {
        return m_events.other("the number " + text.substr(0, 40));
    }
    bool string(Json::string_t& value) override { return m_events.text(value); }
    bool binary(Json::binary_t&) override { return m_events.other("binary data"); }
    bool start_object(std::size_t) override
    {
        if (!m_events.beginObject())
            return false;
        ++m_events.depth;
        return true;
    }
    bool key(Json::string_t& value) override { return m_events.key(value); }
    bool end_object() override
    {
        --m_events.depth;
        return m_events.endObject();
    }
    bool start_array(std::size_t) override
    {
        if (!m_events.beginArray())
            return false;
        ++m_events.depth;
        return true;
    }
    bool end_array() override
    {
        --m_events.depth;
        return m_events.endArray();
    }
    bool parse_error(std::size_t position, const std::string& token, const Json::exception&) override
    {
        m_events.error.expected = "JSON";
        m_events.error.found
            = fmt::format("an error of syntax at byte {} near '{}'", position, shownName(token));
        return false;
    }

private:
    JsonEvents& m_events;
};

} // namespace

bool JsonEvents::refuse(std::string expected, std::string found)
{
    error.expected = std::move(expected);
    error.found = std::move(found);
    return false;
}

Result<void> readJsonEvents(std::string_view json, const std::string& where, JsonEvents& events)
{
    Relay relay(events);
    if (Json::sax_parse(json.begin(), json.end(), &relay))
        return {};
    events.error.kind = ErrorKind::BadInput;
    events.error.where = events.error.where.empty() ? where : where + ", " + events.error.where;
    return tl::unexpected(events.error);
}

} // namespace lodestone::formats
