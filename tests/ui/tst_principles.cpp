// What a principle's card offers on the sample study, with real clicks: pole words proposed from the text,
// notes, and another constitution beside the open one, of which parts are taken over.
#include "core/session/judge_comparison.h"
#include "core/session/pipeline.h"
#include "tests/support/sample_window.h"
#include "ui/plots/theme.h"
#include "ui/shell/main_window.h"
#include "ui/widgets/message_bar.h"

#include <QAction>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFrame>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSet>
#include <QTemporaryDir>
#include <QToolButton>
#include <QTreeWidget>
#include <QtTest>

using namespace lodestone;
using namespace lodestone::testing;
using namespace lodestone::ui;

class TestPrinciples : public QObject {
    Q_OBJECT

    QTemporaryDir m_empty;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<MainWindow> m_window;

    template <typename T>
    T* find(const char* name) const
    {
        return m_window->findChild<T*>(QLatin1String(name));
    }
    bool settled() const { return m_session->snapshot() && m_session->settled(); }
    const constitution::Principle& principle(std::size_t i = 0) const
    {
        return m_session->inputs().constitution.principles[i];
    }
    static QString words(const std::vector<std::string>& list)
    {
        return QString::fromStdString(constitution::joinWords(list));
    }

    /// Opens the card's menu and clicks an entry.
    void choose(const char* entry)
    {
        auto* menu = find<QFrame>("principle0")->findChild<QMenu*>(QStringLiteral("principleMenu"));
        menu->popup(m_window->mapToGlobal(QPoint(40, 40)));
        QTRY_VERIFY(menu->isVisible());
        auto* action = menu->findChild<QAction*>(QLatin1String(entry));
        QVERIFY2(action, entry);
        QTest::mouseClick(menu, Qt::LeftButton, {}, menu->actionGeometry(action).center());
        QTRY_VERIFY(!menu->isVisible());
    }
    void typeText(const QString& text)
    {
        auto* edit = find<QFrame>("principle0")->findChild<QLineEdit*>(QStringLiteral("text"));
        edit->setFocus();
        edit->selectAll();
        QTest::keyClicks(edit, text);
        QTest::keyClick(edit, Qt::Key_Return);
        QCOMPARE(QString::fromStdString(principle().text), text);
    }

private Q_SLOTS:
    void initTestCase()
    {
        qputenv("LODESTONE_MODEL_DIR", m_empty.path().toUtf8()); // no model
    }

    void init()
    {
        m_theme = testTheme();
        m_session = testSession();
        m_window = std::make_unique<MainWindow>(*m_theme, *m_session);
        m_window->resize(1440, 900);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        QVERIFY(openStudy(*m_session));
    }

    void cleanup()
    {
        m_window.reset();
        m_session.reset();
        m_theme.reset();
    }

