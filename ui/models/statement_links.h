// Statement numbers in a text become links to them.
#pragma once

#include "core/theory/statement.h"

#include <QRegularExpression>
#include <QString>

namespace lodestone::ui {

/// "… (T9, T10)" with every number of a statement that exists as a link whose target is the number.
inline QString withStatementLinks(const QString& html)
{
    static const QRegularExpression number(QStringLiteral("\\bT[1-9][0-9]?b?\\b"));
    QString result;
    qsizetype at = 0;
    for (auto matches = number.globalMatch(html); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        const QString id = match.captured();
        result += html.mid(at, match.capturedStart() - at);
        result
            += theory::findStatement(id.toStdString()) ? QStringLiteral("<a href=\"%1\">%1</a>").arg(id) : id;
        at = match.capturedEnd();
    }
    return result + html.mid(at);
}

} // namespace lodestone::ui
