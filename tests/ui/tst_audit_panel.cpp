// The place "Audit" on the sample study, with real clicks: it says what core measures, searches an adversary,
// tries its constitution and takes it back. Keeps pictures where LODESTONE_PICTURES names a folder.
#include "core/session/layer_stage.h"
#include "tests/support/geometry_support.h"
#include "tests/support/result_checks.h"
#include "tests/support/sample_window.h"
#include "ui/panels/audit_panel.h"
#include "ui/plots/theme.h"
#include "ui/widgets/segmented_control.h"

#include <QAbstractButton>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QPushButton>
#include <QtTest>

using namespace lodestone;
using namespace lodestone::testing;
using namespace lodestone::ui;

class TestAuditPanel : public QObject {
    Q_OBJECT

    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<AuditPanel> m_panel;
    QTemporaryDir m_empty;

    template <typename T>
    T* find(const char* name) const
    {
        return m_panel->findChild<T*>(QLatin1String(name));
    }
    bool settled() const { return m_session->settled() && m_panel->settled(); }
    void go(AuditPanel::Place place)
    {
        QTest::mouseClick(find<SegmentedControl>("auditSegments")->segment(place), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
    }

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("LODESTONE_MODEL_DIR", m_empty.path().toUtf8()); // what ships with the study is enough
        qputenv("XDG_CACHE_HOME", m_empty.path().toUtf8());
        m_theme = testTheme();
        m_session = testSession();
        m_panel = std::make_unique<AuditPanel>(*m_theme, *m_session);
        m_panel->resize(700, 560);
        m_panel->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_panel.get()));
        QVERIFY(!find<QLabel>("auditSentence")->text().isEmpty()); // an empty state that says what to do
        QVERIFY(openStudy(*m_session));
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
    }

    void linearityByLayerIsWhatCoreMeasures()
    {
        go(AuditPanel::Linear);
        auto* lines = find<SeriesView>("auditLines");
        QCOMPARE(lines->series().size(), qsizetype(3));
        const auto snapshot = m_session->snapshot();
        session::LinearityOptions options;
        options.layers = { snapshot->inputs.layer };
        options.seed = snapshot->inputs.seed;
        constitution::WayContext context = snapshot->foundation->wayContext();
        for (std::size_t i = 0; i < snapshot->foundation->study->set().pairs.size(); ++i)
            for (const int row : { snapshot->foundation->study->set().pairs[i].chosen,
                                   snapshot->foundation->study->set().pairs[i].rejected })
                context.rows.push_back(row);
        const auto& principle = snapshot->inputs.constitution.principles[1];
        find<QComboBox>("auditPrinciple")->setFocus();
        QTest::keyClick(find<QComboBox>("auditPrinciple"), Qt::Key_Down);
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
        QVERIFY(find<QLabel>("auditSentence")->text().contains(QString::fromStdString(principle.name)));
        const auto found = session::linearityOf(*snapshot->foundation, { principle }, context, options);
        VERIFY_OK(found);
        const auto& linear = lines->series()[0];
        const auto at = std::find(
            linear.x.begin(), linear.x.end(), static_cast<double>(snapshot->inputs.layer.row() - 1));
        QVERIFY(at != linear.x.end());
        COMPARE_NEAR(
            linear.y[static_cast<std::size_t>(at - linear.x.begin())],
            found->rows.front().remainder.linear.value, 1e-9);
        QVERIFY(find<QLabel>("auditDetail")->text().contains(QStringLiteral("T1")));
        QCOMPARE(m_panel->table().rows.size(), qsizetype(linear.x.size()));
        keepPicture(*m_panel, *m_theme, "audit-linear");
        // The marker is the layer: a key moves it for every place.
        lines->setFocus();
        QTest::keyClick(lines, Qt::Key_Right);
        QTRY_VERIFY(!(m_session->inputs().layer == snapshot->inputs.layer));
        m_session->undoStack().undo();
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
        QVERIFY(m_session->inputs().layer == snapshot->inputs.layer);
    }

    void notionAndConduct()
    {
        go(AuditPanel::Enacted);
        const auto snapshot = m_session->snapshot();
        const TextTable table = m_panel->table();
        const auto found = session::askedAndEnacted(
            *snapshot->foundation, *snapshot->layer, { snapshot->inputs.constitution.principles[0] },
            snapshot->foundation->wayContext());
        VERIFY_OK(found);
        QVERIFY2(found->front().problem.empty(), found->front().problem.c_str());
        QCOMPARE(table.rows[0][0], QString::fromStdString(found->front().principle));
        COMPARE_NEAR(table.rows[0][3].toDouble(), found->front().correlation.value, 1e-5);
        // Without the model its button says what is missing, and what to do about it.
        if (auto* ask = find<QPushButton>("auditRun"); ask->isVisible()) {
            QVERIFY(!ask->isEnabled());
            QVERIFY(!ask->toolTip().isEmpty());
        }
        keepPicture(*m_panel, *m_theme, "audit-enacted");
    }

    void withoutTheModelNobodyCanBeAsked()
    {
        go(AuditPanel::Asked);
        QVERIFY(!find<QPushButton>("auditRun")->isEnabled());
        QVERIFY(!find<QPushButton>("auditFollow")->isVisible());
        QVERIFY(find<QComboBox>("auditExamples")->isVisible());
        QVERIFY(m_panel->table().rows.isEmpty());
    }

    void anAdversaryIsFoundTriedAndTakenBack()
    {
        go(AuditPanel::Adversary);
        QVERIFY(!find<QPushButton>("auditFollow")->isVisible());
        QSignalSpy measured(m_panel.get(), &AuditPanel::measured);
        QTest::mouseClick(find<QPushButton>("auditRun"), Qt::LeftButton);
        QVERIFY(measured.wait(120000));
        const auto snapshot = m_session->snapshot();
        const TextTable table = m_panel->table();
        const auto rowOf = [&](const QString& kind, const QString& name) {
            for (const QStringList& row : table.rows)
                if (row[0] == kind && row[1].startsWith(name))
                    return row;
            return QStringList(7);
        };
        // What is shown of the suspect is what the window says once it is the constitution.
        const double harm = table
                                .rows[static_cast<qsizetype>(
                                    std::find_if(
                                        table.rows.begin(), table.rows.end(),
                                        [](const QStringList& row) {
                                            return row[0] == QStringLiteral("cosine with people");
                                        })
                                    - table.rows.begin())][2]
                                .toDouble();
        QVERIFY(harm < 0);
        QVERIFY(
            !rowOf(QStringLiteral("filter"), QStringLiteral("answers change in other words"))[2].isEmpty());
        QVERIFY(!rowOf(QStringLiteral("filter"), QStringLiteral("64 labelled pairs"))[5].isEmpty());
        QVERIFY(find<QLabel>("auditSentence")->text().contains(QStringLiteral("harmless")));
        const auto& marks = find<ScoreView>("auditScores")->marks();
        QCOMPARE(marks.size(), qsizetype(7)); // a filter each
        for (const ScoreMark& mark : marks)
            QVERIFY(mark.beside >= 0 && mark.beside <= 1); // its false alarms on the same row
        QCOMPARE(
            find<ScoreView>("auditScores")->csv().section(u'\n', 0, 0),
            QStringLiteral("name,value,low,high,beside"));
        keepPicture(*m_panel, *m_theme, "audit-adversary");
        const auto before = m_session->inputs().constitution.name;
        QTest::mouseClick(find<QPushButton>("auditFollow"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(settled() && m_session->snapshot() != snapshot, 60000);
        COMPARE_NEAR(m_session->snapshot()->meters->efficiency.value, harm, 1e-4);
        m_session->undoStack().undo();
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 60000);
        QCOMPARE(m_session->inputs().constitution.name, before);
        // Another bound: the figures say that they are of the earlier one.
        find<QDoubleSpinBox>("auditLooks")->setFocus();
        QTest::keyClick(find<QDoubleSpinBox>("auditLooks"), Qt::Key_Up);
        QVERIFY(find<QLabel>("auditSentence")->text().contains(QStringLiteral("earlier setting")));
    }
};

QTEST_MAIN(TestAuditPanel)
#include "tst_audit_panel.moc"
