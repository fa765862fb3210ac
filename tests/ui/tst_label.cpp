// Labelling pairs in the window by real keys: what is pressed stands in the study's file, the least certain
// pair comes next, and Ctrl+Z takes an answer back.
#include "core/judgment/labelling.h"
#include "tests/support/sample_window.h"
#include "tests/support/small_study.h"
#include "ui/panels/label_dialog.h"
#include "ui/plots/theme.h"
#include "ui/shell/main_window.h"

#include <QAction>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QStandardPaths>
#include <QTextBrowser>
#include <QtTest>
#include <cmath>

using namespace lodestone;
using namespace lodestone::testing;
using namespace lodestone::ui;

class TestLabel : public QObject {
    Q_OBJECT

    std::unique_ptr<ScratchStudy> m_study;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<MainWindow> m_window;
    LabelDialog* m_dialog = nullptr;

    std::vector<data::PairLabel> labels() const
    {
        return data::readLabels(data::labelFile(*m_study->study)).value().labels;
    }
    const data::ResponseSet& set() const { return m_study->study->set(); }
    double certainty(int pair) const
    {
        for (const judgment::PairJudgment& judged : m_session->snapshot()->judge->pairs)
            if (judged.pair == pair)
                return std::abs(judged.p - 0.5);
        return 1;
    }
    template <typename T>
    T* find(const char* name) const
    {
        return m_dialog->findChild<T*>(QLatin1String(name));
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_theme = testTheme();
        QSettings().remove(QStringLiteral("rater"));
        m_study = std::make_unique<ScratchStudy>();
        m_session = testSession();
        m_window = std::make_unique<MainWindow>(*m_theme, *m_session);
        m_window->show();
        auto* action = m_window->findChild<QAction*>(QStringLiteral("labelPairs"));
        QVERIFY(action && !action->isEnabled());
        QCOMPARE(action->toolTip(), QStringLiteral("Open a study first"));
        m_session->openStudy(m_study->scratch.path());
        QTRY_VERIFY_WITH_TIMEOUT(m_session->snapshot() && m_session->settled(), 60000);
        QVERIFY(action->isEnabled());
        action->trigger();
        m_dialog = m_window->findChild<LabelDialog*>(QStringLiteral("labelDialog"));
        QVERIFY(m_dialog && m_dialog->isVisible());
    }

    void theLeastCertainPairIsShownWithoutTheLabel()
    {
        const int pair = m_dialog->pair();
        QVERIFY(pair >= 0);
        for (std::size_t i = 0; i < set().pairs.size(); ++i)
            QVERIFY(certainty(pair) <= certainty(static_cast<int>(i)) + 1e-12);
        const data::Pair& shown = set().pairs[static_cast<std::size_t>(pair)];
        const int left = judgment::chosenAtLeft(set(), pair) ? shown.chosen : shown.rejected;
        QCOMPARE(
            find<QTextBrowser>("labelLeft")->toPlainText(),
            QString::fromStdString(set().responses[static_cast<std::size_t>(left)].text));
        QCOMPARE(
            find<QTextBrowser>("labelPrompt")->toPlainText(), QString::fromStdString(set().promptText(left)));
        QVERIFY(!find<QPushButton>("labelBack")->isEnabled());
    }

    void keysAnswer()
    {
        struct Pressed {
            Qt::Key key;
            data::LabelAnswer answer;
        };
        const Pressed keys[] = { { Qt::Key_Left, data::LabelAnswer::Left },
                                 { Qt::Key_Right, data::LabelAnswer::Right },
                                 { Qt::Key_Down, data::LabelAnswer::Tie },
                                 { Qt::Key_Space, data::LabelAnswer::Skip } };
        m_dialog->activateWindow();
        QTRY_COMPARE(QApplication::activeWindow(), static_cast<QWidget*>(m_dialog));
        double before = -1;
        std::size_t count = 0;
        for (const Pressed& pressed : keys) {
            const int pair = m_dialog->pair();
            QVERIFY(certainty(pair) >= before); // ever more certain ones
            before = certainty(pair);
            QTest::keyClick(m_dialog->windowHandle(), pressed.key); // to whatever has the focus
            QVERIFY(m_dialog->pair() != pair);
            const auto said = labels();
            QCOMPARE(said.size(), ++count);
            QCOMPARE(said.back().pair, set().pairs[static_cast<std::size_t>(pair)].id);
            QVERIFY(said.back().answer == pressed.answer);
            QCOMPARE(said.back().rater, std::string("rater 1"));
            QVERIFY(!said.back().time.empty());
        }
        QVERIFY(find<QLabel>("labelState")->text().startsWith(QStringLiteral("4 of 40")));
        QTest::keyClick(m_dialog, Qt::Key_Up); // no answer
        QTest::keyClick(m_dialog, Qt::Key_Left, Qt::ControlModifier);
        QCOMPARE(labels().size(), count);
    }

