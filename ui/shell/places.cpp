#include "ui/shell/places.h"

#include "ui/models/statement_links.h"
#include "ui/plots/theme.h"

#include <QHBoxLayout>
#include <QStackedWidget>
#include <QTabBar>
#include <QTextBrowser>

namespace lodestone::ui {

Places::Places(Theme& theme, QWidget* parent)
    : QWidget(parent)
{
    setLook(*this, Look::Ground);
    const Palette& look = theme.palette();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, look.gapSmall, 0, 0);
    column->setSpacing(0);
    m_tabs = new QTabBar(this);
    m_tabs->setObjectName(QStringLiteral("tabs"));
    m_tabs->setAccessibleName(tr("Places"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    auto* row = new QHBoxLayout;
    row->setContentsMargins(look.padPanel, 0, look.padPanel, 0);
    row->addWidget(m_tabs);
    row->addStretch(1);
    column->addLayout(row);
    m_explanation = new QTextBrowser(this);
    m_explanation->setObjectName(QStringLiteral("explanation"));
    m_explanation->setFrameShape(QFrame::NoFrame);
    m_explanation->setMaximumHeight(look.ipx(120));
    m_explanation->setAccessibleName(tr("How the meter was measured"));
    m_explanation->setOpenLinks(false);
    m_explanation->hide();
    connect(m_explanation, &QTextBrowser::anchorClicked, this, [this](const QUrl& link) {
        Q_EMIT statementRequested(link.toString());
    });
    column->addWidget(m_explanation);
    m_stack = new QStackedWidget(this);
    m_stack->setObjectName(QStringLiteral("places"));
    column->addWidget(m_stack, 1);
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int tab) {
        m_stack->setCurrentIndex(tab);
        showExplanation();
        Q_EMIT changed();
    });
}

void Places::add(const QString& name, QWidget* place, Table table, Chart chart)
{
    m_places.push_back({ place, std::move(table), std::move(chart) });
    m_stack->addWidget(place);
    m_tabs->addTab(name);
}

int Places::current() const { return m_tabs->currentIndex(); }
void Places::show(int place) { m_tabs->setCurrentIndex(place); }

void Places::show(QWidget* place)
{
    for (int i = 0; i < count(); ++i)
        if (m_places[i].widget == place)
            show(i);
}

Places::Table Places::table() const { return current() < 0 ? Table() : m_places[current()].table; }
Places::Chart Places::chart() const
{
    const Chart& chart = current() < 0 ? Chart() : m_places[current()].chart;
    return chart && chart() ? chart : Chart();
}
QString Places::name() const { return current() < 0 ? QString() : m_tabs->tabText(current()); }

void Places::explain(QWidget* place, const QString& html)
{
    m_explained = html.isEmpty() ? nullptr : place;
    m_explanation->setHtml(withStatementLinks(html));
    showExplanation();
}

void Places::showExplanation()
{
    m_explanation->setVisible(m_explained && current() >= 0 && m_places[current()].widget == m_explained);
}

} // namespace lodestone::ui
