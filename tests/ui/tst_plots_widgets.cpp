// The small controls, handled with a real mouse and keyboard.
#include "ui/plots/theme.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/flow_layout.h"
#include "ui/widgets/job_indicator.h"
#include "ui/widgets/layer_scrubber.h"
#include "ui/widgets/message_bar.h"
#include "ui/widgets/meter_card.h"
#include "ui/widgets/probability_bar.h"
#include "ui/widgets/segmented_control.h"
#include "ui/widgets/swatch.h"
#include "ui/widgets/weight_slider.h"

#include <QAbstractButton>
#include <QAccessible>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QtTest>
#include <cmath>
#include <limits>

using namespace lodestone::ui;

class TestPlotsWidgets : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { m_theme.apply(*qApp); }
    void sliderDrag();
    void sliderKeys();
    void sliderWheelNeedsFocus();
    void sliderIsAccessible();
    void sliderIsFilledFromTheMiddle();
    void scrubberDragWheelKeys();
    void scrubberWithoutLayers();
    void probabilityBar();
    void meterCard();
    void segments();
    void elidedLabel();
    void flowLayout();
    void messageBar();
    void jobIndicator();
    void everyPaletteAndSizePaints();

private:
    static void wheel(QWidget& widget, int delta)
    {
        const QPointF at = widget.rect().center();
        QWheelEvent event(
            at, widget.mapToGlobal(at), {}, { 0, delta }, Qt::NoButton, {}, Qt::NoScrollPhase, false);
        QCoreApplication::sendEvent(&widget, &event);
    }
    static void show(QWidget& widget)
    {
        widget.show();
        QVERIFY(QTest::qWaitForWindowExposed(&widget));
    }

    Theme m_theme;
};

void TestPlotsWidgets::sliderDrag()
{
    WeightSlider slider(m_theme);
    slider.resize(260, 24);
    show(slider);
    QSignalSpy changed(&slider, &WeightSlider::valueChanged);
    QSignalSpy released(&slider, &WeightSlider::sliderReleased);
    QTest::mousePress(
        &slider, Qt::LeftButton, {}, slider.handlePosition() + QPoint(2, 0)); // by its edge: no jump
    QCOMPARE(changed.count(), 0);
    QTest::mouseMove(&slider, slider.positionOf(1.0) + QPoint(2, 0));
    QCOMPARE(slider.value(), 1.0);
    QTest::mouseMove(&slider, slider.positionOf(1.2) + QPoint(2, 0));
    QCOMPARE(changed.last()[0].toDouble(), 1.2);
    QCOMPARE(released.count(), 0);
    QTest::mouseRelease(&slider, Qt::LeftButton, {}, slider.positionOf(1.2) + QPoint(2, 0));
    QCOMPARE(released.count(), 1);
    QCOMPARE(changed.count(), 2);
    QTest::mouseClick(&slider, Qt::LeftButton, {}, slider.positionOf(-1.5)); // the groove brings the handle
    QCOMPARE(slider.value(), -1.5);
    QTest::mousePress(&slider, Qt::LeftButton, {}, slider.handlePosition());
    QTest::mouseMove(&slider, QPoint(-500, 10));
    QTest::mouseRelease(&slider, Qt::LeftButton, {}, QPoint(-500, 10));
    QCOMPARE(slider.value(), -2.0);
    QTest::mouseDClick(&slider, Qt::LeftButton, {}, slider.handlePosition());
    QCOMPARE(slider.value(), 0.0);
    const qsizetype before = changed.count();
    slider.setValue(0.7);
    slider.setValue(std::numeric_limits<double>::quiet_NaN());
    QCOMPARE(slider.value(), 0.7);
    QCOMPARE(changed.count(), before); // setters do not emit
    slider.setValue(9);
    QCOMPARE(slider.value(), 2.0);
}

