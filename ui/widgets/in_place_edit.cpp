#include "ui/widgets/in_place_edit.h"

#include "ui/plots/theme.h"

#include <QPainter>
#include <QStyleOptionFrame>

namespace lodestone::ui {

InPlaceEdit::InPlaceEdit(QWidget* parent)
    : QLineEdit(parent)
{
    setLook(*this, Look::InPlace);
}

InPlaceEdit::~InPlaceEdit() = default;

void InPlaceEdit::paintEvent(QPaintEvent* event)
{
    QStyleOptionFrame option;
    initStyleOption(&option);
    const QRect place = style()->subElementRect(QStyle::SE_LineEditContents, &option, this);
    if (hasFocus() || fontMetrics().horizontalAdvance(text()) <= place.width())
        return QLineEdit::paintEvent(event);
    QPainter painter(this);
    style()->drawPrimitive(QStyle::PE_PanelLineEdit, &option, &painter, this);
    painter.setPen(palette().color(isEnabled() ? QPalette::Normal : QPalette::Disabled, QPalette::Text));
    painter.drawText(
        place, Qt::AlignVCenter | Qt::AlignLeft,
        fontMetrics().elidedText(text(), Qt::ElideRight, place.width()));
}

} // namespace lodestone::ui
