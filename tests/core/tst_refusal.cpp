// The refusal direction: the selection rule against the released scores, the direction against the fake
// model's own states.
// ctest labels: shared
#include "core/constitution/refusal.h"
#include "core/formats/lines.h"
#include "tests/support/fake_model.h"
#include "tests/support/geometry_support.h"
#include "tests/support/result_checks.h"

using namespace lodestone;
using namespace lodestone::constitution;
using namespace lodestone::testing;
using geometry::RefusalScore;

namespace {

std::filesystem::path released()
{
    return std::filesystem::path(LODESTONE_SOURCE_DIR) / "../shared/data/directions/refusal_direction";
}

} // namespace

class TestRefusal : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theRuleReproducesWhatWasReleased_data()
    {
        QTest::addColumn<QString>("model");
        QTest::addColumn<int>("layers");
        QTest::newRow("gemma") << QStringLiteral("gemma-2b-it") << 18;
        QTest::newRow("llama") << QStringLiteral("meta-llama-3-8b-instruct") << 32;
    }

    void theRuleReproducesWhatWasReleased()
    {
        QFETCH(QString, model);
        QFETCH(int, layers);
        const auto folder = released() / model.toStdString();
        if (!std::filesystem::exists(folder))
            QSKIP("skipped: no ../shared/data");
        const auto all = formats::readJson(folder / "select_direction/direction_evaluations.json");
        const auto kept = formats::readJson(folder / "select_direction/direction_evaluations_filtered.json");
        const auto chosen = formats::readJson(folder / "direction_metadata.json");
        VERIFY_OK(all);
        VERIFY_OK(kept);
        VERIFY_OK(chosen);
        std::vector<RefusalScore> scores;
        for (const auto& entry : *all)
            scores.push_back({ entry["position"], entry["layer"], entry["refusal_score"],
                               entry["steering_score"], entry["kl_div_score"] });
        QCOMPARE(scores.size() % static_cast<std::size_t>(layers), std::size_t(0));
        // Taken away one after the other, the kept candidates come in the order that was released.
        for (std::size_t i = 0; i < kept->size(); ++i) {
            const auto best = geometry::selectRefusal(scores, layers);
            VERIFY_OK(best);
            const RefusalScore found = scores[static_cast<std::size_t>(*best)];
            QCOMPARE(found.position, (*kept)[i]["position"].get<int>());
            QCOMPARE(found.layer, (*kept)[i]["layer"].get<int>());
            if (i == 0) {
                QCOMPARE(found.position, (*chosen)["pos"].get<int>());
                QCOMPARE(found.layer, (*chosen)["layer"].get<int>());
            }
            scores.erase(scores.begin() + *best);
        }
        VERIFY_FAILS(geometry::selectRefusal(scores, layers), "too deep");
    }

    void theRule()
    {
        const double nan = std::nan("");
        const std::vector<RefusalScore> scores{ { -1, 8, -9, 1, 0 },     { -1, 3, -8, -0.1, 0 },
                                                { -1, 4, -7, 1, 0.11 },  { -1, 5, nan, 1, 0 },
                                                { -2, 7, -3, 0, 0.1 },   { -1, 7, -3, 5, 0 },
                                                { -1, 2, -2, 9, 0.0001 } };
        const auto best = geometry::selectRefusal(scores, 10); // layer 8 is too deep, 7 is not
        VERIFY_OK(best);
        QCOMPARE(*best, 4);
        VERIFY_FAILS(
            geometry::selectRefusal(std::span(scores).first(4), 10), "1 too deep", "1 do not induce",
            "1 change harmless", "1 not finite");
        COMPARE_NEAR(geometry::refusalScore(0.5), 0.0, 1e-12);
        COMPARE_NEAR(geometry::refusalScore(0.9), std::log(9), 1e-6);
        COMPARE_NEAR(geometry::refusalScore(0), std::log(1e-8), 1e-6);
    }

    void directionsAreDifferencesOfMeans()
    {
        FakeModel model(3, 8);
        model.change = [](Eigen::VectorXd& state, const FakeModel::Tokens& tokens, int last, int row) {
            double sum = 0;
            for (int i = 0; i <= last; ++i)
                sum += tokens[static_cast<std::size_t>(i)];
            state[row] += std::sin(sum);
        };
        std::vector<std::string> harmful, harmless;
        for (int i = 0; i < 8; ++i) {
            harmful.push_back("Do harm number " + std::to_string(i));
            harmless.push_back("Bake cake number " + std::to_string(i));
        }
        RefusalOptions options;
        int heard = 0;
        const auto found
            = findRefusal(model, harmful, harmless, options, {}, [&](const RefusalScore&) { ++heard; });
        VERIFY_OK(found);
        const auto after
            = model.tokenizer().encode("<|im_end|>\n<|im_start|>assistant\n", text::Special::Parse);
        QCOMPARE(found->positionTokens.size(), after.size());
        QCOMPARE(found->scores.size(), after.size() * 3);
        QCOMPARE(heard, static_cast<int>(found->scores.size()));
        QCOMPARE(found->trainingHarmful, 6);
        QCOMPARE(found->validationHarmful, 2);
        // The fake model takes no notice of interventions: nothing changes.
        for (const RefusalScore& score : found->scores) {
            COMPARE_NEAR(score.bypass, found->baseHarmful, 1e-9);
            COMPARE_NEAR(score.induce, found->baseHarmless, 1e-9);
            COMPARE_NEAR(score.kl, 0.0, 1e-9);
        }
        // With all requests in training but one a side, the direction lies within the spread of the means.
        options.positions = { -1 };
        options.layers = { 2 };
        const auto one = findRefusal(model, harmful, harmless, options);
        VERIFY_OK(one);
        QCOMPARE(one->directions.size(), std::size_t(1));
        const auto state = [&](const std::string& text) {
            const auto tokens = model.tokenizer().encode(
                model.chatTemplate().prompt({ { "user", text } }), text::Special::Parse);
            return model.state(tokens, static_cast<int>(tokens.size()) - 1, 2);
        };
        // Which six of eight were drawn is not known here: some choice of left-out pairs gives exactly this.
        double nearest = 1e9;
        for (int a = 0; a < 8; ++a)
            for (int b = a + 1; b < 8; ++b)
                for (int c = 0; c < 8; ++c)
                    for (int d = c + 1; d < 8; ++d) {
                        Eigen::VectorXd r = Eigen::VectorXd::Zero(8);
                        for (int i = 0; i < 8; ++i) {
                            if (i != a && i != b)
                                r += state(harmful[static_cast<std::size_t>(i)]) / 6;
                            if (i != c && i != d)
                                r -= state(harmless[static_cast<std::size_t>(i)]) / 6;
                        }
                        nearest = std::min(nearest, distance(r, one->directions[0]));
                    }
        QVERIFY(nearest < 1e-5);
    }

    void refusals()
    {
        FakeModel model(3, 8);
        const std::vector<std::string> few{ "a", "b", "c" }, enough{ "a", "b", "c", "d" };
        VERIFY_FAILS(findRefusal(model, few, enough, {}), "harmful", "four requests");
        RefusalOptions options;
        options.layers = { 3 };
        VERIFY_FAILS(findRefusal(model, enough, enough, options), "layer from 0 to 2");
        options.layers = {};
        options.positions = { 0 };
        VERIFY_FAILS(findRefusal(model, enough, enough, options), "position");
        const ScratchFolder folder;
        const auto file = folder.write("r.jsonl", "{\"instruction\": \"Bake.\"}\n{\"category\": \"x\"}\n");
        VERIFY_FAILS(readInstructions(file), "r.jsonl", "line 2");
        const auto good = readInstructions(folder.write("g.json", "[{\"instruction\": \"Bake.\"}]"));
        VERIFY_OK(good);
        QCOMPARE(good->size(), std::size_t(1));
    }
};

QTEST_GUILESS_MAIN(TestRefusal)
#include "tst_refusal.moc"
