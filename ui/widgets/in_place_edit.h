// A line of text that is edited where it stands, and ends in an ellipsis while nobody edits it.
#pragma once

#include <QLineEdit>

namespace lodestone::ui {

class InPlaceEdit : public QLineEdit {
    Q_OBJECT
public:
    explicit InPlaceEdit(QWidget* parent = nullptr);
    ~InPlaceEdit() override;

protected:
    void paintEvent(QPaintEvent* event) override;
};

} // namespace lodestone::ui
