// Holds the shipped sample studies to their promises: balanced lengths, few lexical cues, no recurring
// phrases, small files.
#include "core/constitution/study_examples.h"
#include "core/geometry/held_out.h"

#include <QtTest>
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

using namespace lodestone;

namespace {

const std::filesystem::path samples = std::filesystem::path(LODESTONE_SOURCE_DIR) / "resources/samples";

std::set<std::string> fourGrams(const std::string& text)
{
    std::vector<std::string> words;
    std::string word;
    for (const char c : text + " ") {
        if (std::isalnum(static_cast<unsigned char>(c)))
            word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        else if (!word.empty())
            words.push_back(std::exchange(word, {}));
    }
    std::set<std::string> grams;
    for (std::size_t i = 0; i + 4 <= words.size(); ++i)
        grams.insert(words[i] + " " + words[i + 1] + " " + words[i + 2] + " " + words[i + 3]);
    return grams;
}

} // namespace

class TestSample : public QObject {
    Q_OBJECT
    std::shared_ptr<const data::Study> m_study;

private Q_SLOTS:
    void initTestCase()
    {
        auto study = data::Study::open(samples / "sample");
        QVERIFY2(study.has_value(), study ? "" : study.error().message().c_str());
        m_study = *study;
    }

    void hasAtLeastFortyPairsOfEachOfFourValues()
    {
        std::map<std::string, int> count;
        for (const data::Pair& pair : m_study->set().pairs)
            ++count[pair.value];
        QCOMPARE(count.size(), std::size_t(4));
        for (const auto& [value, pairs] : count)
            QVERIFY2(pairs >= 40, value.c_str());
        QVERIFY(!m_study->incomplete());
    }

    void lengthDoesNotTellTheBetterReply()
    {
        const data::ResponseSet& set = m_study->set();
        for (const std::string& value : set.values()) {
            double longer[2] = { 0, 0 }, pairs = 0;
            for (const data::Pair& pair : set.pairs) {
                if (pair.value != value)
                    continue;
                const data::Response &chosen = set.responses[static_cast<std::size_t>(pair.chosen)],
                                     &rejected = set.responses[static_cast<std::size_t>(pair.rejected)];
                const double differences[2]
                    = { static_cast<double>(chosen.text.size()) - static_cast<double>(rejected.text.size()),
                        static_cast<double>(chosen.tokens - rejected.tokens) };
                for (int i = 0; i < 2; ++i)
                    longer[i] += differences[i] > 0 ? 1 : differences[i] == 0 ? 0.5 : 0;
                ++pairs;
            }
            for (const double wins : longer)
                QVERIFY2(
                    wins / pairs >= 0.45 && wins / pairs <= 0.55,
                    (value + " " + std::to_string(wins / pairs)).c_str());
        }
    }

    void aBagOfTokensReadsAtMostTwoValues()
    {
        const auto rows = m_study->activations(Layer::embedding(), data::Position::Mean);
        QVERIFY(rows.has_value());
        const std::vector<bool> all(m_study->set().responses.size(), true);
        int lexical = 0;
        for (const std::string& value : m_study->set().values()) {
            const auto examples = constitution::examplesOf(
                m_study->set(), all, static_cast<std::size_t>(rows->rows()), value);
            const auto score = geometry::crossValidate(geometry::Method::Ridge, *rows, examples.training);
            QVERIFY(score.has_value());
            qInfo("%s: a bag of tokens reads %.0f %% of the pairs", value.c_str(), 100 * score->accuracy);
            lexical += score->accuracy > 0.75;
        }
        QVERIFY2(lexical <= 2, std::to_string(lexical).c_str());
    }

    void noPhrasesRecur()
    {
        const data::ResponseSet& set = m_study->set();
        std::vector<std::set<std::string>> grams;
        for (const data::Pair& pair : set.pairs)
            grams.push_back(fourGrams(
                set.responses[static_cast<std::size_t>(pair.chosen)].text + " . "
                + set.responses[static_cast<std::size_t>(pair.rejected)].text));
        for (std::size_t i = 0; i < grams.size(); ++i)
            for (std::size_t k = i + 1; k < grams.size(); ++k) {
                if (set.promptText(set.pairs[i].chosen) == set.promptText(set.pairs[k].chosen))
                    continue;
                const auto shared
                    = std::count_if(grams[i].begin(), grams[i].end(), [&](const std::string& gram) {
                          return grams[k].count(gram) > 0;
                      });
                const double share = static_cast<double>(shared)
                    / static_cast<double>(std::max<std::size_t>(
                        1, std::min(grams[i].size(), grams[k].size())));
                QVERIFY2(share <= 0.30, (set.pairs[i].id + " and " + set.pairs[k].id).c_str());
            }
    }

    void candidatesAreSampledForTwentyFourPrompts()
    {
        std::map<int, int> replies;
        std::set<int> inPair;
        for (const data::Pair& pair : m_study->set().pairs)
            inPair.insert({ pair.chosen, pair.rejected });
        for (std::size_t i = 0; i < m_study->set().responses.size(); ++i)
            if (!inPair.count(static_cast<int>(i)))
                ++replies[m_study->set().responses[i].prompt];
        QCOMPARE(replies.size(), std::size_t(24));
        for (const auto& [prompt, count] : replies)
            QVERIFY(count >= 14); // a sample that came out empty is left out
    }

    void filesStaySmall()
    {
        const auto bytesOf = [](const std::filesystem::path& folder) {
            std::uintmax_t bytes = 0;
            for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
                if (entry.is_regular_file())
                    bytes += entry.file_size();
            return bytes;
        };
        QVERIFY(bytesOf(samples / "sample") <= 32u * 1024 * 1024);
        const auto requests = bytesOf(samples / "requests");
        QVERIFY2(requests <= 11u * 512 * 1024, std::to_string(requests).c_str());
    }

    void requestsAreMatchedTwins()
    {
        const auto study = data::Study::open(samples / "requests");
        QVERIFY2(study.has_value(), study ? "" : study.error().message().c_str());
        const data::ResponseSet& set = (*study)->set();
        QCOMPARE(set.kind, data::ItemKind::Request);
        QCOMPARE(set.positiveLabel, std::string("harmless"));
        QCOMPARE(set.pairs.size(), std::size_t(60));
        double longer = 0;
        for (const data::Pair& pair : set.pairs)
            longer += set.shownText(pair.chosen).size() > set.shownText(pair.rejected).size() ? 1 : 0;
        QVERIFY(longer / 60 >= 0.4 && longer / 60 <= 0.6);
    }
};

QTEST_GUILESS_MAIN(TestSample)
#include "tst_sample.moc"
