#include "ui/plots/style_sheet.h"

#include <QHash>
#include <cmath>

namespace lodestone::ui {

namespace {

// Words that begin with @ are filled in from the palette; sizes carry their unit.
const char* const rules = R"(
QMainWindow, QDialog { background: @panel; }
QFrame[look="card"] { background: @panel; border: 1px solid @line; border-radius: @radiusCard; }
QFrame[look="cardSelected"] { background: @panel; border: @two solid @accent; border-radius: @radiusCard; }
QFrame[look="cardFlipped"] { background: @flipped; border: 1px solid @flipped; border-radius: @radiusCard; }
QWidget[look="panel"] { background: @panel; border: none; }
QWidget[look="ground"] { background: @ground; border: none; }
QFrame[look="topBar"] { background: @panel; border: none; border-bottom: 1px solid @line; }
QFrame[look="footBar"] { background: @panel; border: none; border-top: 1px solid @line; }
QLabel { background: transparent; }
QLabel[look="title"] { font-size: @fontText; font-weight: 700; }
QLabel[look="sentence"] { font-size: @fontSentence; font-weight: 700; }
QLabel[look="figure"] { font-size: @fontFigure; font-weight: 700; }
QLabel[look="strong"] { font-weight: 700; }
QLabel[look="secondary"] { font-size: @fontSecondary; color: @secondary; }
QLabel[look="small"] { font-size: @fontSmall; color: @faint; }
QLabel[look="success"] { font-size: @fontSecondary; color: @success; }
QLabel[look="warning"] { font-size: @fontSecondary; color: @warning; }
QLabel[look="error"] { font-size: @fontSecondary; color: @error; }

QPushButton, QToolButton[look="chip"], QComboBox {
    background: @control; color: @text; border: 1px solid @control; border-radius: @radiusControl;
    padding: @three @ten; min-height: @buttonText; }
QPushButton:hover, QToolButton[look="chip"]:hover, QComboBox:hover { background: @controlHover; border-color: @controlHover; }
QPushButton:pressed, QToolButton[look="chip"]:pressed, QComboBox:on { background: @line; border-color: @line; }
QPushButton:focus, QToolButton:focus, QComboBox:focus { border: 1px solid @accent; outline: none; }
QPushButton:disabled, QToolButton:disabled, QComboBox:disabled { color: @disabled; }
QPushButton:checked { background: @accent; border-color: @accent; color: @onAccent; }
QPushButton::menu-indicator, QToolButton::menu-indicator { image: url(:/icons/chevron_@theme.svg); width: @ten; height: @ten;
    subcontrol-position: right center; subcontrol-origin: padding; right: @eight; }
QToolButton[look="chip"][popupMode="2"] { padding-right: @twentyTwo; }
QPushButton[look="primary"], QToolButton[look="primary"] { background: @accent; border: 1px solid @accent; color: @onAccent;
    border-radius: @radiusControl; padding: @three @ten; min-height: @buttonText; font-weight: 500; }
QPushButton[look="primary"]:hover, QToolButton[look="primary"]:hover { background: @accentHover; border-color: @accentHover; }
QPushButton[look="primary"]:focus, QToolButton[look="primary"]:focus { border: 1px solid @text; }
QPushButton[look="primary"]:disabled { background: @control; border-color: @control; color: @disabled; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QPushButton, QCheckBox, QMenu, QListView, QTreeView { icon-size: @icon; }
QToolButton { qproperty-iconSize: @icon @icon; }
QPushButton[look="ghost"], QToolButton, QToolButton[look="ghost"] {
    background: transparent; color: @secondary; border: 1px solid transparent; border-radius: @radiusControl;
    padding: @three @six; }
QPushButton[look="ghost"]:hover, QToolButton:hover { background: @control; color: @text; }
QPushButton[look="ghost"]:pressed, QToolButton:pressed, QToolButton:checked { background: @control; color: @accent; }
QPushButton[look="ghost"]:focus { border: 1px solid @accent; }
QPushButton[look="ghost"]:disabled { color: @disabled; }
QWidget[look="segments"] { background: @panel; border: 1px solid @line; border-radius: @radiusControl; }
QPushButton[look="segment"] { background: transparent; color: @secondary; border: 1px solid transparent;
    border-radius: @radiusInner; padding: @two @nine; min-height: @buttonText; }
QPushButton[look="segment"][tight="true"] { padding: @two @three; }
QPushButton[look="segment"]:hover { color: @text; background: @control; }
QPushButton[look="segment"]:checked { background: @accent; color: @onAccent; border-color: @accent; }
QPushButton[look="segment"]:focus { border: 1px solid @text; }
QPushButton[look="segment"]:disabled { color: @disabled; }
QPushButton[look="segment"]:checked:disabled { background: @control; border-color: @control; }

QComboBox { padding-right: @twentyTwo; }
QComboBox::drop-down { border: none; width: @twenty; subcontrol-origin: padding; subcontrol-position: right center; }
QComboBox::down-arrow { image: url(:/icons/chevron_@theme.svg); width: @ten; height: @ten; }
QComboBox QAbstractItemView { background: @panel; border: 1px solid @line; padding: @four; outline: none;
    selection-background-color: @control; selection-color: @text; }

QScrollArea, QAbstractScrollArea { border: none; }
QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox { background: @ground; color: @text; border: 1px solid @line;
    border-radius: @radiusControl; padding: @three @eight; selection-background-color: @selection; selection-color: @text; }
QTextBrowser { border: none; background: @panel; }
QLineEdit:hover, QAbstractSpinBox:hover { border-color: @axis; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QAbstractSpinBox:focus { border: 1px solid @accent; }
QLineEdit:disabled { color: @disabled; }
QLineEdit[look="inPlace"] { background: transparent; border: none; border-bottom: 1px dotted @axis; border-radius: 0;
    padding: @one 0; font-size: @fontSecondary; color: @secondary; }
QLineEdit[look="inPlace"]:hover { color: @text; border-bottom: 1px dotted @secondary; }
QLineEdit[look="inPlace"]:focus { color: @text; border-bottom: 1px solid @accent; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: none; background: transparent; width: @sixteen; }
QAbstractSpinBox::up-arrow { image: url(:/icons/chevron_up_@theme.svg); width: @eight; height: @eight; }
QAbstractSpinBox::down-arrow { image: url(:/icons/chevron_@theme.svg); width: @eight; height: @eight; }

QCheckBox, QRadioButton { spacing: @eight; background: transparent; }
QCheckBox::indicator, QTreeView::indicator, QRadioButton::indicator { width: @fourteen; height: @fourteen; border: 1px solid @axis;
    border-radius: @four; background: @panel; }
QRadioButton::indicator { border-radius: @eight; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover, QCheckBox::indicator:focus, QRadioButton::indicator:focus { border: 1px solid @accent; }
QCheckBox::indicator:checked, QTreeView::indicator:checked { background: @accent; border: 1px solid @accent; image: url(:/icons/tick_@theme.svg); }
QCheckBox::indicator:checked:focus { border: 1px solid @text; }
QRadioButton::indicator:checked { background: @panel; border: @four solid @accent; width: @eight; height: @eight; }
QCheckBox::indicator:disabled { border-color: @line; background: @control; }
QCheckBox:focus, QRadioButton:focus { outline: none; }

QTabWidget::pane { border: none; border-top: 1px solid @line; top: -1px; }
QTabBar { background: transparent; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: @secondary; border: none; border-bottom: @two solid transparent;
    padding: @eight 0; margin-right: @twenty; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:selected { color: @text; border-bottom: @two solid @accent; }
QTabBar::tab:focus { color: @accent; }
QTabBar::tab:disabled { color: @disabled; }
QTabBar QToolButton { background: @panel; }

QSlider:horizontal { min-height: @sliderHeight; }
QSlider::groove:horizontal { height: @grooveHeight; border-radius: @two; background: @control; }
QSlider::sub-page:horizontal { background: @accent; border-radius: @two; }
QSlider::handle:horizontal { width: @handleInner; height: @handleInner; margin: -@handleMargin 0; border: @two solid @accent;
    border-radius: @handleRadius; background: @panel; }
QSlider::handle:horizontal:hover { background: @control; }
QSlider::handle:horizontal:focus { background: @accent; }
QSlider::sub-page:horizontal:disabled { background: @axis; }
QSlider::handle:horizontal:disabled { border-color: @axis; }
QProgressBar { background: @control; border: none; border-radius: @two; max-height: @four; min-height: @four; }
QProgressBar::chunk { background: @accent; border-radius: @two; }

QScrollBar:vertical { background: transparent; width: @eight; margin: 0; }
QScrollBar:horizontal { background: transparent; height: @eight; margin: 0; }
QScrollBar::handle { background: @line; border-radius: @three; margin: 1px; }
QScrollBar::handle:hover { background: @axis; }
QScrollBar::handle:vertical { min-height: @twentyFour; }
QScrollBar::handle:horizontal { min-width: @twentyFour; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QToolTip { background: @panel; color: @text; border: 1px solid @line; padding: @four @six; }
QMenu { background: @panel; border: 1px solid @line; padding: @four; }
QMenu::item { padding: @five @twentyFour @five @twelve; border-radius: @four; color: @text; }
QMenu::item:selected { background: @control; }
QMenu::item:disabled { color: @disabled; }
QMenu::separator { height: 1px; background: @line; margin: @four @eight; }
QMenuBar { background: @panel; }
QMenuBar::item { padding: @four @eight; background: transparent; border-radius: @four; }
QMenuBar::item:selected { background: @control; }

QTableView, QTreeView, QListView { background: @panel; alternate-background-color: @ground; border: none; gridline-color: @line;
    selection-background-color: @selection; selection-color: @text; outline: none; }
QTableView::item, QTreeView::item, QListView::item { padding: @four @eight; border: none; }
QTableView::item:hover, QTreeView::item:hover, QListView::item:hover { background: @control; }
QTableView::item:selected, QTreeView::item:selected, QListView::item:selected { background: @selection; color: @text; }
QHeaderView { background: @panel; border: none; }
QHeaderView::section { background: @panel; color: @secondary; border: none; border-bottom: 1px solid @line;
    padding: @four @eight; font-size: @fontSecondary; font-weight: 500; }
QTableCornerButton::section { background: @panel; border: none; }
QSplitter::handle { background: @line; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover { background: @accent; }
QStatusBar { background: @panel; border-top: 1px solid @line; }
QStatusBar::item { border: none; }
QGroupBox { border: 1px solid @line; border-radius: @radiusCard; margin-top: @ten; padding: @ten; }
QGroupBox::title { subcontrol-origin: margin; left: @ten; padding: 0 @four; color: @secondary; }
)";

QString pixels(double size) { return QString::number(std::lround(size)) + QLatin1String("px"); }

} // namespace

QString styleSheetFor(const Palette& p)
{
    QHash<QString, QString> words;
    const auto colour = [&](const char* name, const QColor& value) {
        words.insert(QString::fromLatin1(name), value.name());
    };
    colour("ground", p.ground);
    colour("panel", p.panel);
    colour("control", p.control);
    colour("controlHover", p.controlHover);
    colour("line", p.line);
    colour("axis", p.axis);
    colour("flipped", p.flipped);
    colour("selection", p.selection);
    colour("text", p.text);
    colour("secondary", p.secondary);
    colour("faint", p.faint);
    colour("accent", p.accent);
    colour("accentHover", mixed(p.accent, p.text, 0.18));
    colour("onAccent", p.onAccent);
    colour("success", p.success);
    colour("warning", p.warning);
    colour("error", p.error);
    colour("disabled", mixed(p.panel, p.secondary, 0.6));
    const auto size
        = [&](const char* name, double value) { words.insert(QString::fromLatin1(name), pixels(value)); };
    size("fontSmall", p.fontSmall);
    size("fontSecondary", p.fontSecondary);
    size("fontText", p.fontText);
    size("fontSentence", p.fontSentence);
    size("fontFigure", p.fontFigure);
    size("radiusCard", p.radiusCard);
    size("radiusControl", p.radiusControl);
    size("radiusInner", p.radiusControl - p.px(1));
    size("grooveHeight", p.grooveHeight);
    // Qt adds the border to the handle's size, and counts a radius beyond the half as none at all.
    const int border = p.ipx(2);
    const int inner = p.handle - 2 * border + (p.handle - p.grooveHeight) % 2;
    size("handleInner", inner);
    const int radius = (inner + 2 * border) / 2, margin = (inner + 2 * border - p.grooveHeight) / 2;
    size("handleRadius", radius);
    size("handleMargin", margin);
    size("sliderHeight", inner + 2 * border + p.px(4));
    size("icon", p.iconSize);
    size("buttonText", p.controlHeight - p.px(8));
    const char* const steps[]
        = { "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten" };
    for (int i = 0; i < 10; ++i)
        size(steps[i], p.px(i + 1));
    size("twelve", p.px(12));
    size("fourteen", p.px(14));
    size("sixteen", p.px(16));
    size("twenty", p.px(20));
    size("twentyTwo", p.px(22));
    size("twentyFour", p.px(24));
    words.insert(QStringLiteral("theme"), p.isDark ? QStringLiteral("dark") : QStringLiteral("light"));

    const QString source = QString::fromUtf8(rules);
    QString sheet;
    sheet.reserve(source.size() * 2);
    for (qsizetype i = 0; i < source.size(); ++i) {
        if (source[i] != QLatin1Char('@')) {
            sheet += source[i];
            continue;
        }
        qsizetype end = i + 1;
        while (end < source.size() && source[end].isLetter())
            ++end;
        const QString word = source.mid(i + 1, end - i - 1);
        Q_ASSERT_X(words.contains(word), "styleSheetFor", qPrintable(word));
        sheet += words.value(word);
        i = end - 1;
    }
    return sheet;
}

} // namespace lodestone::ui
