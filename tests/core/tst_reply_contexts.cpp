// Kept keys and values: what fits into memory and file, and that answers about kept replies are the answers
// about replies that are read.
#include "core/constitution/elicitation.h"
#include "core/constitution/reply_reader.h"
#include "core/data/capture.h"
#include "tests/support/fake_model.h"
#include "tests/support/small_study.h"

#include <numeric>
#include <set>

using namespace lodestone;
using namespace lodestone::constitution;
using namespace lodestone::testing;
using model::ContextStore;
using model::PackedContext;
using model::StoreLimits;

namespace {

std::shared_ptr<const PackedContext> filled(std::size_t size, int with)
{
    return std::make_shared<const PackedContext>(size, static_cast<std::byte>(with));
}

Principle principleOf(const std::string& text)
{
    Principle principle = neutralPrinciple();
    principle.name = "tested";
    principle.text = text;
    return principle;
}

/// A fake model whose answers depend on every token before them.
FakeModel attentiveModel()
{
    FakeModel model(3, 12);
    model.change = [](Eigen::VectorXd& state, const FakeModel::Tokens& tokens, int last, int) {
        state[0]
            += std::sin(static_cast<double>(std::accumulate(tokens.begin(), tokens.begin() + last + 1, 0)));
    };
    return model;
}

} // namespace

