// The pairs as the judgments place lists them: filtered, with texts and probabilities.
#pragma once

#include "core/session/snapshot.h"

#include <QAbstractListModel>
#include <memory>
#include <vector>

namespace lodestone::ui {

class JudgmentModel : public QAbstractListModel {
    Q_OBJECT
public:
    enum class Filter { All, Disagree, Flipped, Unsure };
    enum Role {
        PairRole = Qt::UserRole + 1,
        PromptRole,
        ChosenRole,
        RejectedRole,
        ProbabilityRole,
        FlippedRole,
        HeldOutRole,
        ValueRole
    };

    using QAbstractListModel::QAbstractListModel;
    void setSnapshot(std::shared_ptr<const session::Snapshot> snapshot);
    void setFilter(Filter filter);
    void setRows(const QVector<int>& responses); ///< only pairs with one of these replies; empty: all
    int count(Filter filter) const;
    int indexOfPair(int pair) const; ///< row in this model; -1: filtered out

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

private:
    void rebuild();
    bool passes(const judgment::PairJudgment& judged, Filter filter) const;

    std::shared_ptr<const session::Snapshot> m_snapshot;
    std::vector<int> m_visible; ///< indices into the snapshot's judgments
    std::vector<bool> m_flipped; ///< per pair
    std::vector<bool> m_selected; ///< per response; empty: all
    Filter m_filter = Filter::All;
};

} // namespace lodestone::ui
