// Contrast of every text on every surface, names of the style sheet, fonts and icons, and the change of
// theme.
#include "ui/plots/style_sheet.h"
#include "ui/plots/theme.h"

#include <QApplication>
#include <QDir>
#include <QFontMetricsF>
#include <QLabel>
#include <QPainter>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QtTest>
#include <cmath>

using namespace lodestone::ui;

class TestPlotsPalette : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void contrastFormula();
    void textContrast_data();
    void textContrast();
    void principlesDiffer_data() { textContrast_data(); }
    void principlesDiffer();
    void presenterScalesEverySize();
    void styleSheetIsComplete();
    void numbers();
    void ramp();
    void themeFollowsTheChoice();
    void figuresAreTabular();
    void weightsDiffer();
    void iconsExist();
};

void TestPlotsPalette::contrastFormula()
{
    // WCAG's own corner cases, and a value computed by hand: #777 on white is 4.48.
    QVERIFY(std::abs(contrast(Qt::black, Qt::white) - 21) < 1e-6);
    QVERIFY(std::abs(contrast(Qt::white, Qt::white) - 1) < 1e-12);
    QVERIFY(std::abs(contrast(QColor(0x77, 0x77, 0x77), Qt::white) - 4.48) < 0.005);
}

void TestPlotsPalette::textContrast_data()
{
    QTest::addColumn<bool>("dark");
    QTest::newRow("light") << false;
    QTest::newRow("dark") << true;
}

void TestPlotsPalette::textContrast()
{
    QFETCH(bool, dark);
    const Palette p = dark ? Palette::dark() : Palette::light();
    const auto check = [](const char* what, const QColor& front, const QColor& back, double least) {
        const double ratio = contrast(front, back);
        QVERIFY2(
            ratio >= least,
            qPrintable(QStringLiteral("%1 on %2: %3").arg(QLatin1String(what), back.name()).arg(ratio)));
    };
    for (const QColor& back : { p.ground, p.panel, p.flipped }) {
        check("text", p.text, back, 4.5);
        check("secondary", p.secondary, back, 4.5);
        check("faint", p.faint, back, 4.5);
        check("accent", p.accent, back, 4.5);
        check("success", p.success, back, 4.5);
        check("warning", p.warning, back, 4.5);
        check("error", p.error, back, 4.5);
        check("chosenText", p.chosenText, back, 4.5);
        check("rejectedText", p.rejectedText, back, 4.5);
    }
    for (const QColor& back : { p.control, p.controlHover, p.selection })
        check("text", p.text, back, 4.5);
    check("secondary on control", p.secondary, p.control, 4.5);
    check("accent on control", p.accent, p.control, 4.5);
    check("onAccent", p.onAccent, p.accent, 4.5);
    for (const QColor& back : { p.ground, p.panel }) {
        // Inks are words too, at the ends of lines and arrows.
        for (const Ink ink :
             { Ink::people(), Ink::constitution(), Ink::generation(), Ink::chosen(), Ink::rejected() })
            check("ink as text", p.textColour(ink), back, 4.5);
        for (const QColor& principle : p.principles)
            check("principle", principle, back, 4.5);
        check("chosen", p.chosen, back, 3);
        check("rejected", p.rejected, back, 3);
    }
    for (double value = -1; value <= 1; value += 0.05) {
        const QColor back = rampColour(p, value);
        check("cell", readableOn(back), back, 4.5);
    }
}

void TestPlotsPalette::principlesDiffer()
{
    QFETCH(bool, dark);
    const Palette p = dark ? Palette::dark() : Palette::light();
    for (std::size_t i = 0; i < p.principles.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const QColor& a = p.principles[i];
            const QColor& b = p.principles[j];
            const int distance = std::abs(a.red() - b.red()) + std::abs(a.green() - b.green())
                + std::abs(a.blue() - b.blue());
            QVERIFY2(distance >= 60, qPrintable(a.name() + QLatin1Char(' ') + b.name()));
        }
    QCOMPARE(p.colour(Ink::principle(Palette::principleCount)), p.principles[0]);
}

void TestPlotsPalette::presenterScalesEverySize()
{
    const Palette one = Palette::light();
    const Palette big = Palette::light(Palette::presenterScale);
    QCOMPARE(one.fontText, 13);
    QCOMPARE(big.fontText, 21);
    QCOMPARE(big.fontFigure, 32);
    QCOMPARE(big.padPanel, 19);
    QCOMPARE(big.pointRadius, one.pointRadius * 1.6);
    QCOMPARE(big.ground, one.ground);
}

void TestPlotsPalette::styleSheetIsComplete()
{
    for (const Palette& p : { Palette::light(), Palette::dark(1.6) }) {
        const QString sheet = styleSheetFor(p);
        QVERIFY(!sheet.contains(QLatin1Char('@')));
        QCOMPARE(sheet.count(QLatin1Char('{')), sheet.count(QLatin1Char('}')));
        QVERIFY(!sheet.contains(QLatin1String(": ;")));
        // Every picture that it names exists.
        const QRegularExpression url(QStringLiteral("url\\((:[^)]+)\\)"));
        Theme registersResources;
        auto match = url.globalMatch(sheet);
        QVERIFY(match.hasNext());
        while (match.hasNext())
            QVERIFY(QFile::exists(match.next().captured(1)));
    }
}

