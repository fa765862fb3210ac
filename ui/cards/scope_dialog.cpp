#include "ui/cards/scope_dialog.h"

#include "ui/plots/theme.h"
#include "ui/session/session.h"

#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSpinBox>

namespace lodestone::ui {
namespace {

/// Texts separated by commas, as they stand: a scope may hold several words.
std::vector<std::string> textsOf(const QString& line)
{
    std::vector<std::string> texts;
    for (const QString& part : line.split(QLatin1Char(','), Qt::SkipEmptyParts))
        if (const QString text = part.trimmed(); !text.isEmpty())
            texts.push_back(text.toStdString());
    return texts;
}

QString lineOf(const std::vector<std::string>& texts)
{
    QStringList parts;
    for (const std::string& text : texts)
        parts << QString::fromStdString(text);
    return parts.join(QStringLiteral(", "));
}

} // namespace

ScopeDialog::ScopeDialog(
    Theme& theme, const Session& session, const constitution::Principle& principle, QWidget* parent)
    : QDialog(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("scopeDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Where “%1” applies").arg(QString::fromStdString(principle.name)));
    resize(theme.palette().ipx(480), 0);
    auto* column = new QVBoxLayout(this);
    auto* form = new QFormLayout;
    m_contains = new QLineEdit(lineOf(principle.scope.contains), this);
    m_contains->setObjectName(QStringLiteral("scopeContains"));
    m_contains->setPlaceholderText(tr("every prompt"));
    m_contains->setToolTip(tr("The user asks something that holds one of these texts; separated by commas"));
    m_lacks = new QLineEdit(lineOf(principle.scope.lacks), this);
    m_lacks->setObjectName(QStringLiteral("scopeLacks"));
    m_lacks->setPlaceholderText(tr("none"));
    m_priority = new QSpinBox(this);
    m_priority->setObjectName(QStringLiteral("priority"));
    m_priority->setRange(1, 9);
    m_priority->setValue(principle.priority);
    m_priority->setToolTip(
        tr("1 decides first; a later one decides only where the earlier ones' interval covers a half"));
    form->addRow(tr("Only prompts with"), m_contains);
    form->addRow(tr("But not with"), m_lacks);
    form->addRow(tr("Priority"), m_priority);
    column->addLayout(form);
    m_covers = new QLabel(this);
    m_covers->setObjectName(QStringLiteral("scopeCovers"));
    setLook(*m_covers, Look::Secondary);
    column->addWidget(m_covers);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    for (const QLineEdit* field : { m_contains, m_lacks })
        connect(field, &QLineEdit::textChanged, this, &ScopeDialog::count);
    count();
}

constitution::Scope ScopeDialog::scope() const
{
    return { textsOf(m_contains->text()), textsOf(m_lacks->text()) };
}

int ScopeDialog::priority() const { return m_priority->value(); }

void ScopeDialog::count()
{
    const data::ResponseSet& set = m_session.foundation()->study->set();
    const constitution::Scope wanted = scope();
    std::vector<char> seen(set.prompts.size(), 0);
    int prompts = 0, covered = 0;
    for (std::size_t i = 0; i < set.responses.size(); ++i) {
        const auto prompt = static_cast<std::size_t>(set.responses[i].prompt);
        if (seen[prompt])
            continue;
        seen[prompt] = 1;
        ++prompts;
        covered += wanted.covers(constitution::scopedText(set, static_cast<int>(i))) ? 1 : 0;
    }
    m_covers->setText(
        covered == 0 ? tr("No prompt of this study: the principle would judge nothing.")
                     : tr("%1 of %2 prompts of this study.").arg(covered).arg(prompts));
}

} // namespace lodestone::ui
