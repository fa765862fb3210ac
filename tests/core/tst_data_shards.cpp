// A capture cut into shards, one of them killed and resumed, and merged is the unsharded study to the byte;
// shards that do not belong together are refused by name.
#include "core/data/merge_shards.h"
#include "tests/support/fake_model.h"
#include "tests/support/result_checks.h"

#include <csignal>
#include <map>
#include <sys/wait.h>
#include <unistd.h>

using namespace lodestone;
using namespace lodestone::data;
using namespace lodestone::testing;
using Paths = std::vector<std::filesystem::path>;

namespace {

/// Fourteen prompts of growing length: pairs, and every fourth with three candidates in no pair.
ResponseSet replies()
{
    ResponseSet set;
    for (int p = 0; p < 14; ++p) {
        std::string question = "How far is it";
        for (int i = 0; i < p; ++i)
            question += " from " + std::to_string(7 * i);
        set.prompts.push_back({ "p" + std::to_string(p), { { "user", question + "?" } }, p });
        const int count = p % 4 == 3 ? 3 : 2;
        for (int r = 0; r < count; ++r)
            set.responses.push_back({ "r" + std::to_string(p) + "-" + std::to_string(r), p,
                                      (r ? "Far" : "Near") + std::string(static_cast<std::size_t>(p), '.'),
                                      "honest", 0, 0 });
        if (count == 2)
            set.pairs.push_back({ "pair" + std::to_string(p), static_cast<int>(set.responses.size()) - 2,
                                  static_cast<int>(set.responses.size()) - 1, "honest" });
    }
    return set;
}

CaptureOptions options(int index = 0, int count = 1)
{
    CaptureOptions result;
    result.tokensPerBatch = 220;
    result.words = { "kind", "honest" };
    result.wordLimit = 5;
    result.shard = { index, count };
    return result;
}

std::map<std::string, std::string> contents(const std::filesystem::path& folder)
{
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.is_regular_file())
            files[std::filesystem::relative(entry.path(), folder).string()] = bytesOf(entry.path());
    return files;
}

#define VERIFY_SAME_FILES(a, b)                                                                              \
    do {                                                                                                     \
        const auto first_ = contents(a), second_ = contents(b);                                              \
        QCOMPARE(second_.size(), first_.size());                                                             \
        for (const auto& [name, bytes] : first_)                                                             \
            QVERIFY2(second_.count(name) && second_.at(name) == bytes, name.c_str());                        \
    } while (false)

/// Captures all shards of a set with models that `prepare` has changed.
template <typename Prepare>
Paths captureShards(const ScratchFolder& scratch, int count, const Prepare& prepare)
{
    Paths folders;
    for (int i = 0; i < count; ++i) {
        FakeModel model;
        prepare(model);
        folders.push_back(scratch / ("shard-" + std::to_string(count) + "-" + std::to_string(i)));
        if (const auto done = capture(model, replies(), folders.back(), options(i, count)); !done)
            qFatal("%s", done.error().message().c_str());
    }
    return folders;
}

Result<CaptureSummary> merge(const Paths& folders, const std::filesystem::path& target)
{
    const FakeModel model;
    LODESTONE_TRY(const ShardSet shards, ShardSet::open(folders));
    return mergeShards(shards, model, target);
}

} // namespace

