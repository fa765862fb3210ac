// ctest labels: model torch
// With the real engine: two shards, merged, are the unsharded capture to the byte.
#include "core/data/merge_shards.h"
#include "core/model/model_fetch.h"
#include "core/model/model_library.h"
#include "tests/support/result_checks.h"

using namespace lodestone;
using namespace lodestone::data;
using namespace lodestone::testing;

class TestModelShards : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void mergedEqualsUnsharded()
    {
        const auto path = model::defaultModelPath();
        if (!path)
            QSKIP("skipped: the default model is not fetched");
        const auto model = model::loadModel(*path);
        VERIFY_OK(model);
        ResponseSet set;
        for (int p = 0; p < 6; ++p) {
            set.prompts.push_back({ "p" + std::to_string(p),
                                    { { "user", "Name " + std::to_string(p + 2) + " colours." } },
                                    p });
            for (const char* reply : { "Blue, green and red.", "I would rather not." })
                set.responses.push_back(
                    { "r" + std::to_string(set.responses.size()), p, reply, "helpful", 0, 0 });
            set.pairs.push_back({ "pair" + std::to_string(p), 2 * p, 2 * p + 1, "helpful" });
        }
        const ScratchFolder scratch;
        CaptureOptions options;
        options.name = "shards";
        options.layers = { Layer::embedding(), Layer::blockOutput(12), Layer::blockOutput(29) };
        options.words = { "kind", "helpful" };
        options.wordLimit = 4;
        options.tokensPerBatch = 60;
        VERIFY_OK(capture(**model, set, scratch / "whole", options));
        std::vector<std::filesystem::path> folders;
        for (int i = 0; i < 2; ++i) {
            options.shard = { i, 2 };
            folders.push_back(scratch / std::to_string(i));
            const auto part = capture(**model, set, folders.back(), options);
            VERIFY_OK(part);
            QVERIFY(part->responses > 0 && part->responses < set.responses.size());
        }
        const auto shards = ShardSet::open(folders);
        VERIFY_OK(shards);
        VERIFY_OK(mergeShards(*shards, **model, scratch / "merged"));
        int files = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch / "whole"))
            if (entry.is_regular_file()) {
                const auto name = std::filesystem::relative(entry.path(), scratch / "whole").string();
                QVERIFY2(bytesOf(entry.path()) == bytesOf(scratch / ("merged/" + name)), name.c_str());
                ++files;
            }
        QVERIFY(files >= 16); // 6 arrays, 4 suffixes, likelihoods, words, texts, manifest
    }
};

QTEST_GUILESS_MAIN(TestModelShards)
#include "tst_model_shards.moc"