    void takingBackShowsThePairAgain()
    {
        const int shown = m_dialog->pair();
        const int undo = m_session->undoStack().count();
        const std::string last = labels().back().pair;
        QTest::keyClick(m_dialog->windowHandle(), Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(labels().size(), std::size_t(3));
        QVERIFY(m_dialog->pair() != shown);
        QCOMPARE(set().pairs[static_cast<std::size_t>(m_dialog->pair())].id, last);
        QTest::keyClick(m_dialog, Qt::Key_Left); // answered otherwise now
        QCOMPARE(labels().size(), std::size_t(4));
        QVERIFY(labels().back().answer == data::LabelAnswer::Left && labels().back().pair == last);
        QCOMPARE(m_dialog->pair(), shown);
        QCOMPARE(m_session->undoStack().count(), undo); // the constitution's undo is another one
    }

    void buttonsDoTheSame()
    {
        QTest::mouseClick(find<QPushButton>("labelTie"), Qt::LeftButton);
        QCOMPARE(labels().size(), std::size_t(5));
        QVERIFY(labels().back().answer == data::LabelAnswer::Tie);
        QTest::mouseClick(find<QPushButton>("labelBack"), Qt::LeftButton);
        QCOMPARE(labels().size(), std::size_t(4));
    }

    void aSecondRaterIsCompared()
    {
        auto* rater = find<QLineEdit>("labelRater");
        QTest::mouseClick(rater, Qt::LeftButton);
        rater->selectAll();
        QTest::keyClicks(rater, QStringLiteral("rater 2"));
        QCOMPARE(labels().size(), std::size_t(4)); // typing a blank is no answer
        QTest::keyClick(rater, Qt::Key_Return);
        const int first = m_dialog->pair();
        // The same order of pairs for everyone: the first rater said left to this one.
        QCOMPARE(set().pairs[static_cast<std::size_t>(first)].id, labels().front().pair);
        QTest::keyClick(m_dialog, Qt::Key_Left); // equal
        QTest::keyClick(m_dialog, Qt::Key_Left); // the first said right
        QCOMPARE(labels().size(), std::size_t(6));
        const QString said = find<QLabel>("labelState")->text();
        // Equal on 1 of 2: shares left .5 right .5 against left 1: by chance .5, kappa 0.
        QVERIFY2(said.contains(QStringLiteral("rater 1: equal on 1 of 2, kappa 0.00")), qPrintable(said));
    }

    void aFolderThatCannotBeWrittenIsSaid()
    {
        const auto file = data::labelFile(*m_study->study);
        const std::filesystem::path aside = file.string() + ".aside";
        std::filesystem::rename(file, aside);
        std::filesystem::create_directory(file); // a folder in its place: refused to root as well
        const int pair = m_dialog->pair();
        QTest::keyClick(m_dialog, Qt::Key_Right);
        QCOMPARE(m_dialog->pair(), pair);
        QVERIFY(find<QLabel>("labelState")->text().startsWith(QStringLiteral("Not saved")));
        std::filesystem::remove(file);
        std::filesystem::rename(aside, file);
        QTest::keyClick(m_dialog, Qt::Key_Right);
        QCOMPARE(labels().size(), std::size_t(7));
    }

    void everyPairGetsItsTurn()
    {
        for (int i = 0; i < 60 && m_dialog->pair() >= 0; ++i)
            QTest::keyClick(m_dialog, Qt::Key_Down);
        QCOMPARE(m_dialog->pair(), -1);
        QVERIFY(!find<QPushButton>("labelTie")->isEnabled());
        const auto count = labels().size();
        QTest::keyClick(m_dialog, Qt::Key_Left);
        QCOMPARE(labels().size(), count);
        QTest::keyClick(m_dialog, Qt::Key_Escape);
        QTRY_VERIFY(!m_window->findChild<LabelDialog*>(QStringLiteral("labelDialog")));
    }

    void anotherStudyClosesTheDialog()
    {
        auto* action = m_window->findChild<QAction*>(QStringLiteral("labelPairs"));
        action->trigger();
        QVERIFY(m_window->findChild<LabelDialog*>(QStringLiteral("labelDialog")));
        m_session->openStudy(m_session->resources() / "samples/sample");
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->findChild<LabelDialog*>(QStringLiteral("labelDialog")), 60000);
        QTRY_VERIFY_WITH_TIMEOUT(m_session->snapshot() && m_session->settled(), 60000);
        if (const QString to = qEnvironmentVariable("LODESTONE_TEST_PICTURES"); !to.isEmpty()) {
            action->trigger();
            m_dialog = m_window->findChild<LabelDialog*>(QStringLiteral("labelDialog"));
            QVERIFY(m_dialog->grab().save(to + QStringLiteral("/label-sample.png")));
        }
    }
};

QTEST_MAIN(TestLabel)
#include "tst_label.moc"
