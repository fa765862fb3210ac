#include "ui/panels/policy_panel.h"

#include "core/plot/kernel_density.h"
#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QMouseEvent>
#include <QSlider>
#include <QToolButton>
#include <cmath>

namespace lodestone::ui {
namespace {

constexpr double largestBeta = 10, smallestBeta = 0.02;

} // namespace

double PolicyPanel::betaOf(int position)
{
    return largestBeta * std::pow(smallestBeta / largestBeta, position / 100.0);
}

int PolicyPanel::positionOf(double beta)
{
    return static_cast<int>(
        std::lround(100 * std::log(beta / largestBeta) / std::log(smallestBeta / largestBeta)));
}

PolicyPanel::PolicyPanel(Theme& theme, Session& session, QWidget* parent)
    : QFrame(parent)
    , m_theme(theme)
    , m_session(session)
{
    setObjectName(QStringLiteral("policyPanel"));
    setLook(*this, Look::Panel);
    const Palette& look = theme.palette();
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(look.padPanel, look.padPanel, look.padPanel, look.padPanel);
    row->setSpacing(look.ipx(24));

    auto* left = new QVBoxLayout;
    left->setSpacing(look.gapSmall);
    auto* head = new QHBoxLayout;
    auto* title = new QLabel(tr("Policy update"), this);
    setLook(*title, Look::Title);
    head->addWidget(title);
    head->addStretch(1);
    const auto button = [&](const char* object, const char* icon, const QString& tip) {
        auto* one = new QToolButton(this);
        one->setObjectName(QLatin1String(object));
        one->setIcon(theme.icon(QLatin1String(icon)));
        one->setAccessibleName(tip);
        one->setToolTip(tip);
        setLook(*one, Look::Ghost);
        head->addWidget(one);
        return one;
    };
    auto* table = button("policyTable", "table", tr("Policy as a table"));
    connect(
        button("gainPicture", "image", tr("Save the picture of the gains")), &QToolButton::clicked, this,
        [this] { Q_EMIT pictureRequested(m_gain); });
    connect(
        button("densityPicture", "image", tr("Save the picture of the scores before and after")),
        &QToolButton::clicked, this, [this] { Q_EMIT pictureRequested(m_density); });
    left->addLayout(head);
    auto* slide = new QHBoxLayout;
    auto* symbol = new QLabel(QStringLiteral("β"), this);
    m_beta = new QSlider(Qt::Horizontal, this);
    m_beta->setObjectName(QStringLiteral("beta"));
    m_beta->setAccessibleName(tr("KL penalty beta"));
    m_beta->setToolTip(tr("The KL penalty β (logarithmic): towards the right the policy may move further "
                          "from the base, λ = 1/β"));
    m_beta->setRange(0, 100);
    m_betaText = new QLabel(this);
    m_betaText->setObjectName(QStringLiteral("betaText"));
    m_betaText->setMinimumWidth(look.ipx(36));
    m_betaText->setAlignment(Qt::AlignRight);
    slide->addWidget(symbol);
    slide->addWidget(m_beta, 1);
    slide->addWidget(m_betaText);
    left->addLayout(slide);
    auto* figures = new QHBoxLayout;
    const auto figure = [&](QLabel*& value, QLabel*& note, const char* object) {
        auto* pair = new QVBoxLayout;
        pair->setSpacing(0);
        value = new QLabel(this);
        value->setObjectName(QLatin1String(object));
        setLook(*value, Look::Figure);
        note = new QLabel(this);
        setLook(*note, Look::Small);
        pair->addWidget(value);
        pair->addWidget(note);
        figures->addLayout(pair, 1);
    };
    figure(m_kl, m_klNote, "kl");
    figure(m_win, m_winNote, "winRate");
    m_klNote->setToolTip(tr("KL(π‖base) averaged over prompts; with N candidates it cannot exceed ln N"));
    m_winNote->setToolTip(tr("How often the updated policy's reply is the better one along people's held-out "
                             "direction, ties half"));
    left->addLayout(figures);
    m_rule = new QLabel(this);
    m_rule->setObjectName(QStringLiteral("pool"));
    setLook(*m_rule, Look::Small);
    m_rule->setWordWrap(true);
    m_rule->setToolTip(
        tr("The exact optimum of the KL-regularised objective over these candidates (T3, T37); "
           "effective: 1/Σp², averaged over prompts"));
    left->addWidget(m_rule);
    m_value = new QLabel(this);
    m_value->setObjectName(QStringLiteral("policyValue"));
    setLook(*m_value, Look::Small);
    m_value->setWordWrap(true);
    m_value->setToolTip(tr("Along people's direction, on held-out prompts; 95 % over prompts"));
    m_value->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    connect(m_value, &QLabel::linkActivated, this, &PolicyPanel::principlesRequested);
    left->addWidget(m_value);
    m_gaussian = new QLabel(this);
    m_gaussian->setObjectName(QStringLiteral("gaussian"));
    setLook(*m_gaussian, Look::Small);
    m_gaussian->setWordWrap(true);
    m_gaussian->setToolTip(tr("Closed form in the linear-Gaussian model (T4, a reconstruction): KL = λ²s²/2, "
                              "value gain = λ⟨w*, w_c⟩"));
    m_gaussian->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    connect(m_gaussian, &QLabel::linkActivated, this, &PolicyPanel::statementRequested);
    left->addWidget(m_gaussian);
    left->addStretch(1);
    auto* leftHolder = new QWidget(this);
    leftHolder->setLayout(left);
    left->setContentsMargins(0, 0, 0, 0);
    leftHolder->setFixedWidth(look.ipx(276));
    row->addWidget(leftHolder);

    m_gain = new SeriesView(theme, this);
    m_gain->setObjectName(QStringLiteral("gainChart"));
    m_gain->setSurface(ChartView::Surface::Panel);
    m_gain->setAccessibleName(tr("Gain against the square root of KL"));
    AxisSpec gainX, gainY;
    gainX.title = tr("√KL to the base policy (nats½)");
    gainY.title = tr("gain, sd");
    gainY.ticks = 4;
    m_gain->setAxes(gainX, gainY);
    m_gain->setMarkerMovable(false);
    row->addWidget(m_gain, 3);
    m_density = new SeriesView(theme, this);
    m_density->setObjectName(QStringLiteral("densityChart"));
    m_density->setSurface(ChartView::Surface::Panel);
    m_density->setAccessibleName(tr("Scores before and after"));
    AxisSpec densityX, densityY;
    densityX.title = tr("score along the constitution, before and after");
    densityY.visible = false;
    m_density->setAxes(densityX, densityY);
    row->addWidget(m_density, 3);

    m_movers = new QWidget(this);
    auto* movers = new QVBoxLayout(m_movers);
    movers->setContentsMargins(0, 0, 0, 0);
    movers->setSpacing(look.gapSmall);
    auto* moversTitle = new QLabel(tr("Rose and fell most"), m_movers);
    setLook(*moversTitle, Look::Title);
    movers->addWidget(moversTitle);
    for (int i = 0; i < 6; ++i) {
        auto* line = new QLabel(m_movers);
        line->setObjectName(QStringLiteral("mover%1").arg(i));
        setLook(*line, Look::Secondary);
        line->setTextFormat(Qt::RichText);
        line->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
        line->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
        connect(line, &QLabel::linkActivated, this, [this](const QString& link) {
            m_session.selection().setPinned(link.toInt(), -1);
        });
        movers->addWidget(line);
        m_moverLines.push_back(line);
    }
    movers->addStretch(1);
    row->addWidget(m_movers, 4);

    connect(table, &QToolButton::clicked, this, &PolicyPanel::tableRequested);
    connect(m_beta, &QSlider::valueChanged, this, [this](int position) {
        session::Inputs next = m_session.inputs();
        next.beta = betaOf(position);
        m_session.edit(tr("Change β"), next, QStringLiteral("beta"));
        if (!m_beta->isSliderDown())
            m_session.endMerge();
    });
    connect(m_beta, &QSlider::sliderReleased, this, [this] { m_session.endMerge(); });
    connect(&session, &Session::inputsChanged, this, &PolicyPanel::refreshInputs);
    connect(&session, &Session::snapshotChanged, this, &PolicyPanel::refresh);
    connect(&theme, &Theme::changed, this, &PolicyPanel::refreshMovers); // their links carry a colour
    refreshInputs();
}

void PolicyPanel::setCompact(bool on)
{
    m_density->setVisible(!on);
    findChild<QToolButton*>(QStringLiteral("densityPicture"))->setVisible(!on);
}

void PolicyPanel::refreshInputs()
{
    const QSignalBlocker block(m_beta);
    if (!m_beta->isSliderDown())
        m_beta->setValue(positionOf(m_session.inputs().beta));
    m_betaText->setText(number(m_session.inputs().beta, m_session.inputs().beta < 1 ? 2 : 1, false, true));
    m_beta->setEnabled(m_session.hasStudy());
}

void PolicyPanel::refresh()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return;
    const session::PolicyStage& policy = *snapshot->policy;
    const session::LayerStage& layer = *snapshot->layer;
    const bool none = layer.pool.prompts.empty();
    const bool valued = layer.people.found();
    m_kl->setText(none ? QStringLiteral("–") : number(policy.tilt.kl, 2, false, true));
    m_klNote->setText(
        none                      ? tr("no candidates")
            : layer.poolFromPairs ? tr("KL, nats (≤ ln 2)")
                                  : tr("KL, nats (≤ %1)").arg(number(policy.largestKl, 2)));
    m_win->setText(
        none || !valued ? QStringLiteral("–") : QStringLiteral("%1 %").arg(percent(policy.tilt.winRate)));
    const geometry::Interval& win = policy.intervals.winRate.interval;
    m_winNote->setText(
        none || !valued     ? tr("win rate")
            : win.isKnown() ? tr("win rate, %1–%2").arg(percent(win.low)).arg(percent(win.high))
                            : tr("win rate, one prompt only"));
    m_rule->setText(
        none                      ? tr("No held-out prompt has two replies at this layer.")
            : layer.poolFromPairs ? tr("%1 held-out prompts of two replies, %2 effective")
                                        .arg(layer.pool.prompts.size())
                                        .arg(number(policy.tilt.effectiveSampleSize, 1))
                                  : tr("%1 held-out prompts, %2 replies, %3 effective")
                                        .arg(layer.pool.prompts.size())
                                        .arg(layer.pool.candidates())
                                        .arg(number(policy.tilt.effectiveSampleSize, 1)));
    const geometry::Interval& value = policy.intervals.valueGain.interval;
    m_value->setText(
        none || !valued
            ? QString()
            : tr("People's value %1%2%3")
                  .arg(
                      number(policy.tilt.valueGain, 2, true),
                      value.isKnown() ? tr(" (%1 to %2)").arg(number(value.low, 2), number(value.high, 2))
                                      : QString(),
                      value.isKnown() && value.high < 0 ? tr(". <a href=\"principles\">Why?</a>")
                                                        : QString()));
    m_gaussian->setText(tr("Closed form (<a href=\"T4\">T4</a>): KL %1, value %2")
                            .arg(number(policy.gaussianKl, 2), number(policy.gaussianValueGain, 2, true)));

