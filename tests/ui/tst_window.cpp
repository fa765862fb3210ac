// The window on the sample study, with real clicks and keys: every edit reaches the figures, and undo brings
// them back.
#include "core/formats/lines.h"
#include "core/model/model_fetch.h"
#include "tests/support/sample_window.h"
#include "ui/models/judgment_model.h"
#include "ui/panels/audit_panel.h"
#include "ui/panels/lab_panel.h"
#include "ui/panels/policy_panel.h"
#include "ui/panels/table_dialog.h"
#include "ui/panels/theory_panel.h"
#include "ui/panels/ways_panel.h"
#include "ui/plots/scatter_view.h"
#include "ui/plots/theme.h"
#include "ui/shell/main_window.h"
#include "ui/widgets/layer_scrubber.h"
#include "ui/widgets/message_bar.h"
#include "ui/widgets/meter_card.h"
#include "ui/widgets/segmented_control.h"
#include "ui/widgets/weight_slider.h"

#include <QAbstractItemModelTester>
#include <QAbstractItemView>
#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QCompleter>
#include <QDialog>
#include <QDoubleSpinBox>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QFileDialog>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPushButton>
#include <QScrollBar>
#include <QSlider>
#include <QSpinBox>
#include <QStackedWidget>
#include <QTabBar>
#include <QTableView>
#include <QTemporaryDir>
#include <QTextBrowser>
#include <QToolButton>
#include <QtTest>
#include <cmath>

using namespace lodestone;
using namespace lodestone::testing;
using namespace lodestone::ui;

class TestWindow : public QObject {
    Q_OBJECT

    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<MainWindow> m_window;

    template <typename T>
    T* find(const char* name) const
    {
        return m_window->findChild<T*>(QLatin1String(name));
    }
    bool settled() const { return m_session->snapshot() && m_session->settled(); }
    double agreement() const { return m_session->snapshot()->judge->agreement.value; }

private Q_SLOTS:
    void initTestCase() { }

    void init()
    {
        m_theme = testTheme();
        m_session = testSession();
        m_window = std::make_unique<MainWindow>(*m_theme, *m_session);
        m_window->resize(1440, 900);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    }

    void cleanup()
    {
        m_window.reset();
        m_session.reset();
        m_theme.reset();
    }

    void openSample() { QVERIFY(openStudy(*m_session)); }

    void startsEmptyWithSomethingToDo()
    {
        QCOMPARE(find<QStackedWidget>("pages")->currentIndex(), 0);
        QTest::mouseClick(find<QPushButton>("startSample"), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(find<QStackedWidget>("pages")->currentIndex(), 1, 30000);
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 30000);
        QVERIFY(find<QLabel>("sentence")->text().contains(QStringLiteral("held-out pairs")));
    }

    void aMissingStudyIsSaidNotCrashed()
    {
        m_session->openStudy("/nonexistent/study");
        QTRY_VERIFY_WITH_TIMEOUT(
            find<QLabel>("messageText")->text().contains(QStringLiteral("/nonexistent/study")), 10000);
        QCOMPARE(find<QStackedWidget>("pages")->currentIndex(), 0);
    }

    void aWeightByKeysRejudgesAndUndoRestores()
    {
        openSample();
        auto* card = find<QFrame>("principle0");
        auto* weight = card->findChild<WeightSlider*>(QStringLiteral("weight"));
        const double before = weight->value();
        const auto first = m_session->snapshot();
        const auto counts = m_session->counts();
        weight->setFocus();
        QTest::keyClick(weight, Qt::Key_Home); // to -2: the principle turned round
        QCOMPARE(weight->value(), -2.0);
        QTRY_VERIFY_WITH_TIMEOUT(
            settled() && m_session->snapshot()->inputs.constitution.principles[0].weight == -2.0, 10000);
        QVERIFY((m_session->snapshot()->judge->rewards - first->judge->rewards).norm() > 1e-3);
        QCOMPARE(m_session->counts().principles, counts.principles); // no principle was asked again
        QCOMPARE(m_session->counts().layer, counts.layer);
        QVERIFY(!m_session->snapshot()->flipped.empty());
        QCOMPARE(
            find<SegmentedControl>("filter")->segment(2)->text(),
            QStringLiteral("Flipped %1").arg(m_session->snapshot()->flipped.size()));
        find<QAction>("undo")->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(
            settled() && m_session->snapshot()->inputs.constitution.principles[0].weight == before, 10000);
        QVERIFY((m_session->snapshot()->judge->rewards - first->judge->rewards).norm() < 1e-12);
        QCOMPARE(weight->value(), before);
        QVERIFY(find<QAction>("redo")->isEnabled());
    }

