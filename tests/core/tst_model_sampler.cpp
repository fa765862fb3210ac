// What may come next under each sampling option, by hand-made distributions; where a text stops; and writing
// with a model whose distribution is a known function.
#include "core/model/generate.h"
#include "tests/support/fake_model.h"
#include "tests/support/result_checks.h"

#include <map>

using namespace lodestone;
using namespace lodestone::model;
using namespace lodestone::testing;

namespace {

Eigen::VectorXf logs(std::initializer_list<double> probabilities)
{
    Eigen::VectorXf result(static_cast<Eigen::Index>(probabilities.size()));
    Eigen::Index i = 0;
    for (const double p : probabilities)
        result[i++] = static_cast<float>(std::log(p));
    return result;
}

std::map<TokenId, double> allowed(
    const Eigen::VectorXf& logProbabilities, const SamplingOptions& options,
    const std::vector<TokenId>& before = {})
{
    std::map<TokenId, double> result;
    for (const NextToken& next : nextTokens(logProbabilities, options, before))
        result[next.token] = next.p;
    return result;
}

#define VERIFY_CHOICES(found, ...)                                                                           \
    do {                                                                                                     \
        const std::map<TokenId, double> found_ = (found), expected_ = __VA_ARGS__;                           \
        QCOMPARE(found_.size(), expected_.size());                                                           \
        for (const auto& [token, share_] : expected_)                                                        \
            QVERIFY2(                                                                                        \
                found_.count(token) && std::abs(found_.at(token) - share_) < 1e-6,                           \
                qPrintable(QStringLiteral("token %1").arg(token)));                                          \
    } while (false)

SamplingOptions warm(double temperature = 1)
{
    SamplingOptions options;
    options.temperature = temperature;
    return options;
}

} // namespace

