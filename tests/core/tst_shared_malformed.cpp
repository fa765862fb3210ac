// ctest labels: shared
// Files that were damaged for real, and real files cut short: a sentence about each, never a crash or a huge
// allocation.
#include "core/formats/gguf.h"
#include "core/formats/lines.h"
#include "core/formats/npy.h"
#include "core/text/tokenizer.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/result_checks.h"

using namespace lodestone;
using namespace lodestone::formats;
using namespace lodestone::testing;

namespace {

const std::filesystem::path sharedData = LODESTONE_SOURCE_DIR "/../shared/data";

} // namespace

class TestSharedMalformed : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (!std::filesystem::exists(sharedData))
            QSKIP("skipped: no ../shared/data");
    }

    /// Bytes from 0x80 on became EF BF BD, so that lengths and counts are nonsense.
    void mangledFilesAreNamed()
    {
        int files = 0;
        for (const auto& entry : std::filesystem::directory_iterator(sharedData / "malformed")) {
            largestAllocation = 0;
            const auto file = Gguf::open(entry.path());
            VERIFY_FAILS(file, entry.path().filename().string(), "expected", "found", "byte ");
            QCOMPARE(file.error().kind, ErrorKind::BadInput);
            QVERIFY(file.error().message().size() < 500);
            // Whatever was read until then came out of the file, not out of a lying count.
            QVERIFY(largestAllocation < 2 * std::filesystem::file_size(entry.path()));
            VERIFY_FAILS(NpyArray::open(entry.path()), "a .npy file", entry.path().filename().string());
            ++files;
        }
        QVERIFY(files >= 2);
    }

    /// A real control vector, 333 kB: cut at every byte of its head and at steps through its data.
    void realFilesCutShortAreNamed()
    {
        std::filesystem::path path;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(sharedData / "directions/llamacpp-cvector"))
            if (entry.path().extension() == ".gguf")
                path = entry.path();
        QVERIFY(!path.empty());
        const auto whole = Gguf::open(path);
        VERIFY_OK(whole);
        QCOMPARE(whole->text("general.architecture").value(), std::string("controlvector"));
        QCOMPARE(whole->tensors().size(), std::size_t(27));
        const std::vector<float> direction = whole->tensor("direction.1").value()->toFloat();
        QCOMPARE(direction.size(), std::size_t(3072));
        double norm = 0;
        for (const float coordinate : direction)
            norm += static_cast<double>(coordinate) * static_cast<double>(coordinate);
        QVERIFY(std::abs(norm - 1) < 1e-4);

        const ScratchFolder folder;
        const std::string bytes = bytesOf(path);
        largestAllocation = 0;
        for (std::size_t length = 0; length < bytes.size(); length += length < 1400 ? 1 : 4999) {
            const auto cut = Gguf::open(folder.write("cut.gguf", std::string_view(bytes).substr(0, length)));
            VERIFY_FAILS(cut, "cut.gguf", "expected", "found");
        }
        QVERIFY(largestAllocation < std::size_t(1) << 20u);
    }

    /// Eight bytes of ones at every place of a real file's head.
    void lyingHeadsAreHarmless()
    {
        const std::filesystem::path path = sharedData / "directions/llamacpp-cvector";
        std::string bytes;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
            if (entry.path().extension() == ".gguf")
                bytes = bytesOf(entry.path());
        QVERIFY(bytes.size() > 1376);
        const ScratchFolder folder;
        largestAllocation = 0;
        for (std::size_t at = 0; at + 8 <= 1376; ++at) {
            std::string lying = bytes.substr(0, 1376 + 4096);
            lying.replace(at, 8, littleEndian(~std::uint64_t(0)));
            const auto file = Gguf::open(folder.write("lie.gguf", lying));
            VERIFY_FAILS(file, "lie.gguf");
        }
        QVERIFY(largestAllocation < std::size_t(1) << 20u);
    }

    void otherFormatsAreNotMistaken()
    {
        int tried = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(sharedData)) {
            if (!entry.is_regular_file() || entry.path().extension() == ".gguf")
                continue;
            QVERIFY(!Gguf::open(entry.path()));
            if (entry.path().extension() != ".npy")
                QVERIFY(!NpyArray::open(entry.path()));
            ++tried;
        }
        QVERIFY(tried > 50);
    }
};

QTEST_GUILESS_MAIN(TestSharedMalformed)
#include "tst_shared_malformed.moc"
