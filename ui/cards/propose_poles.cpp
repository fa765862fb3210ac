#include "ui/cards/propose_poles.h"

#include "core/constitution/propose.h"
#include "core/formats/lines.h"
#include "ui/models/translated.h"
#include "ui/session/session.h"

#include <sstream>

namespace lodestone::ui {
namespace {

const QString proposeKind = QStringLiteral("propose");

constitution::Principle* principleOf(session::Inputs& inputs, const std::string& id)
{
    for (constitution::Principle& principle : inputs.constitution.principles)
        if (principle.id == id)
            return &principle;
    return nullptr;
}

/// False: the poles are what they were.
bool takeOver(Session& session, const std::string& id, const constitution::PoleProposal& proposal)
{
    session::Inputs next = session.inputs();
    constitution::Principle* target = principleOf(next, id);
    if (!target)
        return true; // removed in the meantime
    const constitution::Principle before = *target;
    target->positive = proposal.positive;
    target->negative = proposal.negative;
    if (target->way == "conditioned-cloze")
        target->way = "cloze";
    if (*target == before)
        return false;
    session.edit(tr("Propose pole words"), next);
    return true;
}

void say(Session& session, const QString& message) { Q_EMIT session.noted(message); }

/// Words of the shipped list, one a line; none where it cannot be read, and then every word counts.
std::vector<std::string> shippedWords(const Session& session)
{
    std::vector<std::string> words;
    if (const auto text = formats::readText(session.resources() / "value_words.txt")) {
        std::istringstream lines(*text);
        for (std::string line; std::getline(lines, line);)
            if (!line.empty() && line[0] != '#')
                words.push_back(line);
    }
    return words;
}

void askModel(
    Session& session, const constitution::Principle& principle, const constitution::Opposites& opposites)
{
    session.withModel([&session, id = principle.id, text = principle.text, opposites] {
        session.modelLane().run<constitution::PoleProposal>(
            proposeKind,
            [model = session.model(), text, opposites, words = shippedWords(session)](const Work& work) {
                return constitution::proposeByModel(text, *model, opposites, words, work);
            },
            [&session, id, text](Result<constitution::PoleProposal> proposal) {
                session::Inputs now = session.inputs();
                const constitution::Principle* target = principleOf(now, id);
                if (!target || target->text != text)
                    return; // another text by now
                if (!proposal)
                    return session.report(proposal.error());
                if (!proposal->usable())
                    say(session,
                        tr("No pole words were found: %1").arg(QString::fromStdString(proposal->problem)));
                else if (!takeOver(session, id, *proposal))
                    say(session, tr("The poles already are the words that the model proposes."));
                else
                    say(session,
                        tr("The text names no word with a known opposite, so the model proposed these. Read "
                           "them "
                           "before you trust them; Ctrl+Z takes them back."));
            });
    });
}

} // namespace

void proposePoles(Session& session, const std::string& id)
{
    session::Inputs inputs = session.inputs();
    const constitution::Principle* principle = principleOf(inputs, id);
    if (!principle)
        return;
    if (QString::fromStdString(principle->text).trimmed().isEmpty())
        return say(session, tr("Write the principle's text first: pole words are proposed from it."));
    const auto opposites = constitution::Opposites::read(session.resources() / "opposites.txt");
    if (!opposites)
        return session.report(opposites.error());
    const constitution::PoleProposal proposal = constitution::proposeByTemplates(principle->text, *opposites);
    if (proposal.usable()) {
        if (!takeOver(session, id, proposal))
            say(session, tr("The poles already are the words that the text proposes."));
        return;
    }
    if (const QString why = session.whyNoModel(); !why.isEmpty())
        return say(
            session,
            tr("No pole words were found: %1 The model was not asked: %2.")
                .arg(QString::fromStdString(proposal.problem), why));
    askModel(session, *principle, *opposites);
}

} // namespace lodestone::ui
