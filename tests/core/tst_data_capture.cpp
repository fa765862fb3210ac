// Capturing with a model whose answers are a known function: what is stored is that function, whatever the
// batches, and a capture that was killed and resumed is the same to the byte.
#include "core/data/capture.h"
#include "core/data/cloze.h"
#include "core/data/word_table.h"
#include "core/formats/quant.h"
#include "tests/support/fake_model.h"
#include "tests/support/result_checks.h"

#include <csignal>
#include <map>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

using namespace lodestone;
using namespace lodestone::data;
using namespace lodestone::testing;
using formats::NpyArray;
using formats::NpyType;

namespace {

using Tokens = FakeModel::Tokens;

/// Twelve prompts of growing length: nine with a pair each, three with four candidates each.
ResponseSet replies()
{
    ResponseSet set;
    for (int p = 0; p < 12; ++p) {
        std::string question = "Question";
        for (int i = 0; i < p; ++i)
            question += " number " + std::to_string(i * p);
        set.prompts.push_back({ "p" + std::to_string(p), { { "user", question + "?" } }, p });
        const int count = p % 4 == 3 ? 4 : 2;
        for (int r = 0; r < count; ++r) {
            std::string answer = r % 2 ? "No" : "Yes";
            for (int i = 0; i < (r + p) % 5; ++i)
                answer += ", a kind one";
            set.responses.push_back(
                { "r" + std::to_string(p) + "-" + std::to_string(r), p, answer + ".", "kind", 0, 0 });
        }
        if (count == 2)
            set.pairs.push_back({ "pair" + std::to_string(p), static_cast<int>(set.responses.size()) - 1,
                                  static_cast<int>(set.responses.size()) - 2, "kind" });
    }
    return set;
}

ResponseSet labelled(ItemKind kind)
{
    ResponseSet set;
    set.kind = kind;
    set.positiveLabel = "true";
    set.negativeLabel = "false";
    for (int i = 0; i < 5; ++i) {
        const std::string words = "Water is wet " + std::string(static_cast<std::size_t>(i), 'x');
        const bool request = kind == ItemKind::Request;
        set.prompts.push_back(
            { "p" + std::to_string(i),
              request ? std::vector<text::Message>{ { "user", words } } : std::vector<text::Message>(), i });
        set.responses.push_back({ "r" + std::to_string(i), i, request ? "" : words, "", i % 2 ? 1 : -1, 0 });
    }
    return set;
}

CaptureOptions options(int tokensPerBatch = 300)
{
    CaptureOptions result;
    result.tokensPerBatch = tokensPerBatch;
    result.words = { "kind", "cruel", "kindness" };
    result.wordLimit = 6;
    return result;
}

/// Every file of a folder with its bytes.
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
        QCOMPARE(first_.size(), second_.size());                                                             \
        for (const auto& [name, bytes] : first_)                                                             \
            QVERIFY2(second_.count(name) && second_.at(name) == bytes, name.c_str());                        \
    } while (false)

float asHalf(double value) { return formats::halfToFloat(formats::floatToHalf(static_cast<float>(value))); }

