// Every action and every control of the window does something, or is disabled and says why.
#include "tests/support/sample_window.h"
#include "ui/plots/scatter_view.h"
#include "ui/plots/series_view.h"
#include "ui/plots/theme.h"
#include "ui/shell/main_window.h"
#include "ui/widgets/control.h"
#include "ui/widgets/message_bar.h"

#include <QAbstractButton>
#include <QAction>
#include <QComboBox>
#include <QCryptographicHash>
#include <QDialog>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPlainTextEdit>
#include <QSlider>
#include <QStackedWidget>
#include <QTabBar>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>

using namespace lodestone;
using namespace lodestone::testing;
using namespace lodestone::ui;

class TestControls : public QObject {
    Q_OBJECT

    QTemporaryDir m_empty;
    std::unique_ptr<Theme> m_theme;
    std::unique_ptr<Session> m_session;
    std::unique_ptr<MainWindow> m_window;

    bool idle() const
    {
        return m_session->snapshot() && m_session->sweep() && !m_session->recomputeLane().busy()
            && !m_session->sweepLane().busy() && !m_session->modelLane().busy();
    }

    /// Everything that a control may change: inputs, snapshot, selection, dialogs, theme and what is drawn.
    QByteArray digest() const
    {
        QCryptographicHash hash(QCryptographicHash::Sha1);
        const auto add = [&](const QByteArray& bytes) { hash.addData(bytes); };
        const session::Inputs& inputs = m_session->inputs();
        add(QByteArray::fromStdString(constitution::toJson(inputs.constitution).dump()));
        add(QByteArray::number(inputs.layer.row()) + QByteArray::number(inputs.beta));
        add(QByteArray::number(reinterpret_cast<quintptr>(m_session->foundation())));
        const Selection& selection = m_session->selection();
        add(QByteArray::number(selection.pinned()) + ':' + QByteArray::number(selection.pair()) + ':'
            + QByteArray::number(selection.rows().size()));
        for (const QWidget* top : QApplication::topLevelWidgets())
            if (top->isVisible() && !qobject_cast<const QMenu*>(top))
                add(top->objectName().toUtf8() + top->windowTitle().toUtf8());
        add(m_window->findChild<MessageBar*>()->text().toUtf8());
        const QImage picture = m_window->grab().toImage();
        add(QByteArray::fromRawData(
            reinterpret_cast<const char*>(picture.constBits()),
            static_cast<qsizetype>(picture.sizeInBytes())));
        return hash.result();
    }

    static QString pathOf(const QObject* object)
    {
        QStringList names;
        for (; object; object = object->parent())
            if (!object->objectName().isEmpty())
                names.prepend(object->objectName());
        return names.join(QLatin1Char('/'));
    }

    void closeDialogs()
    {
        for (QDialog* dialog : m_window->findChildren<QDialog*>())
            delete dialog;
    }

    /// Back to where the next control starts.
    void restore(int tab)
    {
        closeDialogs();
        m_window->findChild<MessageBar*>()->clear();
        if (!m_window->isVisible())
            m_window->show();
        if (m_theme->presenter())
            m_window->findChild<QAction*>(QStringLiteral("present"))->trigger();
        m_session->undoStack().setIndex(0);
        m_session->selection().clear();
        m_window->findChild<QTabBar*>(QStringLiteral("tabs"))->setCurrentIndex(tab);
        QTRY_VERIFY_WITH_TIMEOUT(idle(), 60000);
    }

    /// Does it and waits until something is different.
    void mustChange(const QString& name, const std::function<void()>& act)
    {
        const QByteArray before = digest();
        act();
        QTRY_VERIFY2_WITH_TIMEOUT(
            digest() != before, qPrintable(name + QStringLiteral(" changed nothing")), 20000);
        QTRY_VERIFY_WITH_TIMEOUT(idle(), 60000);
    }

    /// True when the control is to be tried; a disabled one must say why.
    bool enabledOrSaysWhy(const QObject* object, bool enabled, const QString& tip)
    {
        if (enabled)
            return true;
        if (tip.isEmpty())
            QTest::qFail(
                qPrintable(pathOf(object) + QStringLiteral(" is disabled without a reason")), __FILE__,
                __LINE__);
        return false;
    }

private Q_SLOTS:
    void initTestCase()
    {
        // No model and no pip: what needs them must say so or fail with a message, never reach a network.
        qputenv("LODESTONE_MODEL_DIR", m_empty.path().toUtf8());
        qputenv("PATH", m_empty.path().toUtf8());
        QStandardPaths::setTestModeEnabled(true);
        QCoreApplication::setOrganizationName(QStringLiteral("lodestone-test"));
        QApplication::setCursorFlashTime(0);
        m_theme = std::make_unique<Theme>();
        m_theme->setReducedMotion(true);
        m_theme->setScheme(ColourScheme::Light);
        m_theme->apply(*qApp);
        m_session = testSession();
        m_window = std::make_unique<MainWindow>(*m_theme, *m_session);
        m_window->resize(1440, 900);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    }

