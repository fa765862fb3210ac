#include "core/formats/torch_file.h"

#include "core/formats/byte_reader.h"
#include "core/formats/pickle.h"
#include "core/formats/zip_archive.h"

#include <optional>

namespace lodestone::formats {
namespace {

using PickleKind = PickleObject::Kind;

std::optional<ElementType> elementOf(std::string_view storage)
{
    constexpr std::pair<std::string_view, ElementType> types[]
        = { { "torch DoubleStorage", ElementType::F64 }, { "torch FloatStorage", ElementType::F32 },
            { "torch HalfStorage", ElementType::F16 },   { "torch BFloat16Storage", ElementType::BF16 },
            { "torch LongStorage", ElementType::I64 },   { "torch IntStorage", ElementType::I32 },
            { "torch ShortStorage", ElementType::I16 },  { "torch CharStorage", ElementType::I8 },
            { "torch ByteStorage", ElementType::U8 },    { "torch BoolStorage", ElementType::Bool } };
    for (const auto& [name, type] : types)
        if (name == storage)
            return type;
    return std::nullopt;
}

class Reader {
public:
    explicit Reader(const ZipArchive& archive)
        : m_archive(archive)
    {
    }

    Result<TensorFile> read()
    {
        const ZipEntry* program = nullptr;
        constexpr std::string_view name = "data.pkl";
        for (const ZipEntry& entry : m_archive.entries())
            if (entry.name == name || std::string_view(entry.name).ends_with("/data.pkl")) {
                if (program)
                    return badInput("one data.pkl", "two", m_archive.where(entry));
                program = &entry;
            }
        if (!program)
            return badInput("a PyTorch archive with data.pkl", "none", m_archive.path().string());
        m_prefix = program->name.substr(0, program->name.size() - name.size());
        if (const ZipEntry* order = m_archive.find(m_prefix + "byteorder")) {
            LODESTONE_TRY(const auto bytes, m_archive.head(*order, 16));
            const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            if (text != "little")
                return badInput("byte order 'little'", "'" + shownName(text) + "'", m_archive.where(*order));
        }
        LODESTONE_TRY(const std::vector<std::byte> bytes, m_archive.unpack(*program));
        LODESTONE_TRY(m_pickle, readPickle(bytes, m_archive.where(*program)));
        LODESTONE_CHECK(walk());
        return std::move(m_result);
    }

private:
    /// All tensors, in the order of their names, without recursion.
    Result<void> walk()
    {
        struct Place {
            std::uint32_t object;
            std::string name;
            int depth;
        };
        std::deque<Place> open{ { m_pickle.root, "", 0 } };
        // Objects may be shared, so that few of them make many names: what names and texts take is bounded.
        std::size_t room = (std::size_t(1) << 24u) + m_pickle.objects.size() * 64;
        const auto tooMuch = [&](const Place& place) {
            return badInput(
                "names and texts of a reasonable size, at most 32 deep", "more", where(place.name));
        };
        while (!open.empty()) {
            const Place place = std::move(open.back());
            open.pop_back();
            if (place.depth > 32)
                return tooMuch(place);
            const PickleObject& object = m_pickle.at(place.object);
            const auto enter = [&](std::uint32_t item, const std::string& key) {
                std::string name = place.name.empty() ? key : place.name + "." + key;
                const std::size_t taken = sizeof(Place) + name.size();
                if (taken > room)
                    return false;
                room -= taken;
                open.push_back({ item, std::move(name), place.depth + 1 });
                return true;
            };
            switch (object.kind) {
            case PickleKind::Tensor:
                LODESTONE_CHECK(tensor(object, place.name.empty() ? "tensor" : place.name));
                break;
            case PickleKind::Dictionary:
                for (std::size_t i = 0; i + 1 < object.items.size(); i += 2) {
                    const PickleObject& key = m_pickle.at(object.items[i]);
                    if (key.kind != PickleKind::Text && key.kind != PickleKind::Integer)
                        return badInput("texts or integers as keys", "another object", where(place.name));
                    if (!enter(
                            object.items[i + 1],
                            key.kind == PickleKind::Text ? key.text : std::to_string(key.integer)))
                        return tooMuch(place);
                }
                break;
            case PickleKind::List:
            case PickleKind::Tuple:
                for (std::size_t i = 0; i < object.items.size(); ++i)
                    if (!enter(object.items[i], std::to_string(i)))
                        return tooMuch(place);
                break;
            case PickleKind::Text:
                if (object.text.size() > room)
                    return tooMuch(place);
                room -= object.text.size();
                m_result.metadata.emplace(place.name, object.text);
                break;
            case PickleKind::Integer:
                m_result.metadata.emplace(place.name, std::to_string(object.integer));
                break;
            case PickleKind::Boolean:
                m_result.metadata.emplace(place.name, object.integer ? "true" : "false");
                break;
            case PickleKind::Real:
                m_result.metadata.emplace(place.name, fmt::format("{}", object.real));
                break;
            case PickleKind::None:
            case PickleKind::Bytes:
            case PickleKind::Global:
            case PickleKind::Storage:
                m_result.leftOut.push_back(place.name);
                break;
            }
        }
        return {};
    }

