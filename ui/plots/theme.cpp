#include "ui/plots/theme.h"

#include "ui/plots/style_sheet.h"

#include <QAbstractButton>
#include <QApplication>
#include <QFontDatabase>
#include <QIconEngine>
#include <QLineEdit>
#include <QPainter>
#include <QPointer>
#include <QStyle>
#include <QStyleFactory>
#include <QSvgRenderer>
#include <QToolTip>
#include <QWidget>
#include <array>

// Resources of a static library register themselves only when asked, from outside any namespace.
static void registerResources() { Q_INIT_RESOURCE(ui); }

namespace lodestone::ui {

namespace {

constexpr std::array<const char*, 21> lookNames{
    "card",    "cardSelected", "cardFlipped", "panel",  "ground",    "topBar",  "footBar",
    "title",   "sentence",     "figure",      "strong", "secondary", "small",   "success",
    "warning", "error",        "primary",     "chip",   "ghost",     "segment", "inPlace"
};

/// The family of resources/fonts; empty when it cannot be loaded.
QString loadFamily()
{
    QString family;
    for (const char* face : { "Regular", "Medium", "Bold" }) {
        const int id = QFontDatabase::addApplicationFont(
            QStringLiteral(":/fonts/LodestoneSans-%1.otf").arg(QLatin1String(face)));
        if (id >= 0)
            family = QFontDatabase::applicationFontFamilies(id).value(0);
    }
    return family;
}

/// Asks the theme for its colours at each paint, so an icon set once follows every change of theme.
class ThemeIconEngine : public QIconEngine {
public:
    ThemeIconEngine(const Theme* theme, QString name)
        : m_theme(theme)
        , m_name(std::move(name))
    {
    }

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) override
    {
        const qreal ratio = painter->device()->devicePixelRatioF();
        const int side = std::min(rect.width(), rect.height());
        const QRect square(rect.center() - QPoint(side / 2, side / 2), QSize(side, side));
        painter->drawPixmap(square, draw(side, ratio, mode, state));
    }

    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override
    {
        return scaledPixmap(size, mode, state, 1);
    }

    QPixmap scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State state, qreal scale) override
    {
        return draw(static_cast<int>(std::min(size.width(), size.height()) / scale), scale, mode, state);
    }

    QIconEngine* clone() const override { return new ThemeIconEngine(m_theme, m_name); }

private:
    QPixmap draw(int side, qreal ratio, QIcon::Mode mode, QIcon::State state) const
    {
        if (!m_theme || side < 1)
            return {};
        const Palette& palette = m_theme->palette();
        const QColor colour = mode == QIcon::Disabled ? withAlpha(palette.faint, 0.5)
            : state == QIcon::On                      ? palette.accent
                                                      : palette.secondary;
        return m_theme->pixmap(m_name, colour, side, ratio);
    }

    QPointer<const Theme> m_theme;
    QString m_name;
};

} // namespace

void setLook(QWidget& widget, Look look)
{
    widget.setProperty("look", QString::fromLatin1(lookNames[static_cast<std::size_t>(look)]));
    // A plain QWidget paints its style sheet's background only when told to.
    widget.setAttribute(Qt::WA_StyledBackground);
    // A ring after a mouse click says nothing: buttons take the focus by keyboard only.
    if (auto* button = qobject_cast<QAbstractButton*>(&widget))
        button->setFocusPolicy(Qt::TabFocus);
    // QLineEdit keeps two pixels of its own on both sides: text edited in place starts where a label would.
    if (auto* line = qobject_cast<QLineEdit*>(&widget); line && look == Look::InPlace)
        line->setTextMargins(-2, 0, -2, 0);
    widget.style()->unpolish(&widget);
    widget.style()->polish(&widget);
    widget.update();
}

Theme::Theme(QObject* parent)
    : QObject(parent)
{
    registerResources();
    m_family = loadFamily();
    m_platformDark = platformIsDark();
    rebuild();
}

Theme::~Theme() = default;

void Theme::setScheme(ColourScheme scheme)
{
    if (m_scheme == scheme)
        return;
    m_scheme = scheme;
    rebuild();
}

void Theme::setPresenter(bool on)
{
    const double scale = on ? Palette::presenterScale : 1;
    if (m_scale == scale)
        return;
    m_scale = scale;
    rebuild();
}

bool Theme::reducedMotion() const
{
    if (m_reducedMotion)
        return *m_reducedMotion;
    return QApplication::style()->styleHint(QStyle::SH_Widget_Animation_Duration) == 0
        || !QApplication::isEffectEnabled(Qt::UI_General);
}