void TestPlotsWidgets::sliderKeys()
{
    WeightSlider slider(m_theme);
    show(slider);
    QSignalSpy changed(&slider, &WeightSlider::valueChanged);
    QSignalSpy released(&slider, &WeightSlider::sliderReleased);
    for (int i = 0; i < 3; ++i)
        QTest::keyClick(&slider, Qt::Key_Right);
    QCOMPARE(slider.value(), 0.3); // not 0.30000000000000004
    QTest::keyClick(&slider, Qt::Key_Left, Qt::ShiftModifier);
    QCOMPARE(slider.value(), 0.29);
    QTest::keyClick(&slider, Qt::Key_PageDown);
    QCOMPARE(slider.value(), -0.21);
    QTest::keyClick(&slider, Qt::Key_End);
    QCOMPARE(slider.value(), 2.0);
    QCOMPARE(changed.count(), 6);
    QTest::keyClick(&slider, Qt::Key_Up);
    QCOMPARE(changed.count(), 6); // at the end already
    QTest::keyClick(&slider, Qt::Key_Home);
    QCOMPARE(slider.value(), -2.0);
    QTest::keyClick(&slider, Qt::Key_0);
    QCOMPARE(slider.value(), 0.0);
    QCOMPARE(released.count(), changed.count()); // each key is an edit of its own
}

void TestPlotsWidgets::sliderWheelNeedsFocus()
{
    QWidget window;
    WeightSlider slider(m_theme, &window);
    QPushButton other(&window);
    show(window);
    other.setFocus();
    wheel(slider, 120);
    QCOMPARE(slider.value(), 0.0);
    slider.setFocus();
    QTRY_VERIFY(slider.hasFocus());
    wheel(slider, 120);
    QCOMPARE(slider.value(), 0.1);
    wheel(slider, -60); // half a notch is kept
    QCOMPARE(slider.value(), 0.1);
    wheel(slider, -60);
    QCOMPARE(slider.value(), 0.0);
}

void TestPlotsWidgets::sliderIsAccessible()
{
    WeightSlider slider(m_theme);
    slider.setAccessibleName(QStringLiteral("Weight of Be kind"));
    slider.setValue(1.2);
    QAccessibleInterface* reader = QAccessible::queryAccessibleInterface(&slider);
    QVERIFY(reader);
    QCOMPARE(reader->role(), QAccessible::Slider);
    QCOMPARE(reader->text(QAccessible::Name), QStringLiteral("Weight of Be kind"));
    QCOMPARE(reader->text(QAccessible::Value), QStringLiteral("+1.20"));
    QVERIFY(reader->valueInterface());
    QCOMPARE(reader->valueInterface()->maximumValue().toDouble(), 2.0);
    QSignalSpy changed(&slider, &WeightSlider::valueChanged);
    reader->valueInterface()->setCurrentValue(-0.5);
    QCOMPARE(slider.value(), -0.5);
    QCOMPARE(changed.count(), 1);
}

void TestPlotsWidgets::sliderIsFilledFromTheMiddle()
{
    WeightSlider slider(m_theme);
    slider.resize(260, 24);
    slider.setInk(Ink::principle(2));
    slider.setValue(-1.5);
    QImage image(slider.size(), QImage::Format_RGB32);
    slider.render(&image);
    const Palette& p = m_theme.palette();
    QCOMPARE(image.pixelColor(slider.positionOf(-0.7)).name(), p.principles[2].name());
    QCOMPARE(image.pixelColor(slider.positionOf(0.7)).name(), p.control.name());
    QCOMPARE(image.pixelColor(slider.positionOf(-1.5)).name(), p.panel.name()); // the handle's middle
}

void TestPlotsWidgets::scrubberDragWheelKeys()
{
    LayerScrubber scrubber(m_theme);
    scrubber.resize(440, 40);
    std::vector<double> accuracy;
    QStringList labels{ QStringLiteral("embedding") };
    for (int i = 0; i < 13; ++i)
        accuracy.push_back(0.5 + 0.03 * i);
    for (int i = 0; i < 12; ++i)
        labels.append(QStringLiteral("block %1 output").arg(i));
    accuracy[5] = std::numeric_limits<double>::quiet_NaN();
    scrubber.setCurve(accuracy, accuracy, accuracy, labels);
    QVERIFY(scrubber.isEnabled());
    show(scrubber);
    QSignalSpy changed(&scrubber, &LayerScrubber::layerRowChanged);
    QTest::mousePress(&scrubber, Qt::LeftButton, {}, scrubber.positionOf(3));
    QCOMPARE(scrubber.layerRow(), 3);
    QTest::mouseMove(&scrubber, scrubber.positionOf(5));
    QTest::mouseMove(&scrubber, scrubber.positionOf(8) + QPoint(4, 30));
    QTest::mouseRelease(&scrubber, Qt::LeftButton, {}, scrubber.positionOf(8));
    QCOMPARE(changed.count(), 3);
    QCOMPARE(changed.last()[0].toInt(), 8);
    wheel(scrubber, 120);
    QCOMPARE(scrubber.layerRow(), 9);
    QTest::keyClick(&scrubber, Qt::Key_Left);
    QCOMPARE(scrubber.layerRow(), 8);
    QTest::keyClick(&scrubber, Qt::Key_PageDown);
    QCOMPARE(scrubber.layerRow(), 4);
    QTest::keyClick(&scrubber, Qt::Key_End);
    QTest::keyClick(&scrubber, Qt::Key_Right);
    QCOMPARE(scrubber.layerRow(), 12);
    const qsizetype before = changed.count();
    scrubber.setLayerRow(99);
    scrubber.setLayerRow(2);
    QCOMPARE(scrubber.layerRow(), 2);
    QCOMPARE(changed.count(), before);
    QCOMPARE(scrubber.spoken(), QStringLiteral("block 1 output, accuracy 56 %"));
}

