#include "ui/shell/main_window.h"

#include "ui/panels/constitution_panel.h"
#include "ui/panels/judgments_panel.h"
#include "ui/panels/layers_panel.h"
#include "ui/panels/policy_panel.h"
#include "ui/panels/projection_panel.h"
#include "ui/panels/start_panel.h"
#include "ui/panels/table_dialog.h"
#include "ui/panels/try_panel.h"
#include "ui/plots/scatter_view.h"
#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"
#include "ui/widgets/job_indicator.h"
#include "ui/widgets/layer_scrubber.h"
#include "ui/widgets/message_bar.h"

#include <QAction>
#include <QCloseEvent>
#include <QCompleter>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QSettings>
#include <QSplitter>
#include <QStackedWidget>
#include <QStandardItemModel>
#include <QTabBar>
#include <QTextBrowser>
#include <QToolButton>
#include <cmath>

namespace lodestone::ui {

MainWindow::MainWindow(Theme& theme, Session& session)
    : m_theme(theme)
    , m_session(session)
{
    setObjectName(QStringLiteral("mainWindow"));
    setWindowTitle(tr("Lodestone"));
    const Palette& look = theme.palette();
    auto* root = new QWidget(this);
    auto* column = new QVBoxLayout(root);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    makeActions();
    column->addWidget(makeTopBar());
    m_messages = new MessageBar(theme, root);
    m_messages->setObjectName(QStringLiteral("messages"));
    column->addWidget(m_messages);

    m_pages = new QStackedWidget(root);
    m_pages->setObjectName(QStringLiteral("pages"));
    auto* start = new StartPanel(theme, session, m_pages);
    m_pages->addWidget(start);

    auto* work = new QSplitter(Qt::Vertical, m_pages);
    work->setObjectName(QStringLiteral("workSplitter"));
    work->setHandleWidth(1);
    work->setChildrenCollapsible(false);
    auto* upper = new QSplitter(Qt::Horizontal, work);
    upper->setHandleWidth(1);
    upper->setChildrenCollapsible(false);
    m_constitution = new ConstitutionPanel(theme, session, upper);
    m_constitution->setMinimumWidth(look.ipx(288));
    auto* centre = new QWidget(upper);
    setLook(*centre, Look::Ground);
    auto* centreColumn = new QVBoxLayout(centre);
    centreColumn->setContentsMargins(0, look.gapSmall, 0, 0);
    centreColumn->setSpacing(0);
    m_tabs = new QTabBar(centre);
    m_tabs->setObjectName(QStringLiteral("tabs"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    m_places = new QStackedWidget(centre);
    m_projection = new ProjectionPanel(theme, session, m_places);
    m_layers = new LayersPanel(theme, session, m_places);
    auto* trial = new TryPanel(theme, session, m_places);
    m_explanation = new QTextBrowser(centre);
    m_explanation->setObjectName(QStringLiteral("explanation"));
    m_explanation->setFrameShape(QFrame::NoFrame);
    m_explanation->setMaximumHeight(look.ipx(120));
    m_explanation->setAccessibleName(tr("How the meter was measured"));
    m_explanation->hide();
    for (const auto& [name, place] : { std::pair(tr("Projection"), static_cast<QWidget*>(m_projection)),
                                       std::pair(tr("Layers"), static_cast<QWidget*>(m_layers)),
                                       std::pair(tr("Try it"), static_cast<QWidget*>(trial)) }) {
        m_tabs->addTab(name);
        m_places->addWidget(place);
    }
    auto* tabRow = new QHBoxLayout;
    tabRow->setContentsMargins(look.padPanel, 0, look.padPanel, 0);
    tabRow->addWidget(m_tabs);
    tabRow->addStretch(1);
    centreColumn->addLayout(tabRow);
    centreColumn->addWidget(m_explanation);
    centreColumn->addWidget(m_places, 1);
    m_judgments = new JudgmentsPanel(theme, session, upper);
    m_judgments->setMinimumWidth(look.ipx(300));
    upper->addWidget(m_constitution);
    upper->addWidget(centre);
    upper->addWidget(m_judgments);
    upper->setStretchFactor(1, 1);
    upper->setSizes({ look.ipx(312), look.ipx(760), look.ipx(368) });
    m_policy = new PolicyPanel(theme, session, work);
    m_policy->setMinimumHeight(look.ipx(190));
    work->addWidget(upper);
    work->addWidget(m_policy);
    work->setStretchFactor(0, 1);
    work->setSizes({ look.ipx(620), look.ipx(210) });
    m_pages->addWidget(work);
    column->addWidget(m_pages, 1);
    column->addWidget(makeFoot());
    setCentralWidget(root);
    setMinimumSize(look.ipx(960), look.ipx(600));
    resize(1440, 900);

    connect(m_tabs, &QTabBar::currentChanged, this, [this](int tab) {
        m_places->setCurrentIndex(tab);
        m_explanation->setVisible(tab == 0 && !m_explanation->toPlainText().isEmpty());
    });
    connect(
        m_projection, &ProjectionPanel::explainRequested, this,
        [this](const QString& title, const QString& html) {
            m_explanation->setHtml(
                html.isEmpty() ? QString() : QStringLiteral("<b>%1</b>%2").arg(title, html));
            m_explanation->setVisible(!html.isEmpty());
        });
    connect(m_projection, &ProjectionPanel::tableRequested, this, [this] {
        showTable([this] { return m_projection->table(); });
    });
    connect(m_projection, &ProjectionPanel::pictureRequested, this, &MainWindow::exportPicture);
    connect(m_layers, &LayersPanel::tableRequested, this, [this] {
        showTable([this] { return m_layers->table(); });
    });
    connect(m_judgments, &JudgmentsPanel::tableRequested, this, [this] {
        showTable([this] { return m_judgments->table(); });
    });
    connect(m_policy, &PolicyPanel::tableRequested, this, [this] {
        showTable([this] { return m_policy->table(); });
    });
    connect(m_constitution, &ConstitutionPanel::tableRequested, this, [this] {
        showTable([this] {
            TextTable table;
            table.title = tr("Principles and their evidence");
            table.header = { tr("principle"), tr("way"),           tr("positive"), tr("negative"),
                             tr("weight"),    tr("answers agree"), tr("held out"), tr("low"),
                             tr("high"),      tr("AUC"),           tr("linear"),   tr("problem") };
            if (const auto snapshot = m_session.snapshot())
                for (std::size_t i = 0; i < snapshot->principles.size(); ++i) {
                    const auto& stage = *snapshot->principles[i];
                    const auto& principle = snapshot->inputs.constitution.principles[i];
                    const auto text = [](double value) {
                        return std::isfinite(value) ? QString::number(value, 'g', 8) : QString();
                    };
                    table.rows.push_back(
                        { QString::fromStdString(principle.name), QString::fromStdString(principle.way),
                          QString::fromStdString(constitution::joinWords(principle.positive)),
                          QString::fromStdString(constitution::joinWords(principle.negative)),
                          text(principle.weight), text(stage.direct.accuracy.value),
                          text(stage.aboutValue.accuracy.value), text(stage.aboutValue.accuracy.interval.low),
                          text(stage.aboutValue.accuracy.interval.high), text(stage.aboutValue.auc.value),
                          text(stage.direction.linearity), QString::fromStdString(stage.problem) });
                }
            return table;
        });
    });
    connect(start, &StartPanel::openSampleRequested, this, [this] {
        m_session.openStudy(m_session.resources() / "samples/sample");
    });
    connect(start, &StartPanel::openStudyRequested, this, &MainWindow::chooseStudy);
    connect(start, &StartPanel::openPairsRequested, this, &MainWindow::choosePairs);
    connect(m_scrubber, &LayerScrubber::layerRowChanged, this, [this](int row) {
        session::Inputs next = m_session.inputs();
        const auto layers = m_session.foundation()->study->layers();
        if (row < 0 || row >= static_cast<int>(layers.size()))
            return;
        next.layer = layers[static_cast<std::size_t>(row)];
        m_session.edit(
            tr("Change the layer"), next,
            QStringLiteral("layer")); // steps of a drag, one after another, are one entry
    });
    connect(&session, &Session::studyChanged, this, [this] {
        m_pages->setCurrentIndex(1);
        m_messages->clear();
        refreshTop();
        fillSearch();
    });
    connect(&session, &Session::inputsChanged, this, &MainWindow::refreshTop);
    connect(&session, &Session::sweepChanged, this, &MainWindow::refreshTop);
    connect(&session, &Session::snapshotChanged, this, [this] {
        refreshFoot();
        for (TableDialog* table : findChildren<TableDialog*>())
            table->refresh();
    });
    connect(&session, &Session::modelChanged, this, &MainWindow::refreshFoot);
    connect(&session.selection(), &Selection::rowsChanged, this, &MainWindow::refreshFoot);
    connect(&session, &Session::failed, this, [this](const QString& message, const QString& details) {
        const bool model = message.contains(QLatin1String("app/run model"));
        m_messages->showMessage(Tone::Error, message, details, model ? tr("Fetch the model") : QString());
    });
    connect(&session, &Session::noted, this, [this](const QString& message) {
        m_messages->showMessage(Tone::Neutral, message);
    });
    connect(m_messages, &MessageBar::actionTriggered, &session, &Session::fetchModel);
    for (Lane* lane : { &session.modelLane(), &session.sweepLane(), &session.recomputeLane() }) {
        connect(lane, &Lane::progressed, this, [this](const QString&, const Progress& progress) {
            showProgress(progress);
        });
        connect(lane, &Lane::finished, this, [this] {
            if (!m_session.modelLane().busy() && !m_session.sweepLane().busy()
                && !m_session.recomputeLane().busy())
                m_job->clear();
        });
    }
    connect(m_job, &JobIndicator::cancelRequested, this, [this] {
        m_job->setCancelling();
        m_session.modelLane().cancelAll();
        m_session.sweepLane().cancelAll();
    });
    connect(&session.undoStack(), &QUndoStack::indexChanged, this, [this] {
        QUndoStack& stack = m_session.undoStack();
        m_undo->setEnabled(stack.canUndo());
        m_undo->setToolTip(stack.canUndo() ? tr("Undo: %1").arg(stack.undoText()) : tr("Nothing to undo"));
        m_redo->setEnabled(stack.canRedo());
        m_redo->setToolTip(stack.canRedo() ? tr("Redo: %1").arg(stack.redoText()) : tr("Nothing to redo"));
    });
    refreshTop();
    refreshFoot();
    fillSearch();
    QSettings settings;
    if (settings.contains(QStringLiteral("geometry")))
        restoreGeometry(settings.value(QStringLiteral("geometry")).toByteArray());
}

MainWindow::~MainWindow() = default;

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
    addAction("openStudy", tr("Open a study …"), QKeySequence::Open, [this] { chooseStudy(); });
    addAction("openSample", tr("Open the sample study"), {}, [this] {
        m_session.openStudy(m_session.resources() / "samples/sample");
    });
    addAction("openRequests", tr("Open the sample of requests"), {}, [this] {
        m_session.openStudy(m_session.resources() / "samples/requests");
    });
    addAction("openPairs", tr("Open my pairs …"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O), [this] {
        choosePairs();
    });
    addAction("openConstitution", tr("Open a constitution …"), {}, [this] { openConstitution(); });
    addAction("saveConstitution", tr("Save the constitution …"), QKeySequence::Save, [this] {
        saveConstitution();
    });
    addAction("exportPicture", tr("Export the picture …"), QKeySequence(Qt::CTRL | Qt::Key_E), [this] {
        exportPicture();
    });
    addAction("showTable", tr("Show the table"), QKeySequence(Qt::CTRL | Qt::Key_T), [this] {
        showTable([this] { return m_tabs->currentIndex() == 1 ? m_layers->table() : m_projection->table(); });
    });
    m_undo = addAction("undo", tr("Undo"), QKeySequence::Undo, [this] { m_session.undoStack().undo(); });
    m_redo = addAction("redo", tr("Redo"), QKeySequence::Redo, [this] { m_session.undoStack().redo(); });
    m_undo->setEnabled(false);
    m_redo->setEnabled(false);
    addAction("addPrincipleAction", tr("Add a principle"), QKeySequence(Qt::CTRL | Qt::Key_N), [this] {
        if (m_session.hasStudy())
            m_constitution->addPrinciple();
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
        m_search->setFocus();
        m_search->selectAll();
    });
    addAction("help", tr("Help"), QKeySequence::HelpContents, [this] { showHelp(); });
    addAction("quit", tr("Quit"), QKeySequence::Quit, [this] { close(); });
}

QWidget* MainWindow::makeTopBar()
{
    const Palette& look = m_theme.palette();
    auto* bar = new QFrame(this);
    bar->setObjectName(QStringLiteral("topBar"));
    setLook(*bar, Look::TopBar);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.gap);
    row->setSpacing(look.gap);
    auto* mark = new QLabel(bar);
    mark->setPixmap(m_theme.icon(QStringLiteral("lodestone")).pixmap(look.ipx(22), look.ipx(22)));
    auto* name = new QLabel(tr("Lodestone"), bar);
    setLook(*name, Look::Title);
    const auto chip = [&](const char* object, const QString& tip) {
        auto* button = new QToolButton(bar);
        button->setObjectName(QLatin1String(object));
        button->setToolTip(tip);
        button->setPopupMode(QToolButton::InstantPopup);
        setLook(*button, Look::Chip);
        return button;
    };
    m_studyName = chip("studyName", tr("The open study"));
    auto* studyMenu = new QMenu(m_studyName);
    for (const char* object : { "openSample", "openRequests", "openStudy", "openPairs" })
        studyMenu->QWidget::addAction(findChild<QAction*>(QLatin1String(object)));
    studyMenu->addSeparator();
    for (const char* object : { "openConstitution", "saveConstitution", "exportPicture", "showTable" })
        studyMenu->QWidget::addAction(findChild<QAction*>(QLatin1String(object)));
    studyMenu->addSeparator();
    for (const char* object : { "light", "dark", "systemColours", "help", "quit" })
        studyMenu->QWidget::addAction(findChild<QAction*>(QLatin1String(object)));
    m_studyName->setMenu(studyMenu);
    m_modelName = chip("modelName", tr("The model that read the study"));
    auto* modelMenu = new QMenu(m_modelName);
    modelMenu->QWidget::addAction(findChild<QAction*>(QStringLiteral("fetchModel")));
    m_modelName->setMenu(modelMenu);
    m_scrubber = new LayerScrubber(m_theme, bar);
    m_scrubber->setObjectName(QStringLiteral("scrubber"));
    m_scrubber->setAccessibleName(tr("Layer"));
    m_scrubber->setMinimumWidth(look.ipx(300));
    m_search = new QLineEdit(bar);
    m_search->setObjectName(QStringLiteral("search"));
    m_search->setPlaceholderText(tr("Find a text or an action … Ctrl+K"));
    m_search->setAccessibleName(tr("Find a text or an action"));
    m_search->setMaximumWidth(look.ipx(244));
    m_search->setMinimumWidth(look.ipx(120));
    connect(m_search, &QLineEdit::returnPressed, this, [this] { search(m_search->text()); });
    const auto icon = [&](QAction* action, const char* name_) {
        auto* button = new QToolButton(bar);
        action->setIcon(m_theme.icon(QLatin1String(name_)));
        button->setDefaultAction(action);
        button->setObjectName(action->objectName() + QStringLiteral("Button"));
        button->setAccessibleName(action->text());
        setLook(*button, Look::Ghost);
        return button;
    };
    auto* present = new QToolButton(bar);
    present->setObjectName(QStringLiteral("presentButton"));
    present->setText(tr("Present"));
    present->setToolTip(tr("One place fills the screen at 1.6 times the type (F5)"));
    setLook(*present, Look::Chip);
    connect(
        present, &QToolButton::clicked, findChild<QAction*>(QStringLiteral("present")), &QAction::trigger);
    row->addWidget(mark);
    row->addWidget(name);
    row->addWidget(m_studyName);
    row->addWidget(m_modelName);
    row->addStretch(1);
    row->addWidget(m_scrubber, 4);
    row->addStretch(1);
    row->addWidget(m_search, 2);
    row->addWidget(icon(m_undo, "undo"));
    row->addWidget(icon(m_redo, "redo"));
    row->addWidget(present);
    return bar;
}

QWidget* MainWindow::makeFoot()
{
    const Palette& look = m_theme.palette();
    auto* foot = new QFrame(this);
    setLook(*foot, Look::FootBar);
    auto* row = new QHBoxLayout(foot);
    row->setContentsMargins(look.padPanel, look.gapSmall, look.padPanel, look.gapSmall);
    row->setSpacing(look.ipx(16));
    const auto label = [&](const char* object) {
        auto* text = new QLabel(foot);
        text->setObjectName(QLatin1String(object));
        setLook(*text, Look::Secondary);
        return text;
    };
    m_modelState = label("modelState");
    m_job = new JobIndicator(m_theme, foot);
    m_job->setObjectName(QStringLiteral("job"));
    m_selected = label("selected");
    m_seed = label("seed");
    m_seed->setTextInteractionFlags(Qt::TextSelectableByMouse);
    row->addWidget(m_modelState);
    row->addWidget(m_job);
    row->addStretch(1);
    row->addWidget(m_selected);
    row->addWidget(m_seed);
    return foot;
}

void MainWindow::showTable(std::function<TextTable()> source)
{
    auto* dialog = new TableDialog(m_theme, std::move(source), this);
    dialog->show();
}

void MainWindow::chooseStudy()
{
    auto* chooser = new QFileDialog(this, tr("Open a study folder"));
    chooser->setAttribute(Qt::WA_DeleteOnClose);
    chooser->setFileMode(QFileDialog::Directory);
    chooser->setOption(QFileDialog::ShowDirsOnly);
    connect(chooser, &QFileDialog::fileSelected, this, [this](const QString& path) {
        m_session.openStudy(path.toStdString());
    });
    chooser->open();
}

void MainWindow::choosePairs()
{
    auto* chooser = new QFileDialog(
        this, tr("Open preference pairs or labelled texts"), {}, tr("Tables (*.jsonl *.json *.csv *.gz)"));
    chooser->setAttribute(Qt::WA_DeleteOnClose);
    chooser->setFileMode(QFileDialog::ExistingFile);
    connect(chooser, &QFileDialog::fileSelected, this, [this](const QString& path) {
        // The study is written beside the file, under its name.
        const std::filesystem::path input = path.toStdString();
        m_session.capturePairs(input, input.parent_path() / (input.stem().string() + ".study"));
    });
    chooser->open();
}

void MainWindow::openConstitution()
{
    auto* chooser = new QFileDialog(this, tr("Open a constitution"), {}, tr("Constitutions (*.json)"));
    chooser->setAttribute(Qt::WA_DeleteOnClose);
    connect(chooser, &QFileDialog::fileSelected, this, [this](const QString& path) {
        m_session.loadConstitution(path.toStdString());
    });
    chooser->open();
}

void MainWindow::saveConstitution()
{
    if (!m_session.hasStudy())
        return m_messages->showMessage(
            Tone::Neutral, tr("Open a study first: the constitution belongs to it."));
    auto* chooser = new QFileDialog(
        this, tr("Save the constitution"), tr("constitution.json"), tr("Constitutions (*.json)"));
    chooser->setAttribute(Qt::WA_DeleteOnClose);
    chooser->setAcceptMode(QFileDialog::AcceptSave);
    connect(chooser, &QFileDialog::fileSelected, this, [this](const QString& path) {
        if (const auto saved = m_session.saveConstitution(path.toStdString()); !saved)
            m_messages->showMessage(Tone::Error, QString::fromStdString(saved.error().message()));
        else
            m_session.undoStack().setClean();
    });
    chooser->open();
}

void MainWindow::exportPicture()
{
    ChartView* chart = m_tabs->currentIndex() == 1 ? static_cast<ChartView*>(&m_layers->chart())
                                                   : &m_projection->scatter();
    auto* chooser
        = new QFileDialog(this, tr("Save the picture"), tr("lodestone.png"), tr("Pictures (*.png)"));
    chooser->setAttribute(Qt::WA_DeleteOnClose);
    chooser->setAcceptMode(QFileDialog::AcceptSave);
    connect(chooser, &QFileDialog::fileSelected, this, [this, chart](const QString& path) {
        if (const QString problem = chart->savePng(path); !problem.isEmpty())
            m_messages->showMessage(Tone::Error, problem);
    });
    chooser->open();
}

void MainWindow::showHelp()
{
    auto* help = new QDialog(this);
    help->setObjectName(QStringLiteral("helpDialog"));
    help->setAttribute(Qt::WA_DeleteOnClose);
    help->setWindowTitle(tr("Help"));
    help->resize(m_theme.palette().ipx(640), m_theme.palette().ipx(520));
    auto* column = new QVBoxLayout(help);
    auto* text = new QTextBrowser(help);
    text->setHtml(
        tr("<h3>What you see</h3>"
           "<p>Every point is a reply, placed by what a local language model's activations say of it. A "
           "<b>value direction</b> is a way through those activations along which replies differ in a value. "
           "At the left the <b>constitution</b>: principles in plain words. The model's own answers to short "
           "neutral words give each principle a direction; the weighted sum (or the projection on their "
           "span) is the judge. "
           "At the right its <b>judgments</b> of pairs beside what people chose. Below, what training on "
           "these judgments would do to the policy.</p>"
           "<h3>How to read it honestly</h3>"
           "<p>“Held out” figures come from prompts that trained nothing; intervals are 95 % over prompts. "
           "Compare every score with the baselines: a random direction, shuffled labels, length alone, a bag "
           "of tokens. “Not found” means that these words do not find this value in this model. "
           "Figures of the linear-Gaussian model are labelled as reconstructions.</p>"
           "<h3>Keys</h3><table>"
           "<tr><td>Ctrl+O</td><td>&nbsp; open a study</td></tr><tr><td>Ctrl+Shift+O</td><td>&nbsp; open my "
           "pairs</td></tr><tr><td>Ctrl+S</td><td>&nbsp; save the "
           "constitution</td></tr><tr><td>Ctrl+E</td><td>&nbsp; export the picture</td></tr>"
           "<tr><td>Ctrl+T</td><td>&nbsp; the same as a table</td></tr><tr><td>Ctrl+Z, "
           "Ctrl+Shift+Z</td><td>&nbsp; undo, redo</td></tr><tr><td>Ctrl+N</td><td>&nbsp; add a "
           "principle</td></tr><tr><td>Ctrl+K</td><td>&nbsp; find a text or an action</td></tr>"
           "<tr><td>Ctrl+0</td><td>&nbsp; show every point</td></tr><tr><td>F5</td><td>&nbsp; "
           "present</td></tr><tr><td>F1</td><td>&nbsp; this help</td></tr>"
           "<tr><td>in the projection</td><td>&nbsp; arrows move, Enter pins, + − zoom, Escape "
           "clears</td></tr></table>"));
    column->addWidget(text);
    help->show();
}

void MainWindow::fillSearch()
{
    auto* model = new QStandardItemModel(m_search);
    for (const QAction* action : actions())
        if (action->objectName() != QLatin1String("find")) {
            auto* item = new QStandardItem(action->text());
            item->setData(action->objectName(), Qt::UserRole);
            model->appendRow(item);
        }
    if (m_session.hasStudy()) {
        const data::ResponseSet& set = m_session.foundation()->study->set();
        for (std::size_t i = 0; i < std::min<std::size_t>(set.responses.size(), 20000); ++i) {
            auto* item = new QStandardItem(
                QString::fromStdString(set.shownText(static_cast<int>(i))).simplified().left(160));
            item->setData(static_cast<int>(i), Qt::UserRole);
            model->appendRow(item);
        }
    }
    auto* completer = new QCompleter(model, m_search);
    completer->setFilterMode(Qt::MatchContains);
    completer->setCaseSensitivity(Qt::CaseInsensitive);
    completer->setMaxVisibleItems(12);
    m_search->setCompleter(completer);
    connect(
        completer, qOverload<const QModelIndex&>(&QCompleter::activated), this,
        [this](const QModelIndex& index) { search(index.data().toString()); });
}

void MainWindow::search(const QString& text)
{
    const QString wanted = text.trimmed();
    if (wanted.isEmpty() || !m_search->completer())
        return;
    const QAbstractItemModel* model = m_search->completer()->model();
    for (const bool exact : { true, false })
        for (int row = 0; row < model->rowCount(); ++row) {
            const QModelIndex index = model->index(row, 0);
            const QString entry = index.data().toString();
            if (exact ? entry.compare(wanted, Qt::CaseInsensitive) != 0
                      : !entry.contains(wanted, Qt::CaseInsensitive))
                continue;
            const QVariant target = index.data(Qt::UserRole);
            m_search->clear();
            if (target.typeId() == QMetaType::QString) {
                if (auto* action = findChild<QAction*>(target.toString()))
                    action->trigger();
            } else {
                m_tabs->setCurrentIndex(0);
                m_session.selection().setPinned(target.toInt(), -1);
                m_session.selection().setRows({ target.toInt() });
            }
            return;
        }
    m_messages->showMessage(Tone::Neutral, tr("Nothing found for “%1”.").arg(wanted));
}

void MainWindow::refreshTop()
{
    const bool open = m_session.hasStudy();
    m_scrubber->setEnabled(open);
    if (!open) {
        m_studyName->setText(tr("No study"));
        m_modelName->setText(tr("No model"));
        return;
    }
    const data::Study& study = *m_session.foundation()->study;
    const std::size_t sampled
        = study.set().responses.size() - std::min(study.set().responses.size(), 2 * study.set().pairs.size());
    QString name
        = tr("%1 · %2 pairs").arg(QString::fromStdString(study.name())).arg(study.set().pairs.size());
    if (sampled > 0 && !study.set().labelled())
        name += tr(", %1 candidates").arg(sampled);
    m_studyName->setText(name);
    m_modelName->setText(QString::fromStdString(study.model().name).left(18));
    const auto layers = study.layers();
    std::vector<double> accuracy(layers.size(), std::numeric_limits<double>::quiet_NaN()), low = accuracy,
                                                                                           high = accuracy;
    QStringList labels;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        labels << QString::fromStdString(layers[i].label());
        if (const session::Sweep* sweep = m_session.sweep())
            for (const session::SweepRow& row : sweep->rows)
                if (row.layer == layers[i]) {
                    const geometry::Estimate& score = sweep->pairs ? row.accuracy : row.auc;
                    accuracy[i] = score.value;
                    low[i] = score.interval.low;
                    high[i] = score.interval.high;
                }
    }
    m_scrubber->setCurve(accuracy, low, high, labels);
    const auto place = std::find(layers.begin(), layers.end(), m_session.inputs().layer) - layers.begin();
    m_scrubber->setLayerRow(static_cast<int>(place));
}

