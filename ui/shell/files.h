// Choosing files: what is opened and saved by a dialog, and the question about an unsaved constitution.
#pragma once

#include "ui/session/session.h"

#include <functional>

class QWidget;

namespace lodestone::ui {

class MessageBar;
class PictureSource;
class Theme;

/// Every dialog is non-blocking; what goes wrong is said in the message bar.
class Files : public QObject {
    Q_OBJECT
public:
    Files(Session& session, MessageBar& messages, QWidget& window);

    void openStudy();
    void openStudy(const std::filesystem::path& folder);
    void openPairs();
    void openConstitution();
    /// Chooses another constitution and shows it beside the open one.
    void compareConstitution(Theme& theme);
    void compareConstitution(Theme& theme, const std::filesystem::path& path);
    /// `then` runs after a successful save.
    void saveConstitution(std::function<void()> then = {});
    void savePicture(PictureSource& picture, const QString& name);
    /// Runs `then` at once when the constitution is saved or was never edited, else after the user saved it
    /// or chose to drop it; never when the user chose to stay.
    void whenSaved(const std::function<void()>& then);

private:
    Session& m_session;
    MessageBar& m_messages;
    QWidget& m_window;
};

} // namespace lodestone::ui
