#include "ui/shell/main_window.h"

#include "ui/panels/audit_panel.h"
#include "ui/panels/constitution_panel.h"
#include "ui/panels/judgments_panel.h"
#include "ui/panels/lab_panel.h"
#include "ui/panels/label_dialog.h"
#include "ui/panels/layers_panel.h"
#include "ui/panels/meters_panel.h"
#include "ui/panels/policy_panel.h"
#include "ui/panels/projection_panel.h"
#include "ui/panels/speak_panel.h"
#include "ui/panels/start_panel.h"
#include "ui/panels/table_dialog.h"
#include "ui/panels/theory_panel.h"
#include "ui/panels/try_panel.h"
#include "ui/panels/ways_panel.h"
#include "ui/plots/heatmap_view.h"
#include "ui/plots/scatter_view.h"
#include "ui/plots/score_view.h"
#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"
#include "ui/shell/files.h"
#include "ui/shell/foot_bar.h"
#include "ui/shell/help_dialog.h"
#include "ui/shell/places.h"
#include "ui/shell/search_field.h"
#include "ui/shell/top_bar.h"
#include "ui/shell/world_dialog.h"
#include "ui/widgets/message_bar.h"

#include <QAction>
#include <QCloseEvent>
#include <QKeyEvent>
#include <QSettings>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

