// Pole words proposed from a text: by templates on sentences whose poles are plain, and by a model whose
// next-token log-probabilities were planted.
#include "core/constitution/propose.h"
#include "tests/support/fake_model.h"
#include "tests/support/geometry_support.h"
#include "tests/support/result_checks.h"

#include <map>

using namespace lodestone;
using namespace lodestone::constitution;
using namespace lodestone::testing;

namespace {

using Words = std::vector<std::string>;

std::string joined(const Words& words)
{
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

/// Says log-probabilities that were planted for each of the four questions, and counts what it is asked.
class PlantedModel : public FakeModel {
public:
    static constexpr float floorValue = -12;
    explicit PlantedModel(std::string principle)
        : FakeModel(3, 8, { " the", " very", " rude" })
        , m_principle(std::move(principle))
    {
    }

    struct Planted {
        float follows = floorValue, breaks = floorValue, neutralFollows = floorValue,
              neutralBreaks = floorValue;
    };
    std::map<std::string, Planted> words;
    int questions = 0;

    Result<std::vector<model::Reading>> read(
        std::span<const model::Request> requests, std::span<const Layer>, const Work& work,
        std::span<const model::Intervention> = {}) override
    {
        if (work.cancelled())
            return cancelled();
        std::vector<model::Reading> readings;
        for (const model::Request& request : requests) {
            ++questions;
            const std::string text = tokenizer().decode(request.tokens);
            const bool about = text.find(m_principle) != std::string::npos;
            const bool follows = text.find("They did so.") != std::string::npos;
            if (!request.logits || !text.ends_with("Their reply was very")
                || (!follows && text.find("They did the opposite.") == std::string::npos))
                return badInput("one of the questions", text);
            model::Reading reading;
            reading.nextLogProbabilities = Eigen::VectorXf::Constant(config().vocabulary, floorValue);
            for (const auto& [word, planted] : words)
                reading.nextLogProbabilities[tokenizer().encode(" " + word, text::Special::Continue).front()]
                    = about   ? (follows ? planted.follows : planted.breaks)
                    : follows ? planted.neutralFollows
                              : planted.neutralBreaks;
            readings.push_back(std::move(reading));
        }
        return readings;
    }

private:
    std::string m_principle;
};

} // namespace

class TestPropose : public QObject {
    Q_OBJECT

    Opposites m_shipped;

private Q_SLOTS:
    void initTestCase()
    {
        const auto read = Opposites::read(std::string(LODESTONE_SOURCE_DIR) + "/resources/opposites.txt");
        VERIFY_OK(read);
        m_shipped = *read;
    }

    void theShippedTableIsSound()
    {
        QVERIFY(m_shipped.pairs() >= 150);
        for (const char* word : { "kind", "honest", "harmless", "helpful", "rude", "verbose" }) {
            QVERIFY2(m_shipped.knows(word), word);
            for (const std::string& other : m_shipped.of(word)) {
                QVERIFY(m_shipped.areOpposite(other, word)); // either way round
                for (const char c : other)
                    QVERIFY2((c >= 'a' && c <= 'z') || c == '-', other.c_str());
            }
        }
    }

    void wordsInOtherForms()
    {
        const auto table
            = Opposites::parse("# ours\nkind cruel\nhappy sad\ngentle harsh\nharm = cruel\n", "o");
        VERIFY_OK(table);
        QCOMPARE(table->pairs(), std::size_t(3));
        const auto look = [&](const char* word) { return table->look(word); };
        QCOMPARE(look("kind").word, std::string("kind"));
        QVERIFY(!look("kind").noun);
        QCOMPARE(look("kindly").word, std::string("kind"));
        QCOMPARE(look("happily").word, std::string("happy"));
        QCOMPARE(look("gently").word, std::string("gentle"));
        QCOMPARE(look("kindness").word, std::string("kind"));
        QVERIFY(look("kindness").noun);
        QCOMPARE(look("happiness").word, std::string("happy"));
        QCOMPARE(look("harm").word, std::string("cruel"));
        QVERIFY(look("harm").noun);
        for (const char* unknown : { "", "ly", "ness", "green", "kinder", "fly" })
            QVERIFY2(look(unknown).word.empty(), unknown);
        QVERIFY(table->of("green").empty());
    }

