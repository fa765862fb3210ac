// Captures eight pairs of the sample study again and compares with what was shipped.
// ctest labels: model torch
#include "core/data/capture.h"
#include "core/model/model_fetch.h"
#include "core/model/model_library.h"

#include <QTemporaryDir>
#include <QtTest>

using namespace lodestone;

class TestRecapture : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void eightPairsComeOutTheSame()
    {
        const auto path = model::defaultModelPath();
        if (!path)
            QSKIP("the default model is not in the cache");
        const auto shipped
            = data::Study::open(std::filesystem::path(LODESTONE_SOURCE_DIR) / "resources/samples/sample");
        QVERIFY(shipped.has_value());
        const data::ResponseSet& all = (*shipped)->set();
        data::ResponseSet some;
        std::vector<int> rows;
        for (int i = 0; i < 8; ++i) {
            data::Pair pair = all.pairs[static_cast<std::size_t>(i) * 20];
            for (int* row : { &pair.chosen, &pair.rejected }) {
                data::Response response = all.responses[static_cast<std::size_t>(*row)];
                rows.push_back(*row);
                if (row == &pair.chosen)
                    some.prompts.push_back(all.prompts[static_cast<std::size_t>(response.prompt)]);
                response.prompt = static_cast<int>(some.prompts.size()) - 1;
                *row = static_cast<int>(some.responses.size());
                some.responses.push_back(response);
            }
            some.pairs.push_back(pair);
        }
        auto engine = model::loadModel(*path);
        QVERIFY2(engine.has_value(), engine ? "" : engine.error().message().c_str());
        QTemporaryDir folder;
        data::CaptureOptions options;
        options.positions = { data::Position::Mean };
        options.layers
            = { Layer::embedding(), Layer::blockOutput(9), Layer::blockOutput(20), Layer::blockOutput(29) };
        options.words = { "kind", "cruel" };
        options.wordLimit = 2;
        const std::filesystem::path target = folder.filePath(QStringLiteral("again")).toStdString();
        const auto summary = data::capture(**engine, some, target, options);
        QVERIFY2(summary.has_value(), summary ? "" : summary.error().message().c_str());
        const auto again = data::Study::open(target);
        QVERIFY(again.has_value());
        for (const Layer layer : options.layers) {
            const auto before = (*shipped)->activations(layer, data::Position::Mean),
                       after = (*again)->activations(layer, data::Position::Mean);
            QVERIFY(before && after);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                const auto expected = before->row(rows[i]);
                // Stored as float16: half a unit in the last place of each coordinate, about 5e-4 of it, and
                // batches differ.
                QVERIFY2(
                    (after->row(static_cast<Eigen::Index>(i)) - expected).norm() <= 2e-3f * expected.norm(),
                    layer.label().c_str());
            }
        }
        const auto before = (*shipped)->likelihoods(), after = (*again)->likelihoods();
        QVERIFY(before && after);
        for (std::size_t i = 0; i < rows.size(); ++i)
            QVERIFY(std::abs((*before)[static_cast<std::size_t>(rows[i])].given - (*after)[i].given) < 0.02);
    }
};

QTEST_GUILESS_MAIN(TestRecapture)
#include "tst_model_recapture.moc"
