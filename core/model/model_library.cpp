#include "core/model/model_library.h"

#include "core/model/engine_entry.h"

#include <cstdlib>
#include <dlfcn.h>
#include <mutex>

namespace lodestone::model {
namespace {

/// The folder of the running program.
std::filesystem::path programFolder()
{
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? std::filesystem::path(".") : program.parent_path();
}

Result<const EngineEntry*> engine()
{
    static std::mutex mutex;
    static const EngineEntry* loaded = nullptr;
    const std::lock_guard lock(mutex);
    if (loaded)
        return loaded;
    // Idle threads of the engine's OpenMP team wait briefly before they sleep: endless spinning would starve
    // the window and whatever else runs on a machine of two cores. The user's own setting wins.
    ::setenv("GOMP_SPINCOUNT", "20000", 0);
    std::string tried;
    const char* folder = std::getenv("LODESTONE_ENGINE_DIR");
    for (const std::filesystem::path& place :
         { folder ? std::filesystem::path(folder) : programFolder(), programFolder() / "../lib/lodestone" }) {
        const std::filesystem::path file = place / "liblodestone_torch.so";
        if (void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
            const auto entry
                = reinterpret_cast<EngineEntryFunction>(::dlsym(library, "lodestone_engine_entry"));
            if (!entry)
                return fail(
                    ErrorKind::Failed, "the model engine of this version", "another library", file.string());
            loaded = entry();
            return loaded;
        }
        const char* reason = ::dlerror();
        tried += (tried.empty() ? "" : "; ") + std::string(reason ? reason : file.string());
    }
    return fail(ErrorKind::Failed, "the model engine liblodestone_torch.so beside the program", tried);
}

} // namespace

Result<std::unique_ptr<LanguageModel>>
loadModel(const std::filesystem::path& path, const ModelOptions& options, const Work& work)
{
    LODESTONE_TRY(const EngineEntry* entry, engine());
    return entry->load(path, options, work);
}

Result<MatrixMeasurement> measureMatrixPaths(int threads)
{
    LODESTONE_TRY(const EngineEntry* entry, engine());
    return entry->measure(threads);
}

} // namespace lodestone::model