    void oneDragIsOneUndoEntry()
    {
        openSample();
        auto* weight = find<QFrame>("principle1")->findChild<WeightSlider*>(QStringLiteral("weight"));
        QTest::mousePress(weight, Qt::LeftButton, {}, weight->handlePosition());
        for (const double value : { 1.0, 1.2, 1.5, 1.9 })
            QTest::mouseMove(weight, weight->positionOf(value));
        QTest::mouseRelease(weight, Qt::LeftButton, {}, weight->positionOf(1.9));
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 10000);
        QVERIFY(std::abs(weight->value() - 1.9) < 0.05);
        QCOMPARE(m_session->undoStack().count(), 1);
    }

    void switchingAPrincipleOffDropsIt()
    {
        openSample();
        const auto before = m_session->snapshot()->judge->active.size();
        auto* on = find<QFrame>("principle0")->findChild<QCheckBox*>(QStringLiteral("on"));
        QTest::mouseClick(on, Qt::LeftButton, {}, QPoint(8, on->height() / 2));
        QTRY_COMPARE_WITH_TIMEOUT(m_session->snapshot()->judge->active.size(), before - 1, 10000);
    }

    void projectionGreysWeightsOut()
    {
        openSample();
        auto* mapping = find<SegmentedControl>("mapping");
        QTest::mouseClick(mapping->segment(1), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(
            settled()
                && m_session->snapshot()->inputs.constitution.mapping == constitution::Mapping::Projection,
            10000);
        QVERIFY(!find<QFrame>("principle0")->findChild<WeightSlider*>(QStringLiteral("weight"))->isEnabled());
    }

    void typedPoleWordsRejudgeAndTheTableShowsIt()
    {
        openSample();
        const int before = m_session->counts().principles;
        auto* positive = find<QFrame>("principle0")->findChild<QLineEdit*>(QStringLiteral("positive"));
        positive->setFocus();
        positive->selectAll();
        QTest::keyClicks(positive, QStringLiteral("warm, gentle"));
        QTest::keyClick(positive, Qt::Key_Return);
        QTRY_VERIFY_WITH_TIMEOUT(
            settled()
                && m_session->snapshot()->inputs.constitution.principles[0].positive
                    == std::vector<std::string>({ "warm", "gentle" }),
            10000);
        QCOMPARE(m_session->counts().principles, before + 1);
        QTest::mouseClick(find<QToolButton>("constitutionTable"), Qt::LeftButton);
        auto* dialog = m_window->findChild<TableDialog*>();
        QVERIFY(dialog);
        const QAbstractItemModel* table = dialog->findChild<QTableView*>(QStringLiteral("table"))->model();
        QCOMPARE(table->index(0, 2).data().toString(), QStringLiteral("warm, gentle"));
        const auto& stage = *m_session->snapshot()->principles[0];
        QVERIFY(std::abs(table->index(0, 6).data().toDouble() - stage.aboutValue.accuracy.value) < 1e-6);
        QAbstractItemModelTester tester(
            const_cast<QAbstractItemModel*>(table), QAbstractItemModelTester::FailureReportingMode::QtTest);
    }

    void theLayerScrubberMovesTheLayer()
    {
        openSample();
        const Layer before = m_session->snapshot()->inputs.layer;
        auto* scrubber = find<LayerScrubber>("scrubber");
        QTRY_VERIFY_WITH_TIMEOUT(m_session->sweep() != nullptr, 120000);
        scrubber->setFocus();
        QTest::keyClick(scrubber, Qt::Key_Right);
        QTRY_VERIFY_WITH_TIMEOUT(settled() && m_session->snapshot()->inputs.layer != before, 20000);
        QCOMPARE(m_session->snapshot()->inputs.layer.row(), before.row() + 1);
    }

    void betaMovesKlUpAndStaysBelowTheCap()
    {
        openSample();
        auto* beta = find<QSlider>("beta");
        double last = -1;
        for (const int position : { 20, 50, 80 }) {
            beta->setValue(position);
            QTRY_VERIFY_WITH_TIMEOUT(
                settled()
                    && std::abs(m_session->snapshot()->inputs.beta - PolicyPanel::betaOf(position)) < 1e-9,
                10000);
            const auto& policy = *m_session->snapshot()->policy;
            QVERIFY(policy.tilt.kl > last);
            QVERIFY(policy.tilt.kl <= policy.largestKl + 1e-9);
            last = policy.tilt.kl;
        }
        QVERIFY(find<QLabel>("kl")->text().size() > 1);
    }

    void hoverClickAndBoxSelectShowEverywhere()
    {
        openSample();
        auto* scatter = find<ScatterView>("scatter");
        const data::Pair& pair = m_session->foundation()->study->set().pairs[0];
        scatter->fit();
        const QPoint place = scatter->positionOf(pair.chosen);
        const int expected = scatter->pointAt(place);
        QVERIFY(expected >= 0);
        QTest::mouseMove(scatter->viewport(), place);
        QTRY_COMPARE(m_session->selection().hovered(), expected);
        QTest::mouseClick(scatter->viewport(), Qt::LeftButton, {}, place);
        QTRY_COMPARE(m_session->selection().pinned(), expected);
        QVERIFY(!find<QLabel>("pairDetail")->text().isEmpty());
        m_session->selection().setRows({ pair.chosen });
        auto* list = find<QListView>("pairs");
        QTRY_COMPARE(list->model()->rowCount(), 1);
        QVERIFY(find<QLabel>("selected")->text().startsWith(QStringLiteral("1 of")));
        scatter->setFocus();
        QTest::keyClick(scatter, Qt::Key_Escape);
        QTRY_VERIFY(m_session->selection().rows().isEmpty());
    }

    void theJudgmentListIsASoundModel()
    {
        openSample();
        auto* list = find<QListView>("pairs");
        QAbstractItemModelTester tester(
            list->model(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        auto* filter = find<SegmentedControl>("filter");
        for (int segment = 0; segment < 4; ++segment) {
            QTest::mouseClick(filter->segment(segment), Qt::LeftButton);
            const auto* model = qobject_cast<JudgmentModel*>(list->model());
            QCOMPARE(model->rowCount(), model->count(static_cast<JudgmentModel::Filter>(segment)));
        }
    }

    void metersExplainThemselves()
    {
        openSample();
        auto* meter = find<MeterCard>("meter0");
        QTest::mouseClick(meter, Qt::LeftButton);
        auto* explanation = find<QWidget>("explanation");
        QTRY_VERIFY(explanation->isVisible());
    }

    void axesAndColoursChangeThePlot()
    {
        openSample();
        auto* axis = find<QComboBox>("axisX");
        const QPoint before = find<ScatterView>("scatter")->positionOf(0);
        axis->setFocus();
        QTest::keyClick(axis, Qt::Key_End);
        QTRY_VERIFY(find<ScatterView>("scatter")->positionOf(0) != before);
        for (int i = 0; i < 4; ++i) {
            find<QComboBox>("colourBy")->setCurrentIndex(i);
            QVERIFY(find<ScatterView>("scatter")->pointCount() > 0);
        }
    }

    void constitutionIsSavedAndOpened()
    {
        openSample();
        QTemporaryDir folder;
        const std::filesystem::path path = folder.filePath(QStringLiteral("c.json")).toStdString();
        QVERIFY(m_session->saveConstitution(path).has_value());
        const auto saved = m_session->inputs().constitution;
        find<QAction>("preset-adversarial")->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(
            settled() && m_session->snapshot()->inputs.constitution.name != saved.name, 10000);
        m_session->loadConstitution(path);
        QCOMPARE(m_session->inputs().constitution, saved);
        QVERIFY(!m_session->saveConstitution("/nonexistent/folder/c.json").has_value());
    }

    void searchFindsActionsAndTexts()
    {
        openSample();
        auto* search = find<QLineEdit>("search");
        find<QAction>("find")->trigger();
        QTest::keyClicks(search, QStringLiteral("Help"));
        QWidget* list = search->completer()->popup();
        QTRY_VERIFY(list->isVisible());
        // Wider than the field, and within the window all the same.
        QVERIFY(list->width() > search->width());
        list->move(m_window->mapToGlobal(QPoint(m_window->width() - 20, 40)));
        QVERIFY(list->geometry().right() <= m_window->mapToGlobal(QPoint(m_window->width(), 0)).x());
        QTest::keyClick(search, Qt::Key_Return);
        QTRY_VERIFY(m_window->findChild<QDialog*>(QStringLiteral("helpDialog")) != nullptr);
        find<QAction>("help")->trigger();
        QCOMPARE(m_window->findChildren<QDialog*>(QStringLiteral("helpDialog")).size(), 1);
        const std::string text = m_session->foundation()->study->set().responses[3].text;
        search->setText(QString::fromStdString(text).simplified().left(60));
        QTest::keyClick(search, Qt::Key_Return);
        QTRY_COMPARE(m_session->selection().pinned(), 3);
        // A word of the theory opens its explanation, a statement its place.
        for (QDialog* dialog : m_window->findChildren<QDialog*>())
            delete dialog;
        search->setText(QStringLiteral("value direction"));
        QTest::keyClick(search, Qt::Key_Return);
        auto* help = m_window->findChild<QDialog*>(QStringLiteral("helpDialog"));
        QVERIFY(help);
        auto* words = help->findChild<QTextBrowser*>(QStringLiteral("helpText"));
        QVERIFY(words->toPlainText().contains(QStringLiteral("value direction: ")));
        QTRY_VERIFY(words->verticalScrollBar()->value() > 0); // opened at the word
        Q_EMIT words->anchorClicked(QUrl(QStringLiteral("T5")));
        QCOMPARE(find<TheoryPanel>("theoryPanel")->statement().id, std::string("T5"));
        delete help;
        search->setText(QStringLiteral("The win rate"));
        QTest::keyClick(search, Qt::Key_Return);
        QCOMPARE(find<TheoryPanel>("theoryPanel")->statement().id, std::string("T8"));
        // What is not found is said, and taken back by the next success.
        search->setText(QStringLiteral("qqxzv"));
        QTest::keyClick(search, Qt::Key_Return);
        auto* messages = find<MessageBar>("messages");
        QVERIFY(messages->isVisible() && messages->text().contains(QStringLiteral("qqxzv")));
        search->setText(QStringLiteral("The KL budget"));
        QTest::keyClick(search, Qt::Key_Return);
        QVERIFY(!messages->isVisible());
    }

    void aPrincipleIsNarrowedToSomePrompts()
    {
        openSample();
        auto* card = find<QFrame>("principle0");
        auto* menu = card->findChild<QMenu*>(QStringLiteral("principleMenu"));
        menu->findChild<QAction*>(QStringLiteral("scope"))->trigger();
        auto* dialog = card->findChild<QDialog*>(QStringLiteral("scopeDialog"));
        QVERIFY(dialog);
        auto* covers = dialog->findChild<QLabel*>(QStringLiteral("scopeCovers"));
        auto* contains = dialog->findChild<QLineEdit*>(QStringLiteral("scopeContains"));
        // The whole study at first, nothing for a text that no prompt holds.
        QVERIFY(!covers->text().startsWith(QStringLiteral("No prompt")));
        contains->setText(QStringLiteral("qqxzv"));
        QVERIFY(covers->text().startsWith(QStringLiteral("No prompt")));
        contains->setText(QStringLiteral("friend, chess"));
        QVERIFY(!covers->text().startsWith(QStringLiteral("No prompt")));
        dialog->findChild<QSpinBox*>(QStringLiteral("priority"))->setValue(2);
        dialog->accept();
        const auto& principle = m_session->inputs().constitution.principles[0];
        QCOMPARE(principle.scope.contains, (std::vector<std::string>{ "friend", "chess" }));
        QCOMPARE(principle.priority, 2);
        QTRY_VERIFY_WITH_TIMEOUT(settled(), 30000);
        auto* limits = card->findChild<QLabel*>(QStringLiteral("limits"));
        QVERIFY(limits->isVisible() && limits->text().contains(QStringLiteral("priority 2")));
        m_session->undoStack().undo();
        QVERIFY(m_session->inputs().constitution.principles[0].scope.everywhere());
        QTRY_VERIFY_WITH_TIMEOUT(settled() && !limits->isVisible(), 30000);
    }

    void aWorldIsDrawnAndOpened()
    {
        openSample();
        QTemporaryDir folder;
        find<QAction>("drawWorld")->trigger();
        auto* dialog = m_window->findChild<QDialog*>(QStringLiteral("worldDialog"));
        QVERIFY(dialog);
        const auto set = [&](const char* name, double value) {
            dialog->findChild<QDoubleSpinBox*>(QLatin1String(name))->setValue(value);
        };
        set("world_cos_1", 0.9);
        set("world_k", 2);
        set("world_n", 120);
        auto* where = dialog->findChild<QLineEdit*>(QStringLiteral("worldFolder"));
        // A folder that holds a study already is refused in the dialog, which stays.
        where->setText(QString::fromStdString((m_session->resources() / "samples/sample").string()));
        auto* draw = dialog->findChild<QPushButton*>(QStringLiteral("worldDraw"));
        QTest::mouseClick(draw, Qt::LeftButton);
        auto* problem = dialog->findChild<QLabel*>(QStringLiteral("worldProblem"));
        QTRY_VERIFY_WITH_TIMEOUT(problem->isVisible(), 10000);
        QVERIFY(problem->text().contains(QStringLiteral("finished study")));
        where->setText(folder.filePath(QStringLiteral("world")));
        QTest::mouseClick(draw, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(
            m_session->snapshot() && settled() && m_session->foundation()->study->set().pairs.size() == 120,
            30000);
        QVERIFY(QFile::exists(folder.filePath(QStringLiteral("world/truth.json"))));
        openSample();
    }

    void brokenRowsAreCountedAndMayBeLeftOut()
    {
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("pairs.jsonl"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("{\"prompt\":\"Hi\",\"chosen\":\"Hello!\",\"rejected\":\"No.\"}\n"
                   "{\"prompt\":\"Hi\",\"chosen\":\"Hello!\"}\n"
                   "not json\n");
        file.close();
        m_session->capturePairs(path.toStdString(), folder.filePath(QStringLiteral("study")).toStdString());
        auto* messages = find<MessageBar>("messages");
        QTRY_VERIFY(messages->isVisible());
        QVERIFY2(
            messages->text().startsWith(QStringLiteral("2 rows of pairs.jsonl cannot be read")),
            qPrintable(messages->text()));
        const QString details = messages->findChild<QLabel*>(QStringLiteral("messageDetails"))->text();
        QVERIFY2(
            details.contains(QStringLiteral("line 2")) && details.contains(QStringLiteral("line 3")),
            qPrintable(details));
        auto* skip = messages->findChild<QPushButton*>(QStringLiteral("messageAction"));
        QVERIFY(skip->isVisible());
        QVERIFY(skip->text().contains(QStringLiteral("Leave them out")));
    }

    /// Every action changes snapshot, selection, view state or a file, opens something, or is disabled.
    void everyActionDoesSomething()
    {
        openSample();
        QTRY_VERIFY_WITH_TIMEOUT(m_session->sweep() != nullptr, 120000);
        m_session->selection().setRows({ 1, 2 });
        find<WeightSlider>("weight")->setFocus();
        for (const char* name : { "openStudy", "openPairs", "openConstitution", "saveConstitution",
                                  "exportPicture", "showTable", "help" }) {
            const auto before = m_window->findChildren<QDialog*>().size();
            find<QAction>(name)->trigger();
            QVERIFY2(m_window->findChildren<QDialog*>().size() > before, name);
            for (QDialog* dialog : m_window->findChildren<QDialog*>())
                delete dialog;
        }
        find<QAction>("clearSelection")->trigger();
        QVERIFY(m_session->selection().rows().isEmpty());
        const auto principles = m_session->inputs().constitution.principles.size();
        find<QAction>("addPrincipleAction")->trigger();
        QCOMPARE(m_session->inputs().constitution.principles.size(), principles + 1);
        find<QAction>("undo")->trigger();
        QCOMPARE(m_session->inputs().constitution.principles.size(), principles);
        find<QAction>("redo")->trigger();
        QCOMPARE(m_session->inputs().constitution.principles.size(), principles + 1);
        auto* menu = find<QFrame>("principle0")->findChild<QMenu*>(QStringLiteral("principleMenu"));
        for (const char* name : { "turnRound", "swapPoles", "remove" }) {
            const auto before = m_session->inputs().constitution;
            menu->findChild<QAction*>(QLatin1String(name))->trigger();
            QVERIFY2(!(m_session->inputs().constitution == before), name);
        }
        find<QAction>("dark")->trigger();
        QVERIFY(m_theme->palette().isDark);
        find<QAction>("light")->trigger();
        QVERIFY(!m_theme->palette().isDark);
        find<QAction>("present")->trigger();
        QVERIFY(m_theme->presenter());
        find<QAction>("present")->trigger();
        QVERIFY(!m_theme->presenter());
        m_session->undoStack().setIndex(0); // nothing unsaved that would be asked about
        find<QAction>("openRequests")->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(
            settled() && m_session->foundation()->study->set().kind == data::ItemKind::Request, 30000);
        QVERIFY(find<QLabel>("sentence")->text().contains(QStringLiteral("AUC")));
        for (int tab = 0; tab < find<QTabBar>("tabs")->count(); ++tab)
            find<QTabBar>("tabs")->setCurrentIndex(tab);
    }

    void anUnsavedConstitutionIsAskedAbout()
    {
        openSample();
        QVERIFY(!m_session->isModified());
        auto* weight = find<QFrame>("principle0")->findChild<WeightSlider*>(QStringLiteral("weight"));
        weight->setByUser(-1);
        QVERIFY(m_session->isModified() && m_window->isWindowModified());
        const auto question
            = [this] { return m_window->findChild<QDialog*>(QStringLiteral("unsavedQuestion")); };
        // Closing: stay here.
        m_window->close();
        QVERIFY(m_window->isVisible());
        QTRY_VERIFY(question() && question()->isVisible());
        question()->findChild<QPushButton*>(QStringLiteral("unsavedStay"))->click();
        QTRY_VERIFY(!question());
        QVERIFY(m_window->isVisible());
        // Another study: without saving.
        find<QAction>("openRequests")->trigger();
        QTRY_VERIFY(question() && question()->isVisible());
        QCOMPARE(m_session->foundation()->study->set().kind, data::ItemKind::Reply);
        question()->findChild<QPushButton*>(QStringLiteral("unsavedDrop"))->click();
        QTRY_VERIFY_WITH_TIMEOUT(
            settled() && m_session->foundation()->study->set().kind == data::ItemKind::Request, 30000);
        QVERIFY(!m_session->isModified() && !m_window->isWindowModified());
        // What is saved, or taken back, is asked about no more.
        openSample();
        find<QFrame>("principle0")->findChild<WeightSlider*>(QStringLiteral("weight"))->setByUser(-1);
        QVERIFY(m_session->isModified());
        QTemporaryDir folder;
        QVERIFY(
            m_session->saveConstitution(folder.filePath(QStringLiteral("c.json")).toStdString()).has_value());
        QVERIFY(!m_session->isModified());
        m_session->undoStack().undo();
        QVERIFY(!m_session->isModified());
        m_window->close();
        QVERIFY(!m_window->isVisible());
    }

    /// Tab reaches every control that stands on screen, and each shows that it has the focus.
    void theKeyboardReachesEveryControl()
    {
        openSample();
        QApplication::setCursorFlashTime(0);
        m_window->activateWindow();
        QSet<QWidget*> reached;
        QVector<const QWidget*> order;
        m_window->centralWidget()->setFocus();
        for (int i = 0; i < 400; ++i) {
            QTest::keyClick(m_window->focusWidget() ? m_window->focusWidget() : m_window.get(), Qt::Key_Tab);
            QWidget* now = m_window->focusWidget();
            if (!now) // a label of several links keeps the focus for several steps, so the round is not cut
                      // short
                break;
            if (!reached.contains(now))
                order.push_back(now);
            reached.insert(now);
        }
        // As the eye goes: the cards before the places, these before the judgments and the policy.
        const auto placeOf = [&](const QString& ancestor) {
            for (int i = 0; i < order.size(); ++i)
                for (const QObject* at = order[i]; at; at = at->parent())
                    if (at->objectName() == ancestor)
                        return i;
            return -1;
        };
        const int cards = placeOf(QStringLiteral("principle0")), places = placeOf(QStringLiteral("tabs")),
                  judgments = placeOf(QStringLiteral("judgmentsPanel")),
                  policy = placeOf(QStringLiteral("policyPanel"));
        QVERIFY2(
            cards >= 0 && cards < places && places < judgments && judgments < policy,
            qPrintable(QStringLiteral("%1 %2 %3 %4").arg(cards).arg(places).arg(judgments).arg(policy)));
        for (const QWidget* widget : m_window->findChildren<QWidget*>()) {
            const bool control = widget->isVisible() && widget->isEnabled()
                && (widget->focusPolicy() & Qt::TabFocus) && !widget->objectName().isEmpty()
                && !widget->objectName().startsWith(QLatin1String("qt_"))
                && !qobject_cast<const QAbstractScrollArea*>(widget->parentWidget());
            if (control)
                QVERIFY2(reached.contains(const_cast<QWidget*>(widget)), qPrintable(widget->objectName()));
        }
    }

    void theFiveShortcutsAreTheOnesPromised()
    {
        const std::pair<const char*, QKeySequence> keys[]
            = { { "openStudy", QKeySequence(Qt::CTRL | Qt::Key_O) },
                { "saveConstitution", QKeySequence(Qt::CTRL | Qt::Key_S) },
                { "exportPicture", QKeySequence(Qt::CTRL | Qt::Key_E) },
                { "help", QKeySequence(Qt::Key_F1) },
                { "undo", QKeySequence(Qt::CTRL | Qt::Key_Z) } };
        for (const auto& [name, key] : keys)
            QCOMPARE(find<QAction>(name)->shortcut(), key);
    }

    void everyPlaceHasATableAndAPicture()
    {
        openSample();
        QTRY_VERIFY_WITH_TIMEOUT(m_session->sweep() != nullptr, 120000);
        QTemporaryDir folder;
        auto* tabs = find<QTabBar>("tabs");
        const auto* lab = find<LabPanel>("labPanel");
        const auto* ways = find<WaysPanel>("waysPanel");
        const auto* audit = find<AuditPanel>("auditPanel");
        for (int tab = 0; tab < tabs->count(); ++tab) {
            tabs->setCurrentIndex(tab);
            QTRY_VERIFY_WITH_TIMEOUT(!lab->isVisible() || lab->settled(), 120000); // measures when shown
            QTRY_VERIFY_WITH_TIMEOUT(!ways->isVisible() || ways->settled(), 120000);
            QTRY_VERIFY_WITH_TIMEOUT(!audit->isVisible() || audit->settled(), 120000);
            if (find<QAction>("showTable")->isEnabled()) {
                find<QAction>("showTable")->trigger();
                auto* dialog = m_window->findChild<TableDialog*>();
                QVERIFY(dialog);
                QVERIFY2(
                    dialog->findChild<QTableView*>(QStringLiteral("table"))->model()->rowCount() > 0,
                    qPrintable(tabs->tabText(tab)));
                delete dialog;
            }
            if (find<QAction>("exportPicture")->isEnabled()) {
                find<QAction>("exportPicture")->trigger();
                auto* chooser = m_window->findChild<QFileDialog*>();
                QVERIFY(chooser);
                const QString file = folder.filePath(QString::number(tab) + QStringLiteral(".png"));
                Q_EMIT chooser->fileSelected(file);
                delete chooser;
                QVERIFY2(QImage(file).width() > 400, qPrintable(tabs->tabText(tab)));
            }
        }
    }

    void oneClickLeadsFromTheStudyToItsStatement()
    {
        openSample();
        auto* tabs = find<QTabBar>("tabs");
        Q_EMIT find<QLabel>("gaussian")->linkActivated(QStringLiteral("T4"));
        QCOMPARE(tabs->tabText(tabs->currentIndex()), QStringLiteral("Theory"));
        auto* theory = find<TheoryPanel>("theoryPanel");
        QCOMPARE(theory->statement().id, std::string("T4"));
        QTRY_VERIFY_WITH_TIMEOUT(
            theory->settled() && find<QLabel>("theoryHere")->text().contains(QStringLiteral("This study")),
            20000);
        // It says whether the study leaves the formula.
        const QString here = find<QLabel>("theoryHere")->text();
        QVERIFY2(
            here.contains(QStringLiteral("lies in every 95 % interval"))
                != here.contains(QStringLiteral("This study leaves the formula at")),
            qPrintable(here));
        // The measured point stands on the chart, at the policy panel's own figure.
        const auto gain = m_session->snapshot()->policy->tilt.valueGain;
        const auto series = theory->chart().series();
        QVERIFY(std::any_of(series.begin(), series.end(), [&](const Series& one) {
            return one.label == QStringLiteral("this study") && std::abs(one.y.front() - gain) < 1e-9;
        }));
        // It follows the study.
        find<QSlider>("beta")->setValue(30);
        QTRY_VERIFY_WITH_TIMEOUT(settled() && theory->settled(), 20000);
        QTRY_VERIFY(
            std::abs(theory->values()["lambda"] - std::min(2.0, 1 / m_session->inputs().beta)) < 1e-9);
        // A meter's explanation leads there too.
        tabs->setCurrentIndex(0);
        QTest::mouseClick(find<MeterCard>("meter0"), Qt::LeftButton);
        auto* explanation = find<QTextBrowser>("explanation");
        QVERIFY(explanation->toHtml().contains(QStringLiteral("href=\"T9\"")));
        Q_EMIT explanation->anchorClicked(QUrl(QStringLiteral("T9")));
        QCOMPARE(theory->statement().id, std::string("T9"));
        // A statement without a counterpart says so.
        theory->choose(QStringLiteral("T13"));
        QVERIFY(!find<QPushButton>("theoryStudy")->isEnabled());
        QVERIFY(find<QPushButton>("theoryStudy")->toolTip().contains(QStringLiteral("two models")));
    }

    void onePrincipleAloneIsAskedAboutItsValue()
    {
        openSample();
        const auto sentence = [&] { return find<QLabel>("sentence")->text(); };
        QVERIFY(!sentence().contains(QStringLiteral("Be kind")));
        for (const char* other : { "principle1", "principle2", "principle3" })
            find<QFrame>(other)->findChild<QCheckBox*>(QStringLiteral("on"))->click();
        QTRY_VERIFY_WITH_TIMEOUT(settled() && m_session->snapshot()->judge->active.size() == 1, 30000);
        QTRY_VERIFY2(
            sentence().startsWith(QStringLiteral("“Be kind” finds the kind reply in ")),
            qPrintable(sentence()));
        const double value = m_session->snapshot()->principles[0]->aboutValue.accuracy.value;
        QVERIFY2(
            sentence().contains(
                QStringLiteral(" %1 of 100 held-out pairs about it").arg(std::lround(100 * value))),
            qPrintable(sentence()));
        find<QFrame>("principle0")->findChild<WeightSlider*>(QStringLiteral("weight"))->setByUser(-1);
        QTRY_VERIFY2(
            !sentence().contains(QStringLiteral("Be kind")), qPrintable(sentence())); // turned by the user
    }

    void anEditIsShownWithinAFrameOrTwo()
    {
        openSample();
        QTRY_VERIFY_WITH_TIMEOUT(m_session->sweep() && !m_session->sweepLane().busy(), 120000);
        auto* weight = find<QFrame>("principle0")->findChild<WeightSlider*>(QStringLiteral("weight"));
        std::vector<qint64> shown, settledAfter;
        QElapsedTimer timer;
        qint64 first = -1; // the first snapshot of an edit: judgments, policy, points; intervals follow
        QObject scope;
        connect(m_session.get(), &Session::snapshotChanged, &scope, [&] {
            if (first < 0)
                first = timer.nsecsElapsed();
        });
        for (int i = 0; i < 21; ++i) {
            const double value = i % 2 ? 1.5 : -0.5;
            first = -1;
            timer.start();
            weight->setByUser(value);
            // An event loop of its own: QTRY sleeps 10 ms between looks, which would be most of the time.
            QEventLoop loop;
            connect(m_session.get(), &Session::snapshotChanged, &loop, &QEventLoop::quit);
            QTimer::singleShot(10000, &loop, &QEventLoop::quit);
            if (first < 0)
                loop.exec();
            QTRY_VERIFY(
                settled()
                && m_session->snapshot()->inputs.constitution.principles[0].weight == weight->value());
            shown.push_back(first);
            settledAfter.push_back(timer.nsecsElapsed());
        }
        std::sort(shown.begin(), shown.end());
        std::sort(settledAfter.begin(), settledAfter.end());
        qInfo(
            "weight edit to judgments and policy: median %.1f ms; with the refitted ceiling too: %.1f ms",
            static_cast<double>(shown[10]) / 1e6, static_cast<double>(settledAfter[10]) / 1e6);
        QVERIFY(shown[10] < 250'000'000);
        QVERIFY(settledAfter[10] < 500'000'000);
    }
};

QTEST_MAIN(TestWindow)
#include "tst_window.moc"
