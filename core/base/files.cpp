#include "core/base/files.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <openssl/evp.h>
#include <span>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace lodestone {
namespace {

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, FileCloser>;

std::string hexOf(std::span<const unsigned char> digest)
{
    std::string hex;
    for (const unsigned char byte : digest)
        hex += fmt::format("{:02x}", byte);
    return hex;
}

} // namespace

std::string systemErrorText(int number) { return std::error_code(number, std::generic_category()).message(); }

Result<std::string> readFile(const std::filesystem::path& path, std::uint64_t limit)
{
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
        return badInput("a file", "a folder", path.string());
    const FileHandle file(std::fopen(path.c_str(), "rb"));
    if (!file)
        return badInput("a readable file", systemErrorText(errno), path.string());
    std::string bytes;
    std::vector<char> block(1u << 16u);
    while (const std::size_t got = std::fread(block.data(), 1, block.size(), file.get())) {
        if (bytes.size() + got > limit)
            return badInput(fmt::format("at most {} bytes", limit), "more", path.string());
        bytes.append(block.data(), got);
    }
    if (std::ferror(file.get()))
        return badInput("a readable file", systemErrorText(errno), path.string());
    return bytes;
}

Result<void> writeFileAtomically(const std::filesystem::path& path, std::string_view bytes)
{
    std::filesystem::path temporary = path;
    temporary += fmt::format(".{}.part", ::getpid());
    const auto refuse = [&](int number) -> Result<void> {
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        return fail(ErrorKind::Failed, "to write the file", systemErrorText(number), path.string());
    };
    FileHandle file(std::fopen(temporary.c_str(), "wb"));
    if (!file)
        return refuse(errno);
    if (std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size() || std::fflush(file.get()) != 0
        || ::fsync(::fileno(file.get())) != 0)
        return refuse(errno);
    if (std::fclose(file.release()) != 0)
        return refuse(errno);
    std::error_code error;
    std::filesystem::rename(temporary, path, error);
    if (error)
        return refuse(error.value());
    return {};
}

Result<std::string> sha256OfFile(const std::filesystem::path& path, const Work& work)
{
    const FileHandle file(std::fopen(path.c_str(), "rb"));
    if (!file)
        return badInput("a readable file", systemErrorText(errno), path.string());
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
    std::vector<unsigned char> block(1u << 20u);
    while (const std::size_t got = std::fread(block.data(), 1, block.size(), file.get())) {
        EVP_DigestUpdate(context.get(), block.data(), got);
        if (work.cancelled())
            return cancelled();
    }
    if (std::ferror(file.get()))
        return badInput("a readable file", systemErrorText(errno), path.string());
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    EVP_DigestFinal_ex(context.get(), digest, &length);
    return hexOf({ digest, length });
}

std::string sha256Of(std::string_view bytes)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha256(), nullptr);
    return hexOf({ digest, length });
}

std::filesystem::path userCacheFolder()
{
    if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && *xdg)
        return std::filesystem::path(xdg) / "lodestone";
    const char* home = std::getenv("HOME");
    return std::filesystem::path(home && *home ? home : "/tmp") / ".cache" / "lodestone";
}

} // namespace lodestone
