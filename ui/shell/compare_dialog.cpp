#include "ui/shell/compare_dialog.h"

#include "core/session/judge_comparison.h"
#include "core/session/pipeline.h"
#include "ui/plots/theme.h"
#include "ui/session/session.h"

#include <QDialogButtonBox>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>

namespace lodestone::ui {
namespace {

enum CompareColumn { NameColumn, HereColumn, ThereColumn, CompareColumns };
/// What a row with a check box stands for, and the id of its principle.
enum Role { KindRole = Qt::UserRole, IdRole };
enum class RowKind { Take, Drop, Mapping };

QString shown(const std::string& text) { return QString::fromStdString(text); }

/// 77 % (70-83)
QString share(const geometry::Estimate& estimate)
{
    const geometry::Interval& interval = estimate.interval;
    return interval.isKnown()
        ? QStringLiteral("%1 % (%2–%3)")
              .arg(percent(estimate.value), percent(interval.low), percent(interval.high))
        : percent(estimate.value) + QStringLiteral(" %");
}

QString poles(const constitution::Principle& principle)
{
    return shown(
        constitution::joinWords(principle.positive) + " / " + constitution::joinWords(principle.negative));
}

} // namespace

CompareDialog::CompareDialog(
    Theme& theme, Session& session, constitution::Constitution other, QWidget* parent)
    : QDialog(parent)
    , m_session(session)
    , m_other(std::move(other))
{
    setObjectName(QStringLiteral("compareDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    const QString here = shown(session.inputs().constitution.name), there = shown(m_other.name);
    setWindowTitle(tr("“%1” beside “%2”").arg(here, there));
    const Palette& look = theme.palette();
    resize(look.ipx(720), look.ipx(480));
    auto* column = new QVBoxLayout(this);
    auto* says = new QLabel(this);
    says->setObjectName(QStringLiteral("compareSays"));
    says->setWordWrap(true);
    setLook(*says, Look::Secondary);
    column->addWidget(says);
    m_judged = new QLabel(this);
    m_judged->setObjectName(QStringLiteral("compareJudged"));
    m_judged->setWordWrap(true);
    column->addWidget(m_judged);
    m_list = new QTreeWidget(this);
    m_list->setObjectName(QStringLiteral("compareList"));
    m_list->setAccessibleName(tr("What differs"));
    m_list->setColumnCount(CompareColumns);
    m_list->setHeaderLabels({ tr("take over"), tr("here"), tr("there") });
    m_list->header()->setSectionResizeMode(HereColumn, QHeaderView::Stretch);
    m_list->setRootIsDecorated(false);
    m_list->setItemsExpandable(false);
    column->addWidget(m_list, 1);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    m_take = buttons->addButton(tr("Take over"), QDialogButtonBox::AcceptRole);
    m_take->setObjectName(QStringLiteral("compareTake"));
    column->addWidget(buttons);
    fill();
    m_list->resizeColumnToContents(NameColumn); // which knows nothing of the box's frame
    m_list->setColumnWidth(NameColumn, m_list->columnWidth(NameColumn) + look.ipx(20));
    says->setText(
        m_list->topLevelItemCount() == 0
            ? tr("No principle differs.")
            : tr("What is ticked becomes as it is in “%1”, in one step that Ctrl+Z takes back.").arg(there));
    connect(buttons, &QDialogButtonBox::accepted, this, &CompareDialog::takeOver);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_list, &QTreeWidget::itemChanged, this, &CompareDialog::refreshButton);
    refreshButton();
    judge();
}

void CompareDialog::judge()
{
    m_judged->setText(tr("Both are being measured on this study …"));
    session::Inputs other = m_session.inputs();
    other.constitution = m_other;
    m_lane.run<session::JudgeComparison>(
        QStringLiteral("compare"),
        [own = m_session.inputs(), other, foundation = m_session.sharedFoundation(),
         shown = m_session.snapshot()](const Work& work) -> Result<session::JudgeComparison> {
            session::Pipeline pipeline(foundation);
            LODESTONE_TRY(const auto first, pipeline.recompute(own, shown, work));
            LODESTONE_TRY(const auto second, pipeline.recompute(other, first, work));
            return session::compareJudges(*first, *second);
        },
        [this](Result<session::JudgeComparison> result) {
            if (!result)
                return m_judged->setText(shown(result.error().message()));
            const auto points = [](double value) { return QString::asprintf("%+.0f", 100 * value); };
            const geometry::Estimate& difference = result->difference;
            m_judged->setText(
                tr("On %1 held-out pairs this one agrees with people in %2, that one in %3: a difference of "
                   "%4 "
                   "points (%5 to %6). They prefer different replies in %7 of the pairs; cos_S of their "
                   "directions %8.")
                    .arg(result->pairs)
                    .arg(
                        share(result->first), share(result->second), points(difference.value),
                        points(difference.interval.low), points(difference.interval.high),
                        share(result->disagree), number(result->cosine, 2, false, true)));
        });
}

void CompareDialog::fill()
{
    const constitution::Constitution& own = m_session.inputs().constitution;
    const constitution::ConstitutionDiff difference = constitution::diff(own, m_other);
    const auto add = [&](const QString& text, const QString& here, const QString& there, RowKind kind,
                         const std::string& id) {
        auto* row = new QTreeWidgetItem(m_list, { text, here, there });
        row->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
        row->setCheckState(NameColumn, Qt::Unchecked);
        row->setData(NameColumn, KindRole, static_cast<int>(kind));
        row->setData(NameColumn, IdRole, shown(id));
        return row;
    };
    for (const auto& change : difference.changed) {
        auto* row = add(shown(change.first.name), {}, {}, RowKind::Take, change.second.id);
        for (const constitution::FieldDifference& field : change.fields) {
            auto* child
                = new QTreeWidgetItem(row, { shown(field.field), shown(field.first), shown(field.second) });
            for (const int at : { HereColumn, ThereColumn })
                child->setToolTip(at, child->text(at));
        }
        row->setExpanded(true);
    }
    for (const constitution::Principle& principle : difference.added)
        add(shown(principle.name), tr("not here"), poles(principle), RowKind::Take, principle.id);
    for (const constitution::Principle& principle : difference.removed)
        add(shown(principle.name), poles(principle), tr("not there: ticked, it is removed here"),
            RowKind::Drop, principle.id);
    if (difference.mappingChanged)
        add(tr("Mapping"), shown(constitution::mappingName(own.mapping)),
            shown(constitution::mappingName(m_other.mapping)), RowKind::Mapping, {});
}

constitution::MergeChoice CompareDialog::chosen() const
{
    constitution::MergeChoice choice;
    for (int i = 0; i < m_list->topLevelItemCount(); ++i) {
        const QTreeWidgetItem* row = m_list->topLevelItem(i);
        if (row->checkState(NameColumn) != Qt::Checked)
            continue;
        const std::string id = row->data(NameColumn, IdRole).toString().toStdString();
        switch (static_cast<RowKind>(row->data(NameColumn, KindRole).toInt())) {
        case RowKind::Take:
            choice.take.push_back(id);
            break;
        case RowKind::Drop:
            choice.drop.push_back(id);
            break;
        case RowKind::Mapping:
            choice.mapping = true;
            break;
        }
    }
    return choice;
}

void CompareDialog::refreshButton()
{
    const bool any = !chosen().empty();
    m_take->setEnabled(any);
    m_take->setToolTip(any ? QString() : tr("Nothing is ticked"));
}

void CompareDialog::takeOver()
{
    session::Inputs next = m_session.inputs();
    auto merged = constitution::merge(next.constitution, m_other, chosen());
    if (!merged)
        return m_session.report(merged.error());
    next.constitution = std::move(*merged);
    m_session.edit(tr("Take over from “%1”").arg(shown(m_other.name)), next);
    accept();
}

} // namespace lodestone::ui