QFont Theme::font(int pixels, QFont::Weight weight) const
{
    QFont font = QFontDatabase::systemFont(QFontDatabase::GeneralFont);
    if (!m_family.isEmpty())
        font.setFamilies({ m_family, font.family() });
    font.setPixelSize(std::max(1, pixels));
    // The family's third face is Inter Semi Bold under the name Bold (resources/fonts/make_fonts.py).
    font.setWeight(weight >= QFont::DemiBold ? QFont::Bold : weight);
    font.setHintingPreference(QFont::PreferVerticalHinting);
    return font;
}

QIcon Theme::icon(const QString& name) const { return QIcon(new ThemeIconEngine(this, name)); }

QPixmap Theme::pixmap(const QString& name, const QColor& colour, int size, qreal devicePixelRatio) const
{
    QSvgRenderer renderer(QStringLiteral(":/icons/") + name + QStringLiteral(".svg"));
    const int side = static_cast<int>(std::lround(size * devicePixelRatio));
    QPixmap pixmap(side, side);
    pixmap.fill(Qt::transparent);
    if (renderer.isValid()) {
        QPainter painter(&pixmap);
        renderer.render(&painter);
        painter.setCompositionMode(QPainter::CompositionMode_SourceIn);
        painter.fillRect(pixmap.rect(), colour);
    }
    pixmap.setDevicePixelRatio(devicePixelRatio);
    return pixmap;
}

QString Theme::styleSheet() const { return styleSheetFor(m_palette); }

QPalette Theme::qpalette() const
{
    QPalette result;
    const Palette& p = m_palette;
    result.setColor(QPalette::Window, p.panel);
    result.setColor(QPalette::WindowText, p.text);
    result.setColor(QPalette::Base, p.panel);
    result.setColor(QPalette::AlternateBase, p.ground);
    result.setColor(QPalette::Text, p.text);
    result.setColor(QPalette::PlaceholderText, p.faint);
    result.setColor(QPalette::Button, p.control);
    result.setColor(QPalette::ButtonText, p.text);
    result.setColor(QPalette::BrightText, p.error);
    result.setColor(QPalette::Highlight, p.selection);
    result.setColor(QPalette::HighlightedText, p.text);
    result.setColor(QPalette::Link, p.accent);
    result.setColor(QPalette::LinkVisited, p.accent);
    result.setColor(QPalette::ToolTipBase, p.panel);
    result.setColor(QPalette::ToolTipText, p.text);
    result.setColor(QPalette::Light, p.controlHover);
    result.setColor(QPalette::Midlight, p.control);
    result.setColor(QPalette::Mid, p.line);
    result.setColor(QPalette::Dark, p.axis);
    result.setColor(QPalette::Shadow, p.line);
    for (const auto role : { QPalette::WindowText, QPalette::Text, QPalette::ButtonText })
        result.setColor(QPalette::Disabled, role, mixed(p.panel, p.secondary, 0.6));
    return result;
}

void Theme::apply(QApplication& application)
{
    m_application = &application;
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    application.installEventFilter(this);
    rebuild();
}

bool Theme::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::ThemeChange && !m_applying) {
        m_applying = true;
        const bool dark = platformIsDark();
        m_applying = false;
        if (dark != m_platformDark) {
            m_platformDark = dark;
            if (m_scheme == ColourScheme::System)
                rebuild();
        }
    }
    return QObject::eventFilter(watched, event);
}

bool Theme::platformIsDark() const
{
    // Our own palette hides the platform's: an empty one brings it back for as long as the question takes.
    const QPalette ours = QApplication::palette();
    if (m_application)
        QApplication::setPalette(QPalette());
    const bool dark = QApplication::palette().color(QPalette::Window).lightness() < 128;
    if (m_application)
        QApplication::setPalette(ours);
    return dark;
}

void Theme::rebuild()
{
    const bool dark = m_scheme == ColourScheme::Dark || (m_scheme == ColourScheme::System && m_platformDark);
    m_palette = dark ? Palette::dark(m_scale) : Palette::light(m_scale);
    if (m_application) {
        QApplication::setFont(font(m_palette.fontText));
        QApplication::setPalette(qpalette());
        QToolTip::setFont(font(m_palette.fontSecondary));
        m_application->setStyleSheet(styleSheet());
    }
    Q_EMIT changed();
}

} // namespace lodestone::ui