void TestPlotsPalette::numbers()
{
    QCOMPARE(number(0.724, 2, false, true), QStringLiteral(".72"));
    QCOMPARE(number(-1.5, 1), QStringLiteral("−1.5"));
    QCOMPARE(number(0.8, 2, true), QStringLiteral("+0.80"));
    QCOMPARE(number(1, 2, false, true), QStringLiteral("1.00"));
    QCOMPARE(number(-0.001, 2, true, true), QStringLiteral(".00"));
    QCOMPARE(number(std::nan(""), 2), QStringLiteral("–"));
}

void TestPlotsPalette::ramp()
{
    const Palette p = Palette::light();
    QCOMPARE(rampColour(p, 0).name(), p.rampMiddle.name());
    QCOMPARE(rampColour(p, -1).name(), p.rampLow.name());
    QCOMPARE(rampColour(p, 3).name(), p.rampHigh.name());
    QCOMPARE(rampColour(p, std::nan("")).name(), p.rampMiddle.name());
}

void TestPlotsPalette::themeFollowsTheChoice()
{
    Theme theme;
    theme.apply(*qApp);
    QLabel label;
    setLook(label, Look::Secondary);
    label.ensurePolished();
    QSignalSpy changed(&theme, &Theme::changed);
    theme.setScheme(ColourScheme::Dark);
    QVERIFY(theme.palette().isDark);
    QCOMPARE(QApplication::palette().color(QPalette::Window), Palette::dark().panel);
    QCOMPARE(label.palette().color(QPalette::WindowText), Palette::dark().secondary);
    theme.setScheme(ColourScheme::Dark);
    QCOMPARE(changed.count(), 1); // no change, no work
    theme.setScheme(ColourScheme::Light);
    QCOMPARE(label.palette().color(QPalette::WindowText), Palette::light().secondary);
    QCOMPARE(label.font().pixelSize(), 12);
    theme.setPresenter(true);
    QCOMPARE(QApplication::font().pixelSize(), 21);
    QCOMPARE(label.font().pixelSize(), 19);
    QCOMPARE(changed.count(), 3);
    theme.setReducedMotion(true);
    QCOMPARE(theme.animationMs(), 0);
    theme.setReducedMotion(false);
    QCOMPARE(theme.animationMs(), 120);
}

void TestPlotsPalette::figuresAreTabular()
{
    Theme theme;
    for (const QFont::Weight weight : { QFont::Normal, QFont::Medium, QFont::DemiBold }) {
        const QFontMetricsF metrics(theme.font(40, weight));
        const double width = metrics.horizontalAdvance(QStringLiteral("0"));
        for (char16_t digit = u'1'; digit <= u'9'; ++digit)
            QVERIFY(
                std::abs(metrics.horizontalAdvance(QString(QChar(digit))) - width)
                < 0.1); // "1" is far narrower in Inter
    }
}

void TestPlotsPalette::weightsDiffer()
{
    // Ink on paper, not only metrics: a wrong face would keep the widths and lose the weight.
    Theme theme;
    const auto ink = [&](QFont::Weight weight) {
        QImage image(400, 60, QImage::Format_Grayscale8);
        image.fill(255);
        QPainter painter(&image);
        painter.setFont(theme.font(40, weight));
        painter.drawText(image.rect(), Qt::AlignCenter, QStringLiteral("held out 86"));
        painter.end();
        double sum = 0;
        for (int y = 0; y < image.height(); ++y)
            for (int x = 0; x < image.width(); ++x)
                sum += 255 - image.constScanLine(y)[x];
        return sum;
    };
    const double normal = ink(QFont::Normal);
    const double medium = ink(QFont::Medium);
    const double strong = ink(QFont::DemiBold);
    QVERIFY2(medium > 1.06 * normal && medium < 1.35 * normal, qPrintable(QString::number(medium / normal)));
    QVERIFY2(strong > 1.06 * medium && strong < 1.35 * medium, qPrintable(QString::number(strong / medium)));
}

void TestPlotsPalette::iconsExist()
{
    Theme theme;
    const QStringList names = QDir(QStringLiteral(":/icons")).entryList();
    QVERIFY(names.size() > 20);
    for (const QString& name : names) {
        const QImage image
            = theme.pixmap(name.chopped(4), Qt::red, 16, 2).toImage().convertToFormat(QImage::Format_ARGB32);
        QCOMPARE(image.size(), QSize(32, 32));
        int inked = 0;
        for (int y = 0; y < 32; ++y)
            for (int x = 0; x < 32; ++x)
                inked += qAlpha(image.pixel(x, y)) > 64 ? 1 : 0;
        QVERIFY2(inked > 10 && inked < 700, qPrintable(name));
    }
    QVERIFY(!theme.icon(QStringLiteral("undo")).pixmap(16, 16).isNull());
}

QTEST_MAIN(TestPlotsPalette)
#include "tst_plots_palette.moc"
