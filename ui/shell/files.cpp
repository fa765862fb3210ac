#include "ui/shell/files.h"

#include "ui/plots/chart_view.h"
#include "ui/shell/compare_dialog.h"
#include "ui/widgets/message_bar.h"

#include <QFileDialog>
#include <QMessageBox>
#include <QPushButton>

namespace lodestone::ui {

Files::Files(Session& session, MessageBar& messages, QWidget& window)
    : QObject(&window)
    , m_session(session)
    , m_messages(messages)
    , m_window(window)
{
}

void Files::openStudy(const std::filesystem::path& folder)
{
    whenSaved([this, folder] { m_session.openStudy(folder); });
}

void Files::openStudy()
{
    whenSaved([this] {
        auto* chooser = new QFileDialog(&m_window, tr("Open a study folder"));
        chooser->setAttribute(Qt::WA_DeleteOnClose);
        chooser->setFileMode(QFileDialog::Directory);
        chooser->setOption(QFileDialog::ShowDirsOnly);
        connect(chooser, &QFileDialog::fileSelected, this, [this](const QString& path) {
            m_session.openStudy(path.toStdString());
        });
        chooser->open();
    });
}

void Files::openPairs()
{
    whenSaved([this] {
        auto* chooser = new QFileDialog(
            &m_window, tr("Open preference pairs or labelled texts"), {},
            tr("Tables (*.jsonl *.json *.csv *.gz)"));
        chooser->setAttribute(Qt::WA_DeleteOnClose);
        chooser->setFileMode(QFileDialog::ExistingFile);
        connect(chooser, &QFileDialog::fileSelected, this, [this](const QString& path) {
            // The study is written beside the file, under its name.
            const std::filesystem::path input = path.toStdString();
            m_session.capturePairs(input, input.parent_path() / (input.stem().string() + ".study"));
        });
        chooser->open();
    });
}

void Files::openConstitution()
{
    if (!m_session.hasStudy())
        return m_messages.showMessage(
            Tone::Neutral, tr("Open a study first: a constitution is read by its model."));
    auto* chooser = new QFileDialog(&m_window, tr("Open a constitution"), {}, tr("Constitutions (*.json)"));
    chooser->setAttribute(Qt::WA_DeleteOnClose);
    connect(chooser, &QFileDialog::fileSelected, this, [this](const QString& path) {
        m_session.loadConstitution(path.toStdString());
    });
    chooser->open();
}

void Files::compareConstitution(Theme& theme)
{
    if (!m_session.hasStudy())
        return m_messages.showMessage(
            Tone::Neutral, tr("Open a study first: the constitution belongs to it."));
    auto* chooser = new QFileDialog(
        &m_window, tr("Compare with a constitution"), {}, tr("Constitutions (*.json *.txt *.md)"));
    chooser->setAttribute(Qt::WA_DeleteOnClose);
    connect(chooser, &QFileDialog::fileSelected, this, [this, &theme](const QString& path) {
        compareConstitution(theme, path.toStdString());
    });
    chooser->open();
}

void Files::compareConstitution(Theme& theme, const std::filesystem::path& path)
{
    auto other = constitution::readConstitution(path);
    if (!other)
        return m_session.report(other.error());
    (new CompareDialog(theme, m_session, std::move(*other), &m_window))->open();
}

void Files::saveConstitution(std::function<void()> then)
{
    if (!m_session.hasStudy())
        return m_messages.showMessage(
            Tone::Neutral, tr("Open a study first: the constitution belongs to it."));
    auto* chooser = new QFileDialog(
        &m_window, tr("Save the constitution"), tr("constitution.json"), tr("Constitutions (*.json)"));
    chooser->setAttribute(Qt::WA_DeleteOnClose);
    chooser->setAcceptMode(QFileDialog::AcceptSave);
    connect(chooser, &QFileDialog::fileSelected, this, [this, then = std::move(then)](const QString& path) {
        if (const auto saved = m_session.saveConstitution(path.toStdString()); !saved)
            m_messages.showMessage(Tone::Error, QString::fromStdString(saved.error().message()));
        else if (then)
            then();
    });
    chooser->open();
}

void Files::savePicture(PictureSource& picture, const QString& name)
{
    auto* chooser = new QFileDialog(
        &m_window, tr("Save the picture"), name + QStringLiteral(".png"), tr("Pictures (*.png)"));
    chooser->setAttribute(Qt::WA_DeleteOnClose);
    chooser->setAcceptMode(QFileDialog::AcceptSave);
    connect(
        chooser, &QFileDialog::fileSelected, this,
        [this, &picture, there = QPointer<QWidget>(dynamic_cast<QWidget*>(&picture))](const QString& path) {
            if (!there)
                return;
            if (const QString problem = picture.savePng(path); !problem.isEmpty())
                m_messages.showMessage(Tone::Error, problem);
        });
    chooser->open();
}

void Files::whenSaved(const std::function<void()>& then)
{
    if (!m_session.isModified())
        return then();
    auto* question = new QMessageBox(
        QMessageBox::NoIcon, tr("Unsaved constitution"),
        tr("The constitution “%1” has edits that are not saved.")
            .arg(QString::fromStdString(m_session.inputs().constitution.name)),
        QMessageBox::NoButton, &m_window);
    question->setObjectName(QStringLiteral("unsavedQuestion"));
    question->setAttribute(Qt::WA_DeleteOnClose);
    question->setInformativeText(tr("Save it as a file first?"));
    const auto button = [&](const char* object, const QString& text, QMessageBox::ButtonRole role) {
        QPushButton* one = question->addButton(text, role);
        one->setObjectName(QLatin1String(object));
        return one;
    };
    QPushButton* save = button("unsavedSave", tr("Save …"), QMessageBox::AcceptRole);
    QPushButton* drop = button("unsavedDrop", tr("Do not save"), QMessageBox::DestructiveRole);
    QPushButton* stay = button("unsavedStay", tr("Stay here"), QMessageBox::RejectRole);
    question->setDefaultButton(save);
    question->setEscapeButton(stay);
    connect(save, &QPushButton::clicked, this, [this, then] { saveConstitution(then); });
    connect(drop, &QPushButton::clicked, this, then);
    question->open();
}

} // namespace lodestone::ui
