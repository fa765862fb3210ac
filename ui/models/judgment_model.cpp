#include "ui/models/judgment_model.h"

#include <algorithm>
#include <cmath>

namespace lodestone::ui {

bool JudgmentModel::passes(const judgment::PairJudgment& judged, Filter filter) const
{
    switch (filter) {
    case Filter::All:
        return true;
    case Filter::Disagree:
        return !judged.agrees();
    case Filter::Flipped:
        return m_flipped[static_cast<std::size_t>(judged.pair)];
    case Filter::Unsure:
        return std::abs(judged.p - 0.5) < 0.1;
    }
    return true;
}

void JudgmentModel::setSnapshot(std::shared_ptr<const session::Snapshot> snapshot)
{
    m_snapshot = std::move(snapshot);
    m_flipped.assign(m_snapshot ? m_snapshot->foundation->study->set().pairs.size() : 0, false);
    if (m_snapshot)
        for (const int pair : m_snapshot->flipped)
            m_flipped[static_cast<std::size_t>(pair)] = true;
    rebuild();
}

void JudgmentModel::setFilter(Filter filter)
{
    m_filter = filter;
    rebuild();
}

void JudgmentModel::setRows(const QVector<int>& responses)
{
    m_selected.clear();
    if (!responses.isEmpty() && m_snapshot) {
        m_selected.assign(m_snapshot->foundation->study->set().responses.size(), false);
        for (const int row : responses)
            if (row >= 0 && static_cast<std::size_t>(row) < m_selected.size())
                m_selected[static_cast<std::size_t>(row)] = true;
    }
    rebuild();
}

void JudgmentModel::rebuild()
{
    std::vector<int> visible;
    if (m_snapshot) {
        const auto& pairs = m_snapshot->foundation->study->set().pairs;
        const auto& judged = m_snapshot->judge->pairs;
        for (std::size_t i = 0; i < judged.size(); ++i) {
            const data::Pair& pair = pairs[static_cast<std::size_t>(judged[i].pair)];
            const bool chosen = m_selected.empty() || m_selected[static_cast<std::size_t>(pair.chosen)]
                || m_selected[static_cast<std::size_t>(pair.rejected)];
            if (chosen && passes(judged[i], m_filter))
                visible.push_back(static_cast<int>(i));
        }
    }
    if (visible == m_visible) { // the same rows with new numbers: keeps scroll position and current row
        if (!visible.empty())
            Q_EMIT dataChanged(index(0), index(rowCount() - 1));
        return;
    }
    beginResetModel();
    m_visible = std::move(visible);
    endResetModel();
}

int JudgmentModel::count(Filter filter) const
{
    if (!m_snapshot)
        return 0;
    const auto& judged = m_snapshot->judge->pairs;
    return static_cast<int>(
        std::count_if(judged.begin(), judged.end(), [&](const auto& one) { return passes(one, filter); }));
}

int JudgmentModel::indexOfPair(int pair) const
{
    for (std::size_t i = 0; i < m_visible.size(); ++i)
        if (m_snapshot->judge->pairs[static_cast<std::size_t>(m_visible[i])].pair == pair)
            return static_cast<int>(i);
    return -1;
}

int JudgmentModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_visible.size());
}

QVariant JudgmentModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || !m_snapshot)
        return {};
    const auto& judged
        = m_snapshot->judge
              ->pairs[static_cast<std::size_t>(m_visible[static_cast<std::size_t>(index.row())])];
    const data::ResponseSet& set = m_snapshot->foundation->study->set();
    const data::Pair& pair = set.pairs[static_cast<std::size_t>(judged.pair)];
    switch (role) {
    case PairRole:
        return judged.pair;
    case Qt::DisplayRole:
    case PromptRole:
        return QString::fromStdString(
            set.kind == data::ItemKind::Request ? std::string() : set.promptText(pair.chosen));
    case ChosenRole:
        return QString::fromStdString(set.shownText(pair.chosen));
    case RejectedRole:
        return QString::fromStdString(set.shownText(pair.rejected));
    case ProbabilityRole:
        return judged.p;
    case FlippedRole:
        return static_cast<bool>(m_flipped[static_cast<std::size_t>(judged.pair)]);
    case HeldOutRole:
        return judged.heldOut;
    case ValueRole:
        return QString::fromStdString(pair.value);
    case Qt::AccessibleTextRole:
        return tr("%1: %2 % for the reply people chose, %3")
            .arg(QString::fromStdString(set.promptText(pair.chosen)))
            .arg(std::lround(100 * judged.p))
            .arg(judged.agrees() ? tr("agrees") : tr("disagrees"));
    default:
        return {};
    }
}

} // namespace lodestone::ui
