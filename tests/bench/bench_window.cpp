// How long a step of a slider takes: the cloud of 1,000 to 100,000 points, and judgments, meters and policy
// of 1,000 replies. Bounds are those of a frame; every line gives a ratio to something measured in the same
// run.
#include "core/session/pipeline.h"
#include "core/theory/scenes.h"
#include "tests/support/small_study.h"
#include "ui/panels/theory_panel_figures.h"
#include "ui/plots/picture_view.h"
#include "ui/plots/scatter_view.h"
#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"

#include <QElapsedTimer>
#include <QtTest>
#include <algorithm>
#include <random>

using namespace lodestone;
using namespace lodestone::ui;

class BenchWindow : public QObject {
    Q_OBJECT

    struct Times {
        double median = 0, high = 0; ///< milliseconds; high: 95th percentile
    };
    template <typename Step>
    static Times timesOf(int count, Step step)
    {
        std::vector<double> all;
        for (int i = 0; i < count; ++i) {
            QElapsedTimer timer;
            timer.start();
            step(i);
            all.push_back(static_cast<double>(timer.nsecsElapsed()) / 1e6);
        }
        std::sort(all.begin(), all.end());
        return { all[all.size() / 2], all[all.size() * 95 / 100] };
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
            const Times step = timesOf(n == 100000 ? 21 : 41, [&](int i) {
                std::vector<double> moved = x;
                for (double& value : moved)
                    value *= 1 + 0.01 * i;
                scatter.setCoordinates(std::move(moved), y);
                static_cast<QWidget&>(scatter).render(&picture);
            });
            if (n == 1000)
                smallest = step.median;
            qInfo(
                "%6d points: %.1f ms a step (95th percentile %.1f), %.1f times that of 1,000", n, step.median,
                step.high, step.median / smallest);
            QVERIFY2(step.high < (n == 1000 ? 16 : 100), "a step is slower than its frame");
        }
    }

    /// Every slider of every statement: values, picture, curve, and painting both.
    void slidersOfStatements()
    {
        Theme theme;
        theme.setScheme(ColourScheme::Light);
        SeriesView chart(theme);
        PictureView picture(theme);
        chart.resize(420, 300);
        picture.resize(360, 300);
        QImage paper(QSize(420, 300), QImage::Format_ARGB32_Premultiplied);
        std::vector<double> all;
        double slowest = 0;
        std::string slowestId;
        for (const theory::Statement& statement : theory::statements())
            for (const theory::Input& input : statement.inputs)
                for (const int step : { 150, 500, 850 }) {
                    theory::Values values = statement.standard();
                    values.put(input.name, statement::valueAt(input, step));
                    QElapsedTimer timer;
                    timer.start();
                    const auto outputs = theory::evaluate(statement, values);
                    if (!outputs)
                        continue; // no values there, and said so
                    if (const auto scene = theory::scene(statement, values))
                        picture.setPicture(*scene);
                    const statement::Curve curve = statement::curveOf(statement, values, {});
                    chart.setSeries(statement::series({ statement, values, *outputs, nullptr }, curve, {}));
                    chart.setMarker(values[statement.sweep.input]);
                    static_cast<QWidget&>(picture).render(&paper);
                    static_cast<QWidget&>(chart).render(&paper);
                    const double ms = static_cast<double>(timer.nsecsElapsed()) / 1e6;
                    all.push_back(ms);
                    if (ms > slowest) {
                        slowest = ms;
                        slowestId = statement.id;
                    }
                }
        std::sort(all.begin(), all.end());
        const double high = all[all.size() * 95 / 100];
        qInfo(
            "%zu settings of %zu statements: median %.1f ms, 95th percentile %.1f ms, slowest %s with %.1f "
            "ms",
            all.size(), theory::statements().size(), all[all.size() / 2], high, slowestId.c_str(), slowest);
        QVERIFY2(high < 16, "a statement's slider is slower than a frame");
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
            = timesOf(1, [&](int) { snapshot = pipeline.recompute(inputs, nullptr).value(); }).median;
        const Times weight = timesOf(60, [&](int i) {
            inputs.constitution.principles[0].weight = 1 + 0.01 * (i + 1);
            snapshot = pipeline.recompute(inputs, snapshot).value();
        });
        const std::vector<std::vector<std::string>> poles
            = { { "kind" }, { "polite" }, { "caring" }, { "kind", "caring" }, { "polite", "caring" } };
        const Times words = timesOf(20, [&](int i) {
            inputs.constitution.principles[0].positive = poles[static_cast<std::size_t>(i) % poles.size()];
            inputs.constitution.principles[0].negative = { i < 5        ? "rude"
                                                               : i < 10 ? "cruel"
                                                               : i < 15 ? "hurtful"
                                                                        : "bad" };
            snapshot = pipeline.recompute(inputs, snapshot).value();
        });
        const Times beta = timesOf(60, [&](int i) {
            inputs.beta = 1 + 0.01 * (i + 1);
            snapshot = pipeline.recompute(inputs, snapshot).value();
        });
        qInfo("1,000 replies of width 576: everything anew %.0f ms", whole);
        for (const auto& [name, edit] :
             { std::pair("a weight", weight), { "pole words", words }, { "beta", beta } })
            qInfo(
                "%s %.1f ms (95th percentile %.1f; %.0f times faster)", name, edit.median, edit.high,
                whole / edit.median);
        QVERIFY2(weight.high < 16 && words.high < 16 && beta.high < 16, "an edit is slower than a frame");
    }
};

QTEST_MAIN(BenchWindow)
#include "bench_window.moc"