void TestPlotsWidgets::scrubberWithoutLayers()
{
    LayerScrubber scrubber(m_theme);
    QVERIFY(!scrubber.isEnabled());
    QSignalSpy changed(&scrubber, &LayerScrubber::layerRowChanged);
    scrubber.setByUser(3);
    QCOMPARE(changed.count(), 0);
    scrubber.setCurve({ 0.7 }, {}, {}, { QStringLiteral("embedding") });
    scrubber.resize(400, 40);
    QImage image(scrubber.size(), QImage::Format_RGB32);
    scrubber.render(&image); // one layer has no width to divide by
    scrubber.setByUser(3);
    QCOMPARE(scrubber.layerRow(), 0);
}

void TestPlotsWidgets::probabilityBar()
{
    ProbabilityBar bar(m_theme);
    bar.resize(200, bar.sizeHint().height());
    bar.setNote(QStringLiteral("people chose A"));
    bar.setProbability(0.25);
    QCOMPARE(bar.accessibleDescription(), QStringLiteral("A 25 %, B 75 %; people chose A"));
    QImage image(bar.size(), QImage::Format_RGB32);
    bar.render(&image);
    const Palette& p = m_theme.palette();
    QCOMPARE(image.pixelColor(40, 6).name(), p.chosen.name());
    QCOMPARE(image.pixelColor(60, 6).name(), p.rejected.name());
    QCOMPARE(image.pixelColor(100, 6).name(), p.text.name()); // the tick of the middle
    bar.setProbability(1.7);
    QCOMPARE(bar.probability(), 1.0);
    bar.setProbability(std::nan(""), std::pair(0.1, 0.2));
    bar.render(&image);
    QCOMPARE(image.pixelColor(40, 6).name(), p.control.name());
}

void TestPlotsWidgets::meterCard()
{
    MeterCard card(m_theme);
    card.setTitle(QStringLiteral("Values encoded"));
    card.setValueText(QStringLiteral(".72"));
    card.setNote(QStringLiteral("from 93 % of pairs"));
    card.setFraction(7);
    card.setInterval(std::pair(0.6, std::numeric_limits<double>::quiet_NaN()));
    card.resize(card.sizeHint());
    show(card);
    // On a signed scale a loss is filled to the left of zero, a gain to its right.
    const auto filledAt = [&](double share) {
        const QImage image = card.grab().toImage();
        const double pad = m_theme.palette().padCard;
        const int x = static_cast<int>(pad + share * (card.width() - 2 * pad));
        for (int y = card.height() / 2; y < card.height() - 8; ++y)
            if (image.pixelColor(x, y).name() == m_theme.palette().accent.name())
                return true;
        return false;
    };
    card.setInterval(std::nullopt);
    card.setScale(-1, 1);
    card.setFraction(-0.6);
    QVERIFY(filledAt(0.3) && !filledAt(0.7));
    card.setFraction(0.6);
    QVERIFY(!filledAt(0.3) && filledAt(0.7));
    QSignalSpy clicked(&card, &MeterCard::clicked);
    QTest::mouseClick(&card, Qt::LeftButton);
    QTest::keyClick(&card, Qt::Key_Space);
    QTest::keyClick(&card, Qt::Key_Return);
    QCOMPARE(clicked.count(), 3);
    QTest::mousePress(&card, Qt::LeftButton);
    QTest::mouseRelease(&card, Qt::LeftButton, {}, QPoint(-20, -20)); // changed one's mind
    QCOMPARE(clicked.count(), 3);
    QCOMPARE(card.accessibleName(), QStringLiteral("Values encoded"));
    QCOMPARE(card.accessibleDescription(), QStringLiteral(".72, from 93 % of pairs"));
    card.setValueText({});
    QCOMPARE(card.valueText(), QStringLiteral("–"));
}