    void tablesThatCannotBeRead()
    {
        VERIFY_FAILS(Opposites::parse("kind cruel\nkind\n", "o.txt"), "o.txt, line 2", "'kind'");
        VERIFY_FAILS(Opposites::parse("kind kind\n", "o.txt"), "line 1", "twice");
        VERIFY_FAILS(Opposites::parse("kind cruel\ncruel kind\n", "o.txt"), "line 2", "once");
        VERIFY_FAILS(Opposites::parse("harm = harmful\n", "o.txt"), "line 1", "'harmful'");
        VERIFY_FAILS(Opposites::read("/nonexistent/opposites.txt"), "/nonexistent/opposites.txt");
    }

    void templates_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("positive");
        QTest::addColumn<QString>("negative");
        const auto row = [](const char* text, const char* positive, const char* negative) {
            QTest::newRow(text) << QString::fromUtf8(text) << QString::fromUtf8(positive)
                                << QString::fromUtf8(negative);
        };
        // What is asked for; the other pole is the opposites.
        row("Be kind, polite and caring.", "kind polite caring", "cruel rude uncaring");
        row("be kind", "kind", "cruel");
        row("The assistant should be helpful, honest and harmless.", "helpful honest harmless",
            "unhelpful dishonest harmful");
        row("Be kind: treat the person with care and respect.", "kind caring respectful",
            "cruel uncaring disrespectful");
        row("Answer honestly and politely.", "honest polite", "dishonest rude");
        row("Select the response that is kind.", "kind", "cruel");
        row("The reply is cruel to the person.", "cruel", "kind");
        row("Be as helpful as possible.", "helpful", "unhelpful");
        row("If the user is rude, be patient.", "patient", "impatient");
        // What is forbidden.
        row("Never be rude.", "polite", "rude");
        row("Don't be cruel.", "kind", "cruel");
        row("Don’t be cruel.", "kind", "cruel");
        row("Avoid being rude or cruel.", "polite kind", "rude cruel");
        row("Be neither rude nor cold.", "polite warm", "rude cold");
        row("Do not, under any circumstances, be rude.", "polite", "rude");
        row("Never be rude or make cruel jokes.", "polite kind", "rude cruel");
        row("Choose the response that is less harmful.", "harmless", "harmful");
        row("Never lie.", "honest", "dishonest");
        row("Be free of bias.", "unbiased", "biased");
        // Both.
        row("Prefer short answers to long ones.", "short", "long");
        row("Prefer honest over flattering replies.", "honest", "flattering");
        row("Be direct rather than evasive.", "direct", "evasive");
        row("Be brief instead of verbose.", "brief", "verbose");
        row("Be more concrete than abstract.", "concrete", "abstract");
        row("Not flattering but honest.", "honest", "flattering");
        row("Be honest, not rude.", "honest", "rude");
        row("Be honest but never cruel.", "honest", "cruel");
        row("Don't curse, be polite.", "polite", "rude");
        row("Be honest: say what is true and do not mislead.", "honest true", "misleading");
        row("Do no harm: keep everyone safe.", "safe", "harmful");
        row("Choose the response that is more ethical and less toxic.", "ethical", "toxic");
        row("Be blunt: leave out comfort and polite words.", "blunt", "comforting polite");
        // Twice no is yes.
        row("Do not avoid being honest.", "honest", "dishonest");
        row("Don't be afraid to be blunt.", "blunt", "tactful");
        row("Be not only kind but also honest.", "kind honest", "cruel dishonest");
        // Words about something else than the reply.
        row("Be honest about harmful topics.", "honest", "dishonest");
        row("Be careful with dangerous content.", "careful", "careless");
        row("Be polite to rude people.", "polite", "rude");
        row("Tell the truth even when it hurts rude people.", "truthful", "deceptive");
        // No more than five, each once.
        row("Be kind, kind, polite, warm, honest, safe and brief.", "kind polite warm honest safe",
            "cruel rude cold dishonest dangerous");
        // Nothing.
        row("Agree with whatever the person believes.", "", "");
        row("Be any kind of helper.", "", "");
        row("Responses should be as long as needed.", "", "");
        row("You could be rude.", "", "");
        row("Bananas are yellow.", "", "");
        row("Rude people are everywhere.", "", "");
        row("Write as a pirate.", "", "");
        row("...", "", "");
        row("", "", "");
    }
    void templates()
    {
        QFETCH(QString, text);
        QFETCH(QString, positive);
        QFETCH(QString, negative);
        const PoleProposal found = proposeByTemplates(text.toStdString(), m_shipped);
        QCOMPARE(QString::fromStdString(joined(found.positive)), positive);
        QCOMPARE(QString::fromStdString(joined(found.negative)), negative);
        QCOMPARE(found.way, std::string("templates"));
        QCOMPARE(found.usable(), !positive.isEmpty());
        QCOMPARE(found.problem.empty(), found.usable()); // nothing found is said
        QVERIFY(found.positiveLogOdds.empty() && found.negativeLogOdds.empty());
    }