    void cleanupTestCase()
    {
        m_window.reset();
        m_session.reset();
        m_theme.reset();
    }

    void startPageSaysWhy()
    {
        for (QAbstractButton* button : m_window->findChildren<QAbstractButton*>())
            if (button->isVisible())
                (void)enabledOrSaysWhy(button, button->isEnabled(), button->toolTip());
        for (QAction* action : m_window->actions())
            (void)enabledOrSaysWhy(action, action->isEnabled(), action->toolTip());
        m_session->openStudy(m_session->resources() / "samples/sample");
        QTRY_VERIFY_WITH_TIMEOUT(idle(), 180000);
    }

    void everyAction()
    {
        QStringList names;
        for (const QAction* action : m_window->findChildren<QAction*>())
            if (!action->isSeparator() && !action->menu() && !action->objectName().isEmpty()
                && !qobject_cast<QLineEdit*>(action->parent()))
                names << pathOf(action);
        QVERIFY(names.size() > 25);
        for (const QString& path : std::as_const(names)) {
            restore(0);
            QAction* action = nullptr;
            for (QAction* candidate : m_window->findChildren<QAction*>())
                if (pathOf(candidate) == path)
                    action = candidate;
            QVERIFY2(action, qPrintable(path));
            const QString name = action->objectName();
            // A starting point at which the action has something to do.
            if (name == QLatin1String("clearSelection"))
                m_session->selection().setRows({ 1, 2 });
            if (name == QLatin1String("undo") || name == QLatin1String("redo")) {
                session::Inputs next = m_session->inputs();
                next.constitution.principles[0].weight = -1;
                m_session->edit(QStringLiteral("test"), next);
                QTRY_VERIFY_WITH_TIMEOUT(idle(), 60000);
                if (name == QLatin1String("redo"))
                    m_session->undoStack().undo();
                QTRY_VERIFY_WITH_TIMEOUT(idle(), 60000);
            }
            if (name == QLatin1String("fit"))
                m_window->findChild<ScatterView*>()->zoom(3, QPointF(300, 200));
            if (name == QLatin1String("light"))
                m_theme->setScheme(ColourScheme::Dark);
            if (name == QLatin1String("dark"))
                m_theme->setScheme(ColourScheme::Light);
            if (name == QLatin1String("systemColours")) { // light or dark, whichever this platform has
                action->trigger();
                QCOMPARE(m_theme->scheme(), ColourScheme::System);
                m_theme->setScheme(ColourScheme::Light);
                continue;
            }
            if (auto* menu = qobject_cast<QMenu*>(action->parent()))
                Q_EMIT menu->aboutToShow(); // what it allows is decided then
            if (!enabledOrSaysWhy(action, action->isEnabled(), action->toolTip()))
                continue;
            if (name == QLatin1String("preset-kindness-first")) // is open
                m_session->loadConstitution(m_session->resources() / "constitutions/adversarial.json");
            if (name == QLatin1String("find")) {
                action->trigger();
                QCOMPARE(m_window->focusWidget()->objectName(), QStringLiteral("search"));
                continue;
            }
            if (name == QLatin1String("quit")) {
                action->trigger();
                QTRY_VERIFY(!m_window->isVisible());
                continue;
            }
            mustChange(path, [&] { action->trigger(); });
            if (name == QLatin1String("openRequests")) {
                m_session->openStudy(m_session->resources() / "samples/sample");
                QTRY_VERIFY_WITH_TIMEOUT(
                    m_session->foundation()->study->set().kind == data::ItemKind::Reply && idle(), 180000);
            }
            m_theme->setScheme(ColourScheme::Light);
        }
        restore(0);
    }

