// Lines, bands and the draggable marker; the grid of numbers.
#include "ui/plots/heatmap_view.h"
#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"

#include <QLineSeries>
#include <QSignalSpy>
#include <QtTest>
#include <cmath>
#include <limits>

using namespace lodestone::ui;
namespace plot = lodestone::plot;

class TestPlotsSeries : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { m_theme.apply(*qApp); }
    void init();
    void cleanup() { m_view.reset(); }
    void valuesBetweenSamples();
    void windowHoldsEverything();
    void gapsSplitTheLine();
    void markerFollowsTheDrag();
    void markerSnapsToLayers();
    void keysMoveTheMarker();
    void clickWithoutMarker();
    void labelsKeepApart();
    void csv();
    void strangeSeries();
    void heatmapCells();
    void heatmapKeys();
    void heatmapColours();

private:
    QWidget* port() const { return m_view->viewport(); }

    Theme m_theme;
    std::unique_ptr<SeriesView> m_view;
};

void TestPlotsSeries::init()
{
    m_theme.setScheme(ColourScheme::Light);
    m_view = std::make_unique<SeriesView>(m_theme);
    m_view->resize(500, 300);
    m_view->setAxes({ QStringLiteral("layer") }, { QStringLiteral("accuracy") });
    Series line{ QStringLiteral("probe"), Ink::people(), { 0, 1, 2, 3, 4 }, { 0.5, 0.6, 0.8, 0.9, 0.7 } };
    line.low = { 0.4, 0.5, 0.7, 0.8, 0.6 };
    line.high = { 0.6, 0.7, 0.9, 1.0, 0.8 };
    m_view->setSeries({ line });
    m_view->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
}

void TestPlotsSeries::valuesBetweenSamples()
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const Series line{ {}, {}, { 0, 1, 3, 4 }, { 1, 2, 4, nan } };
    QCOMPARE(SeriesView::valueAt(line, 0).value(), 1.0);
    QCOMPARE(SeriesView::valueAt(line, 2).value(), 3.0);
    QCOMPARE(SeriesView::valueAt(line, 3).value(), 4.0);
    QVERIFY(!SeriesView::valueAt(line, -0.1));
    QVERIFY(!SeriesView::valueAt(line, 4.1));
    QVERIFY(!SeriesView::valueAt(line, 3.5)); // into a gap
    QVERIFY(!SeriesView::valueAt(line, nan));
    QVERIFY(!SeriesView::valueAt({}, 0));
}

void TestPlotsSeries::windowHoldsEverything()
{
    QCOMPARE(m_view->windowX().low, 0.0);
    QCOMPARE(m_view->windowX().high, 4.0);
    QVERIFY(m_view->windowY().low < 0.4 && m_view->windowY().high > 1.0); // the bands, too
    m_view->setReferenceLines({ { QStringLiteral("chance"), 0.2 } });
    QVERIFY(m_view->windowY().low < 0.2);
    m_view->setRangeY(plot::Range{ 0, 2 });
    QCOMPARE(m_view->windowY().high, 2.0);
    // Qt Charts' plot area is ours, also after labels changed the margins.
    QVERIFY(
        (m_view->chart()->plotArea().bottomRight() - m_view->plotArea().bottomRight()).manhattanLength() < 1);
}

void TestPlotsSeries::gapsSplitTheLine()
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    m_view->setSeries({ { QStringLiteral("gap"), Ink::people(), { 0, 1, 2, 3, 4 }, { 1, 2, nan, 2, 1 } } });
    int lines = 0;
    for (QAbstractSeries* series : m_view->chart()->series())
        if (auto* line = qobject_cast<QLineSeries*>(series)) {
            ++lines;
            QCOMPARE(line->count(), 2);
        }
    QCOMPARE(lines, 2);
}

