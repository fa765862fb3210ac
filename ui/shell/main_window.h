// The window: where the places stand, the actions, and what connects them.
#pragma once

#include "ui/models/text_table_model.h"
#include "ui/session/session.h"

#include <QMainWindow>

class QLabel;
class QLineEdit;
class QSplitter;
class QStackedWidget;
class QTabBar;
class QTextBrowser;
class QToolButton;

namespace lodestone::ui {

class ConstitutionPanel;
class JobIndicator;
class JudgmentsPanel;
class LayerScrubber;
class LayersPanel;
class MessageBar;
class PolicyPanel;
class ProjectionPanel;
class Theme;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    MainWindow(Theme& theme, Session& session);
    ~MainWindow() override;

protected:
    void closeEvent(QCloseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    QWidget* makeTopBar();
    QWidget* makeFoot();
    void makeActions();
    QAction*
    addAction(const char* object, const QString& text, const QKeySequence& key, std::function<void()> run);
    void showTable(std::function<TextTable()> source);
    void chooseStudy();
    void choosePairs();
    void openConstitution();
    void saveConstitution();
    void exportPicture();
    void showHelp();
    void search(const QString& text);
    void fillSearch();
    void refreshTop();
    void refreshFoot();
    void showProgress(const Progress& progress);
    void setPresenter(bool on);

    Theme& m_theme;
    Session& m_session;
    QStackedWidget *m_pages = nullptr, *m_places = nullptr; // all owned by the widget tree
    QTabBar* m_tabs = nullptr;
    QToolButton *m_studyName = nullptr, *m_modelName = nullptr;
    LayerScrubber* m_scrubber = nullptr;
    QLineEdit* m_search = nullptr;
    MessageBar* m_messages = nullptr;
    JobIndicator* m_job = nullptr;
    QLabel *m_modelState = nullptr, *m_selected = nullptr, *m_seed = nullptr;
    ConstitutionPanel* m_constitution = nullptr;
    ProjectionPanel* m_projection = nullptr;
    LayersPanel* m_layers = nullptr;
    JudgmentsPanel* m_judgments = nullptr;
    PolicyPanel* m_policy = nullptr;
    QTextBrowser* m_explanation = nullptr;
    QAction *m_undo = nullptr, *m_redo = nullptr;
};

} // namespace lodestone::ui