    void everyControl()
    {
        const int tabs = m_window->findChild<QTabBar*>(QStringLiteral("tabs"))->count();
        QSet<QString> tried;
        for (int tab = 0; tab < tabs; ++tab) {
            restore(tab);
            QStringList paths;
            for (const QWidget* widget : m_window->findChildren<QWidget*>())
                if (widget->isVisible() && !widget->objectName().startsWith(QLatin1String("qt_"))
                    && !tried.contains(pathOf(widget)))
                    paths << pathOf(widget);
            paths.removeDuplicates();
            for (const QString& path : std::as_const(paths)) {
                QWidget* widget = nullptr;
                for (QWidget* candidate : m_window->findChildren<QWidget*>())
                    if (candidate->isVisible() && pathOf(candidate) == path
                        && !candidate->objectName().isEmpty())
                        widget = candidate;
                if (!widget || tried.contains(path))
                    continue;
                tried.insert(path);
                tryOne(*widget, path);
                restore(tab);
            }
        }
        // Knows them all: a control that the walk misses would weaken this test silently.
        QVERIFY2(tried.size() > 60, qPrintable(QString::number(tried.size())));
    }

private:
    void tryOne(QWidget& widget, const QString& path)
    {
        if (auto* button = qobject_cast<QAbstractButton*>(&widget)) {
            const auto* tool = qobject_cast<QToolButton*>(button);
            if ((tool && tool->menu()) || (button->isChecked() && button->autoExclusive()))
                return; // its menu's actions were tried; what is chosen stays chosen
            if (button->isCheckable() && button->isChecked() && button->group())
                return;
            const bool tool3 = button->objectName().startsWith(QLatin1String("tool-"));
            if (!enabledOrSaysWhy(button, button->isEnabled(), button->toolTip()) || tool3)
                return; // a tool decides what the next drag does: tst_plots_scatter drags with each
            if (button->objectName() == QLatin1String("fit"))
                m_window->findChild<ScatterView*>()->zoom(3, QPointF(300, 200));
            mustChange(path, [&] { button->click(); });
        } else if (auto* box = qobject_cast<QComboBox*>(&widget)) {
            if (!enabledOrSaysWhy(box, box->isEnabled(), box->toolTip()))
                return;
            box->setFocus();
            mustChange(path, [&] {
                QTest::keyClick(box, box->currentIndex() + 1 < box->count() ? Qt::Key_Down : Qt::Key_Up);
            });
        } else if (auto* edit = qobject_cast<QLineEdit*>(&widget)) {
            if (!enabledOrSaysWhy(edit, edit->isEnabled(), edit->toolTip()) || edit->isReadOnly()
                || qobject_cast<QComboBox*>(edit->parent()))
                return;
            edit->setFocus();
            QTest::keyClick(edit, Qt::Key_End);
            QTest::keyClicks(edit, QStringLiteral(" zzz"));
            mustChange(path, [&] { QTest::keyClick(edit, Qt::Key_Return); });
            m_window->centralWidget()->setFocus();
        } else if (auto* text = qobject_cast<QPlainTextEdit*>(&widget)) {
            if (!enabledOrSaysWhy(text, text->isEnabled(), text->toolTip()) || text->isReadOnly())
                return;
            text->setFocus();
            mustChange(path, [&] { QTest::keyClicks(text, QStringLiteral("a")); });
            m_window->centralWidget()->setFocus();
        } else if (auto* tabs = qobject_cast<QTabBar*>(&widget)) {
            tabs->setFocus();
            const bool last = tabs->currentIndex() + 1 == tabs->count();
            mustChange(path, [&] { QTest::keyClick(tabs, last ? Qt::Key_Left : Qt::Key_Right); });
        } else if (auto* list = qobject_cast<QListView*>(&widget)) {
            list->setFocus();
            mustChange(path, [&] { QTest::keyClick(list, Qt::Key_Down); });
        } else if (auto* series = qobject_cast<SeriesView*>(&widget)) {
            if (!series->marker() || !series->isMarkerMovable())
                return; // a picture, not a control
            series->setFocus();
            mustChange(path, [&] { QTest::keyClick(series, Qt::Key_Left); });
        } else if (auto* scatter = qobject_cast<ScatterView*>(&widget)) {
            scatter->setFocus();
            mustChange(path, [&] { QTest::keyClick(scatter, Qt::Key_Plus); });
            scatter->fit();
        } else if (
            qobject_cast<QSlider*>(&widget) || widget.inherits("lodestone::ui::ValueControl")
            || widget.inherits("lodestone::ui::WeightSlider")
            || widget.inherits("lodestone::ui::LayerScrubber")) {
            if (!enabledOrSaysWhy(&widget, widget.isEnabled(), widget.toolTip()))
                return;
            widget.setFocus();
            mustChange(path, [&] { QTest::keyClick(&widget, Qt::Key_Left); });
        } else if (widget.inherits("lodestone::ui::MeterCard")) {
            widget.setFocus();
            mustChange(path, [&] { QTest::keyClick(&widget, Qt::Key_Space); });
        }
    }
};

QTEST_MAIN(TestControls)
#include "tst_window_controls.moc"