void MainWindow::refreshFoot()
{
    m_modelState->setText(m_session.modelDescription());
    if (!m_session.hasStudy())
        return;
    const int selected = static_cast<int>(m_session.selection().rows().size());
    m_selected->setText(
        selected > 0
            ? tr("%1 of %2 selected").arg(selected).arg(m_session.foundation()->study->set().responses.size())
            : QString());
    const QString hash = QString::fromStdString(m_session.foundation()->study->fingerprint().hex());
    m_seed->setText(
        tr("seed %1 · study %2…%3").arg(m_session.inputs().seed).arg(hash.left(4), hash.right(2)));
    m_seed->setToolTip(
        m_session.snapshot()
            ? tr("study %1\nsnapshot %2")
                  .arg(hash, QString::fromStdString(m_session.snapshot()->fingerprint().hex()))
            : hash);
}

void MainWindow::showProgress(const Progress& progress)
{
    QString text = QString::fromStdString(progress.what);
    if (progress.total > 0)
        text += tr(" %1 of %2").arg(std::lround(progress.done)).arg(std::lround(progress.total));
    if (progress.perSecond > 1)
        text += tr(", %1 %2/s")
                    .arg(std::lround(progress.perSecond))
                    .arg(QString::fromStdString(progress.unit));
    m_job->setJob(text, progress.total > 0 ? progress.done / progress.total : -1, progress.secondsLeft);
}

void MainWindow::setPresenter(bool on)
{
    m_theme.setPresenter(on);
    m_constitution->setVisible(!on);
    m_judgments->setVisible(!on);
    m_policy->setVisible(!on || height() > 900);
}

void MainWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    if (m_policy)
        m_policy->setCompact(width() < m_theme.palette().ipx(1320));
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    QSettings().setValue(QStringLiteral("geometry"), saveGeometry());
    QMainWindow::closeEvent(event);
}

} // namespace lodestone::ui
