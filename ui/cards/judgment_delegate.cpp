#include "ui/cards/judgment_delegate.h"

#include "ui/models/judgment_model.h"
#include "ui/plots/theme.h"

#include <QListView>
#include <QPainter>
#include <QPainterPath>
#include <QTextLayout>
#include <cmath>

namespace lodestone::ui {
namespace {

constexpr int replyLines = 4;

/// Draws at most `lines` lines of wrapped text, the last one elided, and returns the height used.
double drawLines(
    QPainter& painter, const QRectF& rect, const QString& text, const QFont& font, const QColor& colour,
    int lines)
{
    QTextLayout layout(QString(text).replace(QLatin1Char('\n'), QLatin1Char(' ')), font);
    layout.beginLayout();
    const QFontMetricsF metrics(font);
    double y = rect.top();
    painter.setFont(font);
    painter.setPen(colour);
    for (int i = 0; i < lines; ++i) {
        QTextLine line = layout.createLine();
        if (!line.isValid())
            break;
        line.setLineWidth(rect.width());
        QString piece = layout.text().mid(line.textStart(), i == lines - 1 ? -1 : line.textLength());
        if (i == lines - 1)
            piece = metrics.elidedText(piece, Qt::ElideRight, rect.width());
        painter.drawText(QPointF(rect.left(), y + metrics.ascent()), piece);
        y += metrics.height();
    }
    layout.endLayout();
    return y - rect.top();
}

} // namespace

JudgmentDelegate::JudgmentDelegate(Theme& theme, QObject* parent)
    : QStyledItemDelegate(parent)
    , m_theme(theme)
{
}

QSize JudgmentDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    const Palette& look = m_theme.palette();
    const QFontMetricsF metrics(m_theme.font(look.fontSecondary));
    const bool prompt = !index.data(JudgmentModel::PromptRole).toString().isEmpty();
    const double height = 2 * look.padCard + (prompt ? 1 : 0.8) * metrics.height() + look.gapSmall
        + replyLines * metrics.height() + look.gap + look.px(6) + look.gapSmall + metrics.height();
    return { option.rect.width(), static_cast<int>(std::ceil(height)) + look.gap };
}

void JudgmentDelegate::paint(
    QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    const Palette& look = m_theme.palette();
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const QRectF card = QRectF(option.rect).adjusted(1, 1, -1, -look.gap);
    const bool flipped = index.data(JudgmentModel::FlippedRole).toBool();
    const bool current = option.state & QStyle::State_Selected;
    QPainterPath outline;
    outline.addRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), look.radiusCard, look.radiusCard);
    painter->fillPath(outline, flipped ? look.flipped : look.panel);
    painter->setPen(QPen(current ? look.accent : look.line, current ? 2 : 1));
    painter->drawPath(outline);

    const QRectF inner = card.adjusted(look.padCard, look.padCard, -look.padCard, -look.padCard);
    const QFont small = m_theme.font(look.fontSecondary),
                strong = m_theme.font(look.fontSecondary, QFont::DemiBold);
    const QFontMetricsF metrics(small);
    const double p = index.data(JudgmentModel::ProbabilityRole).toDouble();
    const bool agrees = p > 0.5;
    const QString verdict = std::abs(p - 0.5) < 1e-9 ? tr("tie") : agrees ? tr("agrees") : tr("disagrees");
    QString flag = flipped ? tr("flipped") : QString();
    if (!index.data(JudgmentModel::HeldOutRole).toBool())
        flag = flag.isEmpty() ? tr("training") : flag;
    double x = inner.right() - metrics.horizontalAdvance(verdict);
    painter->setFont(small);
    painter->setPen(agrees ? look.success : look.rejectedText);
    painter->drawText(QPointF(x, inner.top() + metrics.ascent()), verdict);
    if (!flag.isEmpty()) {
        x -= metrics.horizontalAdvance(flag) + look.gap;
        painter->setPen(flipped ? look.warning : look.faint);
        painter->drawText(QPointF(x, inner.top() + metrics.ascent()), flag);
    }
    painter->setPen(look.secondary);
    painter->drawText(
        QPointF(inner.left(), inner.top() + metrics.ascent()),
        metrics.elidedText(
            index.data(JudgmentModel::PromptRole).toString(), Qt::ElideRight, x - inner.left() - look.gap));
    double y = inner.top() + metrics.height() + look.gapSmall;
    const double half = (inner.width() - look.gap) / 2;
    drawLines(
        *painter, { inner.left(), y, half, 0 }, index.data(JudgmentModel::ChosenRole).toString(),
        agrees ? strong : small, agrees ? look.text : look.secondary, replyLines);
    drawLines(
        *painter, { inner.left() + half + look.gap, y, half, 0 },
        index.data(JudgmentModel::RejectedRole).toString(), agrees ? small : strong,
        agrees ? look.secondary : look.text, replyLines);
    y += replyLines * metrics.height() + look.gap;

    const QRectF bar(inner.left(), y, inner.width(), look.px(6));
    QPainterPath clip;
    clip.addRoundedRect(bar, look.px(3), look.px(3));
    painter->setClipPath(clip);
    painter->fillRect(QRectF(bar.left(), bar.top(), bar.width() * p, bar.height()), look.chosen);
    painter->fillRect(
        QRectF(bar.left() + bar.width() * p, bar.top(), bar.width() * (1 - p), bar.height()), look.rejected);
    painter->setClipping(false);
    painter->setPen(QPen(look.text, 1));
    painter->drawLine(QPointF(bar.center().x(), bar.top() - 2), QPointF(bar.center().x(), bar.bottom() + 2));
    y += look.px(6) + look.gapSmall;
    const QFont tiny = m_theme.font(look.fontSmall);
    painter->setFont(tiny);
    painter->setPen(look.faint);
    const QRectF foot(inner.left(), y, inner.width(), metrics.height());
    painter->drawText(foot, Qt::AlignLeft, tr("A %1 %").arg(percent(p)));
    painter->drawText(foot, Qt::AlignHCenter, tr("people chose A"));
    painter->drawText(foot, Qt::AlignRight, tr("B %1 %").arg(percent(1 - p)));
    painter->restore();
}

} // namespace lodestone::ui
