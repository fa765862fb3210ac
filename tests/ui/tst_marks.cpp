// "This one follows it": marks made by real clicks in the window turn the principle's direction, are undone,
// and go into the saved constitution.
#include "tests/support/sample_window.h"
#include "ui/cards/mark_row.h"
#include "ui/plots/theme.h"
#include "ui/shell/main_window.h"

#include <QComboBox>
#include <QFrame>
#include <QLabel>
#include <QListView>
#include <QMenu>
#include <QPushButton>
#include <QtTest>

using namespace lodestone;
using namespace lodestone::testing;
using namespace lodestone::ui;

class TestMarks : public QObject {
    Q_OBJECT

    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<MainWindow> m_window;

    template <typename T>
    T* find(const char* name) const
    {
        return m_window->findChild<T*>(QLatin1String(name));
    }
    bool settled() const { return m_session->settled(); }
    const constitution::Principle& kind() const { return m_session->inputs().constitution.principles[0]; }
    /// Pairs of the value "kind" on training prompts.
    QVector<int> trainingPairs() const
    {
        QVector<int> result;
        const session::Foundation& foundation = *m_session->foundation();
        const auto& pairs = foundation.study->set().pairs;
        for (std::size_t i = 0; i < pairs.size(); ++i)
            if (pairs[i].value == "kind" && foundation.training[static_cast<std::size_t>(pairs[i].chosen)])
                result << static_cast<int>(i);
        return result;
    }
    void choose(int pair)
    {
        const data::ResponseSet& set = m_session->foundation()->study->set();
        m_session->selection().setPinned(set.pairs[static_cast<std::size_t>(pair)].chosen, pair);
        QVERIFY(find<MarkRow>("markRow")->isVisible());
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_theme = testTheme();
        m_session = testSession();
        m_window = std::make_unique<MainWindow>(*m_theme, *m_session);
        m_window->resize(1440, 900);
        m_window->show();
        QVERIFY(openStudy(*m_session));
        QVERIFY(!find<MarkRow>("markRow")->isVisible()); // no pair is being read
    }

    void marksTurnThePrinciple()
    {
        const QVector<int> pairs = trainingPairs();
        QVERIFY(pairs.size() >= 6);
        auto* first = find<QPushButton>("markFirst");
        auto* second = find<QPushButton>("markSecond");
        const Eigen::VectorXd words = m_session->snapshot()->principles[0]->direction.readOut.weights;
        // Against the words: of six kind pairs the rejected reply "follows".
        for (int i = 0; i < 6; ++i) {
            choose(pairs[i]);
            QVERIFY(second->isEnabled() && !second->isChecked());
            QVERIFY(second->toolTip().contains(QStringLiteral("trains")));
            QTest::mouseClick(second, Qt::LeftButton);
            QTRY_VERIFY_WITH_TIMEOUT(settled(), 30000);
            QVERIFY(second->isChecked() && !first->isChecked());
        }
        QCOMPARE(kind().marks.size(), std::size_t(6));
        const session::PrincipleStage& stage = *m_session->snapshot()->principles[0];
        QVERIFY(stage.marks.used() && stage.marks.logBayesFactor > 0);
        QVERIFY(
            stage.direction.readOut.weights.dot(m_session->snapshot()->layer->sigma->apply(words)) < 0.999);
        auto* limits = find<QFrame>("principle0")->findChild<QLabel*>(QStringLiteral("limits"));
        QVERIFY(limits->isVisible() && limits->text().contains(QStringLiteral("6 examples")));
        QVERIFY(limits->toolTip().contains(QStringLiteral("turned the direction")));
        if (const QString folder = qEnvironmentVariable("LODESTONE_PICTURES"); !folder.isEmpty())
            m_window->grab().save(folder + QStringLiteral("/marks.png"));
        // The card's menu selects them everywhere, and nothing else.
        auto* menu = find<QFrame>("principle0")->findChild<QMenu*>(QStringLiteral("principleMenu"));
        menu->popup(m_window->mapToGlobal(QPoint(40, 40)));
        QTRY_VERIFY(menu->isVisible());
        QTest::mouseClick(
            menu, Qt::LeftButton, {},
            menu->actionGeometry(menu->findChild<QAction*>(QStringLiteral("showMarked"))).center());
        QVector<int> marked;
        for (int i = 0; i < 6; ++i) {
            const data::Pair& pair
                = m_session->foundation()->study->set().pairs[static_cast<std::size_t>(pairs[i])];
            marked << pair.chosen << pair.rejected;
        }
        std::sort(marked.begin(), marked.end());
        QCOMPARE(m_session->selection().rows(), marked);
        m_session->selection().setRows({});
        // The other button moves the mark, the same again takes it back, undo goes all the way.
        QTest::mouseClick(first, Qt::LeftButton);
        QVERIFY(first->isChecked() && !second->isChecked());
        QCOMPARE(kind().marks.size(), std::size_t(6));
        QTest::mouseClick(first, Qt::LeftButton);
        QVERIFY(!first->isChecked() && !second->isChecked());
        QCOMPARE(kind().marks.size(), std::size_t(5));
        QTemporaryDir folder;
        const auto file = std::filesystem::path(folder.filePath(QStringLiteral("c.json")).toStdString());
        QVERIFY(m_session->saveConstitution(file).has_value());
        QCOMPARE(constitution::readConstitution(file)->principles[0].marks.size(), std::size_t(5));
        m_session->undoStack().setIndex(0);
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 30000);
        QVERIFY(kind().marks.empty());
        QVERIFY(!limits->isVisible());
        const Eigen::VectorXd& now = m_session->snapshot()->principles[0]->direction.readOut.weights;
        QVERIFY((now - words).norm() < 1e-12 * (1 + words.norm()));
    }

    void aHeldOutPairSaysThatItDoesNotTrain()
    {
        const session::Foundation& foundation = *m_session->foundation();
        const auto& pairs = foundation.study->set().pairs;
        const auto held = std::find_if(pairs.begin(), pairs.end(), [&](const data::Pair& pair) {
            return !foundation.training[static_cast<std::size_t>(pair.chosen)];
        });
        choose(static_cast<int>(held - pairs.begin()));
        QVERIFY(find<QPushButton>("markFirst")->toolTip().contains(QStringLiteral("held out")));
        // By keyboard, for the second principle.
        find<QComboBox>("markPrinciple")->setCurrentIndex(1);
        find<QPushButton>("markFirst")->setFocus();
        QTest::keyClick(find<QPushButton>("markFirst"), Qt::Key_Space);
        QCOMPARE(m_session->inputs().constitution.principles[1].marks.size(), std::size_t(1));
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 30000);
        QCOMPARE(m_session->snapshot()->principles[1]->marks.heldOut, 1);
        m_session->undoStack().setIndex(0);
    }

    void cleanupTestCase()
    {
        m_window.reset();
        m_session.reset();
        m_theme.reset();
    }
};

QTEST_MAIN(TestMarks)
#include "tst_marks.moc"