    Series judged, valuedCurve, closed;
    judged.label = tr("judge's score");
    judged.ink = Ink::constitution();
    valuedCurve.label = tr("people's value,\nheld out");
    valuedCurve.ink = Ink::people();
    closed.label = tr("closed form");
    closed.ink = Ink::secondary();
    closed.stroke = Series::Stroke::Dashed;
    const double scale = snapshot->judge->norm > 0 ? snapshot->judge->norm : 1;
    double last = -1;
    for (const session::CurvePoint& point : policy.curve) {
        const double x = std::sqrt(std::max(0.0, point.kl));
        if (!(x > last + 1e-6))
            continue;
        last = x;
        judged.x.push_back(x);
        judged.y.push_back(point.rewardGain / scale);
        closed.x.push_back(x);
        closed.y.push_back(std::sqrt(2.0) * x);
        if (valued) {
            valuedCurve.x.push_back(x);
            valuedCurve.y.push_back(point.valueGain);
        }
    }
    if (const double x = std::sqrt(std::max(0.0, policy.tilt.kl)); x > last + 1e-6) { // beyond the curve's λ
        judged.x.push_back(x);
        judged.y.push_back(policy.tilt.rewardGain / scale);
        closed.x.push_back(x);
        closed.y.push_back(std::sqrt(2.0) * x);
        if (valued) {
            valuedCurve.x.push_back(x);
            valuedCurve.y.push_back(policy.tilt.valueGain);
        }
    }
    QVector<Series> curves;
    if (!none && !judged.x.empty()) {
        curves << closed << judged;
        if (valued)
            curves << valuedCurve;
    }
    m_gain->setSeries(curves);
    m_gain->setMarker(none ? std::nullopt : std::optional(std::sqrt(std::max(0.0, policy.tilt.kl))));

