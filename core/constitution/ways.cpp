#include "core/constitution/ways.h"

#include "core/constitution/asking.h"
#include "core/geometry/numbers.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <tuple>

namespace lodestone::constitution {
namespace {

Result<void> checkPrinciple(const Principle& principle, const std::string& way)
{
    if (way == "conditioned-cloze") {
        if (principle.text.find_first_not_of(" \t\r\n") == std::string::npos)
            return badInput("a principle with a text", "an empty one: write one sentence", principle.name);
        if (principle.text.size() > longestText)
            return badInput(
                "a principle of at most about 700 words: shorten it, or split it into several",
                fmt::format("{} bytes", principle.text.size()), principle.name);
        return {};
    }
    if (const std::string problem = problemOf(principle); !problem.empty())
        return badInput("two poles that can be told apart", problem, principle.name);
    return {};
}

/// The questions of all wordings that a context asks for.
std::vector<std::vector<Question>>
formsOf(const std::string& way, const Principle& principle, const WayContext& context)
{
    std::vector<std::vector<Question>> forms;
    for (int form = 0; form < std::clamp(context.paraphrases, 1, 4); ++form)
        forms.push_back(questionsOf(way, principle, context.study->set().kind, form));
    return forms;
}

std::vector<Question> flattened(const std::vector<std::vector<Question>>& forms)
{
    std::vector<Question> all;
    for (const auto& form : forms)
        all.insert(all.end(), form.begin(), form.end());
    return all;
}

bool isSuffixWay(const std::string& way)
{
    return way == "yes-no" || way == "yes-no-statement" || way == "conditioned-cloze";
}

class NamedWay : public Elicitation {
public:
    NamedWay(const WayInfo& info, WayContext context)
        : m_info(info)
        , m_context(std::move(context))
    {
    }
    std::string name() const override { return m_info.name; }
    std::string description() const override { return m_info.sentence; }
    bool needsModel() const override { return m_info.needsModel; }
    Yields yields() const override { return m_info.yields; }

protected:
    const WayInfo& m_info;
    WayContext m_context;
};

/// One number per question and reply; the score is the first question's minus the second's.
class QuestionWay final : public NamedWay {
public:
    using NamedWay::NamedWay;

    Result<Judged>
    judge(const Principle& principle, const Work& work, const PartialSink& partial) const override
    {
        LODESTONE_CHECK(checkPrinciple(principle, name()));
        const auto forms = formsOf(name(), principle, m_context);
        const std::vector<Question> all = flattened(forms);
        if (isSuffixWay(name())) {
            LODESTONE_CHECK(askSuffixes(all, m_context, work, [&] {
                if (partial)
                    partial(combined(forms));
            }));
        } else if (name() == "lat") {
            LODESTONE_CHECK(askLat(all, m_context, work));
        } else
            LODESTONE_CHECK(askRequests(all, {}, m_context, work));
        return combined(forms);
    }

private:
    Judged combined(const std::vector<std::vector<Question>>& forms) const
    {
        const auto n = static_cast<Eigen::Index>(m_context.store->responses());
        const auto column = [&](const Question& question) -> Eigen::VectorXd {
            const Eigen::VectorXf* known = m_context.store->find(question);
            return known ? Eigen::VectorXd(known->cast<double>())
                         : Eigen::VectorXd::Constant(n, geometry::nan);
        };
        Judged judged;
        judged.perSuffix.resize(n, static_cast<Eigen::Index>(forms.size()));
        for (std::size_t f = 0; f < forms.size(); ++f) {
            Eigen::VectorXd score = column(forms[f][0]);
            if (forms[f].size() > 1) {
                const Eigen::VectorXd other = column(forms[f][1]);
                if (f == 0) {
                    judged.positiveAlone = score;
                    judged.negativeAlone = other;
                }
                score -= other;
            }
            judged.perSuffix.col(static_cast<Eigen::Index>(f)) = score;
        }
        judged.scores = judged.perSuffix.rowwise().mean();
        if (name() == "implicit-reward")
            if (const auto likelihoods = m_context.study->likelihoods(); likelihoods && forms.size() >= 1) {
                // Beside what the model says of the reply without any request.
                for (Eigen::Index i = 0; i < n; ++i) {
                    const double given = (*likelihoods)[static_cast<std::size_t>(i)].given;
                    judged.positiveAlone[i] -= given;
                    judged.negativeAlone[i] -= given;
                }
            }
        if (forms.size() == 1)
            judged.perSuffix.resize(0, 0);
        return judged;
    }
};

/// A contrast per wording, averaged.
class DisplacementWay final : public NamedWay {
public:
    using NamedWay::NamedWay;

