#include "ui/panels/projection_panel.h"

#include "ui/cards/finding.h"
#include "ui/models/plane.h"
#include "ui/models/point_classes.h"
#include "ui/plots/scatter_view.h"
#include "ui/plots/theme.h"
#include "ui/widgets/swatch.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <algorithm>
#include <cmath>

namespace lodestone::ui {
ProjectionPanel::ProjectionPanel(Theme& theme, Session& session, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_session(session)
{
    setObjectName(QStringLiteral("projectionPanel"));
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.padPanel);
    column->setSpacing(look.gap);
    auto* finding = new Finding(theme, session, this);
    connect(finding, &Finding::explainRequested, this, &ProjectionPanel::explainRequested);
    column->addWidget(finding);

    auto* body = new QHBoxLayout;
    body->setSpacing(look.padPanel);
    m_scatter = new ScatterView(theme, this);
    m_scatter->setObjectName(QStringLiteral("scatter"));
    m_scatter->setAccessibleName(tr("Responses in a plane of value directions"));
    body->addWidget(m_scatter, 1);
    auto* side = new QVBoxLayout;
    side->setSpacing(look.gapSmall);
    auto* tools = new QHBoxLayout;
    tools->setSpacing(0);
    auto* group = new QButtonGroup(this);
    const struct {
        const char* icon;
        QString tip;
        ScatterView::Tool tool;
    } buttons[] = { { "box", tr("Select with a box"), ScatterView::Tool::Box },
                    { "lasso", tr("Select with a lasso"), ScatterView::Tool::Lasso },
                    { "pan", tr("Move the view"), ScatterView::Tool::Pan } };
    for (const auto& entry : buttons) {
        auto* button = new QToolButton(this);
        button->setObjectName(QStringLiteral("tool-") + QLatin1String(entry.icon));
        button->setIcon(theme.icon(QLatin1String(entry.icon)));
        button->setToolTip(entry.tip);
        button->setAccessibleName(entry.tip);
        button->setCheckable(true);
        button->setChecked(entry.tool == ScatterView::Tool::Box);
        button->setFixedSize(look.ipx(22), look.ipx(22));
        button->setStyleSheet(QStringLiteral("padding: 0;"));
        setLook(*button, Look::Ghost);
        group->addButton(button);
        connect(button, &QToolButton::clicked, this, [this, tool = entry.tool] { m_scatter->setTool(tool); });
        tools->addWidget(button);
    }
    const auto tool = [&](const char* object, const char* icon, const QString& tip) {
        auto* button = new QToolButton(this);
        button->setObjectName(QLatin1String(object));
        button->setIcon(theme.icon(QLatin1String(icon)));
        button->setToolTip(tip);
        button->setAccessibleName(tip);
        button->setFixedSize(look.ipx(22), look.ipx(22));
        button->setStyleSheet(QStringLiteral("padding: 0;"));
        setLook(*button, Look::Ghost);
        tools->addWidget(button);
        return button;
    };
    connect(tool("fit", "fit", tr("Show every point")), &QToolButton::clicked, m_scatter, &ScatterView::fit);
    connect(
        tool("scatterTable", "table", tr("The same as a table")), &QToolButton::clicked, this,
        &ProjectionPanel::tableRequested);
    connect(
        tool("scatterPicture", "image", tr("Save the picture")), &QToolButton::clicked, this,
        &ProjectionPanel::pictureRequested);
    tools->addStretch(1);
    side->addLayout(tools);
    const auto combo = [&](const QString& sign, const QString& label, const char* object) {
        auto* line = new QHBoxLayout;
        line->setSpacing(look.gapSmall);
        auto* caption = new QLabel(sign, this);
        caption->setToolTip(label);
        caption->setFixedWidth(look.ipx(14));
        setLook(*caption, Look::Secondary);
        auto* box = new QComboBox(this);
        box->setObjectName(QLatin1String(object));
        box->setAccessibleName(label);
        box->setToolTip(label);
        box->setMinimumContentsLength(8);
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        line->addWidget(caption);
        line->addWidget(box, 1);
        side->addLayout(line);
        return box;
    };
    m_key = new QWidget(this);
    new QVBoxLayout(m_key);
    m_key->layout()->setContentsMargins(0, look.gapSmall, 0, look.gapSmall);
    m_key->layout()->setSpacing(look.gapSmall);
    side->addWidget(m_key);
    m_colour = combo(QStringLiteral("◑"), tr("Colour by"), "colourBy");
    m_colour->addItems({ tr("label"), tr("value"), tr("judgment"), tr("policy weight") });
    m_axisX = combo(QStringLiteral("↔"), tr("Across"), "axisX");
    m_axisY = combo(QStringLiteral("↕"), tr("Up"), "axisY");
    auto* caption = new QLabel(tr("in the plane"), this);
    setLook(*caption, Look::Secondary);
    caption->setToolTip(
        tr("Share of each direction's squared length (Sigma norm) that lies in the plane shown"));
    side->addWidget(caption);
    m_shares = new QLabel(this);
    m_shares->setObjectName(QStringLiteral("shares"));
    setLook(*m_shares, Look::Secondary);
    side->addWidget(m_shares);
    side->addStretch(1);
    auto* sideHolder = new QWidget(this);
    side->setContentsMargins(0, 0, 0, 0);
    sideHolder->setLayout(side);
    const auto setSideWidth = [this, sideHolder] { sideHolder->setFixedWidth(m_theme.palette().ipx(152)); };
    setSideWidth();
    connect(&theme, &Theme::changed, sideHolder, setSideWidth); // the presenter's type is larger
    body->addWidget(sideHolder);
    column->addLayout(body, 1);

    connect(&session, &Session::snapshotChanged, this, &ProjectionPanel::refreshScatter);
    connect(&session, &Session::trialChanged, this, [this] {
        refreshGuests();
        if (m_session.trial())
            m_scatter->fit();
    });
    connect(m_colour, &QComboBox::currentIndexChanged, this, [this] { refreshClasses(); });
    for (QComboBox* box : { m_axisX, m_axisY })
        connect(box, &QComboBox::activated, this, [this] {
            m_ghosts.clear();
            m_shownFor = nullptr;
            refreshScatter();
        });
    Selection& selection = session.selection();
    connect(m_scatter, &ScatterView::hovered, &selection, &Selection::setHovered);
    connect(m_scatter, &ScatterView::clicked, this, [this](int row) {
        int found = -1;
        if (row >= 0 && m_session.snapshot())
            for (const judgment::PairJudgment& judged : m_session.snapshot()->judge->pairs) {
                const data::Pair& pair
                    = m_session.foundation()->study->set().pairs[static_cast<std::size_t>(judged.pair)];
                if (pair.chosen == row || pair.rejected == row)
                    found = judged.pair;
            }
        m_session.selection().setPinned(row, found);
    });
    connect(m_scatter, &ScatterView::selected, &selection, &Selection::setRows);
    connect(&selection, &Selection::hoveredChanged, m_scatter, &ScatterView::setHovered);
    connect(&selection, &Selection::rowsChanged, this, [this] {
        m_scatter->setSelection(m_session.selection().rows());
    });
    connect(&selection, &Selection::pinnedChanged, this, [this] {
        const Selection& now = m_session.selection();
        m_scatter->setPinned(now.pinned());
        std::optional<std::pair<int, int>> pair;
        if (now.pair() >= 0 && m_session.foundation()) {
            const data::Pair& pinned
                = m_session.foundation()->study->set().pairs[static_cast<std::size_t>(now.pair())];
            pair = { pinned.chosen, pinned.rejected };
        }
        m_scatter->setPair(pair);
    });
    m_scatter->setTip([this](int row) -> QString {
        const auto snapshot = m_session.snapshot();
        if (!snapshot)
            return {};
        const data::ResponseSet& set = snapshot->foundation->study->set();
        QString text = QString::fromStdString(set.shownText(row)).left(220);
        const QString prompt = set.kind == data::ItemKind::Reply
            ? QString::fromStdString(set.promptText(row)).left(140)
            : QString();
        return (prompt.isEmpty() ? QString() : QStringLiteral("%1\n\n").arg(prompt)) + text
            + tr("\n\njudge %1").arg(number(snapshot->judge->rewards[row], 2, true));
    });
}

void ProjectionPanel::fillAxes()
{
    for (QComboBox* box : { m_axisX, m_axisY }) {
        const QString current = box->currentData().toString();
        const QSignalBlocker block(box);
        box->clear();
        for (const NamedDirection& direction : m_directions)
            box->addItem(direction.name, direction.key);
        int index = box->findData(current);
        if (index < 0) // at first: the constitution across, people's direction up
            index = box->findData(box == m_axisX ? QStringLiteral("constitution") : QStringLiteral("people"));
        box->setCurrentIndex(index < 0 ? (box == m_axisX ? 0 : std::min(1, box->count() - 1)) : index);
    }
}

int ProjectionPanel::axisIndex(const QComboBox& box) const
{
    for (std::size_t i = 0; i < m_directions.size(); ++i)
        if (m_directions[i].key == box.currentData().toString())
            return static_cast<int>(i);
    return -1;
}

void ProjectionPanel::refreshScatter()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return;
    m_directions = namedDirections(*snapshot);
    fillAxes();
    const int x = axisIndex(*m_axisX), y = axisIndex(*m_axisY);
    if (x < 0 || y < 0) {
        m_scatter->setData({}, {}, {}, {});
        m_scatter->setArrows({});
        m_shares->setText({});
        return;
    }
    const NamedDirection& across = m_directions[static_cast<std::size_t>(x)];
    const NamedDirection& up = m_directions[static_cast<std::size_t>(y)];
    const auto toVector
        = [](const Eigen::VectorXd& v) { return std::vector<double>(v.data(), v.data() + v.size()); };
    const bool same
        = m_shownFor == snapshot->foundation->study.get() && m_scatter->pointCount() == across.scores.size();
    if (!same || !m_scatter->setCoordinates(toVector(across.scores), toVector(up.scores))) {
        m_scatter->setData(toVector(across.scores), toVector(up.scores), {}, {}, m_shownFor != nullptr);
        m_scatter->fit();
    }
    const bool newStudy = m_shownFor != snapshot->foundation->study.get();
    m_shownFor = snapshot->foundation->study.get();
    const double reach = arrowReach(*m_scatter);
    PlaneView view = planeView(*snapshot, m_directions, x, y, reach);
    if (m_scatter->xAxis().title != view.across.title || m_scatter->yAxis().title != view.up.title)
        m_scatter->setAxes(view.across, view.up);
    refreshClasses();
    if (newStudy)
        m_ghosts.clear();
    // The ghosts show where the arrows stood before the last edit, in the plane that is drawn now.
    if (const auto before = m_session.previous();
        before && before->judge != snapshot->judge && before->layer == snapshot->layer) {
        m_ghosts.clear();
        for (const NamedDirection& old : namedDirections(*before))
            m_ghosts.emplace_back(
                old.key,
                QPointF(
                    reach * old.weights.dot(across.displacement), reach * old.weights.dot(up.displacement)));
    }
    QVector<PlotArrow> arrows;
    for (int i = 0; i < view.arrows.size(); ++i)
        for (const auto& [key, tip] : m_ghosts)
            if (key == view.keys[i] && QLineF(tip, view.arrows[i].tip).length() > 0.02 * reach)
                arrows.push_back({ QString(), view.arrows[i].ink, tip, 0, true });
    m_scatter->setArrows(arrows + view.arrows);
    m_shares->setText(view.shares.join(QLatin1Char('\n')));
    refreshGuests();
}