    void poleWordsComeFromTheText()
    {
        typeText(QStringLiteral("Never be rude or cruel."));
        const auto before = m_session->inputs().constitution;
        const int steps = m_session->undoStack().count();
        choose("proposePoles");
        QCOMPARE(words(principle().positive), QStringLiteral("polite, kind"));
        QCOMPARE(words(principle().negative), QStringLiteral("rude, cruel"));
        auto* positive = find<QFrame>("principle0")->findChild<QLineEdit*>(QStringLiteral("positive"));
        QCOMPARE(positive->text(), QStringLiteral("polite, kind"));
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 10000);
        QVERIFY(m_session->snapshot()->principles[0]->problem.empty());
        // One step, which is taken back by one.
        QCOMPARE(m_session->undoStack().count(), steps + 1);
        find<QAction>("undo")->trigger();
        QCOMPARE(m_session->inputs().constitution, before);
        find<QAction>("redo")->trigger();
        // A second time there is nothing to edit, and that is said.
        choose("proposePoles");
        QCOMPARE(m_session->undoStack().count(), steps + 1);
        QVERIFY(find<MessageBar>("messages")->text().contains(QStringLiteral("already")));
    }

    void aTextJudgedAsAWholeGetsWordsOfItsOwn()
    {
        session::Inputs next = m_session->inputs();
        next.constitution.principles[0].way = "conditioned-cloze";
        next.constitution.principles[0].text = "Prefer short answers to long ones.";
        m_session->edit(QStringLiteral("test"), next);
        choose("proposePoles");
        QCOMPARE(principle().way, std::string("cloze"));
        QCOMPARE(words(principle().positive), QStringLiteral("short"));
        QCOMPARE(words(principle().negative), QStringLiteral("long"));
    }

    void whatIsNotFoundIsSaid()
    {
        typeText(QStringLiteral("Obey the captain of the ship."));
        const auto before = m_session->inputs().constitution;
        choose("proposePoles");
        QCOMPARE(m_session->inputs().constitution, before);
        const auto* messages = find<MessageBar>("messages");
        QVERIFY(messages->isVisible());
        QVERIFY2(
            messages->text().contains(QStringLiteral("No pole words"))
                && messages->text().contains(QStringLiteral("model")),
            qPrintable(messages->text()));
    }

    void notesAreKeptAndMarked()
    {
        auto* limits = find<QFrame>("principle0")->findChild<QLabel*>(QStringLiteral("limits"));
        QVERIFY(!limits->isVisible());
        choose("notes");
        auto* dialog = m_window->findChild<QDialog*>(QStringLiteral("notesDialog"));
        QVERIFY(dialog);
        auto* text = dialog->findChild<QPlainTextEdit*>(QStringLiteral("notesText"));
        QVERIFY(text->toPlainText().isEmpty());
        text->setFocus();
        QTest::keyClicks(text, QStringLiteral("Ask for the reason."));
        const auto print = m_session->snapshot()->fingerprint().hex();
        QTest::mouseClick(
            dialog->findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Ok), Qt::LeftButton);
        QCOMPARE(principle().notes, std::string("Ask for the reason."));
        QVERIFY(limits->isVisible() && limits->text().contains(QStringLiteral("notes")));
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 10000);
        QTRY_VERIFY(limits->toolTip().contains(QStringLiteral("Ask for the reason.")));
        QCOMPARE(m_session->snapshot()->fingerprint().hex(), print); // no figure depends on them
        // They survive a file.
        const std::filesystem::path path = m_empty.filePath(QStringLiteral("c.json")).toStdString();
        QVERIFY(m_session->saveConstitution(path).has_value());
        QCOMPARE(
            constitution::readConstitution(path).value().principles[0].notes,
            std::string("Ask for the reason."));
        // Cancelling changes nothing; undo takes them away.
        choose("notes");
        for (auto* open : m_window->findChildren<QDialog*>(QStringLiteral("notesDialog")))
            if (open->isVisible()) {
                QTest::keyClicks(open->findChild<QPlainTextEdit*>(), QStringLiteral("xyz"));
                QTest::mouseClick(
                    open->findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Cancel), Qt::LeftButton);
            }
        QCOMPARE(principle().notes, std::string("Ask for the reason."));
        find<QAction>("undo")->trigger();
        QVERIFY(principle().notes.empty());
        QTRY_VERIFY(!limits->isVisible());
    }

    void partsOfAnotherConstitutionAreTakenOver()
    {
        // Another one with a changed first principle, without the second, and with one more.
        constitution::Constitution other = m_session->inputs().constitution;
        const auto before = other;
        QVERIFY(other.principles.size() >= 2);
        other.name = "The other";
        other.principles[0].weight = -0.5;
        const std::string gone = other.principles[1].id;
        other.principles.erase(other.principles.begin() + 1);
        constitution::Principle brief = constitution::neutralPrinciple();
        brief.id = "brief-one";
        brief.name = "Be brief";
        brief.positive = { "short" };
        brief.negative = { "long" };
        other.principles.push_back(brief);
        const QString path = m_empty.filePath(QStringLiteral("other.json"));
        QVERIFY(constitution::writeConstitution(path.toStdString(), other).has_value());

        find<QAction>("compareConstitution")->trigger();
        auto* chooser = m_window->findChild<QFileDialog*>();
        QVERIFY(chooser);
        Q_EMIT chooser->fileSelected(path);
        chooser->close();
        auto* dialog = m_window->findChild<QDialog*>(QStringLiteral("compareDialog"));
        QVERIFY(dialog && dialog->isVisible());
        auto* list = dialog->findChild<QTreeWidget*>(QStringLiteral("compareList"));
        auto* take = dialog->findChild<QPushButton*>(QStringLiteral("compareTake"));
        QCOMPARE(list->topLevelItemCount(), 3); // changed, added, removed
        QVERIFY(!take->isEnabled() && !take->toolTip().isEmpty());
        // Under the changed one: its fields, here and there.
        QTreeWidgetItem* changed = list->topLevelItem(0);
        QCOMPARE(changed->childCount(), 2); // the weight and its sign
        QCOMPARE(changed->child(0)->text(2), QStringLiteral("-0.5"));
        // Click the boxes of the changed and of the added one.
        for (const int at : { 0, 1 }) {
            const QRect row = list->visualItemRect(list->topLevelItem(at));
            QStyleOptionViewItem option;
            option.initFrom(list);
            option.rect = row;
            option.features = QStyleOptionViewItem::HasCheckIndicator | QStyleOptionViewItem::HasDisplay;
            const QRect box
                = list->style()->subElementRect(QStyle::SE_ItemViewItemCheckIndicator, &option, list);
            QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, box.center());
            QCOMPARE(list->topLevelItem(at)->checkState(0), Qt::Checked);
        }
        QVERIFY(take->isEnabled());
        const int steps = m_session->undoStack().count();
        QTest::mouseClick(take, Qt::LeftButton);
        const auto& now = m_session->inputs().constitution;
        QCOMPARE(m_session->undoStack().count(), steps + 1);
        QCOMPARE(now.principles.size(), before.principles.size() + 1);
        QCOMPARE(now.principles[0].weight, -0.5);
        QCOMPARE(now.principles[1].id, gone); // not ticked: it stays
        QCOMPARE(now.principles.back().name, std::string("Be brief"));
        QCOMPARE(now.name, before.name);
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 10000);
        find<QAction>("undo")->trigger();
        QCOMPARE(m_session->inputs().constitution, before);
    }

    void aCardSaysWhenRandomWordsDoAsWell()
    {
        QSet<QString> seen;
        auto* card = find<QFrame>("principle0");
        const auto* status = card->findChild<QLabel*>(QStringLiteral("status"));
        for (const auto& [positive, negative] :
             { std::pair("kind", "rude"), std::pair("great", "awful"), std::pair("good", "bad"),
               std::pair("safe", "dangerous"), std::pair("useful", "useless"), std::pair("true", "false") }) {
            session::Inputs inputs = m_session->inputs();
            inputs.constitution.principles[0].positive = { positive };
            inputs.constitution.principles[0].negative = { negative };
            m_session->edit(QStringLiteral("words"), inputs);
            QTRY_VERIFY_WITH_TIMEOUT(settled() && m_session->snapshot()->chanceWords[0], 30000);
            const session::PrincipleStage& stage = *m_session->snapshot()->principles[0];
            const auto& chance = *m_session->snapshot()->chanceWords[0];
            int reach = 0;
            for (const double one : chance)
                reach += one >= stage.aboutValue.accuracy.value;
            if (!(stage.aboutValue.accuracy.interval.low > 0.5))
                continue;
            seen.insert(status->text());
            QCOMPARE(
                status->text(),
                reach > 2 ? QStringLiteral("any words") : QStringLiteral("found")); // of 40: 5 %
            QVERIFY2(
                status->toolTip().contains(QStringLiteral("Of 40 draws of random words from this study's "
                                                          "table %1 agree")
                                               .arg(reach)),
                qPrintable(status->toolTip()));
            if (reach > 2)
                keepPicture(*m_window, *m_theme, "random-words");
        }
        QVERIFY2(seen.size() == 2, qPrintable(QStringList(seen.begin(), seen.end()).join(u',')));
    }

    void aShippedOneIsJudgedBesideTheOpenOne()
    {
        auto* presets = find<QToolButton>("presets");
        auto* beside = presets->menu()->findChild<QAction*>(QStringLiteral("beside-blunt-truth"));
        QVERIFY(beside);
        auto* submenu = qobject_cast<QMenu*>(beside->parent());
        submenu->popup(m_window->mapToGlobal(QPoint(40, 40)));
        QTRY_VERIFY(submenu->isVisible());
        QTest::mouseClick(submenu, Qt::LeftButton, {}, submenu->actionGeometry(beside).center());
        auto* dialog = m_window->findChild<QDialog*>(QStringLiteral("compareDialog"));
        QVERIFY(dialog && dialog->isVisible());
        const auto* judged = dialog->findChild<QLabel*>(QStringLiteral("compareJudged"));
        QTRY_VERIFY_WITH_TIMEOUT(judged->text().contains(QStringLiteral("held-out pairs")), 60000);
        keepPicture(*dialog, *m_theme, "compare");
        // The command's figures, by the function that it calls.
        session::Inputs other = m_session->inputs();
        other.constitution
            = constitution::readConstitution(m_session->resources() / "constitutions/blunt-truth.json")
                  .value();
        session::Pipeline pipeline(m_session->sharedFoundation());
        const auto expected
            = session::compareJudges(*m_session->snapshot(), *pipeline.recompute(other, nullptr).value())
                  .value();
        QVERIFY2(
            judged->text().contains(percent(expected.second.value) + QStringLiteral(" %"))
                && judged->text().contains(number(expected.cosine, 2, false, true)),
            qPrintable(judged->text()));
        delete dialog;
    }

    void twoThatAreTheSame()
    {
        const QString path = m_empty.filePath(QStringLiteral("same.json"));
        QVERIFY(constitution::writeConstitution(path.toStdString(), m_session->inputs().constitution)
                    .has_value());
        find<QAction>("compareConstitution")->trigger();
        auto* chooser = m_window->findChild<QFileDialog*>();
        Q_EMIT chooser->fileSelected(path);
        chooser->close();
        auto* dialog = m_window->findChild<QDialog*>(QStringLiteral("compareDialog"));
        QVERIFY(dialog);
        QVERIFY(dialog->findChild<QLabel*>(QStringLiteral("compareSays"))
                    ->text()
                    .contains(QStringLiteral("No principle differs")));
        QVERIFY(!dialog->findChild<QPushButton*>(QStringLiteral("compareTake"))->isEnabled());
        delete dialog;
        // A file that cannot be read is said, and nothing opens.
        find<QAction>("compareConstitution")->trigger();
        for (auto* open : m_window->findChildren<QFileDialog*>())
            if (open->isVisible()) {
                Q_EMIT open->fileSelected(QStringLiteral("/nonexistent/c.json"));
                open->close();
            }
        QVERIFY(find<MessageBar>("messages")->text().contains(QStringLiteral("/nonexistent/c.json")));
        QVERIFY(!m_window->findChild<QDialog*>(QStringLiteral("compareDialog")));
    }
};

QTEST_MAIN(TestPrinciples)
#include "tst_principles.moc"
