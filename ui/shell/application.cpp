#include "ui/shell/application.h"

#include "ui/panels/theory_panel.h"
#include "ui/plots/theme.h"
#include "ui/session/session.h"
#include "ui/shell/main_window.h"

#include <QAbstractButton>
#include <QAction>
#include <QApplication>
#include <QCommandLineParser>
#include <QIcon>
#include <QStackedWidget>
#include <QTabBar>
#include <QTimer>

namespace lodestone::ui {

int runApplication(int argc, char** argv, const char* resources)
{
    QApplication application(argc, argv);
    QCoreApplication::setOrganizationName(QStringLiteral("lodestone"));
    QCoreApplication::setApplicationName(QStringLiteral("lodestone"));
    QCoreApplication::setApplicationVersion(QStringLiteral(LODESTONE_VERSION));
    QCommandLineParser parser;
    parser.addPositionalArgument(QStringLiteral("study"), QStringLiteral("A study folder"));
    parser.addOption({ QStringLiteral("window"), QStringLiteral("Open the window") });
    parser.addOption({ QStringLiteral("dark"), QStringLiteral("Dark colours") });
    parser.addOption({ QStringLiteral("light"), QStringLiteral("Light colours") });
    parser.addOption({ QStringLiteral("size"), QStringLiteral("The window's size"), QStringLiteral("WxH") });
    parser.addOption(
        { QStringLiteral("tab"),
          QStringLiteral("The tab to show first and, after a point, its segment or statement (7.3, 6.T7)"),
          QStringLiteral("number") });
    parser.addOption(
        { QStringLiteral("present"), QStringLiteral("One place fills the window, in large type (F5)") });
    parser.addOption({ QStringLiteral("screenshot"),
                       QStringLiteral("Save a picture of the window when everything is computed, and quit"),
                       QStringLiteral("FILE") });
    parser.process(application);
    Theme theme;
    if (parser.isSet(QStringLiteral("dark")))
        theme.setScheme(ColourScheme::Dark);
    else if (parser.isSet(QStringLiteral("light")))
        theme.setScheme(ColourScheme::Light);
    theme.apply(application);
    QApplication::setWindowIcon(QIcon(QStringLiteral(":/lodestone.svg")));
    Session session{ std::filesystem::path(resources) };
    MainWindow window(theme, session);
    const QStringList size = parser.value(QStringLiteral("size")).split(QLatin1Char('x'));
    if (size.size() == 2)
        window.resize(size[0].toInt(), size[1].toInt());
    const QStringList tab = parser.value(QStringLiteral("tab")).split(QLatin1Char('.'));
    if (auto* tabs = window.findChild<QTabBar*>(QStringLiteral("tabs")))
        tabs->setCurrentIndex(tab[0].toInt());
    window.show();
    if (const auto* places = window.findChild<QStackedWidget*>(QStringLiteral("places")); tab.size() > 1)
        if (auto* segment
            = places->currentWidget()->findChild<QAbstractButton*>(QStringLiteral("segment") + tab[1]))
            segment->click();
    if (auto* theory = window.findChild<TheoryPanel*>();
        tab.size() > 1 && tab[1].startsWith(QLatin1Char('T'))) {
        theory->choose(tab[1]);
        QObject::connect(&session, &Session::snapshotChanged, theory, &TheoryPanel::showStudy);
    }
    if (parser.isSet(QStringLiteral("present")))
        window.findChild<QAction*>(QStringLiteral("present"))->trigger();
    const QStringList studies = parser.positionalArguments();
    const std::filesystem::path named = studies.isEmpty() ? "sample" : studies.first().toStdString();
    const bool shipped = named == "sample" || named == "requests";
    session.openStudy(shipped ? session.resources() / "samples" / named : named);
    QTimer poll;
    if (parser.isSet(QStringLiteral("screenshot"))) {
        // When nothing runs any more, the picture shows what a user would see after a moment.
        int calm = 0;
        QObject::connect(&poll, &QTimer::timeout, &window, [&, calm]() mutable {
            calm = session.snapshot() && session.sweep() && !session.modelLane().busy()
                    && !session.recomputeLane().busy() && !session.sweepLane().busy()
                ? calm + 1
                : 0;
            if (calm == 3) {
                window.grab().save(parser.value(QStringLiteral("screenshot")));
                QApplication::quit();
            }
        });
        poll.start(150);
    }
    return QApplication::exec();
}

} // namespace lodestone::ui
