#include "core/formats/pickle.h"

#include "core/formats/byte_reader.h"

#include <algorithm>
#include <map>

namespace lodestone::formats {
namespace {

using PickleKind = PickleObject::Kind;

constexpr std::size_t objectLimit = 1'000'000;

constexpr std::string_view orderedDictionary = "collections OrderedDict";
constexpr std::string_view rebuildTensor = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view rebuildParameter = "torch._utils _rebuild_parameter";
constexpr std::string_view torchSize = "torch Size";

bool isAllowed(std::string_view name)
{
    constexpr std::string_view storages[]
        = { "torch DoubleStorage", "torch FloatStorage", "torch HalfStorage",  "torch BFloat16Storage",
            "torch LongStorage",   "torch IntStorage",   "torch ShortStorage", "torch CharStorage",
            "torch ByteStorage",   "torch BoolStorage" };
    return name == orderedDictionary || name == rebuildTensor || name == rebuildParameter || name == torchSize
        || std::find(std::begin(storages), std::end(storages), name) != std::end(storages);
}

/// What the refused opcodes are called, for the message.
std::string opcodeName(unsigned code)
{
    static const std::map<unsigned, const char*> names{
        { '0', "POP" },        { '1', "POP_MARK" },    { '2', "DUP" },          { 'F', "FLOAT" },
        { 'I', "INT" },        { 'L', "LONG" },        { 'P', "PERSID" },       { 'S', "STRING" },
        { 'T', "BINSTRING" },  { 'V', "UNICODE" },     { 'd', "DICT" },         { 'l', "LIST" },
        { 'g', "GET" },        { 'p', "PUT" },         { 'i', "INST" },         { 'o', "OBJ" },
        { 0x81, "NEWOBJ" },    { 0x82, "EXT1" },       { 0x83, "EXT2" },        { 0x84, "EXT4" },
        { 0x8b, "LONG4" },     { 0x8f, "EMPTY_SET" },  { 0x90, "ADDITEMS" },    { 0x91, "FROZENSET" },
        { 0x92, "NEWOBJ_EX" }, { 0x96, "BYTEARRAY8" }, { 0x97, "NEXT_BUFFER" }, { 0x98, "READONLY_BUFFER" },
    };
    const auto found = names.find(code);
    return found != names.end() ? found->second : fmt::format("0x{:02x}", code);
}

class Machine {
public:
    Machine(std::span<const std::byte> bytes, const std::string& file)
        : m_reader(bytes, file)
    {
    }

    Result<Pickle> run()
    {
        while (true) {
            m_at = m_reader.where("opcode");
            LODESTONE_TRY(const auto code, m_reader.read<std::uint8_t>("opcode"));
            if (code == '.')
                break;
            LODESTONE_CHECK(step(code));
            if (m_pickle.objects.size() > objectLimit)
                return badInput(fmt::format("at most {} objects", objectLimit), "more", m_at);
        }
        LODESTONE_TRY(m_pickle.root, pop());
        return std::move(m_pickle);
    }

private:
    template <typename... Parts>
    Result<void> push(PickleKind kind, Parts&&... parts)
    {
        PickleObject object;
        object.kind = kind;
        (set(object, std::forward<Parts>(parts)), ...);
        m_stack.push_back(static_cast<std::uint32_t>(m_pickle.objects.size()));
        m_pickle.objects.push_back(std::move(object));
        return {};
    }
    static void set(PickleObject& object, std::int64_t value) { object.integer = value; }
    static void set(PickleObject& object, double value) { object.real = value; }
    static void set(PickleObject& object, std::string value) { object.text = std::move(value); }
    static void set(PickleObject& object, std::vector<std::uint32_t> items)
    {
        object.items = std::move(items);
    }

