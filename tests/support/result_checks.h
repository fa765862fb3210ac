// How the tests state that an operation succeeded, or failed with a message that names what and where.
#pragma once

#include "core/base/error.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QtTest>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

/// Passes when a Result holds a value; otherwise the test fails with the error's own sentence.
#define VERIFY_OK(result)                                                                                    \
    QVERIFY2((result).has_value(), (result).has_value() ? "" : (result).error().message().c_str())

/// Passes when a Result is an error whose message contains every one of the given texts.
#define VERIFY_FAILS(result, ...)                                                                            \
    do {                                                                                                     \
        const std::string wrong_ = lodestone::testing::notSaid((result), { __VA_ARGS__ });                   \
        QVERIFY2(wrong_.empty(), wrong_.c_str());                                                            \
    } while (false)

namespace lodestone::testing {

/// Empty when `result` is an error that says all of `parts`; else what is wrong with it.
template <typename T>
std::string notSaid(const Result<T>& result, std::initializer_list<std::string_view> parts)
{
    if (result)
        return "succeeded, an error was expected";
    const std::string message = result.error().message();
    for (const std::string_view part : parts)
        if (message.find(part) == std::string::npos)
            return "'" + std::string(part) + "' is not in: " + message;
    return {};
}

/// A folder for one test's files, removed with it.
class ScratchFolder {
public:
    std::filesystem::path path() const { return m_folder.path().toStdString(); }
    std::filesystem::path operator/(const std::string& name) const { return path() / name; }

    /// Writes a file and says where it is.
    std::filesystem::path write(const std::string& name, std::string_view bytes) const
    {
        const std::filesystem::path target = path() / name;
        std::filesystem::create_directories(target.parent_path());
        QFile file(QString::fromStdString(target.string()));
        if (!file.open(QIODevice::WriteOnly)
            || file.write(bytes.data(), static_cast<qint64>(bytes.size()))
                != static_cast<qint64>(bytes.size()))
            qFatal("cannot write a scratch file");
        return target;
    }

private:
    QTemporaryDir m_folder;
};

/// A file's bytes as an independent reader sees them; empty when it is not there.
inline std::string bytesOf(const std::filesystem::path& path)
{
    QFile file(QString::fromStdString(path.string()));
    return file.open(QIODevice::ReadOnly) ? file.readAll().toStdString() : std::string();
}

} // namespace lodestone::testing
