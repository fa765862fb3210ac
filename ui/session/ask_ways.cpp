#include "ui/session/ask_ways.h"

#include "core/constitution/ways.h"

namespace lodestone::ui {

QString askWaysKind() { return QStringLiteral("ask in every way"); }

void askInWays(
    Session& session, std::vector<constitution::Principle> principles, std::vector<std::string> ways)
{
    session.withModel([&session, principles = std::move(principles), ways = std::move(ways)] {
        const auto base = session.sharedFoundation();
        const auto model = session.model();
        if (!base || !model)
            return;
        // A copy is changed; what is shown reads the old one meanwhile.
        using Store = std::shared_ptr<constitution::AnswerStore>;
        const Store store = std::make_shared<constitution::AnswerStore>(*base->answers);
        session.modelLane().run<Store>(
            askWaysKind(),
            [base, model, principles, ways, store](const Work& work) -> Result<Store> {
                constitution::WayContext context = base->wayContext(model.get());
                context.store = store;
                const auto done = constitution::askAhead(ways, principles, context, work);
                // Also what a stop left: it need not be asked again.
                const auto kept = store->save(constitution::cachedAnswers(*base->study));
                if (!done && done.error().kind != ErrorKind::Cancelled)
                    return tl::unexpected(done.error());
                if (!kept)
                    return tl::unexpected(kept.error());
                return store;
            },
            [&session, base](Result<Store> answered) {
                if (!answered)
                    return session.report(answered.error());
                const auto now = session.sharedFoundation();
                if (!now || now->study != base->study)
                    return;
                auto extended = std::make_shared<session::Foundation>(*now);
                extended->answers = std::move(*answered);
                session.extend(std::move(extended));
            });
    });
}

} // namespace lodestone::ui