    std::vector<double> scores, base, after;
    std::size_t at = 0;
    for (const policy::Pool::Prompt& prompt : layer.pool.prompts)
        for (const int row : prompt.rows) {
            scores.push_back(snapshot->judge->rewards[row]);
            base.push_back(1.0 / static_cast<double>(prompt.rows.size()));
            after.push_back(policy.tilt.probabilities[at++]);
        }
    QVector<Series> densities;
    if (!scores.empty() && snapshot->judge->norm > 0) {
        const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
        const double pad = 0.15 * (*high - *low) + 1e-6;
        constexpr int points = 80;
        const auto density = [&](const std::vector<double>& weights, const QString& label, Ink ink) {
            Series series;
            series.label = label;
            series.ink = ink;
            series.filled = true;
            series.labelAt = Series::LabelAt::Peak;
            for (int i = 0; i < points; ++i)
                series.x.push_back(*low - pad + (*high - *low + 2 * pad) * i / (points - 1));
            series.y = plot::kernelDensity(
                scores, weights, *low - pad, *high + pad, points, plot::silvermanBandwidth(scores, base));
            return series;
        };
        densities << density(base, tr("before"), Ink::secondary())
                  << density(after, tr("after"), Ink::constitution());
    }
    m_density->setSeries(densities);