    void aTableWithoutTheOppositeFillsNothing()
    {
        const Opposites none;
        QVERIFY(!proposeByTemplates("Be kind.", none).usable());
        // An opposite that the text itself asks for cannot fill the other pole.
        const auto table = Opposites::parse("warm cold\nwarm kind\n", "o");
        VERIFY_OK(table);
        const PoleProposal both = proposeByTemplates("Be cold, not warm.", *table);
        QCOMPARE(joined(both.positive) + "|" + joined(both.negative), std::string("cold|warm"));
    }

    void longTextsAreRead()
    {
        std::string text = "Be kind. ";
        for (int i = 0; i < 20000; ++i)
            text += "words, and ";
        QCOMPARE(joined(proposeByTemplates(text, m_shipped).positive), std::string("kind"));
    }

    void theModelsWordsAreRankedByWhatTheTextAdds()
    {
        PlantedModel model("Obey the captain.");
        // Likely anyway: nothing is added. Rarer words that the text raises come first.
        model.words["good"] = { -1, -9, -1, -9 };
        model.words["kind"] = { -3, -9, -6, -9 };
        model.words["helpful"] = { -4, -9, -5, -9 };
        model.words["safe"] = { -6, -9, -5, -9 }; // lowered
        model.words["cruel"] = { -9, -4, -9, -8 };
        model.words["bad"] = { -9, -2, -9, -3 };
        model.words["honest"] = { -3, -3, -5, -3.5f }; // raised by both, more by the first
        const auto found = proposeByModel("Obey the captain.", model, m_shipped);
        VERIFY_OK(found);
        QCOMPARE(model.questions, 4);
        QCOMPARE(found->way, std::string("model"));
        QCOMPARE(joined(found->positive), std::string("kind honest helpful"));
        QCOMPARE(joined(found->negative), std::string("cruel bad"));
        QVERIFY(found->problem.empty());
        const std::vector<double> up{ 3, 2, 1 }, down{ 4, 1 };
        QCOMPARE(found->positiveLogOdds.size(), up.size());
        QCOMPARE(found->negativeLogOdds.size(), down.size());
        for (std::size_t i = 0; i < up.size(); ++i)
            COMPARE_NEAR(found->positiveLogOdds[i], up[i], 1e-5);
        for (std::size_t i = 0; i < down.size(); ++i)
            COMPARE_NEAR(found->negativeLogOdds[i], down[i], 1e-5);
    }