class TestReplyContexts : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void memoryAndFileAreCapped()
    {
        const ScratchFolder folder;
        ContextStore store({ 1000, 1300, folder.path() / "contexts" });
        for (int i = 1; i <= 7; ++i) {
            store.keep(static_cast<std::uint64_t>(i), filled(400, i));
            QVERIFY(store.memoryBytes() <= 1000);
            QVERIFY(store.diskBytes() <= 1300);
        }
        // Two fit into memory, three into the file, two nowhere.
        QCOMPARE(store.count(), std::size_t(5));
        QCOMPARE(store.memoryBytes(), std::size_t(800));
        QCOMPARE(store.diskBytes(), std::uint64_t(1200));
        for (const int i : { 5, 1, 4, 2, 3, 5 }) {
            const auto found = store.find(static_cast<std::uint64_t>(i));
            QVERIFY(found && *found == *filled(400, i));
        }
        for (const std::uint64_t key : { 6, 7, 99 })
            QVERIFY(!store.holds(key) && !store.find(key));
        // A small one still finds room; what is held is not replaced.
        store.keep(8, filled(150, 8));
        QCOMPARE(store.memoryBytes(), std::size_t(950));
        store.keep(8, filled(10, 9));
        QCOMPARE(store.find(8)->size(), std::size_t(150));
        // The file has no name: nothing is left when the program dies.
        QVERIFY(std::filesystem::is_empty(folder.path() / "contexts"));
    }

    void withoutAFileWhatDoesNotFitIsForgotten()
    {
        const ScratchFolder folder;
        for (const bool blocked : { false, true }) {
            const auto place = folder.write("a file", "where a folder should be");
            ContextStore store({ 1000, blocked ? std::uint64_t(1) << 20 : 0, place });
            for (int i = 1; i <= 4; ++i)
                store.keep(static_cast<std::uint64_t>(i), filled(400, i));
            QCOMPARE(store.count(), std::size_t(2));
            QVERIFY(store.find(2) && !store.find(3));
        }
    }

    void keysAreOfAllTokensInOrder()
    {
        using Tokens = std::vector<text::TokenId>;
        std::set<std::uint64_t> keys;
        for (const Tokens& tokens : { Tokens{}, Tokens{ 0 }, Tokens{ 1 }, Tokens{ 1, 2 }, Tokens{ 2, 1 },
                                      Tokens{ 1, 2, 0 }, Tokens{ 0, 1, 2 } })
            QVERIFY(keys.insert(ContextStore::keyOf(tokens)).second);
        QCOMPARE(ContextStore::keyOf(Tokens{ 1, 2 }), ContextStore::keyOf(Tokens{ 1, 2 }));
    }

    void answersAreTheSameWhereverRepliesAreKept_data()
    {
        QTest::addColumn<qulonglong>("memory");
        QTest::addColumn<qulonglong>("disk");
        QTest::newRow("in memory") << 1'000'000ULL << 0ULL;
        QTest::newRow("some in a file") << 4'000ULL << 1'000'000ULL;
        QTest::newRow("all in a file") << 0ULL << 1'000'000ULL;
        QTest::newRow("a few") << 2'000ULL << 0ULL;
        QTest::newRow("nowhere") << 0ULL << 0ULL;
    }

    void answersAreTheSameWhereverRepliesAreKept()
    {
        QFETCH(const qulonglong, memory);
        QFETCH(const qulonglong, disk);
        const ScratchStudy study({ 12, 30, 3, 6 });
        const ScratchFolder folder;
        FakeModel model = attentiveModel();
        const auto store = std::make_shared<ContextStore>(StoreLimits{ memory, disk, folder.path() });
        const ConditionedCloze anew(study.study, model), keeping(study.study, model, store);
        for (const char* text : { "Be so.", "Be so, always.", "Be so." }) {
            const auto wanted = anew.judge(principleOf(text)), found = keeping.judge(principleOf(text));
            VERIFY_OK(wanted);
            VERIFY_OK(found);
            QVERIFY(wanted->scores.allFinite());
            QVERIFY(found->scores == wanted->scores);
            QVERIFY(store->memoryBytes() <= memory && store->diskBytes() <= disk);
        }
        if (memory + disk >= 1'000'000) {
            // All of it is kept: the next text costs its own tokens and nothing else.
            const std::size_t before = model.tokensRead;
            const auto again = keeping.judge(principleOf("Be so."));
            VERIFY_OK(again);
            const std::size_t suffix
                = model.tokenizer()
                      .encode(
                          "\n\nPrinciple: Be so. Judged by this principle, in one word, this reply was",
                          text::Special::Continue)
                      .size();
            QCOMPARE(model.tokensRead - before, suffix * study.study->set().responses.size());
        }
    }

    void theFirstRepliesAreReadAhead()
    {
        const ScratchStudy study({ 12, 40, 0, 3 });
        FakeModel model = attentiveModel();
        const auto store = std::make_shared<ContextStore>();
        auto reader = ReplyReader::make(*study.study, model, "here");
        VERIFY_OK(reader);
        reader->setContexts(store);
        std::vector<int> rows = askingOrder(study.study->set());
        rows.resize(firstResponses);
        VERIFY_OK(reader->warm(rows));
        const std::size_t before = model.tokensRead;
        VERIFY_OK(reader->warm(rows)); // once is enough
        QCOMPARE(model.tokensRead, before);
        // The first judgments arrive after one pass over the suffixes alone.
        const ConditionedCloze way(study.study, model, store);
        std::size_t first = 0;
        Eigen::Index judged = 0;
        const auto whole = way.judge(principleOf("Be so."), {}, [&](const Judged& partial) {
            if (first == 0) {
                first = model.tokensRead - before;
                judged = partial.scores.array().isFinite().count();
            }
        });
        VERIFY_OK(whole);
        QCOMPARE(judged, Eigen::Index(firstResponses));
        QVERIFY(first > 0 && first % firstResponses == 0);
        QVERIFY(first / firstResponses < 80); // byte-level: the suffix, and no reply
    }

    void aStoppedReadingKeepsWhatItHas()
    {
        const ScratchStudy study({ 12, 40, 0, 3 });
        FakeModel model = attentiveModel();
        const auto store = std::make_shared<ContextStore>();
        const ConditionedCloze way(study.study, model, store);
        const auto wanted = ConditionedCloze(study.study, model).judge(principleOf("Be so."));
        VERIFY_OK(wanted);
        std::stop_source stop;
        const auto stopped = way.judge(
            principleOf("Be so."), Work{ stop.get_token(), {} }, [&](const Judged&) { stop.request_stop(); });
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::Cancelled);
        QVERIFY(store->count() >= firstResponses);
        const auto again = way.judge(principleOf("Be so."));
        VERIFY_OK(again);
        QVERIFY(again->scores == wanted->scores);
    }
};

QTEST_GUILESS_MAIN(TestReplyContexts)
#include "tst_reply_contexts.moc"
