// What training on these judgments would do: one slider for the KL penalty, the gains, and the replies that
// move.
#pragma once

#include "ui/models/text_table_model.h"
#include "ui/session/session.h"

#include <QFrame>

class QLabel;
class QSlider;
class QVBoxLayout;

namespace lodestone::ui {

class ChartView;
class SeriesView;
class Theme;

class PolicyPanel : public QFrame {
    Q_OBJECT
public:
    PolicyPanel(Theme& theme, Session& session, QWidget* parent = nullptr);
    TextTable table() const;
    void setCompact(bool on); ///< only slider and one chart, for small windows

    static double betaOf(int position); ///< slider position 0 .. 100 to beta, logarithmic
    static int positionOf(double beta);

Q_SIGNALS:
    void tableRequested();
    void pictureRequested(lodestone::ui::ChartView* chart);
    void statementRequested(const QString& id); ///< a link in its words: "T4"
    void principlesRequested(); ///< which principle costs value

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void refresh();
    void refreshMovers();
    void refreshInputs();

    Theme& m_theme;
    Session& m_session;
    QSlider* m_beta = nullptr; // all owned by the widget tree
    QLabel *m_betaText = nullptr, *m_kl = nullptr, *m_klNote = nullptr, *m_win = nullptr,
           *m_winNote = nullptr, *m_rule = nullptr, *m_value = nullptr, *m_gaussian = nullptr;
    SeriesView *m_gain = nullptr, *m_density = nullptr;
    QWidget* m_movers = nullptr;
    QVector<QLabel*> m_moverLines;
};

} // namespace lodestone::ui