void TestPlotsWidgets::segments()
{
    SegmentedControl control;
    control.setSegments({ QStringLiteral("All"), QStringLiteral("Disagree"), QStringLiteral("Flipped") });
    control.setCount(1, 7);
    show(control);
    QSignalSpy changed(&control, &SegmentedControl::currentChanged);
    QCOMPARE(control.current(), 0);
    auto* disagree = control.findChild<QAbstractButton*>(QStringLiteral("segment1"));
    QVERIFY(disagree);
    QCOMPARE(disagree->text(), QStringLiteral("Disagree 7"));
    QTest::mouseClick(disagree, Qt::LeftButton);
    QCOMPARE(control.current(), 1);
    QTest::mouseClick(disagree, Qt::LeftButton); // pressed twice it stays
    QCOMPARE(control.current(), 1);
    QCOMPARE(changed.count(), 1);
    QTest::keyClick(disagree, Qt::Key_Right);
    QCOMPARE(control.current(), 2);
    QTest::keyClick(control.segment(2), Qt::Key_Right);
    QCOMPARE(control.current(), 2);
    QCOMPARE(changed.count(), 2);
    control.setCurrent(0);
    control.setCurrent(9);
    QCOMPARE(control.current(), 0);
    QCOMPARE(changed.count(), 2);
    QVERIFY(!control.segment(9));
    // In a narrow place the margins shrink and every word is still whole.
    QWidget place; // a window of its own would not let it be narrow
    control.setParent(&place);
    place.resize(600, 60);
    place.show();
    control.show();
    const QSize wide = control.sizeHint(), narrow = control.minimumSizeHint();
    QVERIFY(narrow.width() < wide.width());
    for (const QSize size : { wide, narrow, wide }) {
        control.resize(size);
        QTRY_COMPARE(disagree->property("tight").toBool(), size == narrow);
        QTRY_VERIFY(disagree->width() >= disagree->fontMetrics().horizontalAdvance(disagree->text()));
    }
    control.setParent(nullptr);
}

void TestPlotsWidgets::elidedLabel()
{
    ElidedLabel label(QStringLiteral("He may be bored or afraid; more walks and a trainer can help."));
    show(label);
    label.resize(80, 20);
    QVERIFY(label.isElided());
    QCOMPARE(label.toolTip(), label.text());
    label.resize(label.sizeHint().width() + 4, 20);
    QVERIFY(!label.isElided());
    QVERIFY(label.toolTip().isEmpty());
    label.setMaximumLines(3);
    const int line = label.fontMetrics().lineSpacing();
    QCOMPARE(label.heightForWidth(1000), line);
    QCOMPARE(label.heightForWidth(60), 3 * line); // no more than three
    QVERIFY(label.heightForWidth(230) >= 2 * line);
    label.setText({});
    QCOMPARE(label.heightForWidth(60), line);
}

void TestPlotsWidgets::flowLayout()
{
    QWidget box;
    auto* flow = new FlowLayout(8, &box);
    QVector<QWidget*> items;
    for (int i = 0; i < 3; ++i) {
        auto* item = new QWidget(&box);
        item->setFixedSize(40, 20);
        flow->addWidget(item);
        items.append(item);
    }
    QCOMPARE(flow->heightForWidth(136), 20); // 3 * 40 + 2 * 8
    QCOMPARE(flow->heightForWidth(135), 48);
    QCOMPARE(flow->heightForWidth(50), 76);
    flow->setGeometry(QRect(0, 0, 100, 60));
    QCOMPARE(items[1]->geometry(), QRect(48, 0, 40, 20));
    QCOMPARE(items[2]->geometry(), QRect(0, 28, 40, 20));
}

