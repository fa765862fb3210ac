// The place "Ways" on the sample study, with real clicks: the grid says what `elicit --bench` says, a cell
// leads to the live judge and to its layer, and conflicts follow the words. Keeps pictures where
// LODESTONE_PICTURES names a folder.
#include "tests/support/sample_window.h"
#include "ui/panels/ways_panel.h"
#include "ui/plots/heatmap_view.h"
#include "ui/plots/theme.h"
#include "ui/widgets/segmented_control.h"

#include <QAbstractButton>
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QtTest>

using namespace lodestone;
using namespace lodestone::testing;
using namespace lodestone::ui;

class TestWaysPanel : public QObject {
    Q_OBJECT

    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<WaysPanel> m_panel;
    QTemporaryDir m_empty;

    template <typename T>
    T* find(const char* name) const
    {
        return m_panel->findChild<T*>(QLatin1String(name));
    }
    bool settled() const { return m_session->settled() && m_panel->settled(); }
    void go(WaysPanel::Place place)
    {
        QTest::mouseClick(find<SegmentedControl>("waysSegments")->segment(place), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
    }
    QStringList rowOf(const TextTable& table, const QString& way, const QString& layer) const
    {
        for (const QStringList& row : table.rows)
            if (row[0] == way && row[1] == layer)
                return row;
        return {};
    }

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("LODESTONE_MODEL_DIR", m_empty.path().toUtf8()); // what ships with the study is enough
        qputenv("XDG_CACHE_HOME", m_empty.path().toUtf8());
        m_theme = testTheme();
        m_session = testSession();
        m_panel = std::make_unique<WaysPanel>(*m_theme, *m_session);
        m_panel->resize(700, 560);
        m_panel->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_panel.get()));
        QVERIFY(!find<QLabel>("waysSentence")->text().isEmpty()); // an empty state that says what to do
    }

    void init()
    {
        QVERIFY(openStudy(*m_session));
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
        // The principles that the shipped answers are about.
        session::Inputs inputs = m_session->inputs();
        inputs.constitution
            = constitution::constitutionForValues(m_session->foundation()->study->set().values());
        m_session->edit(QStringLiteral("the study's values"), inputs);
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
        find<QComboBox>("waysPrinciple")->setCurrentIndex(0);
        go(WaysPanel::Ways);
    }

    void cleanupTestCase()
    {
        m_panel.reset();
        m_session.reset();
        m_theme.reset();
    }

    void everyWayStandsInTheGridBesideItsBaselines()
    {
        const TextTable table = m_panel->table();
        QStringList ways;
        for (const QStringList& row : table.rows) {
            QCOMPARE(row.size(), table.header.size());
            if (!ways.contains(row[0]))
                ways << row[0];
        }
        QCOMPARE(ways.size(), static_cast<qsizetype>(constitution::allWays().size()) + 2);
        QVERIFY(ways.contains(QStringLiteral("people's labels")));
        QVERIFY(ways.contains(QStringLiteral("random words")));
        // One cell is worked out here from what shipped: half of the prompts are held out, and the read-out
        // that reproduces the stored answers is scored on kind's pairs alone.
        auto* grid = find<HeatmapView>("waysGrid");
        const QString label = QString::fromStdString(m_session->inputs().layer.label());
        const QStringList row = rowOf(table, QStringLiteral("cloze"), label);
        QVERIFY(!row.isEmpty());
        const session::PrincipleStage& live = *m_session->snapshot()->principles[0];
        // The same direction as the live judge's, by another path.
        QVERIFY(std::abs(row[2].toDouble() - live.aboutValue.accuracy.value) < 0.051); // one pair of 22
        int column = -1;
        for (int i = 0; i < 40 && column < 0; ++i)
            if (std::isfinite(grid->value(0, i))
                && std::abs(grid->value(0, i) - 100 * row[2].toDouble()) < 1e-9)
                column = i;
        QVERIFY(column >= 0);
        QVERIFY(find<QLabel>("waysSentence")->text().contains(QStringLiteral("held-out pairs")));
        QVERIFY(find<QLabel>("waysDetail")->text().contains(QStringLiteral("Without labels")));
        QVERIFY(!find<QPushButton>("waysAsk")->isVisible()); // nothing is missing
        keepPicture(*m_panel, *m_theme, "ways");
    }

    void aCellLeadsToTheJudgeAndToItsLayer()
    {
        auto* grid = find<HeatmapView>("waysGrid");
        auto* use = find<QPushButton>("waysUse");
        QVERIFY(!use->isEnabled() && !use->toolTip().isEmpty());
        int row = -1;
        const TextTable table = m_panel->table();
        QStringList ways;
        for (const QStringList& each : table.rows)
            if (!ways.contains(each[0]))
                ways << each[0];
        row = static_cast<int>(ways.indexOf(QStringLiteral("yes-no")));
        QVERIFY(row >= 0);
        QTest::mouseClick(grid, Qt::LeftButton, {}, grid->cellRect(row, 5).center());
        QVERIFY(find<QLabel>("waysDetail")->text().contains(QStringLiteral("yes-no")));
        QVERIFY(use->isEnabled());
        QTest::mouseClick(use, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
        QCOMPARE(m_session->inputs().constitution.principles[0].way, std::string("yes-no"));
        QVERIFY(m_session->snapshot()->principles[0]->problem.empty());
        QTRY_VERIFY(!use->isEnabled());
        const Layer before = m_session->inputs().layer;
        auto* layer = find<QPushButton>("waysLayer");
        QVERIFY(layer->isEnabled());
        QTest::mouseClick(layer, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
        QVERIFY(!(m_session->inputs().layer == before));
        // The live judge and the grid's cell are one figure.
        const QStringList cell = rowOf(
            m_panel->table(), QStringLiteral("yes-no"),
            QString::fromStdString(m_session->inputs().layer.label()));
        QVERIFY(!cell.isEmpty());
        QVERIFY(
            std::abs(cell[2].toDouble() - m_session->snapshot()->principles[0]->aboutValue.accuracy.value)
            < 0.051);
        m_session->undoStack().undo();
        m_session->undoStack().undo();
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
        QCOMPARE(m_session->inputs().constitution.principles[0].way, std::string("cloze"));
        QVERIFY(m_session->inputs().layer == before);
    }

    void aWeightDoesNotAskAgain()
    {
        const QString sentence = find<QLabel>("waysSentence")->text();
        session::Inputs inputs = m_session->inputs();
        inputs.constitution.principles[0].weight = 0.3;
        QSignalSpy measured(m_panel.get(), &WaysPanel::measured);
        m_session->edit(QStringLiteral("a weight"), inputs);
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
        QCOMPARE(measured.size(), 0);
        QCOMPARE(find<QLabel>("waysSentence")->text(), sentence);
        // Never-seen words: only ways by words are answered; the others wait for a model, and say so.
        inputs.constitution.principles[0].positive = { "friendly" };
        inputs.constitution.principles[0].negative = { "hostile" };
        m_session->edit(QStringLiteral("words"), inputs);
        QTRY_VERIFY_WITH_TIMEOUT(settled() && measured.size() > 0, 60000);
        auto* ask = find<QPushButton>("waysAsk");
        QVERIFY(ask->isVisible() && !ask->isEnabled());
        QVERIFY(ask->toolTip().contains(QStringLiteral("fetch")));
    }

    void conflictsFollowTheWords()
    {
        go(WaysPanel::Conflicts);
        auto* grid = find<HeatmapView>("conflictsGrid");
        const auto& judge = *m_session->snapshot()->judge;
        const auto k = judge.cosines.rows();
        QVERIFY(k >= 2);
        for (int a = 0; a < k; ++a)
            for (int b = 0; b < k; ++b)
                QVERIFY(std::abs(grid->value(a, b) - judge.cosines(a, b)) < 1e-6);
        QTest::mouseClick(grid, Qt::LeftButton, {}, grid->cellRect(0, 1).center());
        QVERIFY(find<QLabel>("waysDetail")->text().contains(QStringLiteral("href=\"T17\"")));
        keepPicture(*m_panel, *m_theme, "conflicts");
        // The same words turned round: cosine -1 with what they were.
        session::Inputs inputs = m_session->inputs();
        constitution::Principle turned = inputs.constitution.principles[0];
        turned.id = "turned";
        turned.name = "Turned round";
        std::swap(turned.positive, turned.negative);
        inputs.constitution.principles.push_back(turned);
        m_session->edit(QStringLiteral("turned"), inputs);
        QTRY_VERIFY_WITH_TIMEOUT(
            settled() && find<QLabel>("waysSentence")->text().contains(QStringLiteral("Turned round")),
            60000);
        QVERIFY(std::abs(grid->value(0, static_cast<int>(k)) + 1) < 1e-6);
        QVERIFY(find<QLabel>("waysSentence")->text().contains(QStringLiteral("pull against each other")));
        // By labels the turned words find the opposite: that is said beside it.
        QVERIFY(find<QLabel>("waysSentence")->text().contains(QStringLiteral("do not find “Turned round”")));
        QVERIFY(m_panel->table().rows.size() > 0);
    }

    void theGridIsUsedByKeyboard()
    {
        auto* grid = find<HeatmapView>("waysGrid");
        grid->setFocus(Qt::TabFocusReason);
        QTest::keyClick(grid, Qt::Key_Down);
        QTest::keyClick(grid, Qt::Key_Right);
        QTest::keyClick(grid, Qt::Key_Return);
        QVERIFY(find<QPushButton>("waysUse")->isEnabled());
    }
};

QTEST_MAIN(TestWaysPanel)
#include "tst_ways_panel.moc"
