// The search for principles that do harm while looking harmless, against a search by hand over planted
// directions, and what filters would catch, against the binomial distribution.
#include "core/constitution/word_paraphrases.h"
#include "core/session/adversarial_search.h"
#include "core/session/defence.h"
#include "core/session/layer_stage.h"
#include "core/session/pipeline.h"
#include "tests/support/geometry_support.h"
#include "tests/support/small_study.h"

#include <map>

using namespace lodestone;
using namespace lodestone::session;
using namespace lodestone::testing;

class TestAdversarial : public QObject {
    Q_OBJECT

    std::unique_ptr<ScratchStudy> m_study;
    std::shared_ptr<const Foundation> m_foundation;
    std::shared_ptr<const LayerStage> m_layer;
    Inputs m_inputs;

    /// The planted direction of a word: half of its pole's, with its sign.
    std::map<std::string, Eigen::VectorXd> wordDirections() const
    {
        const SmallStudy& truth = m_study->truth;
        std::map<std::string, Eigen::VectorXd> result;
        const auto add = [&](const Eigen::VectorXd& w, std::initializer_list<const char*> up,
                             std::initializer_list<const char*> down) {
            for (const char* word : up)
                result[word] = w / 2;
            for (const char* word : down)
                result[word] = -w / 2;
        };
        add(truth.kind, { "kind", "polite", "caring" }, { "rude", "cruel", "hurtful" });
        add(truth.honest, { "honest", "truthful" }, { "dishonest", "false" });
        add(truth.neutral, { "good" }, { "bad" });
        for (std::size_t i = 0; i < truth.generic.size(); ++i) {
            result["up" + std::to_string(i)] = truth.generic[i] / 2;
            result["down" + std::to_string(i)] = -truth.generic[i] / 2;
        }
        return result;
    }
    Eigen::VectorXd plantedOf(const constitution::Principle& principle) const
    {
        const auto words = wordDirections();
        return words.at(principle.positive.front()) - words.at(principle.negative.front());
    }

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("XDG_CACHE_HOME", QDir::tempPath().toUtf8() + "/lodestone-no-cache");
        SmallStudyOptions options;
        options.width = 26;
        options.pairPrompts = 1200;
        options.labelNoise = 0.1;
        options.genericPrinciples = 6;
        m_study = std::make_unique<ScratchStudy>(options);
        m_foundation = Foundation::open(m_study->study).value();
        m_inputs = defaultInputs(*m_foundation, SmallStudy::top());
        m_layer = makeLayerStage(*m_foundation, m_inputs, {}, {}).value();
    }

    void findsTheWorstPairOfWords()
    {
        const SmallStudy& truth = m_study->truth;
        // The search knows people's direction as the labels show it, so the search by hand is given that one.
        const Eigen::VectorXd& people = m_layer->people.readOut.weights;
        QVERIFY(truth.cosine(people, truth.people) > 0.97);
        SearchOptions options;
        options.wordsPerPole = 1;
        options.principles = 1;
        options.looks = 0.3;
        const auto found = searchAdversarial(*m_foundation, *m_layer, options);
        VERIFY_OK(found);
        // By hand: every pair of words in the planted world.
        double worst = 1;
        const auto words = wordDirections();
        for (const auto& [a, up] : words)
            for (const auto& [b, down] : words) {
                const Eigen::VectorXd w = up - down;
                if (a != b && truth.inner(w, w) > 1e-9 && truth.cosine(w, truth.neutral) >= 0.3)
                    worst = std::min(worst, truth.cosine(w, people));
            }
        QVERIFY(worst < 0); // else there is nothing to find
        const FoundPrinciple& best = found->best.front();
        const Eigen::VectorXd planted = plantedOf(best.principle);
        COMPARE_NEAR(best.harm, truth.cosine(planted, people), 0.08);
        COMPARE_NEAR(best.looks, truth.cosine(planted, truth.neutral), 0.08);
        QVERIFY2(
            truth.cosine(planted, people) < worst + 0.06,
            qPrintable(QStringLiteral("%1 against %2").arg(truth.cosine(planted, people)).arg(worst)));
        QCOMPARE(found->constitution.principles.size(), std::size_t(1));
        COMPARE_NEAR(found->harm, best.harm, 1e-9);
        QVERIFY(found->tried >= 24 * 23);
        // Closed forms: T15 at the planted cosine, and the angle sum, which nothing that looks so passes.
        const double cosine = truth.cosine(people, truth.neutral);
        COMPARE_NEAR(found->cosTrueJudge, cosine, 0.05);
        COMPARE_NEAR(found->projections.worst, -(1 - found->cosTrueJudge) / 2, 1e-12);
        QVERIFY(found->harm >= found->worstLooking - 1e-9);
        COMPARE_NEAR(worstCosineAtLooks(0.6, 0.8), 0.6 * 0.8 - 0.8 * 0.6, 1e-12);
        COMPARE_NEAR(worstCosineAtLooks(0.9, 1), 0.9, 1e-12);
        QCOMPARE(worstCosineAtLooks(-0.9, 0), -1.0); // a better look reaches the opposite of w*
        QCOMPARE(worstCosineAtLooks(-0.9, -0.9), -1.0);
        // What may not be said is not said, and a stricter look costs harm.
        options.avoid = best.principle.positive;
        const auto other = searchAdversarial(*m_foundation, *m_layer, options);
        VERIFY_OK(other);
        for (const FoundPrinciple& one : other->best)
            QVERIFY(one.principle.positive != best.principle.positive);
        QVERIFY(other->harm >= found->harm - 0.02);
        options.avoid.clear();
        options.looks = 0.7;
        const auto strict = searchAdversarial(*m_foundation, *m_layer, options);
        VERIFY_OK(strict);
        QVERIFY(strict->harm > found->harm && strict->looks >= 0.7);
        options.looks = 0.99;
        options.avoid = { "good", "bad" }; // the neutral judgment itself
        VERIFY_FAILS(searchAdversarial(*m_foundation, *m_layer, options), "looks harmless", "ask for less");
    }

    void longerPolesAndHidingDoNoLessHarm()
    {
        SearchOptions options;
        options.wordsPerPole = 1;
        options.principles = 1;
        const auto plain = searchAdversarial(*m_foundation, *m_layer, options);
        options.wordsPerPole = 2;
        const auto longer = searchAdversarial(*m_foundation, *m_layer, options);
        options.principles = 2;
        options.pool = { constitution::neutralPrinciple() };
        const auto hidden = searchAdversarial(*m_foundation, *m_layer, options);
        VERIFY_OK(plain);
        VERIFY_OK(longer);
        VERIFY_OK(hidden);
        QVERIFY(longer->harm <= plain->harm + 0.03); // the beam drops what its own strength scores worse
        QVERIFY(hidden->harm <= longer->harm + 1e-9 && hidden->looks >= 0.3);
        QVERIFY(hidden->projectionsInSpan.worst >= hidden->projections.worst - 1e-9);
        QVERIFY(hidden->weights.worst < 0);
    }

    void labelsCatchByTheBinomial()
    {
        COMPARE_NEAR(caughtByLabels(0.3, 2), 0.49 + 0.42 / 2, 1e-12);
        COMPARE_NEAR(caughtByLabels(0.5, 8), 0.5, 1e-12);
        COMPARE_NEAR(caughtByLabels(0.5, 7), 0.5, 1e-12);
        COMPARE_NEAR(caughtByLabels(0.2, 3), 0.512 + 3 * 0.64 * 0.2, 1e-12);
        QCOMPARE(caughtByLabels(0, 8), 1.0);
        QCOMPARE(caughtByLabels(1, 8), 0.0);
        QVERIFY(std::isnan(caughtByLabels(0.5, 0)));
    }

    void otherWordsAreTheMostSimilarOnes()
    {
        const constitution::ClozeElicitation& cloze = *m_foundation->cloze;
        constitution::Principle principle;
        principle.positive = { "kind" };
        principle.negative = { "rude" };
        const Eigen::MatrixXf cosines = cloze.similarities(principle.positive);
        const auto cosineOf = [&](const std::string& word) {
            const auto at = std::find(cloze.words().begin(), cloze.words().end(), word);
            return cosines(static_cast<Eigen::Index>(at - cloze.words().begin()), 0);
        };
        // By hand: rows less the mean row of the table.
        const auto& truth = m_study->truth;
        const Eigen::RowVectorXd mean = truth.wordRows.colwise().mean();
        const auto rowOf = [&](const std::string& word) -> Eigen::RowVectorXd {
            const auto at = std::find(truth.words.begin(), truth.words.end(), word);
            return truth.wordRows.row(at - truth.words.begin()) - mean;
        };
        const auto byHand = [&](const std::string& a, const std::string& b) {
            return rowOf(a).dot(rowOf(b)) / (rowOf(a).norm() * rowOf(b).norm());
        };
        for (const std::string word : { "kind", "polite", "rude", "honest", "bad" })
            COMPARE_NEAR(cosineOf(word), byHand(word, "kind"), 1e-4);
        // The most similar of the words that are nearer to their own pole.
        const auto bestFor = [&](const std::string& own, const std::string& other) {
            double best = -1;
            for (const std::string& word : truth.words)
                if (word != own && word != other && byHand(word, own) > byHand(word, other))
                    best = std::max(best, byHand(word, own));
            return best;
        };
        const auto wordings = constitution::wordParaphrases(cloze, principle, 2);
        QCOMPARE(wordings.size(), std::size_t(2));
        COMPARE_NEAR(byHand(wordings[0].positive.at(0), "kind"), bestFor("kind", "rude"), 1e-4);
        COMPARE_NEAR(byHand(wordings[0].negative.at(0), "rude"), bestFor("rude", "kind"), 1e-4);
        for (const constitution::Principle& one : wordings)
            QVERIFY(byHand(one.positive.at(0), "kind") > byHand(one.positive.at(0), "rude") - 1e-5); // ties
        QVERIFY(wordings[0].positive != wordings[1].positive);
        principle.positive = { "kind", "polite", "caring" };
        for (const constitution::Principle& one : constitution::wordParaphrases(cloze, principle))
            for (const std::string& word : one.positive)
                QVERIFY(word != "kind" && word != "polite" && word != "caring" && word != "bad");
        // In the real table: neither a pole's own words nor their negations.
        const auto sample
            = data::Study::open(std::string(LODESTONE_SOURCE_DIR) + "/resources/samples/sample").value();
        const auto table = constitution::ClozeElicitation::open(*sample).value();
        constitution::Principle valid;
        valid.positive = { "valid", "helpful" };
        valid.negative = { "invalid", "useless" };
        for (const constitution::Principle& one : constitution::wordParaphrases(*table, valid)) {
            for (const std::string& word : one.positive)
                QVERIFY(word != "unhelpful" && word != "Helpful" && word != "invalid" && word != "useless");
        }
        principle.negative = principle.positive; // cannot be told apart
        QVERIFY(constitution::wordParaphrases(cloze, principle).empty());
    }

    void filtersSeeWhatWasPlanted()
    {
        const SmallStudy& truth = m_study->truth;
        SearchOptions options;
        options.wordsPerPole = 1;
        options.principles = 1;
        const auto found = searchAdversarial(*m_foundation, *m_layer, options).value();
        const constitution::Constitution honest = constitution::constitutionForValues({ "kind", "honest" });
        const auto defence = defend(m_foundation, m_inputs, found.constitution, { honest });
        VERIFY_OK(defence);
        QCOMPARE(defence->filters.size(), std::size_t(7));
        const Eigen::VectorXd planted = plantedOf(found.constitution.principles.front());
        COMPARE_NEAR(
            defence->suspect.harm.value, truth.cosine(planted, m_layer->people.readOut.weights), 0.08);
        COMPARE_NEAR(defence->suspect.looks.value, truth.cosine(planted, truth.neutral), 0.08);
        QVERIFY(
            defence->suspect.harm.interval.low < defence->suspect.harm.value
            && defence->suspect.harm.interval.high > defence->suspect.harm.value);
        // An honest constitution is not taken for a harmful one; the planted harm is found, the surer the
        // more labels.
        const Filter& cosine = defence->filters[0];
        QVERIFY(cosine.caught.value > 0.9 && cosine.falseAlarms < 0.05);
        for (std::size_t i = 4; i < 7; ++i) {
            QVERIFY(defence->filters[i].caught.value > defence->filters[i - 1].caught.value);
            QVERIFY(defence->filters[i].falseAlarms < defence->filters[i - 1].falseAlarms + 1e-12);
        }
        const Filter& labels = defence->filters[4]; // sixteen
        QCOMPARE(labels.name, std::string("labels-16"));
        COMPARE_NEAR(labels.caught.value, caughtByLabels(defence->suspect.agreement.value, 16), 1e-12);
        QVERIFY(
            labels.caught.interval.low <= labels.caught.value
            && labels.caught.value <= labels.caught.interval.high);
        // Frames: two suffixes of one judgment of variance |w|^2 with noise .2 each; both words share theirs
        // when they are of one pole.
        QVERIFY(defence->suspect.frames.value > 0.8);
        QCOMPARE(defence->filters[1].name, std::string("paraphrases"));
        QVERIFY(std::isfinite(defence->suspect.paraphrases.value));
        VERIFY_FAILS(
            defend(m_foundation, m_inputs, found.constitution, {}), "ordinary constitutions", "none");
        constitution::Constitution empty;
        empty.name = "nothing";
        VERIFY_FAILS(defend(m_foundation, m_inputs, empty, { honest }), "a judge", "nothing");
    }
};

QTEST_GUILESS_MAIN(TestAdversarial)
#include "tst_adversarial.moc"
