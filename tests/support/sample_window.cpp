#include "tests/support/sample_window.h"

#include <QStandardPaths>
#include <QtTest>
#include <QtWidgets>

namespace lodestone::testing {

using namespace lodestone::ui;

std::unique_ptr<Theme> testTheme()
{
    QStandardPaths::setTestModeEnabled(true);
    QCoreApplication::setOrganizationName(QStringLiteral("lodestone-test"));
    auto theme = std::make_unique<Theme>();
    theme->setScheme(qEnvironmentVariableIsSet("LODESTONE_DARK") ? ColourScheme::Dark : ColourScheme::Light);
    theme->apply(*qApp);
    return theme;
}

std::unique_ptr<Session> testSession()
{
    return std::make_unique<Session>(std::filesystem::path(LODESTONE_SOURCE_DIR) / "resources");
}

bool openStudy(Session& session, const std::filesystem::path& study)
{
    session.openStudy(study.empty() ? session.resources() / "samples/sample" : study);
    return QTest::qWaitFor([&] { return session.snapshot() && session.settled(); }, 60000);
}

void keepPicture(QWidget& widget, const Theme& theme, const char* name)
{
    const QString folder = qEnvironmentVariable("LODESTONE_PICTURES");
    if (!folder.isEmpty())
        widget.grab().save(
            QStringLiteral("%1/%2-%3.png")
                .arg(
                    folder, QLatin1String(name),
                    theme.palette().isDark ? QStringLiteral("dark") : QStringLiteral("light")));
}

} // namespace lodestone::testing
