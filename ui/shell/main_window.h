// The window: where the places stand, the actions, and what connects them.
#pragma once

#include "ui/models/text_table_model.h"
#include "ui/session/session.h"

#include <QMainWindow>
#include <functional>

class QStackedWidget;

namespace lodestone::ui {

class ConstitutionPanel;
class Files;
class JudgmentsPanel;
class MessageBar;
class Places;
class PolicyPanel;
class ProjectionPanel;
class Theme;
class TopBar;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    MainWindow(Theme& theme, Session& session);
    ~MainWindow() override;

protected:
    void closeEvent(QCloseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override; ///< Escape leaves the presentation

private:
    void makeActions();
    QAction*
    addAction(const char* object, const QString& text, const QKeySequence& key, std::function<void()> run);
    QWidget* makeWork();
    void makePlaces(QWidget* parent);
    void connectSession();
    void showTable(std::function<TextTable()> source);
    void refreshActions();
    void showHelp(const QString& term); ///< a word of the glossary; empty: from the top
    void refreshTables(); ///< those open show the figures of now
    void setPresenter(bool on);

    Theme& m_theme;
    Session& m_session;
    MessageBar* m_messages = nullptr; // all owned by the widget tree
    Files* m_files = nullptr;
    TopBar* m_top = nullptr;
    QStackedWidget* m_pages = nullptr;
    Places* m_places = nullptr;
    ConstitutionPanel* m_constitution = nullptr;
    ProjectionPanel* m_projection = nullptr;
    JudgmentsPanel* m_judgments = nullptr;
    PolicyPanel* m_policy = nullptr;
    QString m_nothingFound; ///< the message of the last search in vain
    std::function<void()> m_offered; ///< what the message bar's button does
    bool m_mayClose = false; ///< the question about unsaved edits was answered
};

} // namespace lodestone::ui