void TestPlotsSeries::markerFollowsTheDrag()
{
    m_view->setMarker(1);
    QSignalSpy moved(m_view.get(), &SeriesView::markerMoved);
    QSignalSpy released(m_view.get(), &SeriesView::markerReleased);
    const QPoint goal(qRound(m_view->toWidget({ 3, 0 }).x()), m_view->markerPosition().y());
    QTest::mousePress(port(), Qt::LeftButton, {}, m_view->markerPosition());
    QTest::mouseMove(port(), (m_view->markerPosition() + goal) / 2);
    QTest::mouseMove(port(), goal);
    QCOMPARE(released.count(), 0);
    QTest::mouseRelease(port(), Qt::LeftButton, {}, goal);
    QVERIFY(moved.count() >= 2);
    QCOMPARE(released.count(), 1);
    const double pixel = 4.0 / m_view->plotArea().width();
    QVERIFY(std::abs(m_view->marker().value() - 3) <= pixel);
    QVERIFY((m_view->markerPosition() - goal).manhattanLength() <= 1);
    // Beyond the plot it stops at the end.
    QTest::mousePress(port(), Qt::LeftButton, {}, goal);
    QTest::mouseMove(port(), QPoint(5000, goal.y()));
    QTest::mouseRelease(port(), Qt::LeftButton, {}, QPoint(5000, goal.y()));
    QCOMPARE(m_view->marker().value(), 4.0);
}

void TestPlotsSeries::markerSnapsToLayers()
{
    m_view->setMarker(0);
    m_view->setMarkerSnaps(true);
    QSignalSpy moved(m_view.get(), &SeriesView::markerMoved);
    const int y = m_view->markerPosition().y();
    QTest::mousePress(port(), Qt::LeftButton, {}, QPoint(qRound(m_view->toWidget({ 2.4, 0 }).x()), y));
    QCOMPARE(m_view->marker().value(), 2.0);
    QTest::mouseMove(port(), QPoint(qRound(m_view->toWidget({ 2.3, 0 }).x()), y));
    QCOMPARE(moved.count(), 1); // the same layer is no news
    QTest::mouseRelease(port(), Qt::LeftButton, {}, QPoint(qRound(m_view->toWidget({ 2.6, 0 }).x()), y));
    QCOMPARE(m_view->marker().value(), 3.0);
}

void TestPlotsSeries::keysMoveTheMarker()
{
    m_view->setMarker(2);
    m_view->setMarkerSnaps(true);
    QSignalSpy released(m_view.get(), &SeriesView::markerReleased);
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QCOMPARE(m_view->marker().value(), 3.0);
    QTest::keyClick(m_view.get(), Qt::Key_Home);
    QCOMPARE(m_view->marker().value(), 0.0);
    QTest::keyClick(m_view.get(), Qt::Key_Left);
    QCOMPARE(m_view->marker().value(), 0.0);
    QTest::keyClick(m_view.get(), Qt::Key_PageUp);
    QCOMPARE(m_view->marker().value(), 4.0);
    QCOMPARE(released.count(), 4);
    m_view->setMarkerSnaps(false);
    QTest::keyClick(m_view.get(), Qt::Key_Left);
    QVERIFY(std::abs(m_view->marker().value() - 3.96) < 1e-9); // a hundredth of the window
    m_view->setMarkerMovable(false);
    QTest::keyClick(m_view.get(), Qt::Key_Left);
    QVERIFY(std::abs(m_view->marker().value() - 3.96) < 1e-9);
}

void TestPlotsSeries::clickWithoutMarker()
{
    QSignalSpy clicked(m_view.get(), &SeriesView::clicked);
    QTest::mouseClick(port(), Qt::LeftButton, {}, m_view->toWidget({ 1, 0.7 }).toPoint());
    QCOMPARE(clicked.count(), 1);
    QVERIFY(std::abs(clicked[0][0].toDouble() - 1) < 0.02);
}

void TestPlotsSeries::labelsKeepApart()
{
    // Three lines that end at one point: their words stand below one another inside the picture, so all rows
    // have ink.
    QVector<Series> lines;
    for (int i = 0; i < 3; ++i)
        lines.append({ QStringLiteral("label"), Ink::people(), { 0, 1 }, { 0, 1 } });
    m_view->setSeries(lines);
    const QImage image = m_view->image(1);
    int rows = 0;
    int runs = 0;
    bool before = false;
    for (int y = 0; y < m_view->plotArea().bottom() - 8; ++y) { // above the numbers of the axis
        bool ink = false;
        for (int x = qRound(m_view->plotArea().right()) + 4; x < image.width(); ++x)
            ink = ink || qGray(image.pixel(x, y)) < 128;
        rows += ink ? 1 : 0;
        runs += ink && !before ? 1 : 0;
        before = ink;
    }
    QCOMPARE(runs, 3);
    QVERIFY(rows >= 3 * 7);
}

void TestPlotsSeries::csv()
{
    const QStringList lines = m_view->csv().split(QLatin1Char('\n'));
    QCOMPARE(lines[0], QStringLiteral("series,x,y,low,high"));
    QCOMPARE(lines[3], QStringLiteral("probe,2,0.8,0.7,0.9"));
}

