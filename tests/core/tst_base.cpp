// Errors, layers, random numbers, fingerprints and files: the value types that everything else stands on.
#include "core/base/files.h"
#include "core/base/fingerprint.h"
#include "core/base/layer.h"
#include "core/base/rng.h"
#include "tests/support/result_checks.h"

#include <array>
#include <numeric>
#include <vector>

using namespace lodestone;
using namespace lodestone::testing;

namespace {

Result<int> half(int number)
{
    if (number % 2 != 0)
        return badInput("an even number", std::to_string(number), "list, row 3");
    return number / 2;
}

Result<int> quarter(int number)
{
    LODESTONE_TRY(const int once, half(number));
    LODESTONE_TRY(const int twice, half(once));
    return twice;
}

Result<void> bothEven(int a, int b)
{
    LODESTONE_CHECK(half(a));
    LODESTONE_CHECK(half(b));
    return {};
}

} // namespace

class TestBase : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void anErrorIsOneSentence()
    {
        const Error whole{ ErrorKind::BadInput, "42 rows", "40 rows", "data.csv" };
        QCOMPARE(whole.message(), std::string("data.csv: expected 42 rows, found 40 rows"));
        QCOMPARE((Error{ ErrorKind::Failed, "space", "", "" }.message()), std::string("expected space"));
        QCOMPARE(cancelled().value().message(), std::string("cancelled"));
        QCOMPARE(cancelled().value().kind, ErrorKind::Cancelled);
    }

    void tryHandsTheFirstErrorOn()
    {
        QCOMPARE(quarter(12).value(), 3);
        VERIFY_FAILS(quarter(7), "expected an even number, found 7", "list, row 3");
        VERIFY_FAILS(quarter(6), "found 3");
        VERIFY_OK(bothEven(2, 4));
        VERIFY_FAILS(bothEven(2, 5), "found 5");
        QCOMPARE(quarter(7).error().kind, ErrorKind::BadInput);
    }

    void aLayerIsItsRowAndItsName()
    {
        QCOMPARE(Layer().row(), 0);
        QVERIFY(Layer::embedding().isEmbedding());
        QCOMPARE(Layer::embedding().block(), -1);
        QCOMPARE(Layer::blockOutput(12).row(), 13);
        QCOMPARE(Layer::atRow(13).block(), 12);
        QCOMPARE(Layer::blockOutput(12).label(), std::string("block 12 output"));
        QCOMPARE(Layer::embedding().label(), std::string("embedding"));
        QVERIFY(Layer::embedding() < Layer::blockOutput(0));
        for (int row = 0; row < 40; ++row)
            QCOMPARE(Layer::parse(Layer::atRow(row).token()).value(), Layer::atRow(row));
    }

    void aLayerThatIsNoneIsRefused_data()
    {
        QTest::addColumn<QByteArray>("token");
        for (const char* token : { "", "-1", "+3", "3.5", "12x", " 3", "Embedding", "block 3",
                                   "999999999999999999999", "100001" })
            QTest::newRow(token) << QByteArray(token);
    }
    void aLayerThatIsNoneIsRefused()
    {
        QFETCH(QByteArray, token);
        const auto layer
            = Layer::parse(std::string_view(token.constData(), static_cast<std::size_t>(token.size())));
        VERIFY_FAILS(layer, "a layer", "'" + token.toStdString() + "'");
        QCOMPARE(layer.error().kind, ErrorKind::Usage);
    }

    /// The published demonstration of PCG32: seed 42, stream 54 (O'Neill 2014, pcg32-demo).
    void rngIsThePublishedGenerator()
    {
        Rng rng(42, 54);
        for (const std::uint32_t expected :
             { 0xa15c02b7u, 0x7b47f409u, 0xba1d3330u, 0x83d2f293u, 0xbfa4784bu, 0xcbed606eu })
            QCOMPARE(rng.next(), expected);
    }

    void rngRepeatsBySeedAndStream()
    {
        Rng first(7, 1), again(7, 1), otherSeed(8, 1), otherStream(7, 2);
        std::vector<double> a, b, c, d;
        for (int i = 0; i < 20; ++i) {
            a.push_back(first.normal());
            b.push_back(again.normal());
            c.push_back(otherSeed.normal());
            d.push_back(otherStream.normal());
        }
        QCOMPARE(a, b);
        QVERIFY(a != c);
        QVERIFY(a != d);
        Rng copy = first;
        QCOMPARE(copy.normal(), first.normal());
    }

    void uniformAndNormalHaveTheirMoments()
    {
        Rng rng(1);
        constexpr int n = 200000;
        double sum = 0, squares = 0, normalSum = 0, normalSquares = 0, fourth = 0;
        for (int i = 0; i < n; ++i) {
            const double u = rng.uniform();
            QVERIFY(u >= 0 && u < 1);
            sum += u;
            squares += u * u;
            const double z = rng.normal();
            normalSum += z;
            normalSquares += z * z;
            fourth += z * z * z * z;
        }
        // Five standard errors of each mean: sd/sqrt(n) of U(0,1), its square, z, z^2 (sqrt 2) and z^4 (sqrt
        // 96).
        const double root = std::sqrt(static_cast<double>(n));
        QVERIFY(std::abs(sum / n - 0.5) < 5 * 0.2887 / root);
        QVERIFY(std::abs(squares / n - 1.0 / 3) < 5 * 0.2981 / root);
        QVERIFY(std::abs(normalSum / n) < 5 / root);
        QVERIFY(std::abs(normalSquares / n - 1) < 5 * 1.4142 / root);
        QVERIFY(std::abs(fourth / n - 3) < 5 * 9.798 / root);
    }

    void belowIsUniformAndBounded()
    {
        Rng rng(3);
        std::array<int, 7> counts{};
        for (int i = 0; i < 70000; ++i)
            ++counts[rng.below(7)];
        double chiSquared = 0;
        for (const int count : counts)
            chiSquared += (count - 10000.0) * (count - 10000.0) / 10000.0;
        QVERIFY2(
            chiSquared < 22.46, qPrintable(QString::number(chiSquared))); // 99.9 % of chi squared, 6 degrees
        QCOMPARE(rng.below(1), 0u);
    }

    void shuffleIsAPermutationAndReachesAll()
    {
        Rng rng(5);
        std::vector<int> counts(6);
        for (int i = 0; i < 6000; ++i) {
            std::vector<int> items{ 0, 1, 2 };
            rng.shuffle(items);
            std::vector<int> sorted = items;
            std::sort(sorted.begin(), sorted.end());
            QCOMPARE(sorted, (std::vector<int>{ 0, 1, 2 }));
            ++counts[static_cast<std::size_t>(items[0] * 2 + (items[1] > items[2] ? 1 : 0))];
        }
        double chiSquared = 0;
        for (const int count : counts)
            chiSquared += (count - 1000.0) * (count - 1000.0) / 1000.0;
        QVERIFY2(chiSquared < 20.52, qPrintable(QString::number(chiSquared))); // 99.9 %, 5 degrees
        std::vector<int> none;
        rng.shuffle(none);
        QVERIFY(none.empty());
    }

    void fingerprintsKeepTextsApart()
    {
        const auto of = [](auto... parts) {
            Fingerprint print;
            (print.add(parts), ...);
            return print;
        };
        using View = std::string_view;
        QCOMPARE(of(View("ab"), View("c")), of(View("ab"), View("c")));
        QVERIFY(of(View("ab"), View("c")) != of(View("a"), View("bc")));
        QVERIFY(of(View("")) != Fingerprint());
        QVERIFY(of(1, 2) != of(2, 1));
        QVERIFY(of(1.0f) != of(1.0));
        QCOMPARE(of(View("x")).hex().size(), std::size_t(16));
        QCOMPARE(Fingerprint(0xabcu).hex(), std::string("0000000000000abc"));
        const float numbers[] = { 1, 2, 3 };
        QVERIFY(Fingerprint().add(numbers, 3) != Fingerprint().add(numbers, 2));
    }

    void readFileReadsWholeFilesUpToALimit()
    {
        const ScratchFolder folder;
        std::string bytes(200000, '\0');
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<char>(i * 7);
        const auto path = folder.write("some.bin", bytes);
        QVERIFY(readFile(path).value() == bytes);
        QVERIFY(readFile(path, bytes.size()).value() == bytes);
        VERIFY_FAILS(readFile(path, bytes.size() - 1), "at most 199999 bytes", "some.bin");
        QCOMPARE(readFile(folder.write("empty", "")).value(), std::string());
        VERIFY_FAILS(readFile(folder / "absent"), "a readable file", "absent", "No such file");
        VERIFY_FAILS(readFile(folder.path()), "a file, found a folder", folder.path().string());
    }

    void writeFileReplacesWholly()
    {
        const ScratchFolder folder;
        const auto path = folder.write("kept.json", "the old text, which is longer");
        VERIFY_OK(writeFileAtomically(path, "new"));
        QCOMPARE(bytesOf(path), std::string("new"));
        VERIFY_OK(writeFileAtomically(folder / "fresh", ""));
        QVERIFY(std::filesystem::exists(folder / "fresh"));
        QCOMPARE(QDir(QString::fromStdString(folder.path().string())).entryList(QDir::Files).size(), 2);
    }

    void aFailedWriteLeavesWhatWasThere()
    {
        const ScratchFolder folder;
        // A folder that is not empty cannot be replaced by a file: the rename fails after the bytes were
        // written.
        folder.write("target/inside", "old");
        const auto failed = writeFileAtomically(folder / "target", "new");
        VERIFY_FAILS(failed, "to write the file", (folder / "target").string());
        QCOMPARE(failed.error().kind, ErrorKind::Failed);
        QCOMPARE(bytesOf(folder / "target/inside"), std::string("old"));
        QCOMPARE(QDir(QString::fromStdString(folder.path().string())).entryList(QDir::Files).size(), 0);
        VERIFY_FAILS(
            writeFileAtomically(folder / "no/such/folder/file", "x"), "No such file", "no/such/folder/file");
        // A full disk: the old file stays and no part of the new one is left.
        if (std::filesystem::exists("/dev/full")) {
            std::filesystem::create_symlink(
                "/dev/full", folder / ("note." + std::to_string(::getpid()) + ".part"));
            const auto note = folder.write("note", "old note");
            VERIFY_FAILS(writeFileAtomically(note, "new note"), "No space left", "note");
            QCOMPARE(bytesOf(note), std::string("old note"));
        }
    }

    /// Digests of the standard's own examples: FIPS 180-2, "abc" and one million times "a"; and of nothing.
    void sha256IsTheStandards()
    {
        const ScratchFolder folder;
        QCOMPARE(
            sha256OfFile(folder.write("abc", "abc")).value(),
            std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        QCOMPARE(
            sha256OfFile(folder.write("million", std::string(1000000, 'a'))).value(),
            std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
        QCOMPARE(
            sha256OfFile(folder.write("empty", "")).value(),
            std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        VERIFY_FAILS(sha256OfFile(folder / "absent"), "a readable file", "absent");
        VERIFY_FAILS(sha256OfFile(folder.path()), "a readable file", folder.path().string());
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = sha256OfFile(folder / "million", Work{ stop.get_token(), {} });
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::Cancelled);
    }

    void theCacheFolderFollowsTheEnvironment()
    {
        const QByteArray xdg = qgetenv("XDG_CACHE_HOME"), home = qgetenv("HOME");
        qputenv("XDG_CACHE_HOME", "/somewhere");
        QCOMPARE(userCacheFolder().string(), std::string("/somewhere/lodestone"));
        qunsetenv("XDG_CACHE_HOME");
        qputenv("HOME", "/home/reader");
        QCOMPARE(userCacheFolder().string(), std::string("/home/reader/.cache/lodestone"));
        if (!xdg.isNull())
            qputenv("XDG_CACHE_HOME", xdg);
        qputenv("HOME", home);
    }

    void workReportsAndStops()
    {
        Work silent;
        silent.tell({});
        QVERIFY(!silent.cancelled());
        std::stop_source stop;
        std::vector<std::string> heard;
        const Work work{ stop.get_token(),
                         [&](const Progress& progress) { heard.push_back(progress.what); } };
        work.tell({ "Reading", 1, 2, 0, "rows", -1 });
        QCOMPARE(heard, (std::vector<std::string>{ "Reading" }));
        QVERIFY(!work.cancelled());
        stop.request_stop();
        QVERIFY(work.cancelled());
    }
};

QTEST_GUILESS_MAIN(TestBase)
#include "tst_base.moc"
