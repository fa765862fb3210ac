// ctest labels: shared
// Files that other tools wrote: directions, activations and a small network, against independent reference
// values.
#include "core/formats/control_vector.h"
#include "core/formats/direction_file.h"
#include "core/formats/lines.h"
#include "core/formats/npz.h"
#include "core/formats/open_tensors.h"
#include "core/formats/safetensors.h"
#include "core/formats/torch_file.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/result_checks.h"

#include <cmath>

using namespace lodestone;
using namespace lodestone::formats;
using testing::largestAllocation;

namespace {

const std::filesystem::path sharedData = LODESTONE_SOURCE_DIR "/../shared/data";

} // namespace

class TestFormatsShared : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (!std::filesystem::exists(sharedData))
            QSKIP("skipped: no ../shared/data");
    }

    /// The file is a view of a storage ninety times as large; its first values are another direction.
    void theRefusalDirectionIsAView()
    {
        const auto folder = sharedData / "directions/refusal_direction/gemma-2b-it";
        const auto reference = readJson(sharedData / "reference/refusal_direction_reference.json");
        VERIFY_OK(reference);
        const nlohmann::json& expected = (*reference)["gemma-2b-it"];
        const auto file = openTorchFile(folder / "direction.pt");
        VERIFY_OK(file);
        const Tensor& tensor = *file->only().value();
        QVERIFY(tensor.type == ElementType::F64);
        QCOMPARE(tensor.shape, (std::vector<std::uint64_t>{ 2048 }));
        double squares = 0;
        for (std::size_t i = 0; i < 2048; ++i) {
            const double value = elementAt(tensor.type, tensor.bytes.data() + 8 * i);
            squares += value * value;
            if (i < 8)
                QCOMPARE(value, expected["direction_first8"][i].get<double>());
        }
        QVERIFY(std::abs(std::sqrt(squares) - expected["direction_norm"].get<double>()) < 1e-12);

        // It is the row of mean_diffs at position -2 (of 5) and layer 10.
        const auto rows = readDirectionFile((folder / "generate_directions/mean_diffs.pt").string());
        VERIFY_OK(rows);
        QCOMPARE(rows->directions.size(), std::size_t(5 * 18));
        const auto row = readDirectionFile((folder / "generate_directions/mean_diffs.pt#3/10").string());
        const auto direction = readDirectionFile((folder / "direction.pt").string());
        VERIFY_OK(row);
        VERIFY_OK(direction);
        QVERIFY(row->only().value()->values == direction->only().value()->values);
        const nlohmann::json& norms = expected["norms_[pos][layer]"];
        for (std::size_t position = 0; position < 5; ++position)
            for (std::size_t layer = 0; layer < 18; ++layer) {
                const Eigen::VectorXf& values = rows->directions[position * 18 + layer].values;
                QVERIFY(
                    std::abs(static_cast<double>(values.norm()) - norms[position][layer].get<double>())
                    < 1e-4);
            }
    }

    void aStateDictionaryIsRead()
    {
        const auto file = openTorchFile(sharedData / "models/paren-transformer/brackets_model_state_dict.pt");
        VERIFY_OK(file);
        QCOMPARE(file->tensors.size(), std::size_t(60));
        std::map<std::string, int> types;
        int scalars = 0;
        for (const auto& [name, tensor] : file->tensors) {
            ++types[std::string(elementName(tensor.type))];
            scalars += tensor.shape.empty() ? 1 : 0;
            QCOMPARE(tensor.toFloat().size(), static_cast<std::size_t>(tensor.items()));
        }
        QVERIFY(types["F32"] > 50);
        QVERIFY(types["BOOL"] >= 1);
        QVERIFY(scalars >= 1);
    }

    void arraysBesideTextsAreRead()
    {
        for (const auto& entry :
             std::filesystem::directory_iterator(sharedData / "activations/emergent-geometry")) {
            if (entry.path().extension() != ".npz")
                continue;
            const auto file = openNpz(entry.path());
            VERIFY_OK(file);
            QVERIFY(!file->tensors.empty());
        }
        const auto file = openNpz(sharedData / "activations/emergent-geometry/activations.npz");
        VERIFY_OK(file);
        const Tensor& vectors = *file->tensor("vectors").value();
        QCOMPARE(vectors.shape, (std::vector<std::uint64_t>{ 77, 896 }));
        QCOMPARE(
            file->leftOut, (std::vector<std::string>{ "tokens (|O)", "categories (|O)", "model (<U17)" }));
        QCOMPARE(file->tensor("layer").value()->toFloat(), (std::vector<float>{ 12 }));
        // The graph's weights are symmetric and its Laplacian's rows sum to zero.
        const auto graph = openNpz(sharedData / "activations/emergent-geometry/graph.npz");
        VERIFY_OK(graph);
        const std::vector<float> laplacian = graph->tensor("laplacian").value()->toFloat();
        QCOMPARE(laplacian.size(), std::size_t(53 * 53));
        for (std::size_t i = 0; i < 53; ++i) {
            double sum = 0;
            for (std::size_t j = 0; j < 53; ++j) {
                sum += static_cast<double>(laplacian[53 * i + j]);
                QCOMPARE(laplacian[53 * i + j], laplacian[53 * j + i]);
            }
            QVERIFY(std::abs(sum) < 1e-4);
        }
    }

    /// The damaged files, and every other one there: a reader takes its own kind and names the file of
    /// another.
    void everyReaderNamesWhatIsNotItsOwn()
    {
        int damaged = 0, files = 0, read = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(sharedData)) {
            if (!entry.is_regular_file())
                continue;
            const std::string name = entry.path().filename().string();
            const bool isDamaged = entry.path().parent_path().filename() == "malformed";
            largestAllocation = 0;
            for (const auto& result : { openSafetensors(entry.path()), openNpz(entry.path()),
                                        openTorchFile(entry.path()), openTensors(entry.path()) }) {
                if (!result)
                    VERIFY_FAILS(result, name, "expected", "found");
                read += result ? 1 : 0;
                QVERIFY(!result || !isDamaged);
            }
            if (isDamaged) {
                VERIFY_FAILS(Gguf::open(entry.path()), name, "byte ");
                VERIFY_FAILS(readDirectionFile(entry.path().string()), name);
                QVERIFY(largestAllocation < 2 * entry.file_size());
                ++damaged;
            }
            ++files;
        }
        QVERIFY(damaged >= 2);
        QVERIFY(files > 50);
        QVERIFY(read >= 2 * 7); // four .npz and three .pt files, each also by its content
    }

    void realArchivesCutShortAreNamed()
    {
        const testing::ScratchFolder folder;
        for (const char* file : { "models/paren-transformer/brackets_model_state_dict.pt",
                                  "activations/emergent-geometry/graph.npz" }) {
            const std::string bytes = testing::bytesOf(sharedData / file);
            QVERIFY(bytes.size() > 1000);
            for (std::size_t length = 0; length < bytes.size(); length += bytes.size() / 97) {
                const auto path = folder.write("cut", std::string_view(bytes).substr(0, length));
                largestAllocation = 0;
                VERIFY_FAILS(openTensors(path), "cut");
                QVERIFY(largestAllocation < std::size_t(1) << 16u);
            }
        }
    }

    void aRealControlVectorIsRead()
    {
        const auto path = sharedData / "directions/llamacpp-cvector/control_vector_gemma.gguf";
        const auto reference = readJson(sharedData / "reference/control_vector_gemma_reference.json");
        VERIFY_OK(reference);
        const auto file = readDirectionFile(path.string());
        VERIFY_OK(file);
        QCOMPARE(file->origin.model, std::string("gemma"));
        QCOMPARE(file->directions.size(), std::size_t(27));
        for (const nlohmann::json& expected : (*reference)["tensors"]) {
            const auto one = readDirectionFile(path.string() + "#" + expected["name"].get<std::string>());
            VERIFY_OK(one);
            const FileDirection& direction = *one->only().value();
            QCOMPARE(direction.layer->block(), std::stoi(expected["name"].get<std::string>().substr(10)));
            QCOMPARE(direction.values.size(), Eigen::Index(3072));
            for (Eigen::Index i = 0; i < 4; ++i)
                QCOMPARE(
                    static_cast<double>(direction.values[i]),
                    expected["first4"][static_cast<std::size_t>(i)].get<double>());
            QVERIFY(std::abs(direction.values.cast<double>().norm() - expected["norm"].get<double>()) < 1e-9);
        }
        // Written again, it holds the same directions at the same layers.
        const testing::ScratchFolder folder;
        VERIFY_OK(writeDirectionFile(folder / "again.gguf", *file));
        const auto again = readDirectionFile((folder / "again.gguf").string());
        VERIFY_OK(again);
        for (std::size_t i = 0; i < 27; ++i) {
            QVERIFY(again->directions[i].values == file->directions[i].values);
            QVERIFY(again->directions[i].layer == file->directions[i].layer);
        }
    }
};

QTEST_GUILESS_MAIN(TestFormatsShared)
#include "tst_formats_shared.moc"
