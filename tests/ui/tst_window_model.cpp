// The window with the model: "Try it" within two seconds, words and texts that nobody saw before with the
// command line's numbers, and edits that a running capture neither delays nor loses.
// ctest labels: model torch
#include "core/data/study.h"
#include "core/formats/lines.h"
#include "core/model/context_store.h"
#include "core/model/model_fetch.h"
#include "tests/support/sample_window.h"
#include "ui/panels/audit_panel.h"
#include "ui/panels/table_dialog.h"
#include "ui/plots/scatter_view.h"
#include "ui/plots/theme.h"
#include "ui/shell/main_window.h"
#include "ui/widgets/probability_bar.h"
#include "ui/widgets/weight_slider.h"

#include <QAction>
#include <QElapsedTimer>
#include <QFrame>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPlainTextEdit>
#include <QProcess>
#include <QPushButton>
#include <QTabBar>
#include <QTableView>
#include <QTemporaryDir>
#include <QTimer>
#include <QToolButton>
#include <QToolTip>
#include <QtTest>
#include <cmath>
#include <fstream>

using namespace lodestone;
using namespace lodestone::testing;
using namespace lodestone::ui;

class TestWindowModel : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<MainWindow> m_window;
    bool m_model = false;

    template <typename T>
    T* find(const char* name) const
    {
        return m_window->findChild<T*>(QLatin1String(name));
    }
    bool settled() const { return m_session->snapshot() && m_session->settled(); }

    std::filesystem::path scratch(const char* name) const
    {
        return std::filesystem::path(m_folder.path().toStdString()) / name;
    }

    /// The first `count` pairs of the sample's texts as a table of their own.
    std::filesystem::path somePairs(const char* name, int count) const
    {
        std::ifstream all(std::filesystem::path(LODESTONE_SOURCE_DIR) / "resources/samples/pairs.jsonl");
        std::ofstream some(scratch(name));
        std::string line;
        for (int i = 0; i < count * 4 && std::getline(all, line); ++i)
            if (i % 4 == 0) // all values, not the first alone
                some << line << '\n';
        return scratch(name);
    }

    /// One JSON document of the command line.
    nlohmann::json commandLine(const QStringList& arguments) const
    {
        QProcess process;
        process.start(
            QString::fromLocal8Bit(qgetenv("LODESTONE_BIN")) + QStringLiteral("/lodestone"),
            arguments + QStringList{ QStringLiteral("--json"), QStringLiteral("--quiet") });
        process.waitForFinished(300000);
        const QByteArray out = process.readAllStandardOutput();
        if (process.exitCode() != 0 || out.isEmpty())
            qWarning() << arguments << process.exitCode() << process.readAllStandardError();
        return nlohmann::json::parse(out.toStdString(), nullptr, false);
    }

    void open(const std::filesystem::path& study)
    {
        m_session->openStudy(study);
        QTRY_VERIFY_WITH_TIMEOUT(settled() && m_session->foundation()->study->folder() == study, 60000);
    }

