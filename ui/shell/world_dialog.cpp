#include "ui/shell/world_dialog.h"

#include "core/session/world_study.h"
#include "ui/plots/theme.h"
#include "ui/session/session.h"

#include <QDialogButtonBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPointer>
#include <QPushButton>
#include <QScrollArea>
#include <QSpinBox>
#include <QStandardPaths>

namespace lodestone::ui {
namespace {

/// A folder that does not exist yet.
QString freshFolder()
{
    const QDir worlds(
        QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QStringLiteral("/worlds"));
    for (int i = 1;; ++i)
        if (const QString name = QStringLiteral("world-%1").arg(i); !worlds.exists(name))
            return worlds.filePath(name);
}

} // namespace

WorldDialog::WorldDialog(Theme& theme, Session& session, QWidget* parent)
    : QDialog(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("worldDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Draw a linear world"));
    const Palette& look = theme.palette();
    resize(look.ipx(560), look.ipx(560));
    auto* column = new QVBoxLayout(this);
    auto* says = new QLabel(
        tr("A study drawn from the theory's own model, whose true directions are known: what the program "
           "finds in it can be held against truth.json in its folder."),
        this);
    says->setWordWrap(true);
    setLook(*says, Look::Secondary);
    column->addWidget(says);
    auto* area = new QScrollArea(this);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    auto* inside = new QWidget(area);
    auto* form = new QFormLayout(inside);
    for (const theory::Input& input : theory::worldInputs()) {
        auto* field = new QDoubleSpinBox(inside);
        field->setObjectName(QStringLiteral("world_%1").arg(QString::fromStdString(input.name)));
        field->setDecimals(input.whole ? 0 : 2);
        field->setRange(input.low, input.high);
        field->setSingleStep(input.whole ? 1 : 0.05);
        field->setValue(input.standard);
        field->setFixedWidth(look.ipx(100));
        const QString meaning = QString::fromStdString(input.meaning);
        field->setToolTip(tr("%1 to %2").arg(input.low).arg(input.high));
        auto* label = new QLabel(meaning, inside);
        label->setWordWrap(true);
        label->setBuddy(field);
        field->setAccessibleName(meaning);
        form->addRow(label, field);
        m_fields.emplace_back(input.name, field);
    }
    m_seed = new QSpinBox(inside);
    m_seed->setObjectName(QStringLiteral("worldSeed"));
    m_seed->setRange(0, 1000000);
    m_seed->setFixedWidth(look.ipx(100));
    form->addRow(tr("seed: another draw of the same world"), m_seed);
    area->setWidget(inside);
    column->addWidget(area, 1);
    auto* where = new QFormLayout;
    m_folder = new QLineEdit(freshFolder(), this);
    m_folder->setObjectName(QStringLiteral("worldFolder"));
    where->addRow(tr("Folder"), m_folder);
    column->addLayout(where);
    m_problem = new QLabel(this);
    m_problem->setObjectName(QStringLiteral("worldProblem"));
    m_problem->setWordWrap(true);
    setLook(*m_problem, Look::Error);
    m_problem->hide();
    column->addWidget(m_problem);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    m_draw = buttons->addButton(tr("Draw and open"), QDialogButtonBox::AcceptRole);
    m_draw->setObjectName(QStringLiteral("worldDraw"));
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &WorldDialog::draw);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
}

void WorldDialog::draw()
{
    theory::Values settings(theory::worldInputs());
    for (const auto& [name, field] : m_fields)
        settings.put(name, field->value());
    const std::filesystem::path folder = m_folder->text().toStdString();
    m_draw->setEnabled(false);
    m_problem->hide();
    m_session.sweepLane().run<session::WorldStudy>(
        QStringLiteral("world"),
        [settings, folder, seed = static_cast<std::uint64_t>(m_seed->value())](const Work&) {
            return session::writeWorldStudy(settings, seed, folder);
        },
        [self = QPointer(this), folder](Result<session::WorldStudy> written) {
            if (!self)
                return;
            self->m_draw->setEnabled(true);
            if (!written) {
                self->m_problem->setText(QString::fromStdString(written.error().message()));
                self->m_problem->show();
                return;
            }
            self->m_session.openStudy(folder);
            self->accept();
        });
}

} // namespace lodestone::ui