void ProjectionPanel::refreshGuests()
{
    const session::Trial* trial = m_session.trial();
    const auto snapshot = m_session.snapshot();
    const int x = axisIndex(*m_axisX), y = axisIndex(*m_axisY);
    QVector<PlotGuest> guests;
    if (trial && snapshot && x >= 0 && y >= 0)
        for (int i = 0; i < 2; ++i) {
            const Eigen::VectorXd h = trial->state(i, snapshot->inputs.layer, snapshot->inputs.position);
            const NamedDirection& across = m_directions[static_cast<std::size_t>(x)];
            const NamedDirection& up = m_directions[static_cast<std::size_t>(y)];
            if (h.size() != across.weights.size() || h.size() != up.weights.size())
                continue;
            const double p = session::trialPreference(*trial, *snapshot);
            guests.push_back(
                { { across.weights.dot(h) + across.offset, up.weights.dot(h) + up.offset },
                  i == 0 ? tr("A") : tr("B"),
                  tr("%1\n\nyour reply %2: %3\n\npreferred with %4 %")
                      .arg(
                          QString::fromStdString(trial->prompt).left(140), i == 0 ? tr("A") : tr("B"),
                          QString::fromStdString(trial->replies[static_cast<std::size_t>(i)]).left(220))
                      .arg(std::lround(100 * (i == 0 ? p : 1 - p))) });
        }
    m_scatter->setGuests(std::move(guests));
}

