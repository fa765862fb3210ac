#include "ui/cards/mark_row.h"

#include "ui/plots/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <algorithm>

namespace lodestone::ui {
namespace {

/// The mark about these two replies, in either order.
auto markOf(std::vector<constitution::Mark>& marks, const std::string& one, const std::string& other)
{
    return std::find_if(marks.begin(), marks.end(), [&](const constitution::Mark& mark) {
        return (mark.follows == one && mark.breaks == other) || (mark.follows == other && mark.breaks == one);
    });
}

} // namespace

MarkRow::MarkRow(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("markRow"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    m_choice = new QComboBox(this);
    m_choice->setObjectName(QStringLiteral("markPrinciple"));
    m_choice->setAccessibleName(tr("The principle that the example is of"));
    m_choice->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_choice->setMinimumContentsLength(10);
    auto* name = new QLabel(tr("Example of"), this);
    setLook(*name, Look::Secondary);
    row->addWidget(name);
    row->addWidget(m_choice, 1);
    const auto button = [&](const char* object, const QString& text, bool first) {
        auto* one = new QPushButton(text, this);
        one->setObjectName(QLatin1String(object));
        one->setCheckable(true);
        row->addWidget(one);
        connect(one, &QPushButton::clicked, this, [this, first] { mark(first); });
        return one;
    };
    m_first = button("markFirst", tr("A follows it"), true);
    m_second = button("markSecond", tr("B follows it"), false);
    connect(m_choice, &QComboBox::currentIndexChanged, this, &MarkRow::refresh);
    connect(&session, &Session::inputsChanged, this, &MarkRow::refresh);
}

void MarkRow::setPair(int pair)
{
    m_pair = pair;
    refresh();
}

int MarkRow::principle() const
{
    const auto count = static_cast<int>(m_session.inputs().constitution.principles.size());
    const int at = m_choice->currentIndex();
    return m_pair >= 0 && m_session.hasStudy() && at < count ? at : -1;
}

void MarkRow::refresh()
{
    QStringList names, shown;
    for (const constitution::Principle& one : m_session.inputs().constitution.principles)
        names << QString::fromStdString(one.name);
    for (int i = 0; i < m_choice->count(); ++i)
        shown << m_choice->itemText(i);
    if (names != shown) {
        const QSignalBlocker quiet(m_choice);
        const int at = m_choice->currentIndex();
        m_choice->clear();
        m_choice->addItems(names);
        m_choice->setCurrentIndex(
            std::clamp(at, names.isEmpty() ? -1 : 0, static_cast<int>(names.size()) - 1));
    }
    const int at = principle();
    bool first = false, second = false;
    QString tip = tr("Add a principle first");
    if (at >= 0) {
        const session::Foundation& foundation = *m_session.foundation();
        const data::ResponseSet& set = foundation.study->set();
        const data::Pair& pair = set.pairs[static_cast<std::size_t>(m_pair)];
        auto marks = m_session.inputs().constitution.principles[static_cast<std::size_t>(at)].marks;
        const std::string& a = set.responses[static_cast<std::size_t>(pair.chosen)].id;
        const auto found = markOf(marks, a, set.responses[static_cast<std::size_t>(pair.rejected)].id);
        first = found != marks.end() && found->follows == a;
        second = found != marks.end() && !first;
        tip = tr("This reply follows the principle and the other does not. From two examples on, they "
                 "correct "
                 "the direction that the words gave. %1")
                  .arg(
                      foundation.training[static_cast<std::size_t>(pair.chosen)]
                          ? tr("This prompt trains.")
                          : tr("This prompt is held out: its example is kept but does not train, or it would "
                               "score itself."));
    }
    for (QPushButton* button : { m_first, m_second }) {
        button->setEnabled(at >= 0);
        button->setToolTip(tip);
    }
    m_first->setChecked(first);
    m_second->setChecked(second);
}

void MarkRow::mark(bool first)
{
    const int at = principle();
    if (at < 0)
        return;
    const data::ResponseSet& set = m_session.foundation()->study->set();
    const data::Pair& pair = set.pairs[static_cast<std::size_t>(m_pair)];
    std::string follows = set.responses[static_cast<std::size_t>(pair.chosen)].id,
                breaks = set.responses[static_cast<std::size_t>(pair.rejected)].id;
    if (!first)
        std::swap(follows, breaks);
    session::Inputs next = m_session.inputs();
    auto& marks = next.constitution.principles[static_cast<std::size_t>(at)].marks;
    const auto found = markOf(marks, follows, breaks);
    const bool again = found != marks.end() && found->follows == follows;
    if (found != marks.end())
        marks.erase(found);
    if (!again)
        marks.push_back({ follows, breaks });
    m_session.edit(again ? tr("Take an example back") : tr("Mark an example"), next);
}

} // namespace lodestone::ui