    std::string where(const std::string& name) const
    {
        return fmt::format("{}, tensor '{}'", m_archive.path().string(), shownName(name));
    }

    struct Storage {
        ElementType type;
        std::shared_ptr<const MappedFile> bytes;
    };

    /// A persistent id is ('storage', type, key, location, number of elements); the bytes are the entry
    /// data/KEY.
    Result<Storage> storage(std::uint32_t number, const std::string& name)
    {
        const PickleObject& id = m_pickle.at(number);
        if (id.kind != PickleKind::Storage || id.items.size() != 5)
            return badInput("a tensor's storage", "another object", where(name));
        const PickleObject &kind = m_pickle.at(id.items[0]), &type = m_pickle.at(id.items[1]),
                           &key = m_pickle.at(id.items[2]), &count = m_pickle.at(id.items[4]);
        const auto element = type.kind == PickleKind::Global ? elementOf(type.text) : std::nullopt;
        if (kind.text != "storage" || !element || key.kind != PickleKind::Text
            || count.kind != PickleKind::Integer || count.integer < 0)
            return badInput("('storage', type, key, location, count)", "another persistent id", where(name));
        const ZipEntry* entry = m_archive.find(m_prefix + "data/" + key.text);
        if (!entry)
            return badInput(
                "the storage 'data/" + shownName(key.text) + "' in the archive", "none", where(name));
        std::uint64_t items = 0;
        if (!shapeFits({ static_cast<std::uint64_t>(count.integer) }, elementBytes(*element), items)
            || items * elementBytes(*element) != entry->bytes)
            return badInput(
                fmt::format("a storage of {} {}", count.integer, elementName(*element)),
                fmt::format("{} bytes", entry->bytes), m_archive.where(*entry));
        auto& bytes = m_storages[key.text];
        if (!bytes) {
            LODESTONE_TRY(std::vector<std::byte> unpacked, m_archive.unpack(*entry));
            bytes = std::make_shared<const MappedFile>(
                MappedFile::ofMemory(std::move(unpacked), m_archive.where(*entry)));
            m_result.backing.push_back(bytes);
        }
        return Storage{ *element, bytes };
    }

    Result<std::vector<std::uint64_t>>
    numbers(std::uint32_t number, const char* called, const std::string& name) const
    {
        const PickleObject& tuple = m_pickle.at(number);
        if (tuple.kind != PickleKind::Tuple || tuple.items.size() > 64)
            return badInput(
                fmt::format("a tuple of at most 64 numbers as {}", called), "another object", where(name));
        std::vector<std::uint64_t> values;
        for (const std::uint32_t item : tuple.items) {
            const PickleObject& value = m_pickle.at(item);
            if (value.kind != PickleKind::Integer || value.integer < 0)
                return badInput(fmt::format("numbers from 0 as {}", called), "another object", where(name));
            values.push_back(static_cast<std::uint64_t>(value.integer));
        }
        return values;
    }

