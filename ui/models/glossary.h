// The words that the window uses, each in a sentence or two: what help shows and what the search field finds.
#pragma once

#include <QString>
#include <QVector>

namespace lodestone::ui {

struct Term {
    QString id; ///< anchor in the help: "value-direction"
    QString name; ///< "value direction"
    QString words; ///< what it is; statement numbers in it are links
};

/// In alphabetical order.
const QVector<Term>& glossary();

} // namespace lodestone::ui