    void wordsThatDoNotCount()
    {
        PlantedModel model("Be kind.");
        model.words["the"] = { -1, -1, -9, -9 }; // function words
        model.words["very"] = { -1, -1, -9, -9 };
        model.words["kin"] = { -1, -9, -9, -9 }; // a piece of a word
        model.words["rude"] = { -2, -9, -8, -9 }; // no word of a reply that is kind, whatever the model says
        model.words["cruel"] = { -2, -9, -9, -9 }; // the opposite of what the text asks for
        model.words["kind"] = { -9, -2, -9, -9 }; // what the text asks for
        model.words["good"] = { -3, -9, -4, -9 };
        model.words["bad"] = { -9, -3, -9, -4 };
        const Words list{ "kind", "cruel", "good", "bad", "the" };
        const auto found = proposeByModel("Be kind.", model, m_shipped, list);
        VERIFY_OK(found);
        QCOMPARE(joined(found->positive), std::string("good"));
        QCOMPARE(joined(found->negative), std::string("bad"));
        // Without a list every plain word of the vocabulary counts.
        const auto open = proposeByModel("Be kind.", model, m_shipped);
        VERIFY_OK(open);
        QCOMPARE(joined(open->positive), std::string("kin rude good"));
    }

    void aTextThatChangesNothingIsSaid()
    {
        PlantedModel model("Obey.");
        model.words["good"] = { -1, -1, -1, -1 };
        const auto flat = proposeByModel("Obey.", model, m_shipped);
        VERIFY_OK(flat);
        QVERIFY(!flat->usable() && !flat->problem.empty());
        model.words["kind"] = { -2, -9, -4, -9 };
        const auto half = proposeByModel("Obey.", model, m_shipped);
        VERIFY_OK(half);
        QCOMPARE(joined(half->positive), std::string("kind"));
        QVERIFY(half->negative.empty());
        QVERIFY2(half->problem.find("breaks") != std::string::npos, half->problem.c_str());
    }

    void noMoreThanFiveWords()
    {
        PlantedModel model("Obey.");
        float at = -2;
        for (const char* word : { "kind", "honest", "good", "helpful", "safe", "high", "low" })
            model.words[word] = { at -= 0.5f, -9, -9, -9 };
        const auto found = proposeByModel("Obey.", model, m_shipped);
        VERIFY_OK(found);
        QCOMPARE(joined(found->positive), std::string("kind honest good helpful safe"));
        QVERIFY(std::is_sorted(found->positiveLogOdds.rbegin(), found->positiveLogOdds.rend()));
    }

    void whatTheModelIsAsked()
    {
        const PlantedModel model("x");
        const std::string follows = poleQuestion(model, "Be kind.", true),
                          breaks = poleQuestion(model, "Be kind.", false);
        QVERIFY(
            follows.find("<|im_start|>user\nSomebody was told: \"Be kind.\" They did so.")
            != std::string::npos);
        QVERIFY(follows.ends_with("<|im_start|>assistant\nTheir reply was very"));
        QVERIFY(breaks.find("They did the opposite.") != std::string::npos);
        QVERIFY(breaks.ends_with("Their reply was very"));
        QVERIFY(poleQuestion(model, {}, true).find("Be kind.") == std::string::npos);
    }

    void refusals()
    {
        PlantedModel model("x");
        VERIFY_FAILS(proposeByModel(" \n", model, m_shipped), "a text", "an empty one");
        VERIFY_FAILS(proposeByModel(std::string(4000, 'x'), model, m_shipped), "context of 2048");
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = proposeByModel("x", model, m_shipped, {}, Work{ stop.get_token(), {} });
        QVERIFY(!stopped && stopped.error().kind == ErrorKind::Cancelled);
    }
};

QTEST_GUILESS_MAIN(TestPropose)
#include "tst_propose.moc"