class TestModelSampler : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void eachOptionKeepsWhatItSays()
    {
        const Eigen::VectorXf p = logs({ 0.1, 0.4, 0.2, 0.3 });
        VERIFY_CHOICES(allowed(p, {}), { { 1, 1.0 } });
        VERIFY_CHOICES(allowed(p, warm()), { { 0, 0.1 }, { 1, 0.4 }, { 2, 0.2 }, { 3, 0.3 } });
        // Temperature 1/2 squares: 0.01, 0.16, 0.04, 0.09 over 0.30.
        VERIFY_CHOICES(
            allowed(p, warm(0.5)), { { 0, 1 / 30.0 }, { 1, 16 / 30.0 }, { 2, 4 / 30.0 }, { 3, 9 / 30.0 } });
        SamplingOptions options = warm();
        options.topK = 2;
        VERIFY_CHOICES(allowed(p, options), { { 1, 4 / 7.0 }, { 3, 3 / 7.0 } });
        options.topK = 9;
        QCOMPARE(allowed(p, options).size(), std::size_t(4));
        options = warm();
        options.topP = 0.65; // 0.4 + 0.3 reach it
        VERIFY_CHOICES(allowed(p, options), { { 1, 4 / 7.0 }, { 3, 3 / 7.0 } });
        options.topP = 1e-9; // one token always stays
        VERIFY_CHOICES(allowed(p, options), { { 1, 1.0 } });
        options = warm();
        options.minP = 0.45; // at least 0.18
        VERIFY_CHOICES(allowed(p, options), { { 1, 4 / 9.0 }, { 2, 2 / 9.0 }, { 3, 3 / 9.0 } });
        options.minP = 1;
        VERIFY_CHOICES(allowed(p, options), { { 1, 1.0 } });
        options = warm();
        options.topK = 3;
        options.topP = 0.7; // of 0.9: 0.4 + 0.3 reach 0.63
        VERIFY_CHOICES(allowed(p, options), { { 1, 4 / 7.0 }, { 3, 3 / 7.0 } });
    }

    void whatStandsThereBecomesLessLikely()
    {
        const Eigen::VectorXf p = logs({ 0.1, 0.4, 0.2, 0.3 });
        SamplingOptions options = warm();
        options.repetitionPenalty = 2; // 0.4 becomes 0.16, however often it stands there
        VERIFY_CHOICES(
            allowed(p, options, { 1, 1 }),
            { { 0, 0.1 / 0.76 }, { 1, 0.16 / 0.76 }, { 2, 0.2 / 0.76 }, { 3, 0.3 / 0.76 } });
        options.temperature = 0;
        VERIFY_CHOICES(allowed(p, options, { 1 }), { { 3, 1.0 } });
        VERIFY_CHOICES(allowed(p, options), { { 1, 1.0 } });
    }

    void tiesGoToTheLowestId()
    {
        VERIFY_CHOICES(allowed(logs({ 0.2, 0.4, 0.4 }), {}), { { 1, 1.0 } });
        SamplingOptions options = warm();
        options.topK = 1;
        VERIFY_CHOICES(allowed(logs({ 0.2, 0.4, 0.4 }), options), { { 1, 1.0 } });
    }

    void drawsFollowTheProbabilities()
    {
        const Eigen::VectorXf p = logs({ 0.1, 0.4, 0.2, 0.3 });
        Rng rng(3);
        constexpr int draws = 40000;
        std::array<int, 4> counts{};
        for (int i = 0; i < draws; ++i)
            ++counts[static_cast<std::size_t>(sampleToken(p, warm(), rng))];
        for (std::size_t i = 0; i < 4; ++i) {
            const double share = std::exp(p[static_cast<Eigen::Index>(i)]);
            const double error = std::sqrt(share * (1 - share) / draws);
            QVERIFY(std::abs(counts[i] / double(draws) - share) < 4.5 * error);
        }
        Rng one(5), two(5);
        for (int i = 0; i < 100; ++i)
            QCOMPARE(sampleToken(p, warm(), one), sampleToken(p, warm(), two));
    }

    void senselessOptionsAreRefused()
    {
        const auto refused = [](auto change, const char* expected) {
            SamplingOptions options;
            change(options);
            VERIFY_FAILS(checkSampling(options), expected);
        };
        refused([](SamplingOptions& o) { o.temperature = -1; }, "a temperature");
        refused([](SamplingOptions& o) { o.temperature = std::nan(""); }, "a temperature");
        refused([](SamplingOptions& o) { o.topK = -1; }, "top-k");
        refused([](SamplingOptions& o) { o.topP = 0; }, "top-p");
        refused([](SamplingOptions& o) { o.topP = 1.5; }, "top-p");
        refused([](SamplingOptions& o) { o.minP = 2; }, "min-p");
        refused([](SamplingOptions& o) { o.repetitionPenalty = 0; }, "repetition penalty");
        refused([](SamplingOptions& o) { o.maxTokens = 0; }, "new token");
        refused([](SamplingOptions& o) { o.stop = { "" }; }, "a stop string");
        VERIFY_OK(checkSampling({}));
    }

    void textStopsBeforeAStopString()
    {
        const auto said = [](std::vector<std::string> stop, std::vector<std::string> pieces) {
            StoppableText text(stop);
            std::string streamed;
            for (const std::string& piece : pieces)
                streamed += text.add(piece);
            const std::string early = streamed;
            streamed += text.finish();
            return std::array{ early, streamed, text.text() };
        };
        using Three = std::array<std::string, 3>;
        QVERIFY((said({}, { "ab", "c" }) == Three{ "abc", "abc", "abc" }));
        QVERIFY((said({ "END" }, { "a E", "N", "D b" }) == Three{ "a ", "a ", "a " }));
        QVERIFY((said({ "END" }, { "a E", "N" }) == Three{ "a ", "a EN", "a EN" })); // might have been it
        QVERIFY((said({ "END" }, { "a E", "N", "d" }) == Three{ "a ENd", "a ENd", "a ENd" }));
        QVERIFY((said({ "aab" }, { "a", "a", "a", "b" }) == Three{ "a", "a", "a" }));
        QVERIFY((said({ "xyz", "." }, { "one. two" }) == Three{ "one", "one", "one" }));
        QVERIFY(
            (said({ "b", "abc" }, { "1ab", "c" })
             == Three{ "1a", "1a", "1a" })); // the one that is whole first
        QVERIFY((said({ "\n" }, { "\n" }) == Three{ "", "", "" }));
        // Characters are given whole: the two bytes of an umlaut come in two pieces, four of a face in three.
        QVERIFY((said({}, { "gr\xC3", "\xBC\x6E" }) == Three{ "gr\xC3\xBCn", "gr\xC3\xBCn", "gr\xC3\xBCn" }));
        StoppableText face({});
        QCOMPARE(std::string(face.add("\xF0\x9F")), std::string());
        QCOMPARE(std::string(face.add("\x98")), std::string());
        QCOMPARE(std::string(face.add("\x80!")), std::string("\xF0\x9F\x98\x80!"));
        QCOMPARE(std::string(face.add("\xE2")), std::string());
        QCOMPARE(std::string(face.finish()), std::string("\xE2"));
    }

    void candidatesTogetherEqualCandidatesAlone()
    {
        FakeModel model;
        const auto prompt = model.tokenizer().encode("Tell me", text::Special::Plain);
        SamplingOptions options = warm(0.8);
        options.maxTokens = 12;
        options.seed = 9;
        int calls = 0;
        model.beforeRead = [&](int) -> Result<void> {
            ++calls;
            return {};
        };
        const auto together = generate(model, prompt, 5, options);
        VERIFY_OK(together);
        QVERIFY(calls <= 12); // one call a step for all five, and one for the prompt, but none after the last
        const auto again = generate(model, prompt, 5, options);
        const auto fewer = generate(model, prompt, 2, options);
        VERIFY_OK(again);
        VERIFY_OK(fewer);
        for (std::size_t i = 0; i < 5; ++i)
            QCOMPARE((*again)[i].ids, (*together)[i].ids);
        for (std::size_t i = 0; i < 2; ++i)
            QCOMPARE((*fewer)[i].ids, (*together)[i].ids); // a sample does not depend on its neighbours
        QVERIFY((*together)[0].ids != (*together)[1].ids);
        options.seed = 10;
        QVERIFY(generate(model, prompt, 1, options).value()[0].ids != (*together)[0].ids);
    }

    void greedyIsTheLikeliestOfTheModelsOwnDistribution()
    {
        FakeModel model;
        const auto prompt = model.tokenizer().encode("Tell me", text::Special::Plain);
        SamplingOptions options;
        options.maxTokens = 6;
        std::string streamed;
        const auto written
            = generate(model, prompt, 1, options, {}, {}, [&](int, std::string_view p) { streamed += p; });
        VERIFY_OK(written);
        FakeModel::Tokens soFar = prompt;
        for (const TokenId id : (*written)[0].ids) {
            Eigen::Index best = 0;
            model.logProbabilitiesAfter(soFar, static_cast<int>(soFar.size()) - 1)
                .cast<float>()
                .maxCoeff(&best);
            QCOMPARE(id, static_cast<TokenId>(best));
            soFar.push_back(id);
        }
        QCOMPARE(streamed, (*written)[0].text);
    }

    void aStopStringEndsTheReply()
    {
        FakeModel model;
        const auto prompt = model.tokenizer().encode("Tell me", text::Special::Plain);
        SamplingOptions options = warm();
        options.maxTokens = 40;
        const auto plain = generate(model, prompt, 1, options);
        VERIFY_OK(plain);
        const std::string& text = (*plain)[0].text;
        QVERIFY(text.size() > 8);
        options.stop = { text.substr(4, 3) };
        std::string streamed;
        const auto stopped
            = generate(model, prompt, 1, options, {}, {}, [&](int, std::string_view p) { streamed += p; });
        VERIFY_OK(stopped);
        QCOMPARE((*stopped)[0].text, text.substr(0, text.find(options.stop[0])));
        QCOMPARE((*stopped)[0].finishReason, std::string("stop"));
        QCOMPARE(streamed, (*stopped)[0].text);
        QVERIFY((*stopped)[0].ids.size() < (*plain)[0].ids.size());
    }

    void writingIsStoppedBetweenTokens()
    {
        FakeModel model;
        const auto prompt = model.tokenizer().encode("Tell me", text::Special::Plain);
        std::stop_source stop;
        int pieces = 0;
        const auto stopped
            = generate(model, prompt, 1, warm(), { stop.get_token(), {} }, {}, [&](int, std::string_view) {
                  if (++pieces == 3)
                      stop.request_stop();
              });
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::Cancelled);
        QCOMPARE(pieces, 3);
    }

    /// By windows or whole, the loss is the mean of what the definition gives token by token.
    void perplexityIsTheDefinition()
    {
        FakeModel model;
        const auto ids = model.tokenizer().encode(
            "A text of some length, long enough for three windows.", text::Special::Plain);
        QVERIFY(ids.size() > 30);
        double loss = 0;
        for (std::size_t i = 1; i < ids.size(); ++i)
            loss -= model.logProbabilitiesAfter(ids, static_cast<int>(i) - 1)[ids[i]];
        const auto whole = expectation(model, ids);
        VERIFY_OK(whole);
        QCOMPARE(whole->tokens, ids.size() - 1);
        QVERIFY(std::abs(whole->meanLoss - loss / double(ids.size() - 1)) < 1e-5);
        QVERIFY(std::abs(whole->perplexity - std::exp(whole->meanLoss)) < 1e-9 * whole->perplexity);
        // Windows of 12 tokens: token i is read after the tokens from its window's beginning.
        const auto windows = expectation(model, ids, 1, 12);
        VERIFY_OK(windows);
        QCOMPARE(windows->tokens, ids.size() - 1);
        loss = 0;
        for (std::size_t i = 1; i < ids.size(); ++i) {
            const std::size_t end = i < 12 ? 12 : std::min(ids.size(), 12 + 6 * ((i - 12) / 6 + 1));
            const std::size_t begin = end > 12 ? end - 12 : 0;
            const FakeModel::Tokens seen(
                ids.begin() + std::ptrdiff_t(begin), ids.begin() + std::ptrdiff_t(i));
            loss -= model.logProbabilitiesAfter(seen, static_cast<int>(seen.size()) - 1)[ids[i]];
        }
        QVERIFY(std::abs(windows->meanLoss - loss / double(ids.size() - 1)) < 1e-5);
        // A reply alone, after its prompt.
        const auto reply = expectation(model, ids, 20);
        VERIFY_OK(reply);
        QCOMPARE(reply->tokens, ids.size() - 20);
        VERIFY_FAILS(expectation(model, std::span(ids).first(1)), "2 tokens or more");
    }
};

QTEST_GUILESS_MAIN(TestModelSampler)
#include "tst_model_sampler.moc"
