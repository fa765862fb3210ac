// The place "Layers" with real clicks: the sweep and, by another click, how many directions carry the value,
// with its table, following the layer and not the weights.
#include "ui/panels/layers_panel.h"
#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"
#include "ui/widgets/segmented_control.h"

#include <QAbstractButton>
#include <QLabel>
#include <QtTest>

using namespace lodestone;
using namespace lodestone::ui;

class TestLayersPanel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void ranksFollowTheLayer()
    {
        QStandardPaths::setTestModeEnabled(true);
        Theme theme;
        theme.setScheme(
            qEnvironmentVariableIsSet("LODESTONE_DARK") ? ColourScheme::Dark : ColourScheme::Light);
        theme.apply(*qApp);
        Session session(std::filesystem::path(LODESTONE_SOURCE_DIR) / "resources");
        LayersPanel panel(theme, session);
        panel.resize(640, 480);
        panel.show();
        const auto* sentence = panel.findChild<QLabel*>(QStringLiteral("layersSentence"));
        auto* segments = panel.findChild<SegmentedControl*>(QStringLiteral("layersSegments"));
        QTest::mouseClick(segments->segment(LayersPanel::ByRank), Qt::LeftButton);
        QVERIFY(sentence->text().contains(QStringLiteral("Open a study"))); // nothing to count yet
        session.openStudy(session.resources() / "samples/sample");
        QTRY_VERIFY_WITH_TIMEOUT(session.snapshot() && session.settled() && session.sweep(), 120000);
        QTRY_VERIFY_WITH_TIMEOUT(panel.settled() && panel.table().rows.size() > 10, 60000);
        QVERIFY2(
            sentence->text().contains(QStringLiteral("principal components")), qPrintable(sentence->text()));
        const TextTable table = panel.table();
        // The same figures as the command's, by the function that it calls.
        session::DimensionsOptions options;
        options.position = session.inputs().position;
        options.seed = session.inputs().seed;
        const auto expected
            = session::measureDimensions(*session.foundation(), session.inputs().layer, options);
        QVERIFY(expected.has_value());
        QCOMPARE(table.rows[0][1], QStringLiteral("1"));
        QVERIFY(std::abs(table.rows[0][2].toDouble() - expected->ranks[0].kept.value) < 1e-5);
        QVERIFY(panel.chart().series().size() == 5);
        if (const QString folder = qEnvironmentVariable("LODESTONE_PICTURES"); !folder.isEmpty())
            panel.grab().save(folder + QStringLiteral("/rank.png"));
        // A weight changes nothing here, a layer everything.
        QSignalSpy measured(&panel, &LayersPanel::measured);
        session::Inputs inputs = session.inputs();
        inputs.constitution.principles[0].weight = 0.1;
        session.edit(QStringLiteral("weight"), inputs);
        QTRY_VERIFY_WITH_TIMEOUT(session.settled(), 60000);
        QCOMPARE(measured.size(), 0);
        inputs.layer = Layer::blockOutput(5);
        session.edit(QStringLiteral("layer"), inputs);
        QTRY_VERIFY_WITH_TIMEOUT(measured.size() > 0 && panel.settled(), 60000);
        QVERIFY(sentence->text().contains(QStringLiteral("block 5 output")));
        // Back to the sweep.
        QTest::mouseClick(segments->segment(LayersPanel::ByLayer), Qt::LeftButton);
        QVERIFY(sentence->text().contains(QStringLiteral("Cross-validation")));
        QCOMPARE(panel.table().rows.size(), static_cast<qsizetype>(session.sweep()->rows.size()));
    }
};

QTEST_MAIN(TestLayersPanel)
#include "tst_layers_panel.moc"