    Result<std::uint32_t> pop()
    {
        if (m_stack.empty() || m_stack.size() <= (m_marks.empty() ? 0 : m_marks.back()))
            return badInput("an object on the stack", "none", m_at);
        const std::uint32_t top = m_stack.back();
        m_stack.pop_back();
        return top;
    }
    /// What was pushed since the last mark.
    Result<std::vector<std::uint32_t>> popToMark()
    {
        if (m_marks.empty())
            return badInput("a mark on the stack", "none", m_at);
        const auto from = m_stack.begin() + static_cast<std::ptrdiff_t>(m_marks.back());
        std::vector<std::uint32_t> items(from, m_stack.end());
        m_stack.erase(from, m_stack.end());
        m_marks.pop_back();
        return items;
    }
    Result<std::vector<std::uint32_t>> popSome(int count)
    {
        std::vector<std::uint32_t> items(static_cast<std::size_t>(count));
        for (int i = count; i-- > 0;) {
            LODESTONE_TRY(items[static_cast<std::size_t>(i)], pop());
        }
        return items;
    }
    /// The object on top of the stack, which must be of this kind.
    Result<PickleObject*> top(PickleKind kind, const char* called)
    {
        if (m_stack.empty() || m_stack.size() <= (m_marks.empty() ? 0 : m_marks.back()))
            return badInput(called, "an empty stack", m_at);
        PickleObject& object = m_pickle.objects[m_stack.back()];
        if (object.kind != kind)
            return badInput(called, "another object", m_at);
        return &object;
    }

    template <typename Length>
    Result<std::string> sized()
    {
        LODESTONE_TRY(const auto length, m_reader.read<Length>("length"));
        LODESTONE_TRY(const auto bytes, m_reader.take(length, "text"));
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    Result<std::string> line()
    {
        std::string text;
        for (;;) {
            LODESTONE_TRY(const auto c, m_reader.read<char>("name"));
            if (c == '\n')
                return text;
            if (text.size() == 256)
                return badInput("a name of at most 256 bytes", "a longer one", m_at);
            text += c;
        }
    }
    Result<void> global(const std::string& name)
    {
        if (!isAllowed(name))
            return badInput(
                "a pickle that needs nothing but tensors", "'" + shownName(name) + "', which is not executed",
                m_at);
        return push(PickleKind::Global, name);
    }
    template <typename Length>
    Result<void> text(PickleKind kind)
    {
        LODESTONE_TRY(std::string value, sized<Length>());
        return push(kind, std::move(value));
    }
    template <typename Number>
    Result<void> integer()
    {
        LODESTONE_TRY(const auto value, m_reader.read<Number>("number"));
        return push(PickleKind::Integer, static_cast<std::int64_t>(value));
    }
    Result<void> tuple(int count)
    {
        LODESTONE_TRY(std::vector<std::uint32_t> items, popSome(count));
        return push(PickleKind::Tuple, std::move(items));
    }
    Result<void> memorise(std::uint32_t place)
    {
        if (m_stack.empty())
            return badInput("an object on the stack", "none", m_at);
        m_memo[place] = m_stack.back();
        return {};
    }
    Result<void> recall(std::uint32_t place)
    {
        const auto found = m_memo.find(place);
        if (found == m_memo.end())
            return badInput("an object in the memo", fmt::format("none at {}", place), m_at);
        m_stack.push_back(found->second);
        return {};
    }
    Result<void> append(PickleKind kind, const char* called, const std::vector<std::uint32_t>& items)
    {
        LODESTONE_TRY(PickleObject * target, top(kind, called));
        if (kind == PickleKind::Dictionary && items.size() % 2 != 0)
            return badInput("a value for each key", "a key without one", m_at);
        target->items.insert(target->items.end(), items.begin(), items.end());
        return {};
    }
    Result<void> longInteger()
    {
        LODESTONE_TRY(const auto length, m_reader.read<std::uint8_t>("length"));
        if (length > 8)
            return badInput("an integer of at most 8 bytes", fmt::format("{}", length), m_at);
        LODESTONE_TRY(const auto bytes, m_reader.take(length, "number"));
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i)
            value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
        if (length > 0 && length < 8 && (value >> (8u * length - 1u)) != 0)
            value |= ~std::uint64_t(0) << (8u * length); // two's complement
        return push(PickleKind::Integer, static_cast<std::int64_t>(value));
    }
    Result<void> real()
    {
        LODESTONE_TRY(const auto bytes, m_reader.take(8, "number")); // big-endian
        std::uint64_t bits = 0;
        for (const std::byte byte : bytes)
            bits = bits << 8u | std::to_integer<std::uint64_t>(byte);
        return push(PickleKind::Real, std::bit_cast<double>(bits));
    }
    /// A call: only of names from the allow-list, none of which does anything here but gather its arguments.
    Result<void> reduce()
    {
        LODESTONE_TRY(const std::uint32_t arguments, pop());
        LODESTONE_TRY(const std::uint32_t function, pop());
        const PickleObject& called = m_pickle.at(function);
        const PickleObject& given = m_pickle.at(arguments);
        if (called.kind != PickleKind::Global || given.kind != PickleKind::Tuple)
            return badInput("a call of a name with a tuple", "another object", m_at);
        if (called.text == orderedDictionary && given.items.empty())
            return push(PickleKind::Dictionary);
        if (called.text == rebuildTensor && given.items.size() >= 6)
            return push(
                PickleKind::Tensor, std::vector<std::uint32_t>(given.items.begin(), given.items.begin() + 4));
        if (called.text == torchSize && given.items.size() == 1
            && m_pickle.at(given.items[0]).kind == PickleKind::Tuple) {
            m_stack.push_back(given.items[0]);
            return {};
        }
        if (called.text == rebuildParameter && !given.items.empty()
            && m_pickle.at(given.items[0]).kind == PickleKind::Tensor) {
            m_stack.push_back(given.items[0]);
            return {};
        }
        return badInput(
            "a call that makes a tensor",
            fmt::format("'{}' of {} arguments", called.text, given.items.size()), m_at);
    }
    /// The state of a dictionary (the versions of a model's parts) is of no use here.
    Result<void> build()
    {
        LODESTONE_TRY([[maybe_unused]] const std::uint32_t state, pop());
        LODESTONE_TRY(
            [[maybe_unused]] PickleObject * target, top(PickleKind::Dictionary, "a dictionary to set up"));
        return {};
    }
    Result<void> step(unsigned code);

