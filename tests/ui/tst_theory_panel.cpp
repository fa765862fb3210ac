// The statements in the window with real clicks: choosing, dragging, what follows in formula, picture, curve
// and table.
// ctest labels: theory
#include "ui/panels/theory_panel.h"
#include "ui/plots/picture_view.h"
#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"

#include <QComboBox>
#include <QLabel>
#include <QListView>
#include <QSlider>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>
#include <cmath>

using namespace lodestone;
using namespace lodestone::ui;

class TestTheoryPanel : public QObject {
    Q_OBJECT

    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<TheoryPanel> m_panel;

    template <typename T>
    T* find(const char* name) const
    {
        return m_panel->findChild<T*>(QLatin1String(name));
    }
    QString textOf(const char* name) const { return find<QLabel>(name)->text(); }
    /// Points of a simulation are a series of their own.
    bool simulated() const
    {
        for (const Series& series : m_panel->chart().series())
            if (series.marks && !series.x.empty())
                return true;
        return false;
    }
    void choose(const QString& id)
    {
        auto* box = find<QComboBox>("theoryChoice");
        box->showPopup();
        QTRY_VERIFY(box->view()->isVisible());
        const QModelIndex index = box->model()->index(box->findData(id), 0);
        box->view()->scrollTo(index);
        QTest::mouseClick(
            box->view()->viewport(), Qt::LeftButton, Qt::NoModifier, box->view()->visualRect(index).center());
        QTRY_COMPARE(QString::fromStdString(m_panel->statement().id), id);
    }

private Q_SLOTS:
    void init()
    {
        m_theme = std::make_unique<Theme>();
        m_theme->setScheme(ColourScheme::Light);
        m_theme->apply(*qApp);
        m_panel = std::make_unique<TheoryPanel>(*m_theme);
        m_panel->resize(760, 620);
        m_panel->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_panel.get()));
        QTRY_VERIFY(!m_panel->table().rows.isEmpty());
    }
    void cleanup()
    {
        m_panel.reset();
        m_theme.reset();
    }

    void showsFormulaCurveAndSimulation()
    {
        QTRY_VERIFY(textOf("theoryFormula").contains(QStringLiteral("0.78225")));
        QVERIFY(textOf("theoryFormula").contains(QStringLiteral("arcsin(0.775)")));
        QVERIFY(textOf("theorySource").contains(QStringLiteral("Reconstruction in a linear-Gaussian model")));
        QTRY_VERIFY_WITH_TIMEOUT(simulated(), 30000);
        // The points lie on the curve, within their bars.
        const QVector<Series>& all = m_panel->chart().series();
        const Series &curve = all[0], &points = all[1];
        for (std::size_t i = 0; i < points.count(); ++i) {
            const auto on = SeriesView::valueAt(curve, points.x[i]);
            QVERIFY(on && std::abs(*on - points.y[i]) < 2.5 * (points.high[i] - points.y[i]) + 1e-6);
        }
        QVERIFY(m_panel->picture().isVisible());
    }

    void choosingWithTheMouse()
    {
        choose(QStringLiteral("T11"));
        QTRY_VERIFY(textOf("theoryFormula").contains(QStringLiteral("0.850386")));
        QVERIFY(textOf("theoryWords").startsWith(QStringLiteral("No constitution")));
        choose(QStringLiteral("T13"));
        QTRY_VERIFY(!find<QWidget>("theoryPicture")->isVisible());
    }

    void draggingASlider()
    {
        auto* slider = find<QSlider>("theory_rho_c");
        QVERIFY(slider);
        QTRY_VERIFY(textOf("theoryFormula").contains(QStringLiteral("0.78225")));
        slider->setFocus();
        QTest::keyClick(slider, Qt::Key_PageDown);
        QTRY_VERIFY(textOf("theoryFormula").contains(QStringLiteral("arcsin(0.676)")));
        QVERIFY(std::abs(m_panel->values()["rho_c"] - .676) < 1e-9);
        // By the mouse: a click on the groove moves it further.
        QTest::mouseClick(slider, Qt::LeftButton, Qt::NoModifier, QPoint(4, slider->height() / 2));
        QTRY_VERIFY(m_panel->values()["rho_c"] < .6);
        QTest::mouseClick(find<QToolButton>("theoryReset"), Qt::LeftButton);
        QTRY_VERIFY(textOf("theoryFormula").contains(QStringLiteral("0.78225")));
    }

    void draggingTheMarkerMovesItsInput()
    {
        // The axes stand still only when the simulated points are in.
        QTRY_VERIFY_WITH_TIMEOUT(m_panel->chart().marker() && m_panel->settled(), 30000);
        SeriesView& chart = m_panel->chart();
        const QPoint from = chart.markerPosition();
        const QPoint to(static_cast<int>(chart.toWidget({ 5, 0 }).x()), from.y());
        QTest::mousePress(chart.viewport(), Qt::LeftButton, Qt::NoModifier, from);
        QTest::mouseMove(chart.viewport(), to);
        QTest::mouseRelease(chart.viewport(), Qt::LeftButton, Qt::NoModifier, to);
        QTRY_VERIFY(std::abs(m_panel->values()["t"] - 5) < .1);
        QTRY_VERIFY(std::abs(find<QSlider>("theory_t")->value() - 500) < 12);
    }

    void impossibleValuesSaySo()
    {
        auto* slider = find<QSlider>("theory_rho_g");
        QTest::keyClick(slider, Qt::Key_Home);
        QTRY_VERIFY(textOf("theoryState").contains(QStringLiteral("exclude each other")));
        QTest::mouseClick(find<QToolButton>("theoryReset"), Qt::LeftButton);
        QTRY_VERIFY(!textOf("theoryState").contains(QStringLiteral("exclude each other")));
    }

    void tableAndPictureTellTheSame()
    {
        QSignalSpy table(m_panel.get(), &TheoryPanel::tableRequested);
        QSignalSpy picture(m_panel.get(), &TheoryPanel::pictureRequested);
        QTest::mouseClick(find<QToolButton>("theoryTable"), Qt::LeftButton);
        QTest::mouseClick(find<QToolButton>("theoryExport"), Qt::LeftButton);
        QCOMPARE(table.count(), 1);
        QCOMPARE(picture.count(), 1);
        QTRY_VERIFY_WITH_TIMEOUT(simulated(), 30000);
        const TextTable rows = m_panel->table();
        QCOMPARE(rows.header.size(), 8);
        bool found = false;
        for (const QStringList& row : rows.rows)
            if (row[1] == QStringLiteral("a_c")) {
                found = true;
                QVERIFY(std::abs(row[2].toDouble() - .78225) < 1e-5);
                QVERIFY(std::abs(row[3].toDouble() - .78225) < 5 * row[4].toDouble());
            }
        QVERIFY(found);
        const QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("curve.png"));
        QVERIFY(m_panel->chart().savePng(path).isEmpty());
        QVERIFY(!QImage(path).isNull());
        QVERIFY(!m_panel->chart().csv().isEmpty());
    }

    /// Every statement can be shown: its curve has values, its picture shapes.
    void everyStatementDraws_data()
    {
        QTest::addColumn<QString>("id");
        for (const theory::Statement& statement : theory::statements())
            QTest::newRow(statement.id.c_str()) << QString::fromStdString(statement.id);
    }
    void everyStatementDraws()
    {
        QFETCH(QString, id);
        m_panel->choose(id);
        QTRY_VERIFY(
            !m_panel->chart().series().isEmpty() && m_panel->chart().series()[0].label.size() > 0
            && m_panel->table().title.startsWith(id + QLatin1Char(' ')));
        QTRY_VERIFY(textOf("theoryFormula").contains(QLatin1Char('=')));
        int finite = 0;
        for (const double y : m_panel->chart().series()[0].y)
            finite += std::isfinite(y) ? 1 : 0;
        QVERIFY(finite > 1);
        if (m_panel->picture().isVisible())
            QVERIFY(!m_panel->picture().picture().shapes.empty());
    }
};

QTEST_MAIN(TestTheoryPanel)
#include "tst_theory_panel.moc"