    /// (storage, storage_offset, size, stride): offset and strides count elements.
    Result<void> tensor(const PickleObject& object, const std::string& name)
    {
        LODESTONE_TRY(const Storage storage, this->storage(object.items[0], name));
        const PickleObject& offset = m_pickle.at(object.items[1]);
        if (offset.kind != PickleKind::Integer || offset.integer < 0)
            return badInput("a storage offset from 0", "another object", where(name));
        Tensor tensor;
        tensor.type = storage.type;
        LODESTONE_TRY(tensor.shape, numbers(object.items[2], "size", name));
        LODESTONE_TRY(tensor.strides, numbers(object.items[3], "strides", name));
        const std::uint64_t size = elementBytes(storage.type);
        const std::uint64_t available = storage.bytes->bytes().size() / size;
        std::uint64_t items = 0;
        if (tensor.shape.size() != tensor.strides.size() || !shapeFits(tensor.shape, size, items))
            return badInput(
                "a shape whose product fits, and as many strides",
                fmt::format("{} and {} strides", tensor.shapeText(), tensor.strides.size()), where(name));
        // The last element is at offset + sum of (size - 1) stride; every step is checked against the
        // storage.
        std::uint64_t last = static_cast<std::uint64_t>(offset.integer);
        bool inside = items == 0 ? last <= available : last < available;
        for (std::size_t k = 0; inside && items > 0 && k < tensor.shape.size(); ++k) {
            const std::uint64_t steps = tensor.shape[k] - 1;
            inside = steps == 0 || tensor.strides[k] <= (available - 1 - last) / steps;
            last += inside && steps > 0 ? steps * tensor.strides[k] : 0;
        }
        if (!inside)
            return badInput(
                fmt::format("a view within its storage of {} elements", available),
                fmt::format(
                    "offset {}, size {}, strides [{}]", offset.integer, tensor.shapeText(),
                    fmt::join(tensor.strides, ", ")),
                where(name));
        if (items > available)
            return badInput(
                fmt::format("at most the {} elements of the storage", available),
                fmt::format("a view that repeats them: {}", tensor.shapeText()), where(name));
        tensor.bytes = storage.bytes->bytes().subspan(
            static_cast<std::size_t>(offset.integer) * static_cast<std::size_t>(size));
        bool dense = true;
        std::uint64_t stride = 1;
        for (std::size_t k = tensor.shape.size(); k-- > 0;) {
            dense = dense && (tensor.shape[k] <= 1 || tensor.strides[k] == stride);
            stride *= tensor.shape[k];
        }
        if (dense)
            tensor.strides.clear();
        if (!m_result.tensors.emplace(name, std::move(tensor)).second)
            return badInput("a name of its own for each tensor", "it twice", where(name));
        return {};
    }

    const ZipArchive& m_archive;
    std::string m_prefix;
    Pickle m_pickle;
    std::map<std::string, std::shared_ptr<const MappedFile>> m_storages;
    TensorFile m_result;
};

} // namespace

Result<TensorFile> openTorchFile(const std::filesystem::path& path)
{
    LODESTONE_TRY(MappedFile file, MappedFile::open(path));
    return readTorchFile(std::move(file));
}

Result<TensorFile> readTorchFile(MappedFile file)
{
    const auto backing = std::make_shared<const MappedFile>(std::move(file));
    const std::string name = backing->path().string();
    if (!looksLikeZip(backing->bytes()))
        return badInput(
            "a .pt file of PyTorch 1.6 or later (a zip archive)", "other bytes", name + ", byte 0");
    LODESTONE_TRY(const ZipArchive archive, ZipArchive::read(backing));
    LODESTONE_TRY(TensorFile result, Reader(archive).read());
    result.path = backing->path();
    result.format = "pt";
    result.files = { result.path };
    result.bytes = backing->bytes().size();
    return result;
}

} // namespace lodestone::formats
