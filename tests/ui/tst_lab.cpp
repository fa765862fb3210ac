// The policy lab on the sample study, with real clicks: each place computes off the window's thread, shows
// its figures, and has its table. Keeps pictures where LODESTONE_PICTURES names a folder.
#include "tests/support/sample_window.h"
#include "ui/panels/lab_panel.h"
#include "ui/plots/theme.h"
#include "ui/widgets/segmented_control.h"

#include <QAbstractButton>
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSlider>
#include <QToolButton>
#include <QtTest>

using namespace lodestone;
using namespace lodestone::testing;
using namespace lodestone::ui;

class TestLab : public QObject {
    Q_OBJECT

    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<LabPanel> m_lab;

    template <typename T>
    T* find(const char* name) const
    {
        return m_lab->findChild<T*>(QLatin1String(name));
    }
    void go(int place)
    {
        QTest::mouseClick(find<SegmentedControl>("labSegments")->segment(place), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(m_lab->settled(), 120000);
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_theme = testTheme();
        m_session = testSession();
        m_lab = std::make_unique<LabPanel>(*m_theme, *m_session);
        m_lab->resize(1000, 620);
        m_lab->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_lab.get()));
        QVERIFY(openStudy(*m_session));
        QTRY_VERIFY_WITH_TIMEOUT(m_lab->settled(), 120000);
    }

    void cleanupTestCase()
    {
        m_lab.reset();
        m_session.reset();
        m_theme.reset();
    }

    void pipelinesStandSideBySide()
    {
        go(LabPanel::Pipelines);
        auto* rows = find<IntervalRows>("labPipelines");
        QVERIFY(rows->rows().size() >= 12);
        QVERIFY(find<QLabel>("labSentence")->text().contains(QStringLiteral("held-out labels")));
        for (const IntervalRow& row : rows->rows()) {
            QVERIFY(row.low <= row.value && row.value <= row.high);
            // Whiskers are where the common scale puts them.
            QVERIFY(rows->positionOf(row.low) <= rows->positionOf(row.value));
        }
        QVERIFY(rows->accessibleDescription().contains(QStringLiteral("DPO")));
        // A click on a row says what it is made of.
        QTest::mouseClick(rows, Qt::LeftButton, {}, rows->rowRect(2).center());
        QCOMPARE(rows->current(), 2);
        QVERIFY(find<QLabel>("labDetail")->text().contains(rows->rows()[2].title));
        QTest::keyClick(rows, Qt::Key_Down);
        QCOMPARE(rows->current(), 3);
        const TextTable table = m_lab->table();
        QCOMPARE(table.rows.size(), rows->rows().size());
        for (const QStringList& row : table.rows)
            QCOMPARE(row.size(), table.header.size());
        QSignalSpy asked(m_lab.get(), &LabPanel::tableRequested);
        QTest::mouseClick(find<QToolButton>("labTable"), Qt::LeftButton);
        QCOMPARE(asked.count(), 1);
        keepPicture(*m_lab, *m_theme, "pipelines");
    }

    void theBudgetMovesThemAll()
    {
        go(LabPanel::Pipelines);
        const double before = m_lab->table().rows[0][3].toDouble();
        auto* budget = find<QSlider>("labBudget");
        budget->setFocus();
        QTest::keyClick(budget, Qt::Key_Home);
        QTRY_VERIFY_WITH_TIMEOUT(m_lab->settled() && m_lab->table().rows[0][3].toDouble() < before, 120000);
        QVERIFY(find<QLabel>("labBudgetText")->text().contains(QStringLiteral("nats")));
        budget->setValue(20);
        QTRY_VERIFY_WITH_TIMEOUT(m_lab->settled(), 120000);
    }

    void theCostlyPrincipleIsNamedAndRepaired()
    {
        go(LabPanel::Principles);
        auto* rows = find<IntervalRows>("labPrinciples");
        const TextTable before = m_lab->table();
        const auto& principles = m_session->inputs().constitution.principles;
        QCOMPARE(rows->rows().size(), static_cast<int>(principles.size()) + 2); // the whole, and the edit
        auto* repair = find<QPushButton>("labRepair");
        QVERIFY(repair->isVisible());
        const QString edit = repair->text();
        QVERIFY(find<QLabel>("labDetail")->text().contains(edit));
        // The row of the edit is what the constitution gains once it is made.
        const double promised = rows->rows().back().value;
        keepPicture(*m_lab, *m_theme, "principles");
        QTest::mouseClick(repair, Qt::LeftButton);
        // What was found for the constitution before cannot be done to this one.
        QTRY_VERIFY_WITH_TIMEOUT(
            !repair->isEnabled() || !repair->isVisible() || repair->text() != edit, 20000);
        QTRY_VERIFY_WITH_TIMEOUT(m_session->settled() && m_lab->settled(), 120000);
        QTRY_VERIFY_WITH_TIMEOUT(std::abs(rows->rows().front().value - promised) < 1e-9, 20000);
        QCOMPARE(m_session->undoStack().undoText(), edit);
        m_session->undoStack().undo();
        QTRY_VERIFY_WITH_TIMEOUT(
            m_session->settled() && m_lab->settled() && m_lab->table().rows == before.rows, 120000);
    }

    void overoptimisationNamesItsCause()
    {
        go(LabPanel::Overoptimisation);
        auto* chart = find<SeriesView>("labOveroptimisation");
        QCOMPARE(chart->series().size(), 4);
        QVERIFY(chart->series()[3].hasInterval());
        QVERIFY(find<QLabel>("labSentence")->text().contains(QLatin1Char('T'))); // a statement
        QCOMPARE(m_lab->chart(), chart);
        QVERIFY(m_lab->table().rows.size() > 20);
        keepPicture(*m_lab, *m_theme, "overoptimisation");
    }

    void dpoShowsTheTrainersCurves()
    {
        go(LabPanel::Dpo);
        auto* rewards = find<SeriesView>("labRewards");
        QCOMPARE(rewards->series().size(), 4);
        QCOMPARE(rewards->series()[0].label, QStringLiteral("rewards/chosen"));
        QCOMPARE(find<SeriesView>("labLogps")->series()[0].label, QStringLiteral("logps/chosen"));
        QVERIFY(rewards->series()[2].y.back() > 0); // the margin rose
        const QString before = find<QLabel>("labDetail")->text();
        auto* rule = find<QComboBox>("labRule");
        rule->setFocus();
        QTest::keyClick(rule, Qt::Key_Down);
        QCOMPARE(rule->currentText(), QStringLiteral("cDPO"));
        QTRY_VERIFY_WITH_TIMEOUT(m_lab->settled() && find<QLabel>("labDetail")->text() != before, 120000);
        keepPicture(*m_lab, *m_theme, "dpo");
    }

    void failuresHaveDosesAndCures()
    {
        go(LabPanel::Failures);
        auto* list = find<QComboBox>("labFailure");
        QCOMPARE(list->count(), static_cast<int>(policy::failureModes().size()));
        list->setCurrentIndex(1); // garbage in
        QTRY_VERIFY_WITH_TIMEOUT(m_lab->settled(), 120000);
        auto* rows = find<IntervalRows>("labFailureRows");
        QCOMPARE(rows->rows().size(), 3);
        QVERIFY(find<QLabel>("labDetail")->text().contains(QStringLiteral("T6")));
        QCOMPARE(find<SeriesView>("labDoses")->series()[0].count(), std::size_t(9));
        keepPicture(*m_lab, *m_theme, "failures");
        auto* dose = find<QSlider>("labDose");
        dose->setFocus();
        QTest::keyClick(dose, Qt::Key_Home);
        QTRY_VERIFY_WITH_TIMEOUT(
            m_lab->settled() && std::abs(rows->rows()[1].value - rows->rows()[0].value) < 1e-9, 120000);
    }

    void roundsCanBePlayed()
    {
        go(LabPanel::Rounds);
        auto* chart = find<SeriesView>("labRounds");
        QCOMPARE(chart->series()[0].count(), std::size_t(13));
        auto* time = find<QSlider>("labTime");
        time->setValue(0);
        QVERIFY(find<QLabel>("labSentence")->text().startsWith(QStringLiteral("Round 0")));
        auto* play = find<QToolButton>("labPlay");
        QTest::mouseClick(play, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(time->value() >= 2, 10000);
        QTest::mouseClick(play, Qt::LeftButton); // pause
        QVERIFY(!play->isChecked());
        QVERIFY(std::abs(chart->marker().value() - time->value()) < 1e-9);
        keepPicture(*m_lab, *m_theme, "rounds");
    }

    void theMixerShowsWhatGrows()
    {
        go(LabPanel::Mixer);
        auto* rows = find<IntervalRows>("labMixerRows");
        QCOMPARE(rows->rows().size(), 4);
        // The cold sample: the phrase grows.
        QVERIFY(rows->rows()[1].value > rows->rows()[0].value);
        auto* knob = find<QSlider>("labKnob0"); // kindness made to produce the reply
        knob->setFocus();
        QTest::keyClick(knob, Qt::Key_End);
        QVERIFY(rows->rows()[0].value > rows->rows()[1].value);
        auto* desk = find<QComboBox>("labDesk");
        desk->setCurrentIndex(desk->count() - 1);
        QVERIFY(rows->rows().size() > 4); // the study's own directions
        keepPicture(*m_lab, *m_theme, "mixer");
    }
};

QTEST_MAIN(TestLab)
#include "tst_lab.moc"