    ByteReader m_reader;
    std::string m_at;
    Pickle m_pickle;
    std::deque<std::uint32_t> m_stack;
    std::deque<std::size_t> m_marks;
    std::map<std::uint32_t, std::uint32_t> m_memo;
};

Result<void> Machine::step(unsigned code)
{
    switch (code) {
    case 0x80: { // PROTO
        LODESTONE_TRY(const auto version, m_reader.read<std::uint8_t>("protocol"));
        if (version < 2 || version > 5)
            return badInput("pickle protocol 2 to 5", std::to_string(version), m_at);
        return {};
    }
    case 0x95: { // FRAME
        LODESTONE_TRY(const auto length, m_reader.read<std::uint64_t>("frame"));
        if (length > m_reader.left())
            return badInput(
                fmt::format("a frame of {} bytes", length), fmt::format("{}", m_reader.left()), m_at);
        return {};
    }
    case '(': // MARK
        m_marks.push_back(m_stack.size());
        return {};
    case 'N': // NONE
        return push(PickleKind::None);
    case 0x88: // NEWTRUE
        return push(PickleKind::Boolean, std::int64_t(1));
    case 0x89: // NEWFALSE
        return push(PickleKind::Boolean, std::int64_t(0));
    case 'J': // BININT
        return integer<std::int32_t>();
    case 'K': // BININT1
        return integer<std::uint8_t>();
    case 'M': // BININT2
        return integer<std::uint16_t>();
    case 0x8a: // LONG1
        return longInteger();
    case 'G': // BINFLOAT
        return real();
    case 'X': // BINUNICODE
        return text<std::uint32_t>(PickleKind::Text);
    case 0x8c: // SHORT_BINUNICODE
        return text<std::uint8_t>(PickleKind::Text);
    case 0x8d: // BINUNICODE8
        return text<std::uint64_t>(PickleKind::Text);
    case 'U': // SHORT_BINSTRING
        return text<std::uint8_t>(PickleKind::Text);
    case 'C': // SHORT_BINBYTES
        return text<std::uint8_t>(PickleKind::Bytes);
    case 'B': // BINBYTES
        return text<std::uint32_t>(PickleKind::Bytes);
    case 0x8e: // BINBYTES8
        return text<std::uint64_t>(PickleKind::Bytes);
    case ')': // EMPTY_TUPLE
        return push(PickleKind::Tuple);
    case 0x85: // TUPLE1
    case 0x86: // TUPLE2
    case 0x87: // TUPLE3
        return tuple(static_cast<int>(code) - 0x84);
    case 't': { // TUPLE
        LODESTONE_TRY(std::vector<std::uint32_t> items, popToMark());
        return push(PickleKind::Tuple, std::move(items));
    }
    case ']': // EMPTY_LIST
        return push(PickleKind::List);
    case '}': // EMPTY_DICT
        return push(PickleKind::Dictionary);
    case 'a': { // APPEND
        LODESTONE_TRY(const std::uint32_t item, pop());
        return append(PickleKind::List, "a list to append to", { item });
    }
    case 'e': { // APPENDS
        LODESTONE_TRY(const std::vector<std::uint32_t> items, popToMark());
        return append(PickleKind::List, "a list to append to", items);
    }
    case 's': { // SETITEM
        LODESTONE_TRY(const std::vector<std::uint32_t> items, popSome(2));
        return append(PickleKind::Dictionary, "a dictionary to fill", items);
    }
    case 'u': { // SETITEMS
        LODESTONE_TRY(const std::vector<std::uint32_t> items, popToMark());
        return append(PickleKind::Dictionary, "a dictionary to fill", items);
    }
    case 'q': { // BINPUT
        LODESTONE_TRY(const auto place, m_reader.read<std::uint8_t>("memo"));
        return memorise(place);
    }
    case 'r': { // LONG_BINPUT
        LODESTONE_TRY(const auto place, m_reader.read<std::uint32_t>("memo"));
        return memorise(place);
    }
    case 0x94: // MEMOIZE
        return memorise(static_cast<std::uint32_t>(m_memo.size()));
    case 'h': { // BINGET
        LODESTONE_TRY(const auto place, m_reader.read<std::uint8_t>("memo"));
        return recall(place);
    }
    case 'j': { // LONG_BINGET
        LODESTONE_TRY(const auto place, m_reader.read<std::uint32_t>("memo"));
        return recall(place);
    }
    case 'c': { // GLOBAL
        LODESTONE_TRY(const std::string module, line());
        LODESTONE_TRY(const std::string name, line());
        return global(module + " " + name);
    }
    case 0x93: { // STACK_GLOBAL
        LODESTONE_TRY(const std::vector<std::uint32_t> parts, popSome(2));
        const PickleObject &module = m_pickle.at(parts[0]), &name = m_pickle.at(parts[1]);
        if (module.kind != PickleKind::Text || name.kind != PickleKind::Text)
            return badInput("two texts as a name", "another object", m_at);
        return global(module.text + " " + name.text);
    }
    case 'Q': { // BINPERSID
        LODESTONE_TRY(const std::uint32_t id, pop());
        if (m_pickle.at(id).kind != PickleKind::Tuple || m_pickle.at(id).items.size() != 5)
            return badInput("a tuple of five as persistent id", "another object", m_at);
        return push(PickleKind::Storage, std::vector<std::uint32_t>(m_pickle.at(id).items));
    }
    case 'R': // REDUCE
        return reduce();
    case 'b': // BUILD
        return build();
    default:
        return badInput("an opcode that tensors need", opcodeName(code), m_at);
    }
}

} // namespace

Result<Pickle> readPickle(std::span<const std::byte> bytes, const std::string& file)
{
    return Machine(bytes, file).run();
}

} // namespace lodestone::formats
