// The one undo command: the whole of the inputs before and after.
#pragma once

#include "ui/session/session.h"

#include <QUndoCommand>

namespace lodestone::ui {

class EditCommand : public QUndoCommand {
public:
    EditCommand(
        Session& session, const QString& text, session::Inputs before, session::Inputs after,
        const QString& merge)
        : QUndoCommand(text)
        , m_session(session)
        , m_before(std::move(before))
        , m_after(std::move(after))
        , m_merge(merge)
    {
    }
    void undo() override { m_session.apply(m_before); }
    void redo() override { m_session.apply(m_after); }
    int id() const override { return m_merge.isEmpty() ? -1 : 1; }
    bool mergeWith(const QUndoCommand* other) override
    {
        const auto* next = static_cast<const EditCommand*>(other);
        if (!m_session.m_mergeOpen || next->m_merge != m_merge)
            return false;
        m_after = next->m_after;
        return true;
    }

private:
    Session& m_session;
    session::Inputs m_before, m_after;
    QString m_merge;
};

} // namespace lodestone::ui