void ProjectionPanel::refreshClasses()
{
    const auto snapshot = m_session.snapshot();
    if (!snapshot || m_scatter->pointCount() == 0)
        return;
    PointClasses points = pointClasses(
        *snapshot, static_cast<ColourBy>(m_colour->currentIndex()),
        static_cast<std::size_t>(m_scatter->pointCount()));
    m_scatter->setPointScales(std::move(points.scales));
    QStringList names;
    for (const PointClass& kind : std::as_const(points.kinds))
        names << kind.name;
    if (names != m_keyNames) { // a drag moves points, not the key
        m_keyNames = names;
        while (QLayoutItem* item = m_key->layout()->takeAt(0)) {
            delete item->widget();
            delete item;
        }
        for (const PointClass& kind : std::as_const(points.kinds))
            if (!kind.name.isEmpty())
                m_key->layout()->addWidget(new Swatch(m_theme, kind.ink, kind.marker, kind.name, m_key));
    }
    m_scatter->setClasses(std::move(points.classOf), std::move(points.kinds));
}

TextTable ProjectionPanel::table() const
{
    TextTable table;
    table.title = tr("Responses and their scores");
    table.header = { tr("id"), tr("value"), tr("held out"), tr("text") };
    for (const NamedDirection& direction : m_directions)
        table.header << direction.name;
    const auto snapshot = m_session.snapshot();
    if (!snapshot)
        return table;
    const data::ResponseSet& set = snapshot->foundation->study->set();
    for (Eigen::Index i = 0; i < snapshot->layer->rows.rows(); ++i) {
        const data::Response& response = set.responses[static_cast<std::size_t>(i)];
        QStringList row{ QString::fromStdString(response.id), QString::fromStdString(response.value),
                         snapshot->foundation->training[static_cast<std::size_t>(i)] ? tr("no") : tr("yes"),
                         QString::fromStdString(set.shownText(static_cast<int>(i))) };
        for (const NamedDirection& direction : m_directions)
            row << QString::number(direction.scores[i], 'g', 8);
        table.rows.push_back(std::move(row));
    }
    return table;
}

} // namespace lodestone::ui
