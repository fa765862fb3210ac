#include "core/data/label_file.h"

#include "core/base/files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lodestone::data {
namespace {

constexpr std::array answerNames{ "left", "right", "tie", "skip", "taken-back" };

/// An open file, closed with it.
struct Descriptor {
    int number = -1;
    explicit Descriptor(int opened)
        : number(opened)
    {
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor()
    {
        if (number >= 0)
            ::close(number);
    }
};

std::string nowAsText()
{
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

std::optional<PairLabel> labelOf(const std::string& line)
{
    const auto document = nlohmann::json::parse(line, nullptr, false);
    if (!document.is_object())
        return std::nullopt;
    PairLabel label;
    std::string answer;
    for (const auto& [key, into] :
         { std::pair("pair", &label.pair), std::pair("left", &label.left), std::pair("right", &label.right),
           std::pair("rater", &label.rater), std::pair("time", &label.time), std::pair("answer", &answer) }) {
        const auto found = document.find(key);
        if (found == document.end() || !found->is_string())
            return std::nullopt;
        *into = found->get<std::string>();
    }
    const auto* const name = std::find(answerNames.begin(), answerNames.end(), answer);
    if (name == answerNames.end())
        return std::nullopt;
    label.answer = static_cast<LabelAnswer>(name - answerNames.begin());
    return label;
}

} // namespace

std::string labelAnswerName(LabelAnswer answer) { return answerNames[static_cast<std::size_t>(answer)]; }

std::filesystem::path labelFile(const Study& study) { return study.folder() / "judgments" / "labels.jsonl"; }

Result<void> appendLabel(const std::filesystem::path& file, PairLabel label)
{
    if (label.time.empty())
        label.time = nowAsText();
    const nlohmann::ordered_json document{
        { "pair", label.pair },   { "answer", labelAnswerName(label.answer) },
        { "left", label.left },   { "right", label.right },
        { "rater", label.rater }, { "time", label.time }
    };
    const auto refused = [&](const char* what, int number) {
        return fail(ErrorKind::Failed, what, systemErrorText(number), file.string());
    };
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    const Descriptor opened(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    if (opened.number < 0)
        return refused("a file for labels that can be written", errno);
    if (::flock(opened.number, LOCK_EX) != 0)
        return refused("a file for labels that is free", errno);
    std::string line = document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    struct stat known { };
    char last = '\n';
    if (::fstat(opened.number, &known) == 0 && known.st_size > 0)
        if (::pread(opened.number, &last, 1, known.st_size - 1) != 1)
            return refused("the end of the labels", errno);
    if (last != '\n')
        line.insert(0, "\n");
    std::size_t written = 0;
    while (written < line.size()) {
        const auto count = ::write(opened.number, line.data() + written, line.size() - written);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return refused("room for a label", errno);
        written += static_cast<std::size_t>(count);
    }
    if (::fsync(opened.number) != 0)
        return refused("a label on the disk", errno);
    return {};
}

Result<LabelFile> readLabels(const std::filesystem::path& file)
{
    LabelFile result;
    std::error_code error;
    if (!std::filesystem::exists(file, error))
        return result;
    LODESTONE_TRY(const std::string text, readFile(file));
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string line = text.substr(begin, end - begin);
        begin = end + 1;
        if (line.find_first_not_of(" \t\r") == std::string::npos)
            continue;
        auto label = labelOf(line);
        if (!label) {
            ++result.damaged;
            continue;
        }
        std::erase_if(result.labels, [&](const PairLabel& other) {
            return other.pair == label->pair && other.rater == label->rater;
        });
        if (label->answer != LabelAnswer::TakenBack)
            result.labels.push_back(std::move(*label));
    }
    return result;
}

} // namespace lodestone::data
