// What the constitution finds in this study: one sentence with its doubts, and five meters that explain
// themselves.
#pragma once

#include "ui/session/session.h"

#include <QWidget>
#include <array>

class QLabel;

namespace lodestone::ui {

class MeterCard;
class Theme;

class Finding : public QWidget {
    Q_OBJECT
public:
    Finding(Theme& theme, Session& session, QWidget* parent = nullptr);

Q_SIGNALS:
    /// A meter was clicked: what it measures, as HTML; empty: nothing is to be explained any more.
    void explainRequested(const QString& html);

private:
    void refresh();
    void refreshSentence();
    void refreshMeters();
    void explainMeter(int meter, bool toggle);

    Session& m_session;
    QLabel *m_sentence = nullptr, *m_doubts = nullptr; // all owned by the widget tree
    std::array<MeterCard*, 5> m_meters{};
    int m_explained = -1;
};

} // namespace lodestone::ui