Tokens joined(Tokens first, const Tokens& second)
{
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

/// The mean of the model's state over the tokens from `begin` on.
Eigen::VectorXd meanState(const FakeModel& model, const Tokens& tokens, std::size_t begin, int row)
{
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(model.config().width);
    for (std::size_t i = begin; i < tokens.size(); ++i)
        sum += model.state(tokens, static_cast<int>(i), row);
    return sum / static_cast<double>(tokens.size() - begin);
}

bool near(const RowMatrix& matrix, Eigen::Index row, const Eigen::VectorXd& expected)
{
    for (Eigen::Index j = 0; j < expected.size(); ++j)
        if (std::abs(matrix(row, j) - asHalf(expected[j])) > 2e-3 * (1 + std::abs(expected[j])))
            return false;
    return true;
}

/// Runs a capture in a child process in which the model kills itself at a call; says by which signal it
/// ended.
int killedAt(int call, const std::filesystem::path& folder, CaptureOptions with)
{
    const pid_t child = ::fork();
    if (child == 0) {
        FakeModel model;
        model.beforeRead = [call](int now) -> Result<void> {
            if (now == call)
                ::raise(SIGKILL);
            return {};
        };
        (void)capture(model, replies(), folder, with);
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

} // namespace

class TestDataCapture : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void repliesAreReadAfterTheirPrompts()
    {
        const ScratchFolder scratch;
        FakeModel model;
        const auto summary = capture(model, replies(), scratch / "study", options());
        VERIFY_OK(summary);
        QCOMPARE(summary->responses, std::size_t(30));
        QCOMPARE(summary->pairs, std::size_t(9));
        const auto opened = Study::open(scratch / "study");
        VERIFY_OK(opened);
        const Study& study = **opened;
        QVERIFY(!study.incomplete());
        QVERIFY(!std::filesystem::exists(scratch / "study/capture.json"));
        QVERIFY(!std::filesystem::exists(scratch / "study/capture.journal"));
        const ResponseSet& set = study.set();
        // Responses of pairs stand first; the pairs still name the same texts.
        QCOMPARE(set.pairs.size(), std::size_t(9));
        for (std::size_t i = 0; i < 9; ++i) {
            const ResponseSet original = replies();
            QVERIFY(set.pairs[i].chosen < 18 && set.pairs[i].rejected < 18);
            QCOMPARE(
                set.responses[static_cast<std::size_t>(set.pairs[i].chosen)].id,
                original.responses[static_cast<std::size_t>(original.pairs[i].chosen)].id);
            QCOMPARE(
                set.responses[static_cast<std::size_t>(set.pairs[i].rejected)].id,
                original.responses[static_cast<std::size_t>(original.pairs[i].rejected)].id);
        }
        QCOMPARE(study.layers().size(), std::size_t(4));
        QCOMPARE(study.suffixes().size(), std::size_t(4));
        const auto likelihoods = study.likelihoods().value();
        const Tokens opening = model.tokenizer().encode(model.chatTemplate().opening(), text::Special::Parse);
        for (std::size_t r = 0; r < set.responses.size(); ++r) {
            const auto row = static_cast<Eigen::Index>(r);
            const Response& response = set.responses[r];
            // The sequence from its definition: the rendered conversation, then the reply as plain text.
            const Tokens prompt = model.tokenizer().encode(
                "<|im_start|>system\nYou are terse.<|im_end|>\n<|im_start|>user\n"
                    + set.prompts[static_cast<std::size_t>(response.prompt)].conversation[0].content
                    + "<|im_end|>\n<|im_start|>assistant\n",
                text::Special::Parse);
            const Tokens own = model.tokenizer().encode(response.text, text::Special::Plain);
            const Tokens whole = joined(prompt, own);
            QCOMPARE(response.tokens, static_cast<int>(own.size()));
            for (int layer = 0; layer < 4; ++layer) {
                QVERIFY(near(
                    study.activations(Layer::atRow(layer), Position::Mean).value(), row,
                    meanState(model, whole, prompt.size(), layer)));
                QVERIFY(near(
                    study.activations(Layer::atRow(layer), Position::Last).value(), row,
                    model.state(whole, static_cast<int>(whole.size()) - 1, layer)));
            }
            double given = 0, alone = 0;
            const Tokens bare = joined(opening, own);
            for (std::size_t i = 0; i < own.size(); ++i) {
                given += model.logProbabilitiesAfter(whole, static_cast<int>(prompt.size() + i) - 1)[own[i]];
                alone += model.logProbabilitiesAfter(bare, static_cast<int>(opening.size() + i) - 1)[own[i]];
            }
            QVERIFY(std::abs(likelihoods[r].given - given) < 1e-3 * std::abs(given));
            QVERIFY(std::abs(likelihoods[r].alone - alone) < 1e-3 * std::abs(alone));
            QCOMPARE(likelihoods[r].tokens, static_cast<double>(own.size()));
            const std::string suffixes[]
                = { "\n\nIn one word, this reply was", "\n\nOverall, the reply above is",
                    "\n\nThe person who wrote this reply is",
                    "<|im_end|>\n<|im_start|>user\nDescribe the last reply in one "
                    "word.<|im_end|>\n<|im_start|>assistant\nThe reply is" };
            for (std::size_t s = 0; s < 4; ++s) {
                const Tokens read
                    = joined(whole, model.tokenizer().encode(suffixes[s], text::Special::Parse));
                QVERIFY(near(
                    study.clozeStates(s).value(), row,
                    model.hidden(read, static_cast<int>(read.size()) - 1)));
            }
        }
    }

    void batchesDoNotMatter()
    {
        const ScratchFolder scratch;
        FakeModel one, many;
        VERIFY_OK(capture(one, replies(), scratch / "one", options(1)));
        VERIFY_OK(capture(many, replies(), scratch / "many", options(100000)));
        const auto a = contents(scratch / "one"), b = contents(scratch / "many");
        for (const auto& [name, bytes] : a)
            if (name.ends_with(".npy") || name.ends_with(".jsonl"))
                QVERIFY2(b.at(name) == bytes, name.c_str());
    }

    void requestsAreReadAsUserTurns()
    {
        const ScratchFolder scratch;
        FakeModel model;
        VERIFY_OK(capture(model, labelled(ItemKind::Request), scratch / "all", options()));
        const auto study = Study::open(scratch / "all");
        VERIFY_OK(study);
        QCOMPARE((*study)->set().positiveLabel, std::string("true"));
        QCOMPARE((*study)->set().responses[1].label, 1);
        VERIFY_FAILS((*study)->likelihoods(), "captured likelihoods");
        for (int i = 0; i < 5; ++i) {
            const Tokens whole = promptTokens(model, (*study)->set(), i);
            QVERIFY(near(
                (*study)->activations(Layer::blockOutput(2), Position::Last).value(), i,
                model.state(whole, static_cast<int>(whole.size()) - 1, 3)));
            QCOMPARE(
                (*study)->set().responses[static_cast<std::size_t>(i)].tokens,
                static_cast<int>(whole.size()));
            const Tokens read = joined(
                whole, model.tokenizer().encode("In one word, this request was", text::Special::Parse));
            QVERIFY(near(
                (*study)->clozeStates(0).value(), i, model.hidden(read, static_cast<int>(read.size()) - 1)));
            // The mean begins where the request begins, after the words that open every request.
            const Tokens opening = model.tokenizer().encode(
                "<|im_start|>system\nYou are terse.<|im_end|>\n<|im_start|>user\n", text::Special::Parse);
            QVERIFY(near(
                (*study)->activations(Layer::blockOutput(2), Position::Mean).value(), i,
                meanState(model, whole, opening.size(), 3)));
        }
        // What is stored of a request does not depend on which other requests stand beside it.
        ResponseSet two = labelled(ItemKind::Request);
        two.prompts.resize(2);
        two.responses.resize(2);
        VERIFY_OK(capture(model, two, scratch / "two", options()));
        for (const Position position : { Position::Mean, Position::Last }) {
            const RowMatrix few
                = Study::open(scratch / "two").value()->activations(Layer::blockOutput(0), position).value();
            QVERIFY(few == (*study)->activations(Layer::blockOutput(0), position).value().topRows(2));
        }
    }

    void statementsAreReadAlone()
    {
        const ScratchFolder scratch;
        FakeModel model;
        VERIFY_OK(capture(model, labelled(ItemKind::Statement), scratch / "study", options()));
        const auto study = Study::open(scratch / "study");
        VERIFY_OK(study);
        for (int i = 0; i < 5; ++i) {
            const Tokens own = model.tokenizer().encode(
                (*study)->set().responses[static_cast<std::size_t>(i)].text, text::Special::Plain);
            QVERIFY(near(
                (*study)->activations(Layer::embedding(), Position::Last).value(), i,
                model.state(own, static_cast<int>(own.size()) - 1, 0)));
            QVERIFY(near(
                (*study)->activations(Layer::blockOutput(1), Position::Mean).value(), i,
                meanState(model, own, 0, 2)));
            const Tokens read = joined(
                own, model.tokenizer().encode("\n\nIn one word, this statement was", text::Special::Parse));
            QVERIFY(near(
                (*study)->clozeStates(0).value(), i, model.hidden(read, static_cast<int>(read.size()) - 1)));
        }
    }

    /// Text that looks like a mark of the template stays text inside a reply.
    void marksInsideAReplyArePlainText()
    {
        FakeModel model;
        ResponseSet set = replies();
        set.responses[0].text = "<|im_end|>";
        QCOMPARE(responseTokens(model, set, 0).size(), std::size_t(10));
        QCOMPARE(responseTokens(model, labelled(ItemKind::Request), 0).size(), std::size_t(0));
        QCOMPARE(promptTokens(model, labelled(ItemKind::Statement), 0).size(), std::size_t(0));
    }

    void chosenLayersAndCandidatesAlone()
    {
        const ScratchFolder scratch;
        FakeModel model;
        CaptureOptions some = options();
        some.layers = { Layer::embedding(), Layer::blockOutput(1), Layer::blockOutput(2) };
        some.candidateLayers = { Layer::blockOutput(1) };
        some.positions = { Position::Mean };
        some.likelihoods = false;
        some.name = "named";
        some.seed = 11;
        some.split = { 4, 0.7 };
        VERIFY_OK(capture(model, replies(), scratch / "study", some));
        const auto study = Study::open(scratch / "study").value();
        QCOMPARE(study->name(), std::string("named"));
        QCOMPARE(study->seed(), std::uint64_t(11));
        QCOMPARE(study->split().trainFraction, 0.7);
        QCOMPARE(study->layers(), some.layers);
        QCOMPARE(study->positions(), some.positions);
        QCOMPARE(study->rowsAt(Layer::embedding(), Position::Mean), std::size_t(18));
        QCOMPARE(study->rowsAt(Layer::blockOutput(1), Position::Mean), std::size_t(30));
        QCOMPARE(study->rowsAt(Layer::blockOutput(2), Position::Mean), std::size_t(18));
        VERIFY_FAILS(study->likelihoods(), "captured likelihoods");
        some.layers = { Layer::blockOutput(3) };
        VERIFY_FAILS(
            capture(model, replies(), scratch / "other", some), "a layer up to block 2 output",
            "block 3 output");
    }

    void wordsAreThoseAskedForThenTheLikeliest()
    {
        const ScratchFolder scratch;
        FakeModel model;
        VERIFY_OK(capture(model, replies(), scratch / "study", options()));
        const auto study = Study::open(scratch / "study").value();
        QVERIFY(study->words().size() <= 6);
        QCOMPARE(study->words()[0].text, std::string("kind"));
        QCOMPARE(study->words()[1].text, std::string("cruel"));
        const RowMatrix rows = study->wordRows().value();
        std::set<std::string> seen;
        for (const Word& word : study->words()) {
            QVERIFY(seen.insert(word.text).second);
            // "kindness" begins with the token of "kind", which is a word itself: it names neither and is
            // left out.
            QVERIFY(word.text != "kindness");
            const auto ids = model.tokenizer().encode(" " + word.text, text::Special::Plain);
            QCOMPARE(word.whole, ids.size() == 1);
            QVERIFY(near(rows, word.row, model.unembeddingRow(ids.front())));
        }
    }

    void aWordOfManyTokensStandsByItsFirst()
    {
        const ScratchFolder scratch;
        std::filesystem::create_directories(scratch / "judgments");
        const FakeModel model;
        // "zeal" is spelt out: " " is its first token, which "quiet" would share.
        VERIFY_OK(writeWordTable(model, {}, { "zeal", "honest" }, 2, scratch.path(), {}));
        auto list = nlohmann::json::parse(bytesOf(scratch / "judgments/words.json"));
        QVERIFY(
            list
            == nlohmann::json::parse(
                "[{\"word\":\"zeal\",\"row\":0,\"whole\":false},{\"word\":\"honest\",\"row\":1}]"));
        VERIFY_OK(writeWordTable(model, {}, { "zeal", "quiet", "honest" }, 3, scratch.path(), {}));
        list = nlohmann::json::parse(bytesOf(scratch / "judgments/words.json"));
        QVERIFY(list == nlohmann::json::parse("[{\"word\":\"honest\",\"row\":0}]"));
        QVERIFY(near(
            NpyArray::open(scratch / "judgments/words.npy").value().toFloat(), 0,
            model.unembeddingRow(*model.tokenizer().find(" honest"))));
        VERIFY_OK(writeWordTable(model, {}, { "honest" }, 0, scratch.path(), {}));
        QCOMPARE(bytesOf(scratch / "judgments/words.json"), std::string("[]"));
    }

    void aKilledCaptureResumesToTheSameBytes_data()
    {
        QTest::addColumn<int>("call");
        for (const int call : { 0, 1, 4, 5, 9, 14, 21 })
            QTest::addRow("killed at call %d", call) << call;
    }
    void aKilledCaptureResumesToTheSameBytes()
    {
        QFETCH(int, call);
        const ScratchFolder scratch;
        FakeModel model;
        VERIFY_OK(capture(model, replies(), scratch / "whole", options()));
        CaptureOptions again = options();
        again.name = "whole";
        QCOMPARE(killedAt(call, scratch / "study", again), SIGKILL);
        again.resume = true;
        QCOMPARE(killedAt(call + 1, scratch / "study", again), SIGKILL);
        VERIFY_OK(capture(model, replies(), scratch / "study", again));
        VERIFY_SAME_FILES(scratch / "whole", scratch / "study");
    }

    /// Stopped politely: the journal vouches for what was read, and a resumed run reads only the rest.
    void aStoppedCaptureKeepsWhatItRead()
    {
        const ScratchFolder scratch;
        FakeModel model;
        const auto whole = capture(model, replies(), scratch / "whole", options());
        VERIFY_OK(whole);
        CaptureOptions again = options();
        again.name = "whole";
        std::stop_source stop;
        FakeModel stopping;
        stopping.beforeRead = [&](int call) -> Result<void> {
            if (call == 10)
                stop.request_stop();
            return {};
        };
        const auto stopped
            = capture(stopping, replies(), scratch / "study", again, Work{ stop.get_token(), {} });
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::Cancelled);
        const auto half = Study::open(scratch / "study");
        VERIFY_OK(half);
        QVERIFY((*half)->incomplete().value().find(" of 30 responses are captured") != std::string::npos);
        const std::size_t finished = (*half)->set().responses.size();
        QVERIFY(finished > 0 && finished < 30);
        const auto finishedStudy = Study::open(scratch / "whole").value();
        for (std::size_t i = 0; i < finished; ++i) { // the finished rows are those of the whole study
            const auto& ids = finishedStudy->set().responses;
            const auto place = std::find_if(
                                   ids.begin(), ids.end(),
                                   [&](const Response& r) { return r.id == (*half)->set().responses[i].id; })
                - ids.begin();
            QVERIFY(
                (*half)
                    ->activations(Layer::blockOutput(1), Position::Mean)
                    .value()
                    .row(static_cast<Eigen::Index>(i))
                == finishedStudy->activations(Layer::blockOutput(1), Position::Mean).value().row(place));
        }
        VERIFY_FAILS(
            capture(model, replies(), scratch / "study", again), "a new folder, or --resume",
            "a capture that was begun");
        again.resume = true;
        // The end of the journal was torn by a crash.
        const std::string journal = bytesOf(scratch / "study/capture.journal");
        scratch.write("study/capture.journal", journal + "[0,1");
        FakeModel failing;
        failing.beforeRead = [&](int call) -> Result<void> {
            return call == 6 ? Result<void>(fail(ErrorKind::Failed, "power", "none")) : Result<void>();
        };
        VERIFY_FAILS(capture(failing, replies(), scratch / "study", again), "power");
        QCOMPARE(bytesOf(scratch / "study/capture.journal").substr(0, journal.size()), journal);
        const auto rest = capture(model, replies(), scratch / "study", again);
        VERIFY_OK(rest);
        QVERIFY(rest->tokens > 0 && rest->tokens < whole->tokens);
        VERIFY_SAME_FILES(scratch / "whole", scratch / "study");
        VERIFY_FAILS(
            capture(model, replies(), scratch / "study", again), "a new folder, found a finished study");
    }

    void resumingSomethingElseIsRefused()
    {
        const ScratchFolder scratch;
        CaptureOptions first = options();
        QCOMPARE(killedAt(12, scratch / "study", first), SIGKILL);
        CaptureOptions again = first;
        again.resume = true;
        FakeModel model;
        const auto before = contents(scratch / "study");
        const auto refused = [&](ResponseSet set, CaptureOptions with, const char* found = "others") {
            VERIFY_FAILS(
                capture(model, std::move(set), scratch / "study", with), "that this capture began with",
                found, "capture.json");
        };
        ResponseSet other = replies();
        other.responses[3].text += " Perhaps.";
        refused(other, again);
        other = replies();
        other.prompts[0].conversation[0].content += "?";
        refused(other, again);
        other = replies();
        other.pairs.pop_back();
        refused(other, again);
        CaptureOptions with = again;
        with.layers = { Layer::blockOutput(1) };
        refused(replies(), with);
        with = again;
        with.positions = { Position::Last };
        refused(replies(), with);
        with = again;
        with.tokensPerBatch = 200;
        refused(replies(), with);
        with = again;
        with.likelihoods = false;
        refused(replies(), with);
        model.setSha256(std::string(64, 'b'));
        refused(replies(), again);
        QVERIFY(contents(scratch / "study") == before);
        model.setSha256(std::string(64, 'a'));
        VERIFY_OK(capture(model, replies(), scratch / "study", again));
    }

    void damagedRemainsAreNamedOnResume()
    {
        const ScratchFolder scratch;
        CaptureOptions again = options();
        QCOMPARE(killedAt(12, scratch / "study", again), SIGKILL);
        again.resume = true;
        FakeModel model;
        const auto before = contents(scratch / "study");
        const auto damaged = [&](const std::string& name, std::string_view bytes) {
            scratch.write("study/" + name, bytes);
            auto result = capture(model, replies(), scratch / "study", again);
            scratch.write("study/" + name, before.at(name));
            return result;
        };
        for (const char* manifest : { "[]", "5", "{}", "{\"plan\": 5}" })
            VERIFY_FAILS(damaged("capture.json", manifest), "that this capture began with", "capture.json");
        VERIFY_FAILS(damaged("capture.json", "{\"pl"), "valid JSON", "capture.json, line 1");
        const std::string array = before.at("activations/block-1.mean.npy");
        VERIFY_FAILS(
            damaged("activations/block-1.mean.npy", std::string_view(array).substr(0, array.size() - 2)),
            "block-1.mean.npy");
        VERIFY_FAILS(
            damaged("activations/block-1.mean.npy", before.at("judgments/likelihood.npy")),
            "the array that was begun here", "block-1.mean.npy");
        VERIFY_FAILS(
            damaged(
                "judgments/cloze-chat.npy",
                std::string_view(before.at("judgments/cloze-chat.npy")).substr(0, 150)),
            "cloze-chat.npy");
        std::filesystem::remove(scratch / "study/activations/embedding.last.npy");
        VERIFY_FAILS(
            capture(model, replies(), scratch / "study", again), "a readable file", "embedding.last.npy");
    }

    void largeNumbersAreStoredAsFloat32()
    {
        const ScratchFolder scratch;
        FakeModel model;
        model.scale = 1e5; // far beyond the margin in every array
        VERIFY_OK(capture(model, replies(), scratch / "study", options()));
        const auto study = Study::open(scratch / "study").value();
        for (const ArrayInfo& info : study->arrays())
            QCOMPARE(info.type, std::string("<f4"));
        QCOMPARE(NpyArray::open(scratch / "study/judgments/cloze-chat.npy").value().type(), NpyType::F16);

        FakeModel loud;
        VERIFY_OK(capture(loud, replies(), scratch / "quiet", options()));
        loud.hiddenScale = 1e5; // 100,000 is infinite in float16
        VERIFY_OK(capture(loud, replies(), scratch / "loud", options()));
        QCOMPARE(NpyArray::open(scratch / "loud/judgments/cloze-chat.npy").value().type(), NpyType::F32);
        const RowMatrix small = Study::open(scratch / "quiet").value()->clozeStates(0).value();
        const RowMatrix large = Study::open(scratch / "loud").value()->clozeStates(0).value();
        QVERIFY((large * 1e-5f - small).norm() <= 1e-3f * small.norm());
    }

    /// A later reply leaves float16's range: its array is widened, keeps every row, and resumes to the same
    /// bytes.
    void anArrayIsWidenedWhenARowNeedsIt()
    {
        const ScratchFolder scratch;
        const auto spike = [](Eigen::VectorXd& state, const Tokens& tokens, int, int row) {
            if (row == 2 && tokens.size() > 170)
                state[3] = 1e6;
        };
        FakeModel model;
        model.change = spike;
        VERIFY_OK(capture(model, replies(), scratch / "whole", options()));
        const auto study = Study::open(scratch / "whole").value();
        QCOMPARE(NpyArray::open(scratch / "whole/activations/block-1.last.npy").value().type(), NpyType::F32);
        QCOMPARE(NpyArray::open(scratch / "whole/activations/block-0.last.npy").value().type(), NpyType::F16);
        const RowMatrix last = study->activations(Layer::blockOutput(1), Position::Last).value();
        int spikes = 0;
        for (Eigen::Index i = 0; i < last.rows(); ++i) {
            const Response& response = study->set().responses[static_cast<std::size_t>(i)];
            const Tokens whole = joined(
                promptTokens(model, study->set(), response.prompt),
                responseTokens(model, study->set(), static_cast<int>(i)));
            spikes += last(i, 3) == 1e6f;
            QVERIFY(
                std::abs(last(i, 0) - model.state(whole, static_cast<int>(whole.size()) - 1, 2)[0]) < 2e-3);
        }
        QVERIFY(spikes > 0 && spikes < last.rows());

        // Stopped at every call in turn, politely or not, and resumed.
        for (int call = 0; call < 60; call += 7)
            for (const bool politely : { true, false }) {
                const std::filesystem::path folder
                    = scratch / ("study" + std::to_string(2 * call + politely));
                CaptureOptions again = options();
                again.name = "whole";
                FakeModel stopping;
                stopping.change = spike;
                std::stop_source stop;
                stopping.beforeRead = [&](int now) -> Result<void> {
                    if (now == call && !politely)
                        return fail(ErrorKind::Failed, "power", "none");
                    if (now == call)
                        stop.request_stop();
                    return {};
                };
                (void)capture(stopping, replies(), folder, again, Work{ stop.get_token(), {} });
                again.resume = true;
                FakeModel resumed;
                resumed.change = spike;
                if (!std::filesystem::exists(folder / "study.json"))
                    VERIFY_OK(capture(resumed, replies(), folder, again));
                VERIFY_SAME_FILES(scratch / "whole", folder);
            }
    }

    void notANumberFromTheModelIsNamed()
    {
        for (const double bad :
             { std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity() }) {
            const ScratchFolder scratch;
            FakeModel model;
            model.change = [bad](Eigen::VectorXd& state, const Tokens& tokens, int, int row) {
                if (row == 1 && tokens.size() > 170)
                    state[0] = bad;
            };
            const auto failed = capture(model, replies(), scratch / "study", options());
            VERIFY_FAILS(
                failed, "finite activations, found NaN or infinity", "response 'r", "block 0 output");
            QVERIFY(!std::filesystem::exists(scratch / "study/study.json"));
        }
    }

    void inputThatCannotBeReadIsRefused()
    {
        const ScratchFolder scratch;
        FakeModel model;
        VERIFY_FAILS(capture(model, {}, scratch / "a", options()), "at least one response, found none");
        ResponseSet set = replies();
        set.responses[5].text = std::string(2100, 'z');
        VERIFY_FAILS(
            capture(model, set, scratch / "b", options()), "a prompt and reply of at most 1984 tokens",
            "response '" + set.responses[5].id + "'");
        set = replies();
        set.responses[5].text.clear();
        VERIFY_FAILS(
            capture(model, set, scratch / "c", options()), "a text of at least one token",
            "response '" + set.responses[5].id + "'");
        QVERIFY(!std::filesystem::exists(scratch / "b"));
        VERIFY_FAILS(
            capture(model, replies(), scratch.write("file", "x"), options()), "to create the study's folder",
            "file");
    }

    void progressCountsTokensToTheirTotal()
    {
        const ScratchFolder scratch;
        FakeModel model;
        std::vector<Progress> told;
        const auto summary = capture(
            model, replies(), scratch / "study", options(),
            Work{ {}, [&](const Progress& p) { told.push_back(p); } });
        VERIFY_OK(summary);
        QVERIFY(told.size() > 2);
        for (std::size_t i = 1; i < told.size(); ++i)
            QVERIFY(told[i].done > told[i - 1].done);
        QCOMPARE(told.back().done, told.back().total);
        QCOMPARE(told.back().done, summary->tokens);
        QCOMPARE(told.back().unit, std::string("tokens"));
    }

    void suffixesNameTheirKindAndNoPrinciple()
    {
        for (const ItemKind kind : { ItemKind::Reply, ItemKind::Request, ItemKind::Statement }) {
            std::set<std::string> names;
            for (const ClozeSuffix& suffix : defaultSuffixes(kind)) {
                QVERIFY(names.insert(suffix.name).second);
                QVERIFY((suffix.text + suffix.userTurn).find(itemKindName(kind)) != std::string::npos);
                QVERIFY(!suffix.text.ends_with(' '));
                QCOMPARE(
                    suffix.text.starts_with("\n\n"), kind != ItemKind::Request && suffix.userTurn.empty());
            }
            QCOMPARE(names.size(), std::size_t(4));
        }
        const FakeModel model;
        const ClozeSuffix chat = defaultSuffixes(ItemKind::Request)[3];
        QCOMPARE(
            model.tokenizer().decode(suffixTokens(model, chat, ItemKind::Request)),
            std::string("I have read it.<|im_end|>\n<|im_start|>user\nDescribe the last request in one "
                        "word.<|im_end|>\n<|im_start|>assistant\nThe request is"));
    }
};

QTEST_GUILESS_MAIN(TestDataCapture)
#include "tst_data_capture.moc"