    Result<Judged> judge(const Principle& principle, const Work& work, const PartialSink&) const override
    {
        LODESTONE_CHECK(checkPrinciple(principle, name()));
        const bool persona = name() == "persona-difference" || name() == "persona-vectors";
        std::vector<Question> questions = flattened(formsOf(name(), principle, m_context));
        if (!persona)
            questions.resize(1);
        if (name() == "persona-difference")
            LODESTONE_CHECK(askRequests({}, questions, m_context, work));
        for (const Question& question : questions)
            if (name() == "persona-vectors") {
                LODESTONE_CHECK(askPersonaVectors(question, m_context, work));
            } else if (name() == "caa") {
                LODESTONE_CHECK(askContrastAnswers(question, m_context, work));
            } else if (name() == "statement-vectors")
                LODESTONE_CHECK(askStatements(question, m_context, work));
        auto contrast = std::make_shared<Contrast>(*m_context.store->findContrast(questions.front()));
        for (std::size_t q = 1; q < questions.size(); ++q)
            contrast->delta += m_context.store->findContrast(questions[q])->delta;
        contrast->delta /= static_cast<float>(questions.size());
        if (questions.size() > 1)
            contrast->templateAgreement = agreement(questions);
        Judged judged;
        judged.contrast = std::move(contrast);
        return judged;
    }

private:
    /// Mean cosine of the wordings' displacements, per layer.
    Eigen::VectorXd agreement(const std::vector<Question>& questions) const
    {
        const Contrast& first = *m_context.store->findContrast(questions.front());
        Eigen::VectorXd result = Eigen::VectorXd::Zero(first.delta.rows());
        int pairs = 0;
        for (std::size_t a = 0; a < questions.size(); ++a)
            for (std::size_t b = a + 1; b < questions.size(); ++b, ++pairs)
                for (Eigen::Index l = 0; l < result.size(); ++l) {
                    const Eigen::VectorXd x = m_context.store->findContrast(questions[a])
                                                  ->delta.row(l)
                                                  .cast<double>()
                                                  .transpose(),
                                          y = m_context.store->findContrast(questions[b])
                                                  ->delta.row(l)
                                                  .cast<double>()
                                                  .transpose();
                    const double norms = x.norm() * y.norm();
                    result[l] += norms > 0 ? x.dot(y) / norms : 0;
                }
        return result / pairs;
    }
};

/// The stored cloze states, all suffixes or one.
class ClozeWay final : public NamedWay {
public:
    using NamedWay::NamedWay;