class TestDataShards : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void shardsAreNamedFromOne()
    {
        QVERIFY((parseShard("1/3").value() == Shard{ 0, 3 }));
        QVERIFY((parseShard("3/3").value() == Shard{ 2, 3 }));
        QVERIFY((parseShard("0/3").value() == Shard{ 2, 3 })); // for those who count from zero
        QVERIFY((parseShard("1/1").value() == Shard{ 0, 1 }));
        for (const char* wrong : { "", "1", "4/3", "-1/3", "1/0", "a/b", "1/3x", "1/", "/3", "1 /3" })
            VERIFY_FAILS(parseShard(wrong), "a shard i/n", "--shard");
    }

    void mergedEqualsUnsharded_data()
    {
        QTest::addColumn<int>("count");
        QTest::addColumn<double>("scale");
        QTest::addColumn<bool>("spike");
        for (const int count : { 2, 5, 40 })
            QTest::addRow("%d shards", count) << count << 1.0 << false;
        QTest::newRow("all float32") << 3 << 1e5 << false;
        // One array starts as float16 and is widened by a later batch: what came before is rounded.
        QTest::newRow("an array is widened") << 3 << 1.0 << true;
    }
    void mergedEqualsUnsharded()
    {
        QFETCH(int, count);
        QFETCH(double, scale);
        QFETCH(bool, spike);
        const ScratchFolder scratch;
        const auto prepare = [&](FakeModel& model) {
            model.scale = scale;
            if (spike)
                model.change = [](Eigen::VectorXd& state, const FakeModel::Tokens& tokens, int, int row) {
                    if (row == 2 && tokens.size() > 150)
                        state[3] = 1e6;
                };
        };
        FakeModel model;
        prepare(model);
        const auto whole = capture(model, replies(), scratch / "a" / "study", options());
        VERIFY_OK(whole);
        Paths folders = captureShards(scratch, count, prepare);
        std::reverse(folders.begin(), folders.end()); // their order does not matter
        const auto merged = merge(folders, scratch / "b" / "study");
        VERIFY_OK(merged);
        QCOMPARE(merged->responses, whole->responses);
        QCOMPARE(merged->pairs, whole->pairs);
        VERIFY_SAME_FILES(scratch / "a" / "study", scratch / "b" / "study");
        if (spike) {
            const auto study = Study::open(scratch / "b" / "study").value();
            int wide = 0;
            for (const ArrayInfo& info : study->arrays())
                wide += info.type == "<f4";
            QVERIFY(wide > 0 && wide < static_cast<int>(study->arrays().size()));
        }
    }

    void shardsReadEveryResponseOnce()
    {
        const ScratchFolder scratch;
        std::size_t responses = 0, pairs = 0;
        for (int i = 0; i < 4; ++i) {
            FakeModel model;
            const auto done = capture(model, replies(), scratch / ("s" + std::to_string(i)), options(i, 4));
            VERIFY_OK(done);
            QVERIFY(done->responses > 0 && done->responses < replies().responses.size());
            responses += done->responses;
            pairs += done->pairs;
        }
        QCOMPARE(responses, replies().responses.size());
        QCOMPARE(pairs, replies().pairs.size());
    }

    void aShardOpensAsWhatItHolds()
    {
        const ScratchFolder scratch;
        const Paths folders = captureShards(scratch, 3, [](FakeModel&) {});
        const auto study = Study::open(folders[1]);
        VERIFY_OK(study);
        QVERIFY((*study)->incomplete().value().find("shard 2/3") != std::string::npos);
    }

    /// Killed with SIGKILL inside the model, resumed, merged: the same bytes.
    void aKilledShardResumes_data()
    {
        QTest::addColumn<int>("call");
        for (const int call : { 0, 3, 9, 14 })
            QTest::addRow("call %d", call) << call;
    }
    void aKilledShardResumes()
    {
        QFETCH(int, call);
        const ScratchFolder scratch;
        FakeModel model;
        VERIFY_OK(capture(model, replies(), scratch / "a" / "study", options()));
        const Paths folders{ scratch / "one", scratch / "two" };
        const pid_t child = ::fork();
        if (child == 0) {
            FakeModel dying;
            dying.beforeRead = [call](int now) -> Result<void> {
                if (now == call)
                    ::raise(SIGKILL);
                return {};
            };
            (void)capture(dying, replies(), folders[0], options(0, 2));
            ::_exit(0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        QVERIFY(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        VERIFY_OK(capture(model, replies(), folders[1], options(1, 2)));
        VERIFY_FAILS(merge(folders, scratch / "b" / "study"), "a finished shard", "--resume", "shard 1/2");
        CaptureOptions again = options(0, 2);
        VERIFY_FAILS(capture(model, replies(), folders[0], again), "a new folder, or --resume");
        again.resume = true;
        VERIFY_OK(capture(model, replies(), folders[0], again));
        VERIFY_OK(merge(folders, scratch / "b" / "study"));
        VERIFY_SAME_FILES(scratch / "a" / "study", scratch / "b" / "study");
        // Resuming what is finished reads nothing.
        const auto nothing = capture(model, replies(), folders[0], again);
        VERIFY_OK(nothing);
        QCOMPARE(nothing->tokens, 0.0);
    }

    void aShardIsNotResumedAsAnother()
    {
        const ScratchFolder scratch;
        FakeModel model;
        VERIFY_OK(capture(model, replies(), scratch / "s", options(0, 2)));
        for (const Shard other : { Shard{ 1, 2 }, Shard{ 0, 3 }, Shard{} }) {
            CaptureOptions with = options(other.index, other.count);
            with.resume = true;
            VERIFY_FAILS(capture(model, replies(), scratch / "s", with), "that this capture began with");
        }
    }

    void whatDoesNotBelongTogetherIsRefused()
    {
        const ScratchFolder scratch;
        const Paths folders = captureShards(scratch, 3, [](FakeModel&) {});
        const auto with = [&](const std::filesystem::path& other) {
            return merge({ folders[0], folders[1], other }, scratch / "out");
        };
        const auto captured = [&](const std::string& name, ResponseSet set, CaptureOptions how,
                                  const std::string& hash = {}) {
            FakeModel model;
            if (!hash.empty())
                model.setSha256(hash);
            if (const auto done = capture(model, std::move(set), scratch / name, how); !done)
                qFatal("%s", done.error().message().c_str());
            return scratch / name;
        };
        VERIFY_FAILS(merge({ folders[0], folders[2] }, scratch / "out"), "all 3 shards", "missing: 2");
        VERIFY_FAILS(merge({ folders[1] }, scratch / "out"), "all 3 shards", "2 missing: 1, 3");
        VERIFY_FAILS(with(folders[0]), "each shard once", "shard 1 twice", folders[0].string());
        VERIFY_FAILS(merge({}, scratch / "out"), "the folders of the shards");
        VERIFY_FAILS(with(scratch / "absent"), "a shard (capture --shard i/n)", "nothing", "absent");
        std::filesystem::create_directories(scratch / "empty");
        VERIFY_FAILS(with(scratch / "empty"), "no capture.json");
        VERIFY_FAILS(with(captured("study", replies(), options())), "a finished study");

        ResponseSet other = replies();
        other.responses[3].text += " Perhaps.";
        VERIFY_FAILS(with(captured("texts", other, options(2, 3))), "one of other texts", "shard 3/3");
        other = replies();
        std::swap(other.pairs[0].chosen, other.pairs[0].rejected);
        VERIFY_FAILS(with(captured("labels", other, options(2, 3))), "one of other texts");
        VERIFY_FAILS(
            with(captured("model", replies(), options(2, 3), std::string(64, 'b'))), "another model");
        VERIFY_FAILS(with(captured("four", replies(), options(2, 4))), "one of 4 shards");
        CaptureOptions how = options(2, 3);
        how.layers = { Layer::blockOutput(1) };
        VERIFY_FAILS(with(captured("layers", replies(), how)), "other options", "arrays");
        how = options(2, 3);
        how.likelihoods = false;
        VERIFY_FAILS(with(captured("likelihood", replies(), how)), "other options", "likelihood");
        how = options(2, 3);
        how.seed = 7;
        VERIFY_FAILS(with(captured("seed", replies(), how)), "other options", "seed");
        how = options(2, 3);
        how.split.trainFraction = 0.5;
        VERIFY_FAILS(with(captured("split", replies(), how)), "other options", "splits");
        how = options(2, 3);
        how.wordLimit = 6;
        VERIFY_FAILS(with(captured("words", replies(), how)), "other options", "word_limit");
        how = options(2, 3);
        how.tokensPerBatch = 300;
        VERIFY_FAILS(with(captured("batches", replies(), how)), "other options", "batches");
        QVERIFY(!std::filesystem::exists(scratch / "out"));

        // The wrong model at the end, and a target that is taken.
        const auto shards = ShardSet::open(folders);
        VERIFY_OK(shards);
        FakeModel wrong;
        wrong.setSha256(std::string(64, 'c'));
        VERIFY_FAILS(mergeShards(*shards, wrong, scratch / "out"), "the model that read the shards");
        VERIFY_FAILS(merge(folders, folders[0]), "a new folder");
        std::filesystem::create_directories(scratch / "out");
        VERIFY_OK(merge(folders, scratch / "out")); // an empty folder is as good as none
        VERIFY_OK(Study::open(scratch / "out"));
    }

    void damagedShardsAreNamed()
    {
        const ScratchFolder scratch;
        const Paths folders = captureShards(scratch, 2, [](FakeModel&) {});
        const std::string manifest = bytesOf(folders[1] / "capture.json");
        const auto damaged = [&](const std::string& bytes) {
            scratch.write("shard-2-1/capture.json", bytes);
            return merge(folders, scratch / "out");
        };
        VERIFY_FAILS(damaged("{\"sh"), "valid JSON");
        VERIFY_FAILS(damaged("[]"), "a shard");
        VERIFY_FAILS(damaged("{\"shard\": 5}"), "a shard's manifest", "capture.json");
        VERIFY_FAILS(damaged("{\"shard\": {\"index\": 3, \"count\": 2}}"), "from 1/n to n/n", "3/2");
        VERIFY_FAILS(damaged("{\"shard\": {\"index\": 2, \"count\": 2}, \"model\": 5}"), "shard");
        scratch.write("shard-2-1/capture.json", manifest);
        std::filesystem::resize_file(folders[1] / "activations/block-1.mean.npy", 200);
        VERIFY_FAILS(merge(folders, scratch / "out"), "block-1.mean.npy");
        QVERIFY(!std::filesystem::exists(scratch / "out"));
        QVERIFY(!std::filesystem::exists(scratch / ".out.merging"));
    }
};

QTEST_GUILESS_MAIN(TestDataShards)
#include "tst_data_shards.moc"
