// "Speak" in the window with the real model: two answers stream in, a move of the arrow speaks again, and a
// push that is too strong is called broken.
// ctest labels: model torch
#include "core/model/model_fetch.h"
#include "tests/support/sample_window.h"
#include "ui/plots/theme.h"
#include "ui/shell/main_window.h"
#include "ui/widgets/arrow_slider.h"

#include <QComboBox>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTabBar>
#include <QtTest>

using namespace lodestone;
using namespace lodestone::testing;
using namespace lodestone::ui;

class TestSpeak : public QObject {
    Q_OBJECT

    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<MainWindow> m_window;

    template <typename T>
    T* find(const char* name) const
    {
        return m_window->findChild<T*>(QLatin1String(name));
    }
    QString text(const char* name) const { return find<QPlainTextEdit>(name)->toPlainText(); }

private Q_SLOTS:
    void initTestCase()
    {
        m_theme = testTheme();
        m_session = testSession();
        m_window = std::make_unique<MainWindow>(*m_theme, *m_session);
        m_window->show();
        QVERIFY(openStudy(*m_session));
        auto* tabs = find<QTabBar>("tabs");
        int place = -1;
        for (int i = 0; i < tabs->count(); ++i)
            if (tabs->tabText(i) == QStringLiteral("Speak"))
                place = i;
        QVERIFY(place >= 0);
        QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(place).center());
        QTRY_VERIFY(find<QPushButton>("speakRun")->isVisible());
    }

    void everyDirectionIsOfferedAtTheLayerOfTheStudy()
    {
        const auto* directions = find<QComboBox>("speakDirection");
        QVERIFY(directions->findData(QStringLiteral("constitution")) >= 0);
        QVERIFY(directions->findData(QStringLiteral("people")) >= 0);
        QVERIFY(directions->findData(QStringLiteral("principle:kind")) >= 0);
        QCOMPARE(find<QComboBox>("speakLayer")->currentData().toInt(), m_session->inputs().layer.row());
    }

    void aModelThatIsNotThereIsSaid()
    {
        const bool present = m_session->modelPresent();
        QCOMPARE(find<QPushButton>("speakRun")->isEnabled(), present);
        QCOMPARE(find<QPushButton>("speakFetch")->isVisible(), !present);
        QVERIFY(present || !find<QLabel>("speakState")->text().isEmpty());
    }

    void twoAnswersStreamIn()
    {
        if (!m_session->modelPresent())
            QSKIP("skipped: the default model is not fetched");
        const Speaker& speaker = m_session->speaker();
        auto* push = find<ArrowSlider>("speakPush");
        QTest::mouseClick(push, Qt::LeftButton, {}, push->positionOf(4));
        QCOMPARE(push->value(), 4.0);
        QCOMPARE(speaker.runs(), 0); // nothing is said before it is asked for
        int streamed = 0; // states of the text between empty and whole
        QString last;
        const auto connection = connect(&speaker, &Speaker::changed, this, [&] {
            if (speaker.plain().text != last && !speaker.plain().done)
                ++streamed;
            last = speaker.plain().text;
        });
        QTest::mouseClick(find<QPushButton>("speakRun"), Qt::LeftButton);
        QVERIFY(find<QPushButton>("speakStop")->isEnabled());
        QTRY_VERIFY_WITH_TIMEOUT(speaker.pushed().done && !speaker.speaking(), 120000);
        disconnect(connection);
        QVERIFY(streamed > 3);
        QVERIFY(!text("speakPlain").isEmpty() && !text("speakPushed").isEmpty());
        QCOMPARE(text("speakPlain"), speaker.plain().text);
        QVERIFY(speaker.divergence() > 0);
        QVERIFY(speaker.plain().perplexity > 1 && speaker.pushed().perplexity > speaker.plain().perplexity);
        QVERIFY(!find<QPushButton>("speakStop")->isEnabled());
        QVERIFY(!find<QLabel>("speakVerdict")->text().isEmpty());
    }

    void movingTheArrowSpeaksAgainAndKeepsThePlainAnswer()
    {
        if (!m_session->modelPresent())
            QSKIP("skipped: the default model is not fetched");
        const Speaker& speaker = m_session->speaker();
        const QString plain = speaker.plain().text;
        const double before = speaker.divergence();
        const int runs = speaker.runs();
        auto* push = find<ArrowSlider>("speakPush");
        push->setFocus();
        QTest::keyClick(push, Qt::Key_End); // overtaken at once by the next
        QTest::keyClick(push, Qt::Key_0);
        QCOMPARE(push->value(), 0.0);
        QTRY_VERIFY_WITH_TIMEOUT(speaker.pushed().done && !speaker.speaking(), 120000);
        QCOMPARE(speaker.runs(), runs + 2);
        QCOMPARE(speaker.plain().text, plain);
        QCOMPARE(speaker.pushed().text, plain); // a push of nothing changes nothing
        QVERIFY(speaker.divergence() < 1e-6 && before > speaker.divergence());

        QTest::keyClick(push, Qt::Key_End);
        QCOMPARE(push->value(), push->largest());
        QTRY_VERIFY_WITH_TIMEOUT(speaker.pushed().done && !speaker.speaking(), 120000);
        QVERIFY(speaker.divergence() > before);
        QCOMPARE(
            find<QLabel>("speakVerdict")->text().startsWith(QStringLiteral("Broken")),
            Speaker::isBroken(speaker.divergence(), speaker.plain().perplexity, speaker.pushed().perplexity));
        QVERIFY(Speaker::isBroken(3.1, 8, 9) && Speaker::isBroken(1, 8, 81) && !Speaker::isBroken(1, 8, 79));
    }

    void stoppingKeepsWhatWasSaid()
    {
        if (!m_session->modelPresent())
            QSKIP("skipped: the default model is not fetched");
        const Speaker& speaker = m_session->speaker();
        auto* push = find<ArrowSlider>("speakPush");
        push->setFocus();
        QTest::keyClick(push, Qt::Key_0);
        QTest::keyClick(push, Qt::Key_Right);
        QTRY_VERIFY_WITH_TIMEOUT(!speaker.pushed().text.isEmpty(), 60000);
        QTest::mouseClick(find<QPushButton>("speakStop"), Qt::LeftButton);
        QVERIFY(!speaker.speaking());
        const QString said = speaker.pushed().text;
        QVERIFY(!said.isEmpty());
        QTRY_VERIFY_WITH_TIMEOUT(!m_session->modelLane().busyWith(QStringLiteral("speak")), 30000);
        QCOMPARE(speaker.pushed().text, said);
    }

    void cleanupTestCase()
    {
        m_window.reset();
        m_session.reset();
    }
};

QTEST_MAIN(TestSpeak)
#include "tst_speak.moc"
