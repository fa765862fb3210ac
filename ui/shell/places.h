// The tabs of the centre, one place a question, with what each says as a table and as a picture.
#pragma once

#include "ui/models/text_table_model.h"

#include <QVector>
#include <QWidget>
#include <functional>

class QStackedWidget;
class QTabBar;
class QTextBrowser;

namespace lodestone::ui {

class PictureSource;
class Theme;

class Places : public QWidget {
    Q_OBJECT
public:
    using Table = std::function<TextTable()>;
    using Chart = std::function<PictureSource*()>; ///< may return null: nothing to draw yet

    explicit Places(Theme& theme, QWidget* parent = nullptr);

    /// Adds a tab. `table` and `chart` serve "Show the table" and "Export the picture" while it is in front;
    /// a place without them disables these actions.
    void add(const QString& name, QWidget* place, Table table = {}, Chart chart = {});
    int count() const { return static_cast<int>(m_places.size()); }
    int current() const;
    void show(int place);
    void show(QWidget* place);
    /// Of the place in front; empty functions where it has none.
    Table table() const;
    Chart chart() const;
    QString name() const;
    /// Text about a figure of `place`, above it and only while it is in front; empty hides it.
    void explain(QWidget* place, const QString& html);

Q_SIGNALS:
    void changed(); ///< another place is in front
    void statementRequested(const QString& id); ///< a link of the explanation: "T9"

private:
    struct Place {
        QWidget* widget = nullptr;
        Table table;
        Chart chart;
    };
    void showExplanation();

    QVector<Place> m_places;
    QTabBar* m_tabs = nullptr; // owned by the widget tree
    QStackedWidget* m_stack = nullptr;
    QTextBrowser* m_explanation = nullptr;
    QWidget* m_explained = nullptr;
};

} // namespace lodestone::ui
