#include "ui/session/speaker.h"

#include "core/model/steering.h"

#include <cmath>

namespace lodestone::ui {
namespace {

const QString speakKind = QStringLiteral("speak");

/// What the plain answer depends on.
QString keyOf(const SpeakRequest& request)
{
    return QStringLiteral("%1\n%2 %3 %4")
        .arg(request.prompt)
        .arg(request.sampling.maxTokens)
        .arg(request.sampling.temperature)
        .arg(request.sampling.seed);
}

struct Written {
    QString text;
    double perplexity = std::numeric_limits<double>::quiet_NaN();
};

/// Writes one answer and has the model as it is read it.
Result<Written> write(
    model::LanguageModel& model, const std::vector<text::TokenId>& prompt,
    const model::SamplingOptions& sampling, std::span<const model::Intervention> push, const Work& work,
    const std::function<void(const QString&)>& say)
{
    LODESTONE_TRY(
        const auto completions,
        model::generate(model, prompt, 1, sampling, work, push, [&](int, std::string_view piece) {
            say(QString::fromUtf8(piece.data(), int(piece.size())));
        }));
    Written result{ QString::fromStdString(completions[0].text) };
    std::vector<text::TokenId> whole = prompt;
    whole.insert(whole.end(), completions[0].ids.begin(), completions[0].ids.end());
    LODESTONE_TRY(
        const model::Expectation expected,
        model::expectation(model, whole, prompt.size(), 0, { work.stop, {} }));
    result.perplexity = expected.perplexity;
    return result;
}

} // namespace

Speaker::Speaker(Lane& lane, WithModel withModel, std::function<void(const Error&)> report, QObject* parent)
    : QObject(parent)
    , m_lane(lane)
    , m_withModel(std::move(withModel))
    , m_report(std::move(report))
{
}

bool Speaker::isBroken(double divergence, double plainPerplexity, double pushedPerplexity)
{
    return divergence > 3 || pushedPerplexity > 10 * std::max(plainPerplexity, 1.0);
}

void Speaker::speak(const SpeakRequest& request)
{
    m_speaking = true;
    Q_EMIT changed();
    m_withModel(
        [this, request](const ModelPtr& model) { start(model, request); },
        [this] {
            m_speaking = false;
            Q_EMIT changed();
        });
}

void Speaker::stop()
{
    m_lane.cancel(speakKind);
    ++m_runs; // what is still on its way belongs to no run
    m_speaking = false;
    Q_EMIT changed();
}

void Speaker::post(int run, std::function<void()> change)
{
    QMetaObject::invokeMethod(
        this,
        [this, run, change = std::move(change)] {
            if (run != m_runs)
                return;
            change();
            Q_EMIT changed();
        },
        Qt::QueuedConnection);
}

void Speaker::start(const ModelPtr& model, const SpeakRequest& request)
{
    const int run = ++m_runs;
    const QString key = keyOf(request);
    const bool plainKnown = m_plain.done && m_plainOf == key;
    if (!plainKnown) {
        m_plain = {};
        m_plainOf = key;
    }
    m_pushed = {};
    m_divergence = std::numeric_limits<double>::quiet_NaN();
    m_speaking = true;
    Q_EMIT changed();
    m_lane.run<Outcome>(
        speakKind,
        [this, model, request, plainKnown, run](const Work& work) {
            return this->run(*model, request, plainKnown, run, work);
        },
        [this, run, plainKnown](Result<Outcome> outcome) {
            if (run != m_runs)
                return;
            m_speaking = false;
            if (outcome) {
                if (!plainKnown)
                    m_plain = outcome->plain;
                m_pushed = outcome->pushed;
                m_divergence = outcome->divergence;
            } else
                m_report(outcome.error());
            Q_EMIT changed();
        });
}

Result<Speaker::Outcome> Speaker::run(
    model::LanguageModel& model, const SpeakRequest& request, bool plainKnown, int run, const Work& work)
{
    if (model.sha256() != request.modelSha256)
        return badInput("the model that read this study", model.config().name);
    const auto prompt = model.tokenizer().encode(
        model.chatTemplate().prompt({ { "user", request.prompt.toStdString() } }), text::Special::Parse);
    const model::Intervention push
        = model::addition(request.layer, request.coefficient, request.displacement.cast<float>());
    Outcome outcome;
    // How far the first token moves is known at once and tells most about a push.
    model::Request first;
    first.tokens = prompt;
    first.logits = true;
    LODESTONE_TRY(const auto before, model.read(std::span(&first, 1), {}, work));
    LODESTONE_TRY(const auto after, model.read(std::span(&first, 1), {}, work, std::span(&push, 1)));
    outcome.divergence = model::klDivergence(before[0].nextLogProbabilities, after[0].nextLogProbabilities);
    post(run, [this, value = outcome.divergence] { m_divergence = value; });
    if (!plainKnown) {
        LODESTONE_TRY(
            const Written written,
            write(model, prompt, request.sampling, {}, work, [this, run](const QString& piece) {
                post(run, [this, piece] { m_plain.text += piece; });
            }));
        outcome.plain = { written.text, true, written.perplexity };
        post(run, [this, plain = outcome.plain] { m_plain = plain; });
    }
    LODESTONE_TRY(
        const Written written,
        write(model, prompt, request.sampling, std::span(&push, 1), work, [this, run](const QString& piece) {
            post(run, [this, piece] { m_pushed.text += piece; });
        }));
    outcome.pushed = { written.text, true, written.perplexity };
    return outcome;
}

} // namespace lodestone::ui
