#include "ui/shell/help_dialog.h"

#include "ui/models/glossary.h"
#include "ui/models/statement_links.h"
#include "ui/plots/theme.h"

#include <QTextBrowser>
#include <QVBoxLayout>

namespace lodestone::ui {

HelpDialog::HelpDialog(Theme& theme, const QString& term, QWidget* parent)
    : QDialog(parent)
{
    setObjectName(QStringLiteral("helpDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Help"));
    resize(theme.palette().ipx(640), theme.palette().ipx(520));
    auto* column = new QVBoxLayout(this);
    auto* text = new QTextBrowser(this);
    text->setObjectName(QStringLiteral("helpText"));
    text->setAccessibleName(tr("Help"));
    text->setOpenLinks(false);
    QString words;
    for (const Term& one : glossary())
        words += QStringLiteral("<p><a name=\"%1\"></a><b>%2</b>: %3</p>")
                     .arg(one.id, one.name.toHtmlEscaped(), withStatementLinks(one.words.toHtmlEscaped()));
    text->setHtml(
        tr("<h3>What you see</h3>"
           "<p>Every point is a reply, placed by what a local language model's activations say of it. A "
           "<b>value direction</b> is a way through those activations along which replies differ in a value. "
           "At the left the <b>constitution</b>: principles in plain words. The model's own answers to short "
           "neutral words give each principle a direction; the weighted sum (or the projection on their "
           "span) is the judge. A card's menu proposes pole words from the principle's text and keeps notes. "
           "At the right its <b>judgments</b> of pairs beside what people chose. Below, what training on "
           "these judgments would do to the policy.</p>"
           "<h3>How to read it honestly</h3>"
           "<p>“Held out” figures come from prompts that trained nothing; intervals are 95 % over prompts. "
           "Compare every score with the baselines: a random direction, shuffled labels, length alone, a bag "
           "of tokens. “Not found” means that these words do not find this value in this model. "
           "Figures of the linear-Gaussian model are labelled as reconstructions.</p>"
           "<h3>Keys</h3><table>"
           "<tr><td>Ctrl+O</td><td>&nbsp; open a study</td></tr><tr><td>Ctrl+Shift+O</td><td>&nbsp; open my "
           "pairs</td></tr><tr><td>Ctrl+S</td><td>&nbsp; save the "
           "constitution</td></tr><tr><td>Ctrl+E</td><td>&nbsp; export the picture</td></tr>"
           "<tr><td>Ctrl+T</td><td>&nbsp; the same as a table</td></tr><tr><td>Ctrl+Z, "
           "Ctrl+Shift+Z</td><td>&nbsp; undo, redo</td></tr><tr><td>Ctrl+N</td><td>&nbsp; add a "
           "principle</td></tr><tr><td>Ctrl+K</td><td>&nbsp; find a text, a word, a statement or an "
           "action</td></tr>"
           "<tr><td>Ctrl+0</td><td>&nbsp; show every point</td></tr><tr><td>F5</td><td>&nbsp; "
           "present</td></tr><tr><td>F1</td><td>&nbsp; this help</td></tr>"
           "<tr><td>in the projection</td><td>&nbsp; arrows move, Enter pins, + − zoom, Escape "
           "clears</td></tr></table><h3>Words</h3>")
        + words);
    column->addWidget(text);
    connect(text, &QTextBrowser::anchorClicked, this, [this](const QUrl& link) {
        Q_EMIT statementRequested(link.toString());
    });
    if (!term.isEmpty()) // once it is laid out
        QMetaObject::invokeMethod(
            text, [text, term] { text->scrollToAnchor(term); }, Qt::QueuedConnection);
}

} // namespace lodestone::ui
