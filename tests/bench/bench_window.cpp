// How long a step of a slider takes: the cloud of 1,000 to 100,000 points, and judgments, meters and policy
// of 1,000 replies. Bounds are those of a frame; every line gives a ratio to something measured in the same
// run.
#include "core/session/pipeline.h"
#include "tests/support/small_study.h"
#include "ui/plots/scatter_view.h"
#include "ui/plots/theme.h"

#include <QElapsedTimer>
#include <QtTest>
#include <algorithm>
#include <random>

using namespace lodestone;
using namespace lodestone::ui;

class BenchWindow : public QObject {
    Q_OBJECT

    template <typename Step>
    static double medianMs(int times, Step step)
    {
        std::vector<double> all;
        for (int i = 0; i < times; ++i) {
            QElapsedTimer timer;
            timer.start();
            step(i);
            all.push_back(static_cast<double>(timer.nsecsElapsed()) / 1e6);
        }
        std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
        return all[all.size() / 2];
    }

private Q_SLOTS:
    void cloudOfPoints()
    {
        Theme theme;
        theme.setScheme(ColourScheme::Light);
        std::mt19937 random(1);
        std::normal_distribution<double> normal;
        double smallest = 0;
        for (const int n : { 1000, 10000, 100000 }) {
            ScatterView scatter(theme);
            scatter.resize(760, 520);
            std::vector<double> x(static_cast<std::size_t>(n)), y = x;
            std::vector<int> classes(static_cast<std::size_t>(n));
            for (int i = 0; i < n; ++i) {
                x[static_cast<std::size_t>(i)] = normal(random);
                y[static_cast<std::size_t>(i)] = normal(random);
                classes[static_cast<std::size_t>(i)] = i % 2;
            }
            scatter.setData(
                x, y, classes,
                { { QStringLiteral("chosen"), Ink::chosen(), Marker::Circle },
                  { QStringLiteral("rejected"), Ink::rejected(), Marker::Diamond } });
            QImage picture(scatter.size(), QImage::Format_ARGB32_Premultiplied);
            const double step = medianMs(11, [&](int i) {
                std::vector<double> moved = x;
                for (double& value : moved)
                    value *= 1 + 0.01 * i;
                scatter.setCoordinates(std::move(moved), y);
                static_cast<QWidget&>(scatter).render(&picture);
            });
            if (n == 1000)
                smallest = step;
            qInfo("%6d points: %.1f ms a step, %.1f times that of 1,000", n, step, step / smallest);
            QVERIFY2(step < (n == 100000 ? 100 : n == 1000 ? 16 : 100), "a step is slower than its frame");
        }
    }

    void editsOfAThousandReplies()
    {
        testing::SmallStudyOptions options;
        options.width = 576;
        options.pairPrompts = 400;
        options.samplePrompts = 25;
        options.candidates = 8;
        const testing::ScratchStudy study(options);
        QCOMPARE(study.truth.set.responses.size(), std::size_t(1000));
        const auto foundation = session::Foundation::open(study.study);
        QVERIFY(foundation.has_value());
        session::Pipeline pipeline(*foundation);
        session::Inputs inputs = session::defaultInputs(**foundation, testing::SmallStudy::top());
        inputs.constitution.principles.resize(1);
        inputs.constitution.principles[0].positive = { "kind", "polite" };
        inputs.constitution.principles[0].negative = { "rude", "cruel" };
        std::shared_ptr<const session::Snapshot> snapshot;
        const double whole
            = medianMs(1, [&](int) { snapshot = pipeline.recompute(inputs, nullptr).value(); });
        const double weight = medianMs(15, [&](int i) {
            inputs.constitution.principles[0].weight = 1 + 0.01 * (i + 1);
            snapshot = pipeline.recompute(inputs, snapshot).value();
        });
        const std::vector<std::vector<std::string>> poles
            = { { "kind" }, { "polite" }, { "caring" }, { "kind", "caring" }, { "polite", "caring" } };
        const double words = medianMs(5, [&](int i) {
            inputs.constitution.principles[0].positive = poles[static_cast<std::size_t>(i)];
            snapshot = pipeline.recompute(inputs, snapshot).value();
        });
        const double beta = medianMs(15, [&](int i) {
            inputs.beta = 1 + 0.01 * (i + 1);
            snapshot = pipeline.recompute(inputs, snapshot).value();
        });
        qInfo("1,000 replies of width 576: everything anew %.0f ms", whole);
        qInfo("a weight %.1f ms (%.0f times faster)", weight, whole / weight);
        qInfo("pole words %.1f ms (%.0f times faster)", words, whole / words);
        qInfo("beta %.1f ms (%.0f times faster)", beta, whole / beta);
        QVERIFY2(weight < 16 && words < 16 && beta < 16, "an edit is slower than a frame");
    }
};

QTEST_MAIN(BenchWindow)
#include "bench_window.moc"
