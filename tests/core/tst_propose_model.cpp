// Pole words that the default model proposes: sound as words, and with the log-odds that reading the
// questions one by one gives.
// ctest labels: model torch
#include "core/constitution/propose.h"
#include "core/formats/lines.h"
#include "core/model/model_fetch.h"
#include "core/model/model_library.h"
#include "tests/support/geometry_support.h"
#include "tests/support/result_checks.h"

#include <set>
#include <sstream>

using namespace lodestone;
using namespace lodestone::constitution;

class TestProposeModel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theModelNamesBothPoles()
    {
        const auto path = model::defaultModelPath();
        if (!path)
            QSKIP("the default model is not in the cache");
        const auto model = model::loadModel(*path);
        VERIFY_OK(model);
        const std::string resources = std::string(LODESTONE_SOURCE_DIR) + "/resources/";
        const auto opposites = Opposites::read(resources + "opposites.txt");
        VERIFY_OK(opposites);
        const auto text = formats::readText(resources + "value_words.txt");
        VERIFY_OK(text);
        std::vector<std::string> words;
        std::istringstream lines(*text);
        for (std::string line; std::getline(lines, line);)
            if (!line.empty() && line[0] != '#')
                words.push_back(line);
        const std::string principle = "Be kind and polite to the person.";
        const auto found = proposeByModel(principle, **model, *opposites, words);
        VERIFY_OK(found);
        QVERIFY2(found->usable(), found->problem.c_str());
        std::set<std::string> seen;
        for (const bool positive : { true, false }) {
            const auto& pole = positive ? found->positive : found->negative;
            const auto& odds = positive ? found->positiveLogOdds : found->negativeLogOdds;
            QCOMPARE(odds.size(), pole.size());
            QVERIFY(pole.size() <= mostProposed);
            const auto after = [&](const std::string& about) {
                model::Request request;
                request.tokens = (*model)->tokenizer().encode(
                    poleQuestion(**model, about, positive), text::Special::Parse);
                request.logits = true;
                return (*model)->read({ &request, 1 }, {}, {}).value().front().nextLogProbabilities;
            };
            const Eigen::VectorXf here = after(principle), neutral = after({});
            for (std::size_t i = 0; i < pole.size(); ++i) {
                QVERIFY2(seen.insert(pole[i]).second, pole[i].c_str()); // in one pole, once
                QVERIFY(std::find(words.begin(), words.end(), pole[i]) != words.end());
                QVERIFY(odds[i] > 0 && (i == 0 || odds[i] <= odds[i - 1]));
                const auto ids = (*model)->tokenizer().encode(" " + pole[i], text::Special::Continue);
                QCOMPARE(ids.size(), std::size_t(1));
                COMPARE_NEAR(odds[i], double(here[ids[0]]) - double(neutral[ids[0]]), 2e-3);
            }
            qInfo(
                "%s: %s", positive ? "positive" : "negative",
                [&] {
                    std::string said;
                    for (const std::string& word : pole)
                        said += word + " ";
                    return said;
                }()
                    .c_str());
        }
        // A word for each side that nobody would put on the other.
        QVERIFY(std::count(found->positive.begin(), found->positive.end(), "caring") == 1);
        QVERIFY(std::count(found->negative.begin(), found->negative.end(), "cruel") == 1);
    }
};

QTEST_GUILESS_MAIN(TestProposeModel)
#include "tst_propose_model.moc"
