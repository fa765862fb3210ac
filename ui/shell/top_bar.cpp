#include "ui/shell/top_bar.h"

#include "core/model/model_fetch.h"
#include "ui/plots/theme.h"
#include "ui/shell/search_field.h"
#include "ui/widgets/layer_scrubber.h"

#include <QAction>
#include <QHBoxLayout>
#include <QLabel>
#include <QMainWindow>
#include <QMenu>
#include <QToolButton>
#include <algorithm>

namespace lodestone::ui {

TopBar::TopBar(Theme& theme, Session& session, QMainWindow& window)
    : QFrame(&window)
    , m_session(session)
    , m_window(window)
{
    setObjectName(QStringLiteral("topBar"));
    setLook(*this, Look::TopBar);
    const Palette& look = theme.palette();
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(look.padPanel, look.gap, look.padPanel, look.gap);
    row->setSpacing(look.gap);
    auto* mark = new QLabel(this);
    mark->setPixmap(theme.icon(QStringLiteral("lodestone")).pixmap(look.ipx(22), look.ipx(22)));
    auto* name = new QLabel(tr("Lodestone"), this);
    setLook(*name, Look::Title);
    const auto chip
        = [&](const char* object, const QString& accessible, std::initializer_list<const char*> entries) {
              auto* button = new QToolButton(this);
              button->setObjectName(QLatin1String(object));
              button->setAccessibleName(accessible);
              button->setPopupMode(QToolButton::InstantPopup);
              setLook(*button, Look::Chip);
              auto* menu = new QMenu(button);
              for (const char* entry : entries)
                  if (*entry)
                      menu->QWidget::addAction(action(entry));
                  else
                      menu->addSeparator();
              button->setMenu(menu);
              return button;
          };
    m_studyName = chip(
        "studyName", tr("The open study"),
        { "openSample", "openRequests", "openStudy", "openPairs", "drawWorld", "", "openConstitution",
          "saveConstitution", "exportPicture", "showTable", "", "light", "dark", "systemColours", "", "help",
          "quit" });
    m_modelName = chip("modelName", tr("The model that read the study"), { "fetchModel" });
    m_scrubber = new LayerScrubber(theme, this);
    m_scrubber->setObjectName(QStringLiteral("scrubber"));
    m_scrubber->setAccessibleName(tr("Layer"));
    m_scrubber->setMinimumWidth(look.ipx(300));
    m_search = new SearchField(theme, session, window, this);
    const auto icon = [&](const char* object, const char* picture) {
        QAction* one = action(object);
        one->setIcon(theme.icon(QLatin1String(picture)));
        auto* button = new QToolButton(this);
        button->setDefaultAction(one);
        button->setObjectName(QLatin1String(object) + QStringLiteral("Button"));
        button->setAccessibleName(one->text());
        setLook(*button, Look::Ghost);
        return button;
    };
    auto* present = new QToolButton(this);
    present->setObjectName(QStringLiteral("presentButton"));
    present->setText(tr("Present"));
    present->setToolTip(tr("One place fills the screen at 1.6 times the type (F5)"));
    setLook(*present, Look::Chip);
    connect(present, &QToolButton::clicked, action("present"), &QAction::trigger);
    row->addWidget(mark);
    row->addWidget(name);
    row->addWidget(m_studyName);
    row->addWidget(m_modelName);
    row->addStretch(1);
    row->addWidget(m_scrubber, 4);
    row->addStretch(1);
    row->addWidget(m_search, 2);
    row->addWidget(icon("undo", "undo"));
    row->addWidget(icon("redo", "redo"));
    row->addWidget(present);

    connect(m_scrubber, &LayerScrubber::layerRowChanged, this, [this](int at) {
        if (!m_session.hasStudy())
            return;
        session::Inputs next = m_session.inputs();
        const auto layers = m_session.foundation()->study->layers();
        if (at < 0 || at >= static_cast<int>(layers.size()))
            return;
        next.layer = layers[static_cast<std::size_t>(at)];
        // Steps of a drag, one after another, are one entry.
        m_session.edit(tr("Change the layer"), next, QStringLiteral("layer"));
    });
    connect(&session, &Session::studyChanged, this, [this] {
        refresh();
        m_search->fill();
    });
    connect(&session, &Session::inputsChanged, this, &TopBar::refresh);
    connect(&session, &Session::sweepChanged, this, &TopBar::refresh);
    refresh();
    m_search->fill();
}

void TopBar::setPresenter(bool on)
{
    for (const char* object : { "undoButton", "redoButton" })
        findChild<QToolButton*>(QLatin1String(object))->setVisible(!on);
    m_modelName->setVisible(!on);
    m_search->setVisible(!on);
}

QAction* TopBar::action(const char* object) const
{
    return m_window.findChild<QAction*>(QLatin1String(object));
}

void TopBar::refresh()
{
    const bool open = m_session.hasStudy();
    m_scrubber->setEnabled(open);
    m_scrubber->setToolTip(open ? QString() : tr("Open a study first"));
    if (!open) {
        m_studyName->setText(tr("No study"));
        m_studyName->setToolTip(tr("Open a study"));
        m_modelName->setText(tr("No model"));
        m_modelName->setToolTip({});
        return;
    }
    const data::Study& study = *m_session.foundation()->study;
    const data::ResponseSet& set = study.set();
    const std::size_t sampled = set.responses.size() - std::min(set.responses.size(), 2 * set.pairs.size());
    const QString name = QString::fromStdString(study.name());
    const QString counts = set.pairs.empty() ? tr("%1 texts").arg(set.responses.size())
        : sampled > 0 && !set.labelled() ? tr("%1 pairs, %2 candidates").arg(set.pairs.size()).arg(sampled)
                                         : tr("%1 pairs").arg(set.pairs.size());
    m_studyName->setText(
        tr("%1 · %2").arg(fontMetrics().elidedText(name, Qt::ElideRight, 180), counts)
        + QStringLiteral("  "));
    m_studyName->setToolTip(
        tr("The open study: %1\n%2").arg(name, QString::fromStdString(study.folder().string())));
    // A known file by the name one fetches it by; its own header often says something longer.
    QString reader = QString::fromStdString(study.model().name);
    for (const model::KnownModel& known : model::knownModels())
        if (known.sha256 == study.model().sha256)
            reader = QString::fromUtf8(known.name.data(), static_cast<qsizetype>(known.name.size()));
    m_modelName->setText(fontMetrics().elidedText(reader, Qt::ElideRight, 150));
    m_modelName->setToolTip(tr("The model that read the study: %1").arg(reader));
    const auto layers = study.layers();
    std::vector<double> accuracy(layers.size(), std::numeric_limits<double>::quiet_NaN()), low = accuracy,
                                                                                           high = accuracy;
    QStringList labels;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        labels << QString::fromStdString(layers[i].label());
        if (const session::Sweep* sweep = m_session.sweep())
            for (const session::SweepRow& row : sweep->rows)
                if (row.layer == layers[i]) {
                    const geometry::Estimate& score = sweep->pairs ? row.accuracy : row.auc;
                    accuracy[i] = score.value;
                    low[i] = score.interval.low;
                    high[i] = score.interval.high;
                }
    }
    m_scrubber->setCurve(accuracy, low, high, labels);
    const auto place = std::find(layers.begin(), layers.end(), m_session.inputs().layer) - layers.begin();
    m_scrubber->setLayerRow(static_cast<int>(place));
}

} // namespace lodestone::ui
