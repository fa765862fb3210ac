// ctest labels: shared torch
// A complete small language model in both checkpoint formats of llama2.c, against logits, residual streams
// and the text that its authors published.
#include "core/formats/lines.h"
#include "core/model/checkpoint_source.h"
#include "core/model/generate.h"
#include "core/model/model_library.h"
#include "tests/support/result_checks.h"

#include <fstream>

using namespace lodestone;
using namespace lodestone::model;
using namespace lodestone::testing;

class TestSharedCheckpoint : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (!std::filesystem::exists(shared / "reference/stories260K_reference.json"))
            QSKIP("skipped: no ../shared/data");
        auto reference = formats::readJson(shared / "reference/stories260K_reference.json");
        VERIFY_OK(reference);
        m_reference = std::move(*reference);
    }

    void theEngineEqualsTheReference_data()
    {
        QTest::addColumn<QString>("file");
        QTest::newRow("legacy") << QStringLiteral("checkpoint_legacy.bin");
        QTest::newRow("version 1") << QStringLiteral("checkpoint_v1.bin");
    }
    void theEngineEqualsTheReference()
    {
        QFETCH(const QString, file);
        const auto loaded = loadModel(shared / "models/stories260K" / file.toStdString());
        VERIFY_OK(loaded);
        LanguageModel& model = **loaded;
        QCOMPARE(model.config().blocks, 5);
        QCOMPARE(model.config().kvHeads, 4);
        QCOMPARE(model.config().vocabulary, 512);
        const auto ids = m_reference.at("greedy_ids_incl_bos").get<std::vector<TokenId>>();
        QCOMPARE(model.tokenizer().encode("", text::Special::Parse), std::vector<TokenId>{ ids[0] });

        std::vector<Layer> layers;
        for (int row = 0; row < model.config().layers(); ++row)
            layers.push_back(Layer::atRow(row));
        double stateError = 0, probabilityError = 0;
        for (std::size_t position = 0; position < 8; ++position) {
            Request request;
            request.tokens.assign(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(position) + 1);
            request.last = request.logits = true;
            const auto read = model.read(std::span(&request, 1), layers, {});
            VERIFY_OK(read);
            const auto states
                = m_reference.at("residuals").at(position).get<std::vector<std::vector<double>>>();
            QCOMPARE(states.size(), layers.size());
            for (std::size_t row = 0; row < states.size(); ++row) {
                const Eigen::VectorXd expected
                    = Eigen::Map<const Eigen::VectorXd>(states[row].data(), model.config().width);
                const Eigen::VectorXd found
                    = (*read)[0].last.row(static_cast<Eigen::Index>(row)).transpose().cast<double>();
                stateError = std::max(stateError, (expected - found).cwiseAbs().maxCoeff() / expected.norm());
                QVERIFY(stateError <= 1e-4);
            }
            const auto logits
                = m_reference.at("logits_first8_positions").at(position).get<std::vector<double>>();
            Eigen::VectorXd expected = Eigen::Map<const Eigen::VectorXd>(logits.data(), 512);
            expected.array() -= std::log(expected.array().exp().sum());
            probabilityError = std::max(
                probabilityError,
                ((*read)[0].nextLogProbabilities.cast<double>() - expected).cwiseAbs().maxCoeff());
            QVERIFY(probabilityError <= 1e-3);
        }
        qInfo(
            "largest error of a log-probability %.1e, of a residual %.1e of the norm", probabilityError,
            stateError);
        SamplingOptions greedy;
        greedy.maxTokens = static_cast<int>(ids.size()) - 1;
        const auto written = generate(model, std::span(ids).first(1), 1, greedy);
        VERIFY_OK(written);
        QCOMPARE((*written)[0].ids, std::vector<TokenId>(ids.begin() + 1, ids.end()));
        QCOMPARE(model.tokenizer().decode(ids, true), m_reference.at("greedy_text").get<std::string>());
    }

    /// Cut at any byte, or with another header: named, and nothing large is allocated.
    void damagedCheckpointsAreNamed()
    {
        for (const char* name : { "checkpoint_legacy.bin", "checkpoint_v1.bin" }) {
            const std::string bytes = bytesOf(shared / "models/stories260K" / name);
            QVERIFY(bytes.size() > 1000000);
            const ScratchFolder folder;
            for (const std::size_t length :
                 { std::size_t(0), std::size_t(3), std::size_t(27), std::size_t(35), std::size_t(200),
                   bytes.size() / 2, bytes.size() - 1 })
                QVERIFY(!openCheckpoint(folder.write("cut.bin", std::string_view(bytes).substr(0, length))));
            VERIFY_FAILS(
                openCheckpoint(folder.write("long.bin", bytes + "x")), "as the header implies", "long.bin");
            const std::size_t header = std::string_view(name) == "checkpoint_v1.bin" ? 8 : 0;
            for (std::size_t field = 0; field < 7; ++field)
                for (const std::int32_t lie :
                     { 0, -1, 7, 1 << 15, std::numeric_limits<std::int32_t>::max() }) {
                    // The context decides no length in version 1: only a senseless one is found out.
                    if (header > 0 && field == 6 && lie > 0 && lie < 1 << 20)
                        continue;
                    std::string lying = bytes;
                    std::memcpy(lying.data() + header + 4 * field, &lie, sizeof lie);
                    QVERIFY(!openCheckpoint(folder.write("lying.bin", lying)));
                }
            if (header > 0) {
                std::string second = bytes;
                second[4] = 2;
                VERIFY_FAILS(openCheckpoint(folder.write("second.bin", second)), "version 1", "version 2");
            }
        }
    }

private:
    const std::filesystem::path shared = LODESTONE_SOURCE_DIR "/../shared/data";
    nlohmann::json m_reference;
};

QTEST_GUILESS_MAIN(TestSharedCheckpoint)
#include "tst_shared_checkpoint.moc"