namespace lodestone::ui {

/// The tabs, one line each: name, panel, and where it has them its table and its chart.
void MainWindow::makePlaces(QWidget* parent)
{
    m_places = new Places(m_theme, parent);
    m_projection = new ProjectionPanel(m_theme, m_session, m_places);
    auto* layers = new LayersPanel(m_theme, m_session, m_places);
    auto* meters = new MetersPanel(m_theme, m_session, m_places);
    m_places->add(
        tr("Projection"), m_projection, [this] { return m_projection->table(); },
        [this] { return &m_projection->scatter(); });
    m_places->add(
        tr("Layers"), layers, [layers] { return layers->table(); }, [layers] { return &layers->chart(); });
    auto* ways = new WaysPanel(m_theme, m_session, m_places);
    m_places->add(
        tr("Ways"), ways, [ways] { return ways->table(); }, [ways] { return &ways->chart(); });
    m_places->add(
        tr("Meters"), meters, [meters] { return meters->table(); }, [meters] { return &meters->chart(); });
    auto* lab = new LabPanel(m_theme, m_session, m_places);
    m_places->add(tr("Try it"), new TryPanel(m_theme, m_session, m_places));
    m_places->add(tr("Speak"), new SpeakPanel(m_theme, m_session, m_places));
    auto* theory = new TheoryPanel(m_theme, m_places);
    m_places->add(
        tr("Theory"), theory, [theory] { return theory->table(); }, [theory] { return &theory->chart(); });
    // One click from a figure of the study to its statement, which then stands at the study's values.
    const auto showStatement = [this, theory](const QString& id) {
        theory->choose(id);
        theory->showStudy();
        m_places->show(theory);
    };
    connect(&m_session, &Session::snapshotChanged, theory, [this, theory] {
        theory->setSnapshot(m_session.snapshot());
    });
    connect(m_places, &Places::statementRequested, this, showStatement);
    connect(lab, &LabPanel::statementRequested, this, showStatement);
    connect(ways, &WaysPanel::statementRequested, this, showStatement);
    connect(ways, &WaysPanel::measured, this, &MainWindow::refreshTables);
    connect(ways, &WaysPanel::tableRequested, this, [this, ways] {
        showTable([ways] { return ways->table(); });
    });
    connect(ways, &WaysPanel::pictureRequested, this, [this, ways] {
        m_files->savePicture(ways->chart(), tr("ways"));
    });
    connect(theory, &TheoryPanel::tableRequested, this, [this, theory] {
        showTable([theory] { return theory->table(); });
    });
    connect(theory, &TheoryPanel::pictureRequested, this, [this, theory] {
        m_files->savePicture(theory->chart(), tr("theory"));
    });
    m_places->add(
        tr("Policy lab"), lab, [lab] { return lab->table(); }, [lab] { return lab->chart(); });
    auto* audit = new AuditPanel(m_theme, m_session, m_places);
    m_places->add(
        tr("Audit"), audit, [audit] { return audit->table(); }, [audit] { return &audit->chart(); });
    connect(audit, &AuditPanel::statementRequested, this, showStatement);
    connect(audit, &AuditPanel::measured, this, &MainWindow::refreshTables);
    connect(audit, &AuditPanel::tableRequested, this, [this, audit] {
        showTable([audit] { return audit->table(); });
    });
    connect(audit, &AuditPanel::pictureRequested, this, [this, audit] {
        m_files->savePicture(audit->chart(), tr("audit"));
    });
    connect(lab, &LabPanel::chartChanged, this, &MainWindow::refreshActions);
    connect(lab, &LabPanel::measured, this, &MainWindow::refreshTables);
    connect(lab, &LabPanel::tableRequested, this, [this, lab] { showTable([lab] { return lab->table(); }); });
    connect(m_projection, &ProjectionPanel::explainRequested, this, [this](const QString& html) {
        m_places->explain(m_projection, html);
    });
    connect(m_projection, &ProjectionPanel::tableRequested, this, [this] {
        showTable([this] { return m_projection->table(); });
    });
    connect(m_projection, &ProjectionPanel::pictureRequested, this, [this] {
        m_files->savePicture(m_projection->scatter(), tr("projection"));
    });
    connect(layers, &LayersPanel::measured, this, &MainWindow::refreshTables);
    connect(layers, &LayersPanel::tableRequested, this, [this, layers] {
        showTable([layers] { return layers->table(); });
    });
    connect(layers, &LayersPanel::pictureRequested, this, [this, layers] {
        m_files->savePicture(layers->chart(), tr("layers"));
    });
    connect(meters, &MetersPanel::tableRequested, this, [this, meters] {
        showTable([meters] { return meters->table(); });
    });
    connect(meters, &MetersPanel::pictureRequested, this, [this, meters] {
        m_files->savePicture(meters->chart(), tr("meters"));
    });
}

MainWindow::MainWindow(Theme& theme, Session& session)
    : m_theme(theme)
    , m_session(session)
{
    setObjectName(QStringLiteral("mainWindow"));
    setWindowTitle(tr("Lodestone") + QStringLiteral("[*]"));
    const Palette& look = theme.palette();
    auto* root = new QWidget(this);
    auto* column = new QVBoxLayout(root);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_messages = new MessageBar(theme, root);
    m_messages->setObjectName(QStringLiteral("messages"));
    m_files = new Files(session, *m_messages, *this);
    makeActions();
    m_top = new TopBar(theme, session, *this);
    column->addWidget(m_top);
    column->addWidget(m_messages);
    m_pages = new QStackedWidget(root);
    m_pages->setObjectName(QStringLiteral("pages"));
    auto* start = new StartPanel(theme, session, m_pages);
    m_pages->addWidget(start);
    m_pages->addWidget(makeWork());
    column->addWidget(m_pages, 1);
    column->addWidget(new FootBar(theme, session, root));
    setCentralWidget(root);
    // A click beside the fields takes the focus from them, which completes an edit; no control starts
    // focused.
    root->setFocusPolicy(Qt::ClickFocus);
    root->setFocus();
    setMinimumSize(look.ipx(1160), look.ipx(680));
    resize(1440, 900);

    connect(start, &StartPanel::openSampleRequested, this, [this] {
        m_files->openStudy(m_session.resources() / "samples/sample");
    });
    connect(start, &StartPanel::openStudyRequested, this, [this] { m_files->openStudy(); });
    connect(start, &StartPanel::openPairsRequested, this, [this] { m_files->openPairs(); });
    connect(&m_top->search(), &SearchField::replyFound, this, [this](int row) {
        m_places->show(m_projection);
        m_session.selection().setPinned(row, -1);
        m_session.selection().setRows({ row });
    });
    connect(&m_top->search(), &SearchField::statementFound, m_places, &Places::statementRequested);
    connect(&m_top->search(), &SearchField::termFound, this, &MainWindow::showHelp);
    connect(&m_top->search(), &SearchField::searched, this, [this] {
        if (m_messages->text() == m_nothingFound)
            m_messages->clear();
    });
    connect(&m_top->search(), &SearchField::nothingFound, this, [this](const QString& text) {
        m_nothingFound = tr("Nothing found for “%1”.").arg(text);
        m_messages->showMessage(Tone::Neutral, m_nothingFound);
    });
    connect(m_places, &Places::changed, this, &MainWindow::refreshActions);
    connectSession();
    refreshActions();
    QSettings settings;
    if (settings.contains(QStringLiteral("geometry")))
        restoreGeometry(settings.value(QStringLiteral("geometry")).toByteArray());
}

MainWindow::~MainWindow() = default;

QWidget* MainWindow::makeWork()
{
    const Palette& look = m_theme.palette();
    auto* work = new QSplitter(Qt::Vertical, m_pages);
    work->setObjectName(QStringLiteral("workSplitter"));
    auto* upper = new QSplitter(Qt::Horizontal, work);
    for (QSplitter* splitter : { work, upper }) {
        splitter->setHandleWidth(1);
        splitter->setChildrenCollapsible(false);
    }
    m_constitution = new ConstitutionPanel(m_theme, m_session, upper);
    m_constitution->setMinimumWidth(look.ipx(304));
    makePlaces(upper);
    m_judgments = new JudgmentsPanel(m_theme, m_session, upper);
    m_judgments->setMinimumWidth(look.ipx(300));
    upper->addWidget(m_constitution);
    upper->addWidget(m_places);
    upper->addWidget(m_judgments);
    upper->setStretchFactor(1, 1);
    upper->setSizes({ look.ipx(324), look.ipx(748), look.ipx(368) });
    m_policy = new PolicyPanel(m_theme, m_session, work);
    m_policy->setMinimumHeight(look.ipx(190));
    work->addWidget(upper);
    work->addWidget(m_policy);
    work->setStretchFactor(0, 1);
    work->setSizes({ look.ipx(620), look.ipx(190) });
    connect(m_judgments, &JudgmentsPanel::tableRequested, this, [this] {
        showTable([this] { return m_judgments->table(); });
    });
    connect(m_policy, &PolicyPanel::pictureRequested, this, [this](ChartView* chart) {
        m_files->savePicture(*chart, tr("policy"));
    });
    connect(m_policy, &PolicyPanel::statementRequested, m_places, &Places::statementRequested);
    connect(m_policy, &PolicyPanel::principlesRequested, this, [this] {
        auto* lab = findChild<LabPanel*>();
        m_places->show(lab);
        lab->choose(LabPanel::Principles);
    });
    connect(m_policy, &PolicyPanel::tableRequested, this, [this] {
        showTable([this] { return m_policy->table(); });
    });
    connect(m_constitution, &ConstitutionPanel::compareRequested, this, [this](const QString& path) {
        if (path.isEmpty() || !m_session.hasStudy())
            m_files->compareConstitution(m_theme);
        else
            m_files->compareConstitution(m_theme, path.toStdString());
    });
    connect(m_constitution, &ConstitutionPanel::tableRequested, this, [this] {
        showTable([this] { return m_constitution->table(); });
    });
    return work;
}

void MainWindow::connectSession()
{
    connect(&m_session, &Session::studyChanged, this, [this] {
        m_pages->setCurrentIndex(1);
        m_messages->clear();
        setWindowTitle(QString::fromStdString(m_session.foundation()->study->name()) + tr("[*] – Lodestone"));
        refreshActions();
    });
    connect(&m_session, &Session::inputsChanged, this, [this] {
        setWindowModified(m_session.isModified());
        refreshActions();
    });
    connect(&m_session, &Session::snapshotChanged, this, &MainWindow::refreshTables);
    connect(&m_session, &Session::modelChanged, this, &MainWindow::refreshActions);
    connect(&m_session.selection(), &Selection::rowsChanged, this, &MainWindow::refreshActions);
    connect(&m_session.selection(), &Selection::pinnedChanged, this, &MainWindow::refreshActions);
    connect(&m_session, &Session::failed, this, [this](const QString& message, const QString& details) {
        const bool model = message.contains(QLatin1String("app/run model"));
        m_messages->showMessage(Tone::Error, message, details, model ? tr("Fetch the model") : QString());
        m_offered = [this] { m_session.fetchModel(); };
    });
    connect(&m_session, &Session::noted, this, [this](const QString& message) {
        m_messages->showMessage(Tone::Neutral, message);
    });
    connect(
        &m_session, &Session::badRows, this,
        [this](
            const std::filesystem::path& input, const std::filesystem::path& folder, const QString& message,
            const QString& details) {
            m_messages->showMessage(Tone::Warning, message, details, tr("Leave them out and go on"));
            m_offered = [this, input, folder] {
                m_messages->clear();
                m_session.capturePairs(input, folder, true);
            };
        });
    connect(m_messages, &MessageBar::actionTriggered, this, [this] {
        if (m_offered)
            m_offered();
    });
    connect(&m_session.undoStack(), &QUndoStack::indexChanged, this, &MainWindow::refreshActions);
}

QAction* MainWindow::addAction(
    const char* object, const QString& text, const QKeySequence& key, std::function<void()> run)
{
    auto* action = new QAction(text, this);
    action->setObjectName(QLatin1String(object));
    action->setShortcut(key);
    connect(action, &QAction::triggered, this, [run = std::move(run)] { run(); });
    QMainWindow::addAction(action);
    return action;
}

void MainWindow::makeActions()
{
    addAction("openStudy", tr("Open a study …"), QKeySequence::Open, [this] { m_files->openStudy(); });
    addAction("openSample", tr("Open the sample study"), {}, [this] {
        m_files->openStudy(m_session.resources() / "samples/sample");
    });
    addAction("openRequests", tr("Open the sample of requests"), {}, [this] {
        m_files->openStudy(m_session.resources() / "samples/requests");
    });
    addAction("openPairs", tr("Open my pairs …"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O), [this] {
        m_files->openPairs();
    });
    addAction("drawWorld", tr("Draw a linear world …"), {}, [this] {
        m_files->whenSaved([this] { (new WorldDialog(m_theme, m_session, this))->show(); });
    });
    addAction("openConstitution", tr("Open a constitution …"), {}, [this] { m_files->openConstitution(); });
    addAction("compareConstitution", tr("Compare with a constitution …"), {}, [this] {
        m_files->compareConstitution(m_theme);
    });
    addAction("saveConstitution", tr("Save the constitution …"), QKeySequence::Save, [this] {
        m_files->saveConstitution();
    });
    addAction("exportPicture", tr("Export the picture …"), QKeySequence(Qt::CTRL | Qt::Key_E), [this] {
        if (const auto chart = m_places->chart())
            m_files->savePicture(*chart(), m_places->name().toLower());
    });
    addAction("showTable", tr("Show the table"), QKeySequence(Qt::CTRL | Qt::Key_T), [this] {
        if (auto table = m_places->table())
            showTable(std::move(table));
    });
    addAction("undo", tr("Undo"), QKeySequence::Undo, [this] { m_session.undoStack().undo(); });
    addAction("redo", tr("Redo"), QKeySequence::Redo, [this] { m_session.undoStack().redo(); });
    addAction("addPrincipleAction", tr("Add a principle"), QKeySequence(Qt::CTRL | Qt::Key_N), [this] {
        m_constitution->addPrinciple();
    });
    addAction("labelPairs", tr("Label pairs …"), {}, [this] {
        (new LabelDialog(m_theme, m_session, this))->show();
    });
    addAction("fit", tr("Show every point"), QKeySequence(Qt::CTRL | Qt::Key_0), [this] {
        m_projection->scatter().fit();
    });
    addAction("clearSelection", tr("Clear the selection"), {}, [this] { m_session.selection().clear(); });
    addAction("light", tr("Light colours"), {}, [this] { m_theme.setScheme(ColourScheme::Light); });
    addAction("dark", tr("Dark colours"), {}, [this] { m_theme.setScheme(ColourScheme::Dark); });
    addAction(
        "systemColours", tr("The system's colours"), {}, [this] { m_theme.setScheme(ColourScheme::System); });
    addAction(
        "present", tr("Present"), QKeySequence(Qt::Key_F5), [this] { setPresenter(!m_theme.presenter()); });
    addAction("fetchModel", tr("Fetch the model"), {}, [this] { m_session.fetchModel(); });
    addAction("find", tr("Find a text or an action"), QKeySequence(Qt::CTRL | Qt::Key_K), [this] {
        m_top->search().setFocus(Qt::ShortcutFocusReason);
        m_top->search().selectAll();
    });
    addAction("help", tr("Help"), QKeySequence::HelpContents, [this] { showHelp({}); });
    addAction("quit", tr("Quit"), QKeySequence::Quit, [this] { close(); });
}

/// What cannot be done now is disabled and says why.
void MainWindow::refreshActions()
{
    const auto allow = [this](const char* object, bool on, const QString& why, const QString& tip = {}) {
        auto* action = findChild<QAction*>(QLatin1String(object));
        action->setEnabled(on);
        action->setToolTip(on ? (tip.isEmpty() ? action->text() : tip) : why);
    };
    const bool open = m_session.hasStudy();
    const QString first = tr("Open a study first");
    for (const char* object :
         { "openConstitution", "compareConstitution", "saveConstitution", "addPrincipleAction", "fit" })
        allow(object, open, first);
    const bool pairs = open && !m_session.foundation()->study->set().pairs.empty();
    allow("labelPairs", pairs, open ? tr("This study has no pairs") : first);
    allow("exportPicture", open && m_places->chart(), open ? tr("This place has no picture") : first);
    allow("showTable", open && m_places->table(), open ? tr("This place has no table") : first);
    const Selection& selection = m_session.selection();
    allow(
        "clearSelection", !selection.rows().isEmpty() || selection.pinned() >= 0 || selection.pair() >= 0,
        tr("Nothing is selected"));
    allow("fetchModel", !m_session.modelPresent(), tr("The model is already in the cache"));
    const QUndoStack& stack = m_session.undoStack();
    allow("undo", stack.canUndo(), tr("Nothing to undo"), tr("Undo: %1 (Ctrl+Z)").arg(stack.undoText()));
    allow(
        "redo", stack.canRedo(), tr("Nothing to redo"), tr("Redo: %1 (Ctrl+Shift+Z)").arg(stack.redoText()));
}

void MainWindow::refreshTables()
{
    for (TableDialog* table : findChildren<TableDialog*>())
        table->refresh();
}

void MainWindow::showTable(std::function<TextTable()> source)
{
    auto* dialog = new TableDialog(m_theme, std::move(source), this);
    dialog->show();
}

void MainWindow::showHelp(const QString& term)
{
    for (HelpDialog* shown : findChildren<HelpDialog*>())
        delete shown; // one is enough, at the word asked for last
    auto* dialog = new HelpDialog(m_theme, term, this);
    connect(dialog, &HelpDialog::statementRequested, m_places, &Places::statementRequested);
    dialog->show();
}

void MainWindow::setPresenter(bool on)
{
    m_theme.setPresenter(on);
    m_top->setPresenter(on);
    m_constitution->setVisible(!on);
    m_judgments->setVisible(!on);
    m_policy->setVisible(!on);
}

void MainWindow::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape && m_theme.presenter())
        setPresenter(false);
    else
        QMainWindow::keyPressEvent(event);
}

void MainWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    if (m_policy)
        m_policy->setCompact(width() < m_theme.palette().ipx(1320));
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    if (m_session.isModified() && !m_mayClose) {
        event->ignore();
        m_files->whenSaved([this] {
            m_mayClose = true;
            close();
        });
        return;
    }
    QSettings().setValue(QStringLiteral("geometry"), saveGeometry());
    QMainWindow::closeEvent(event);
}

} // namespace lodestone::ui
