// Lets the model answer one prompt twice, as it is and pushed along a direction, and measures how far the
// push takes it.
#pragma once

#include "core/model/generate.h"
#include "ui/session/lane.h"

#include <QObject>
#include <functional>
#include <limits>

namespace lodestone::ui {

/// What to say and where to push.
struct SpeakRequest {
    QString prompt;
    std::string modelSha256; ///< of the model whose stream the displacement lives in
    Layer layer; ///< at whose output the push is added
    Eigen::VectorXd displacement; ///< Sigma w: one unit raises the score by one standard deviation
    double coefficient = 0;
    model::SamplingOptions sampling;
};

/// One of the two answers, while it is being written and after.
struct Speech {
    QString text;
    bool done = false;
    double perplexity = std::numeric_limits<double>::quiet_NaN(); ///< of the text under the model as it is
};

/// Works on the model lane, where the latest request wins: a drag of the coefficient restarts the pushed
/// answer and keeps the plain one.
class Speaker : public QObject {
    Q_OBJECT
public:
    /// `withModel` loads the model if need be and calls `then` with it on this thread, or `otherwise`.
    using ModelPtr = std::shared_ptr<model::LanguageModel>;
    using WithModel
        = std::function<void(std::function<void(const ModelPtr&)> then, std::function<void()> otherwise)>;
    Speaker(
        Lane& lane, WithModel withModel, std::function<void(const Error&)> report, QObject* parent = nullptr);

    void speak(const SpeakRequest& request);
    void stop(); ///< what is written so far stays

    bool speaking() const { return m_speaking; }
    const Speech& plain() const { return m_plain; }
    const Speech& pushed() const { return m_pushed; }
    /// KL(as it is || pushed) of the first token after the prompt, nats; NaN before it is known.
    double divergence() const { return m_divergence; }
    int runs() const { return m_runs; } ///< answers begun since the start

    /// The push has left what the model can say: the first token's distribution is another one (KL above 3
    /// nats), or the model as it is expects the pushed text ten times less than its own.
    static bool isBroken(double divergence, double plainPerplexity, double pushedPerplexity);

Q_SIGNALS:
    void changed(); ///< text, figures or state

private:
    struct Outcome {
        Speech plain, pushed;
        double divergence = 0;
    };
    void start(const ModelPtr& model, const SpeakRequest& request);
    Result<Outcome>
    run(model::LanguageModel& model, const SpeakRequest& request, bool plainKnown, int run, const Work& work);
    /// Applies `change` on the window's thread if the run is still the latest.
    void post(int run, std::function<void()> change);

    Lane& m_lane;
    WithModel m_withModel;
    std::function<void(const Error&)> m_report;
    QString m_plainOf; ///< prompt and sampling that the plain answer belongs to
    Speech m_plain, m_pushed;
    double m_divergence = std::numeric_limits<double>::quiet_NaN();
    bool m_speaking = false;
    int m_runs = 0;
};

} // namespace lodestone::ui