    refreshMovers();
}

void PolicyPanel::resizeEvent(QResizeEvent* event)
{
    QFrame::resizeEvent(event);
    QMetaObject::invokeMethod(this, &PolicyPanel::refreshMovers, Qt::QueuedConnection); // after the layout
}

void PolicyPanel::refreshMovers()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return;
    const session::PolicyStage& policy = *snapshot->policy;
    const bool none = snapshot->layer->pool.prompts.empty();
    std::vector<std::pair<const policy::Change*, bool>> lines;
    for (std::size_t i = 0; i < 3 && i < policy.movers.risen.size(); ++i)
        lines.emplace_back(&policy.movers.risen[i], true);
    for (std::size_t i = 0; i < 3 && i < policy.movers.fallen.size(); ++i)
        lines.emplace_back(&policy.movers.fallen[i], false);
    const data::ResponseSet& set = snapshot->foundation->study->set();
    for (int i = 0; i < m_moverLines.size(); ++i) {
        QLabel& label = *m_moverLines[i];
        if (i >= static_cast<int>(lines.size()) || none) {
            label.setText({});
            continue;
        }
        const auto& [change, rose] = lines[static_cast<std::size_t>(i)];
        QString text = QString::fromStdString(set.shownText(change->row)).simplified();
        label.setToolTip(tr("%1\n\nln(π/base) = %2").arg(text, number(change->logRatio, 2, true)));
        label.setText(
            QStringLiteral("%1 <b>%2</b> <a href=\"%3\" style=\"color:%4; text-decoration:none\">“%5”</a>")
                .arg(rose ? QStringLiteral("▲") : QStringLiteral("▼"), number(change->logRatio, 1, true))
                .arg(change->row)
                .arg(
                    m_theme.palette().secondary.name(),
                    label.fontMetrics()
                        .elidedText(
                            text.left(300), Qt::ElideRight,
                            std::max(m_theme.palette().ipx(80), label.width() - m_theme.palette().ipx(64)))
                        .toHtmlEscaped()));
    }
}

TextTable PolicyPanel::table() const
{
    TextTable table;
    table.title = tr("Policy update");
    table.header = { tr("quantity"), tr("value") };
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return table;
    const session::PolicyStage& policy = *snapshot->policy;
    const auto add = [&](const QString& name, double value) {
        table.rows.push_back({ name, QString::number(value, 'g', 8) });
    };
    add(tr("beta"), snapshot->inputs.beta);
    add(tr("KL, nats"), policy.tilt.kl);
    add(tr("largest KL"), policy.largestKl);
    add(tr("reward gain"), policy.tilt.rewardGain);
    add(tr("value gain"), policy.tilt.valueGain);
    add(tr("win rate"), policy.tilt.winRate);
    add(tr("win rate, low"), policy.intervals.winRate.interval.low);
    add(tr("win rate, high"), policy.intervals.winRate.interval.high);
    add(tr("effective candidates"), policy.tilt.effectiveSampleSize);
    add(tr("Gaussian KL"), policy.gaussianKl);
    add(tr("Gaussian value gain"), policy.gaussianValueGain);
    for (const session::CurvePoint& point : policy.curve)
        table.rows.push_back(
            { tr("curve: λ %1, KL %2").arg(point.lambda, 0, 'g', 5).arg(point.kl, 0, 'g', 5),
              tr("reward %1, value %2").arg(point.rewardGain, 0, 'g', 6).arg(point.valueGain, 0, 'g', 6) });
    return table;
}

} // namespace lodestone::ui