private Q_SLOTS:
    void initTestCase()
    {
        QStandardPaths::setTestModeEnabled(true);
        QCoreApplication::setOrganizationName(QStringLiteral("lodestone-test"));
        m_model = model::defaultModelPath().has_value();
    }

    void init()
    {
        if (!m_model)
            QSKIP("the default model is not in the cache");
        m_theme = std::make_unique<Theme>();
        m_theme->setScheme(ColourScheme::Light);
        m_theme->apply(*qApp);
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

    void twoRepliesBecomeTwoPointsAndAJudgment()
    {
        open(m_session->resources() / "samples/sample");
        auto* tabs = find<QTabBar>("tabs");
        for (int i = 0; i < tabs->count(); ++i)
            if (tabs->tabText(i) == QStringLiteral("Try it"))
                tabs->setCurrentIndex(i);
        QTRY_VERIFY_WITH_TIMEOUT(m_session->modelReady(), 60000); // loaded when the place is shown
        find<QPlainTextEdit>("tryPrompt")->setPlainText(QStringLiteral("I lost my job today."));
        find<QPlainTextEdit>("tryFirst")
            ->setPlainText(QStringLiteral("I am so sorry. Do you want to talk about what happened?"));
        find<QPlainTextEdit>("trySecond")->setPlainText(QStringLiteral("You probably deserved it, idiot."));
        QTRY_VERIFY(!m_session->sweepLane().busy()); // time the model, not the sweep beside it
        QElapsedTimer timer;
        timer.start();
        QTest::mouseClick(find<QPushButton>("tryRun"), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(m_session->trial() && find<QWidget>("tryBar")->isVisible(), 20000);
        const qint64 elapsed = timer.elapsed();
        qInfo(
            "two replies to points and judgment: %lld ms, of which reading %.0f ms", elapsed,
            1000 * m_session->trial()->seconds);
        QVERIFY2(elapsed <= 2000, qPrintable(QString::number(elapsed)));
        // Other texts: the figures are not about them, and that is said until they are the same again.
        auto* reply = find<QPlainTextEdit>("tryFirst");
        const QString judged = reply->toPlainText();
        reply->clear();
        QVERIFY(find<QLabel>("tryState")->text().contains(QStringLiteral("judged last")));
        reply->setPlainText(judged);
        QVERIFY(!find<QLabel>("tryState")->text().contains(QStringLiteral("judged last")));
        auto* scatter = find<ScatterView>("scatter");
        QCOMPARE(scatter->guests().size(), 2);
        tabs->setCurrentIndex(0);
        for (const PlotGuest& guest : scatter->guests()) {
            QVERIFY(std::isfinite(guest.at.x()) && std::isfinite(guest.at.y()));
            const QPoint place = scatter->toWidget(guest.at).toPoint();
            QVERIFY(scatter->plotArea().contains(place)); // fitted
            QTest::mouseMove(scatter->viewport(), place);
            QTRY_VERIFY(QToolTip::text().contains(QStringLiteral("I lost my job")));
        }
        // The points are those of the read-outs on the states that were read.
        const auto snapshot = m_session->snapshot();
        const auto kind = session::trialScores(*m_session->trial(), *snapshot, snapshot->layer->people);
        QVERIFY(std::abs(scatter->guests()[0].at.y() - kind[0]) < 1e-9);
        // The kind reply is the kinder one, and a turned judge turns the judgment without the model.
        const double before = session::trialPreference(*m_session->trial(), *snapshot);
        session::Inputs next = m_session->inputs();
        for (auto& principle : next.constitution.principles)
            principle.weight = -principle.weight;
        m_session->edit(QStringLiteral("turn"), next);
        QTRY_VERIFY_WITH_TIMEOUT(settled() && m_session->snapshot() != snapshot, 20000);
        const double after = session::trialPreference(*m_session->trial(), *m_session->snapshot());
        QVERIFY(std::abs(before + after - 1) < 1e-9);
        m_session->clearTrial();
        QVERIFY(scatter->guests().isEmpty());
    }

    void askedToJudgeSaysWhatTheCommandLineSays()
    {
        const QString folder = QString::fromStdString(scratch("asked").string()),
                      file = QString::fromStdString(scratch("asked.json").string());
        commandLine({ QStringLiteral("capture"), QStringLiteral("--input"),
                      QString::fromStdString(somePairs("asked.jsonl", 11).string()),
                      QStringLiteral("--study"), folder });
        open(scratch("asked"));
        auto* tabs = find<QTabBar>("tabs");
        auto* audit = find<QWidget>("auditPanel");
        for (int i = 0; i < tabs->count() && !audit->isVisible(); ++i)
            QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(i).center());
        QVERIFY(audit->isVisible());
        QTest::mouseClick(
            audit->findChild<QWidget*>(QStringLiteral("auditSegments"))
                ->findChild<QAbstractButton*>(QStringLiteral("segment2")),
            Qt::LeftButton);
        auto* run = find<QPushButton>("auditRun");
        QTRY_VERIFY(run->isVisible() && run->isEnabled());
        QTest::mouseClick(run, Qt::LeftButton);
        auto* panel = static_cast<AuditPanel*>(audit);
        QTRY_VERIFY_WITH_TIMEOUT(!panel->table().rows.isEmpty(), 120000);
        QVERIFY(m_session->saveConstitution(file.toStdString()).has_value());
        const auto judged
            = commandLine({ QStringLiteral("judge"), QStringLiteral("--study"), folder,
                            QStringLiteral("--constitution"), file, QStringLiteral("--prompted") });
        int held = 0;
        for (const auto& pair : judged["pairs"]) {
            if (!pair["held_out"].get<bool>())
                continue;
            const QStringList row = panel->table().rows.at(held++);
            QCOMPARE(row[0], QString::fromStdString(pair["id"].get<std::string>()));
            QVERIFY(std::abs(row[1].toDouble() - pair["p"].get<double>()) < 2e-3);
        }
        QCOMPARE(panel->table().rows.size(), qsizetype(held));
        QVERIFY(held >= 3);
        keepPicture(*audit, *m_theme, "audit-asked");
    }

    void captureIsNotHarmedByEditsAndEditsAreNotDelayed()
    {
        const auto input = somePairs("edited.jsonl", 40);
        open(m_session->resources() / "samples/sample");
        QTRY_VERIFY_WITH_TIMEOUT(m_session->sweep() != nullptr, 180000);
        m_session->withModel([] {});
        QTRY_VERIFY_WITH_TIMEOUT(m_session->modelReady(), 60000);
        auto* weight = find<QFrame>("principle0")->findChild<WeightSlider*>(QStringLiteral("weight"));
        const auto drag = [&](int steps, const std::function<bool()>& goOn) {
            std::vector<double> times;
            for (int i = 0; i < steps && goOn(); ++i) {
                const auto before = m_session->snapshot();
                QElapsedTimer timer;
                timer.start();
                weight->setByUser(i % 2 ? 1.5 - 0.01 * (i % 50) : -0.5 - 0.01 * (i % 50));
                const bool shown = QTest::qWaitFor(
                    [&] {
                        return m_session->snapshot()
                            && m_session->snapshot()->inputs.constitution.principles[0].weight
                            == weight->value();
                    },
                    10000);
                if (shown)
                    times.push_back(static_cast<double>(timer.nsecsElapsed()) / 1e6);
            }
            std::sort(times.begin(), times.end());
            return times;
        };
        const auto at = [](const std::vector<double>& sorted, double share) {
            return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
        };
        const std::vector<double> quiet = drag(60, [] { return true; });
        QVERIFY(quiet.size() == 60);
        const auto target = scratch("edited.study");
        m_session->capturePairs(input, target);
        QTRY_VERIFY_WITH_TIMEOUT(m_session->modelLane().busyWith(QStringLiteral("capture")), 20000);
        const std::vector<double> busy
            = drag(400, [&] { return m_session->modelLane().busyWith(QStringLiteral("capture")); });
        qInfo(
            "slider to snapshot: alone median %.1f, 95 %% %.1f ms; during a capture median %.1f, 95 %% %.1f "
            "ms (%zu steps)",
            at(quiet, 0.5), at(quiet, 0.95), at(busy, 0.5), at(busy, 0.95), busy.size());
        QVERIFY(busy.size() >= 30);
        QVERIFY2(at(busy, 0.95) < 250, "an edit waits for the capture");
        QTRY_VERIFY_WITH_TIMEOUT(
            settled() && m_session->foundation()->study->folder() == target && !m_session->modelLane().busy(),
            300000);
        // The same capture without a window beside it.
        const auto calm = scratch("calm.study");
        const auto made = commandLine({ QStringLiteral("capture"), QStringLiteral("--input"),
                                        QString::fromStdString(input.string()), QStringLiteral("--study"),
                                        QString::fromStdString(calm.string()) });
        QVERIFY(made.is_object());
        const auto edited = data::Study::open(target), alone = data::Study::open(calm);
        QVERIFY(edited.has_value() && alone.has_value());
        QVERIFY(!(*edited)->incomplete());
        QCOMPARE((*edited)->set().responses.size(), (*alone)->set().responses.size());
        for (const Layer layer : (*edited)->layers()) {
            const auto a = (*edited)->activations(layer, data::Position::Mean),
                       b = (*alone)->activations(layer, data::Position::Mean);
            QVERIFY(a.has_value() && b.has_value());
            QVERIFY2((*a - *b).norm() <= 2e-3f * b->norm(), layer.label().c_str());
        }
    }

    void typedWordsAndTextsGiveTheCommandLinesNumbers()
    {
        const auto input = somePairs("small.jsonl", 32);
        const auto study = scratch("small.study");
        const auto made = commandLine({ QStringLiteral("capture"), QStringLiteral("--input"),
                                        QString::fromStdString(input.string()), QStringLiteral("--study"),
                                        QString::fromStdString(study.string()) });
        QVERIFY(made.is_object());
        open(study);
        const Layer layer = m_session->snapshot()->inputs.layer;
        auto* card = find<QFrame>("principle0");
        const auto type = [&](const char* field, const QString& text) {
            auto* edit = card->findChild<QLineEdit*>(QLatin1String(field));
            edit->setFocus();
            edit->selectAll();
            QTest::keyClicks(edit, text);
            QTest::keyClick(edit, Qt::Key_Return);
        };
        const QString value = QString::fromStdString(m_session->inputs().constitution.principles[0].value);
        // "gentlehearted" and "gentlemanly" begin alike, "thoughtlessly" is several tokens: the model
        // continues the suffixes with them.
        const QString positive = QStringLiteral("gentlehearted, gentlemanly, gracious"),
                      negative = QStringLiteral("spiteful, thoughtlessly");
        type("positive", positive);
        type("negative", negative);
        const auto known = [&] {
            const auto snapshot = m_session->snapshot();
            return settled() && !m_session->modelLane().busy() && snapshot
                && snapshot->principles[0]->problem.empty() && snapshot->principles[0]->judged.unknown.empty()
                && snapshot->principles[0]->judged.scores.allFinite()
                && constitution::joinWords(snapshot->inputs.constitution.principles[0].positive)
                == positive.toStdString();
        };
        QTRY_VERIFY_WITH_TIMEOUT(known(), 300000);
        const auto row = [&] { // of the table twin
            QTest::mouseClick(find<QToolButton>("constitutionTable"), Qt::LeftButton);
            auto* dialog = m_window->findChild<TableDialog*>();
            const QAbstractItemModel* model
                = dialog->findChild<QTableView*>(QStringLiteral("table"))->model();
            QMap<QString, QString> cells;
            for (int i = 0; i < model->columnCount(); ++i)
                cells[model->headerData(i, Qt::Horizontal).toString()] = model->index(0, i).data().toString();
            delete dialog;
            return cells;
        };
        const auto compare = [&](const nlohmann::json& document) {
            QVERIFY(document.is_object());
            const auto cells = row();
            const auto near = [&](const char* column, double expected) {
                QVERIFY2(
                    std::abs(cells[QLatin1String(column)].toDouble() - expected) < 1e-6,
                    qPrintable(QStringLiteral("%1: %2 in the table, %3 on the command line")
                                   .arg(QLatin1String(column), cells[QLatin1String(column)])
                                   .arg(expected)));
            };
            near("answers agree", document["direct_accuracy"].get<double>());
            const auto& entry = document["layers"][0];
            near("held out", entry["pair_accuracy"].get<double>());
            near("low", entry["pair_accuracy_ci"][0].get<double>());
            near("high", entry["pair_accuracy_ci"][1].get<double>());
            near("AUC", entry["auc"].get<double>());
        };
        const QStringList common{ QStringLiteral("elicit"),
                                  QStringLiteral("--study"),
                                  QString::fromStdString(study.string()),
                                  QStringLiteral("--layer"),
                                  QString::number(layer.row() - 1),
                                  QStringLiteral("--label"),
                                  value };
        compare(commandLine(
            common
            + QStringList{ QStringLiteral("--positive"), positive, QStringLiteral("--negative"), negative }));
        // A text that nobody wrote before: conditioned cloze.
        const QString text = QStringLiteral("Answer as a patient gardener would, never in a hurry.");
        type("text", text);
        auto* menu = card->findChild<QMenu*>(QStringLiteral("principleMenu"));
        Q_EMIT menu->aboutToShow();
        menu->findChild<QAction*>(QStringLiteral("judgeByText"))->trigger();
        int partial = 0; // results stream in: some before all
        connect(m_session.get(), &Session::snapshotChanged, this, [&] {
            const auto& scores = m_session->snapshot()->principles[0]->judged.scores;
            partial += scores.size() > 0 && !scores.allFinite();
        });
        QTRY_VERIFY_WITH_TIMEOUT(
            settled() && !m_session->modelLane().busy()
                && m_session->snapshot()->inputs.constitution.principles[0].way == "conditioned-cloze"
                && m_session->snapshot()->principles[0]->problem.empty()
                && m_session->snapshot()->principles[0]->judged.scores.allFinite(),
            300000);
        compare(commandLine(
            common
            + QStringList{ QStringLiteral("--way"), QStringLiteral("conditioned-cloze"),
                           QStringLiteral("--principle"), text }));
    }

    void anEditedTextIsAnsweredFromRepliesReadAhead()
    {
        open(m_session->resources() / "samples/sample");
        m_session->withModel([] {});
        // With nothing else to do the model reads 32 replies ahead.
        const auto warm = [&] {
            return m_session->modelReady() && !m_session->modelLane().busy()
                && m_session->foundation()->contexts && m_session->foundation()->contexts->count() >= 32;
        };
        QTRY_VERIFY_WITH_TIMEOUT(warm(), 120000);
        session::Inputs inputs = m_session->inputs();
        inputs.constitution.principles[0].text = "Say what an old sailor would say at sea.";
        inputs.constitution.principles[0].way = "conditioned-cloze";
        QElapsedTimer timer;
        timer.start();
        m_session->edit(QStringLiteral("text"), inputs);
        const auto answered = [&]() -> Eigen::Index {
            const auto snapshot = m_session->snapshot();
            if (snapshot->inputs.constitution.principles[0].way != "conditioned-cloze")
                return 0;
            return snapshot->principles[0]->judged.scores.array().isFinite().count();
        };
        QTRY_VERIFY_WITH_TIMEOUT(answered() >= 32, 60000);
        qInfo(
            "an edited text: the first %d judgments after %lld ms", static_cast<int>(answered()),
            timer.elapsed());
        QVERIFY2(timer.elapsed() < 5000, "as slow as reading the replies first");
        m_session->modelLane().cancelAll();
        QTRY_VERIFY_WITH_TIMEOUT(!m_session->modelLane().busy(), 60000);
    }

    void polesAreProposedByTheModelWhereNoTemplateFits()
    {
        open(m_session->resources() / "samples/sample");
        const QString text = QStringLiteral("Praise the person and all that they did.");
        auto* card = find<QFrame>("principle0");
        auto* edit = card->findChild<QLineEdit*>(QStringLiteral("text"));
        edit->setFocus();
        edit->selectAll();
        QTest::keyClicks(edit, text);
        QTest::keyClick(edit, Qt::Key_Return);
        const auto before = m_session->inputs().constitution;
        auto* menu = card->findChild<QMenu*>(QStringLiteral("principleMenu"));
        menu->findChild<QAction*>(QStringLiteral("proposePoles"))->trigger();
        const auto& now = m_session->inputs().constitution;
        QTRY_VERIFY_WITH_TIMEOUT(!(m_session->inputs().constitution == before), 120000);
        // The words that the command line prints, in one step.
        const auto printed = commandLine(
            { QStringLiteral("elicit"), QStringLiteral("--principle"), text, QStringLiteral("--propose") });
        QVERIFY(printed.is_object());
        const auto& proposals = printed["proposals"];
        QCOMPARE(proposals.size(), std::size_t(2));
        QVERIFY(proposals[0]["positive"].empty()); // no template fits
        using Words = std::vector<std::string>;
        QCOMPARE(now.principles[0].positive, proposals[1]["positive"].get<Words>());
        QCOMPARE(now.principles[0].negative, proposals[1]["negative"].get<Words>());
        m_session->undoStack().undo();
        QCOMPARE(m_session->inputs().constitution, before);
    }
};

QTEST_MAIN(TestWindowModel)
#include "tst_window_model.moc"