void TestPlotsSeries::strangeSeries()
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    Series short1{ QStringLiteral("short"), Ink::people(), { 1, 2, 3 }, { 1 } };
    Series empty{ QStringLiteral("empty"), Ink::people(), {}, {} };
    empty.labelAt = Series::LabelAt::Peak;
    Series nans{ QStringLiteral("nan"), Ink::people(), { 0, 1 }, { nan, nan } };
    nans.filled = true;
    nans.labelAt = Series::LabelAt::Peak;
    m_view->setSeries({ short1, empty, nans });
    m_view->setMarker(1);
    m_view->image(1);
    m_view->setMarker(nan);
    QVERIFY(!m_view->marker());
    m_view->setSeries({});
    m_view->image(1);
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QVERIFY(m_view->windowX().low < m_view->windowX().high);
}

void TestPlotsSeries::heatmapCells()
{
    m_view.reset(); // two windows at one place would share the pointer
    HeatmapView map(m_theme);
    map.resize(500, 240);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    QVERIFY(map.setData(
        { QStringLiteral("a"), QStringLiteral("b") },
        { QStringLiteral("x"), QStringLiteral("y"), QStringLiteral("z") }, { 1, 0.5, 0, -0.5, -1, nan }));
    QVERIFY(!map.setData({ QStringLiteral("a") }, { QStringLiteral("x") }, { 1, 2 }));
    QCOMPARE(map.value(1, 0), -0.5);
    QVERIFY(std::isnan(map.value(2, 0)));
    map.show();
    QVERIFY(QTest::qWaitForWindowExposed(&map));
    QSignalSpy hovered(&map, &HeatmapView::cellHovered);
    QSignalSpy clicked(&map, &HeatmapView::cellClicked);
    for (int row = 0; row < 2; ++row)
        for (int column = 0; column < 3; ++column)
            QVERIFY(map.cellAt(map.cellRect(row, column).center()) == std::pair(row, column));
    QTest::mouseMove(&map, map.cellRect(1, 2).center());
    QCOMPARE(hovered.last()[0].toInt(), 1);
    QCOMPARE(hovered.last()[1].toInt(), 2);
    QTest::mouseMove(&map, QPoint(1, 1));
    QCOMPARE(hovered.last()[0].toInt(), -1);
    QTest::mouseClick(&map, Qt::LeftButton, {}, map.cellRect(0, 1).center());
    QCOMPARE(clicked.count(), 1);
    QCOMPARE(clicked.last()[1].toInt(), 1);
    QCOMPARE(map.csv().split(QLatin1Char('\n'))[2], QStringLiteral("b,-0.5,-1,"));
}

void TestPlotsSeries::heatmapKeys()
{
    HeatmapView map(m_theme);
    map.setData(
        { QStringLiteral("a"), QStringLiteral("b") }, { QStringLiteral("x"), QStringLiteral("y") },
        { 1, 2, 3, 4 });
    map.show();
    QSignalSpy hovered(&map, &HeatmapView::cellHovered);
    QSignalSpy clicked(&map, &HeatmapView::cellClicked);
    QTest::keyClick(&map, Qt::Key_Down);
    QTest::keyClick(&map, Qt::Key_Right);
    QTest::keyClick(&map, Qt::Key_Right); // the end
    QCOMPARE(hovered.count(), 2);
    QTest::keyClick(&map, Qt::Key_Return);
    QCOMPARE(clicked.last()[0].toInt(), 1);
    QCOMPARE(clicked.last()[1].toInt(), 1);
}

void TestPlotsSeries::heatmapColours()
{
    HeatmapView map(m_theme);
    map.resize(400, 120);
    map.setData(
        { QStringLiteral("a") }, { QStringLiteral("x"), QStringLiteral("y"), QStringLiteral("z") },
        { 0, 1, 2 });
    map.setScale(0, 1, 2);
    const QImage image = map.image(1);
    const Palette& p = m_theme.palette();
    const auto corner = [&](int column) {
        const QRect cell = map.cellRect(0, column);
        return image.pixelColor(cell.left() + 8, cell.center().y()).name();
    };
    QCOMPARE(corner(0), p.rampLow.name());
    QCOMPARE(corner(1), p.rampMiddle.name());
    QCOMPARE(corner(2), p.rampHigh.name());
}

QTEST_MAIN(TestPlotsSeries)
#include "tst_plots_series.moc"