void TestPlotsWidgets::messageBar()
{
    QWidget window;
    window.resize(600, 200);
    MessageBar bar(m_theme, &window);
    show(window);
    QVERIFY(bar.isHidden());
    bar.showMessage(
        Tone::Error, QStringLiteral("The file ends early."), QStringLiteral("pairs.jsonl, line 41"),
        QStringLiteral("Open it"));
    QVERIFY(!bar.isHidden());
    QCOMPARE(bar.text(), QStringLiteral("The file ends early."));
    auto* details = bar.findChild<QLabel*>(QStringLiteral("messageDetails"));
    auto* toggle = bar.findChild<QAbstractButton*>(QStringLiteral("messageDetailsToggle"));
    auto* action = bar.findChild<QAbstractButton*>(QStringLiteral("messageAction"));
    QVERIFY(details->isHidden());
    bar.adjustSize();
    QTest::mouseClick(toggle, Qt::LeftButton);
    QVERIFY(!details->isHidden());
    QSignalSpy triggered(&bar, &MessageBar::actionTriggered);
    QSignalSpy closed(&bar, &MessageBar::closed);
    QTest::mouseClick(action, Qt::LeftButton);
    QCOMPARE(triggered.count(), 1);
    QTest::mouseClick(bar.findChild<QAbstractButton*>(QStringLiteral("messageClose")), Qt::LeftButton);
    QCOMPARE(closed.count(), 1);
    QVERIFY(bar.isHidden());
    QVERIFY(bar.text().isEmpty());
    bar.showMessage(Tone::Neutral, QStringLiteral("Saved."));
    QVERIFY(toggle->isHidden() && action->isHidden() && details->isHidden());
    QTest::keyClick(&bar, Qt::Key_Escape);
    QVERIFY(bar.isHidden());
}

void TestPlotsWidgets::jobIndicator()
{
    QCOMPARE(JobIndicator::timeLeft(14), QStringLiteral("0:14 left"));
    QCOMPARE(JobIndicator::timeLeft(59.5), QStringLiteral("1:00 left"));
    QCOMPARE(JobIndicator::timeLeft(3725), QStringLiteral("1:02:05 left"));
    QCOMPARE(JobIndicator::timeLeft(-1), QString());
    QCOMPARE(JobIndicator::timeLeft(std::numeric_limits<double>::infinity()), QString());
    QWidget window;
    JobIndicator job(m_theme, &window);
    show(window);
    QVERIFY(job.isHidden());
    job.setJob(QStringLiteral("Reading replies"), 0.4, 14);
    QVERIFY(!job.isHidden());
    QCOMPARE(job.findChild<QLabel*>(QStringLiteral("jobLeft"))->text(), QStringLiteral("0:14 left"));
    auto* cancel = job.findChild<QAbstractButton*>(QStringLiteral("jobCancel"));
    QSignalSpy requested(&job, &JobIndicator::cancelRequested);
    QTest::mouseClick(cancel, Qt::LeftButton);
    QCOMPARE(requested.count(), 1);
    job.setCancelling();
    job.setJob(QStringLiteral("Reading replies"), 0.5, 10); // a last report
    QVERIFY(!cancel->isEnabled());
    job.clear();
    QVERIFY(job.isHidden());
    job.setJob(QStringLiteral("Next"), -1, -1);
    QVERIFY(cancel->isEnabled());
}

void TestPlotsWidgets::everyPaletteAndSizePaints()
{
    // At 1.6 times the type every control grows, and none writes outside of itself.
    WeightSlider slider(m_theme);
    MeterCard card(m_theme);
    card.setTitle(QStringLiteral("Constitution efficiency"));
    ProbabilityBar bar(m_theme);
    Swatch swatch(m_theme, Ink::chosen(), Marker::Circle, QStringLiteral("chosen"));
    LayerScrubber scrubber(m_theme);
    const QVector<QWidget*> all{ &slider, &card, &bar, &swatch, &scrubber };
    QVector<QSize> before;
    for (QWidget* widget : all)
        before.append(widget->sizeHint());
    m_theme.setPresenter(true);
    for (qsizetype i = 0; i < all.size(); ++i) {
        const double ratio = static_cast<double>(all[i]->sizeHint().height()) / before[i].height();
        QVERIFY2(ratio > 1.4 && ratio < 1.8, qPrintable(QString::number(i)));
        all[i]->resize(all[i]->sizeHint());
        QImage image(all[i]->size(), QImage::Format_RGB32);
        all[i]->render(&image);
    }
    m_theme.setPresenter(false);
}

QTEST_MAIN(TestPlotsWidgets)
#include "tst_plots_widgets.moc"