    Result<Judged> judge(const Principle& principle, const Work& work, const PartialSink&) const override
    {
        std::shared_ptr<const ClozeElicitation> cloze = m_context.cloze;
        // Words outside the study's table need the model.
        if (!cloze->wordsToAsk(principle).empty() && m_context.model
            && m_context.model->sha256() == m_context.study->model().sha256) {
            LODESTONE_TRY(
                cloze, cloze->withAllWords(*m_context.model, *m_context.study, { principle }, work));
        }
        LODESTONE_TRY(Judged judged, cloze->judge(principle, work));
        if (name() == "cloze") {
            std::tie(judged.positiveAlone, judged.negativeAlone) = cloze->polesAlone(principle);
            return judged;
        }
        const std::string wanted = name().substr(std::string("cloze-").size());
        for (std::size_t s = 0; s < cloze->suffixes().size(); ++s)
            if (cloze->suffixes()[s].name == wanted) {
                judged.scores = judged.perSuffix.col(static_cast<Eigen::Index>(s));
                judged.perSuffix.resize(0, 0);
                return judged;
            }
        std::string names;
        for (const data::ClozeSuffix& suffix : cloze->suffixes())
            names += (names.empty() ? "" : ", ") + suffix.name;
        return badInput("a cloze suffix among " + names, "'" + wanted + "'", m_context.study->name());
    }
};

} // namespace

Result<std::unique_ptr<Elicitation>> makeWay(const std::string& name, WayContext context)
{
    const WayInfo* info = findWay(name);
    if (!info)
        return fail(ErrorKind::Usage, "a way among " + wayNames(), "'" + name + "'", "way");
    if (!context.store)
        context.store = std::make_shared<AnswerStore>(
            context.study->model().sha256, context.study->set().responses.size());
    if (!info->needsModel) {
        if (!context.cloze)
            return badInput(
                "a study with cloze states: capture its texts with a model", "none", context.study->name());
        return std::make_unique<ClozeWay>(*info, std::move(context));
    }
    if (info->yields == Yields::Displacement)
        return std::make_unique<DisplacementWay>(*info, std::move(context));
    return std::make_unique<QuestionWay>(*info, std::move(context));
}

bool isAnswered(const std::string& way, std::span<const Principle> principles, const WayContext& context)
{
    const WayInfo* info = findWay(way);
    if (!info || !info->needsModel)
        return info != nullptr;
    const std::vector<int> rows = wantedRows(context);
    for (const Principle& principle : principles) {
        if (!checkPrinciple(principle, way))
            continue;
        std::vector<Question> questions = flattened(formsOf(way, principle, context));
        if (way == "caa" || way == "statement-vectors")
            questions.resize(1);
        for (const Question& question : questions)
            if (info->yields == Yields::Displacement ? !context.store->findContrast(question)
                                                     : isMissing(*context.store, question, rows))
                return false;
    }
    return true;
}

Result<void> askAhead(
    std::span<const std::string> ways, std::span<const Principle> principles, const WayContext& context,
    const Work& work)
{
    std::vector<Question> suffixes, lat, requests, personas;
    for (const std::string& way : ways)
        for (const Principle& principle : principles) {
            if (!checkPrinciple(principle, way))
                continue; // said where the principle is judged
            const std::vector<Question> questions = flattened(formsOf(way, principle, context));
            auto& list = isSuffixWay(way)  ? suffixes
                : way == "lat"             ? lat
                : way == "implicit-reward" ? requests
                                           : personas;
            if (isSuffixWay(way) || way == "lat" || way == "implicit-reward" || way == "persona-difference")
                list.insert(list.end(), questions.begin(), questions.end());
        }
    LODESTONE_CHECK(askSuffixes(suffixes, context, work));
    LODESTONE_CHECK(askLat(lat, context, work));
    // A way that this study cannot put (requests have no replies) is said where the principle is judged.
    const auto goesOn = [](const auto& done) { return done || done.error().kind == ErrorKind::BadInput; };
    if (!requests.empty() || !personas.empty())
        if (auto asked = askRequests(requests, personas, context, work); !goesOn(asked))
            return asked;
    for (const std::string& way : ways)
        if (const WayInfo* info = findWay(way); info && info->yields == Yields::Displacement)
            for (const Principle& principle : principles)
                if (checkPrinciple(principle, way)) {
                    LODESTONE_TRY(const auto strategy, makeWay(way, context));
                    if (const auto done = strategy->judge(principle, work); !goesOn(done))
                        return tl::unexpected(done.error());
                }
    return {};
}

} // namespace lodestone::constitution
