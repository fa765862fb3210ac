#include "ui/models/glossary.h"

#include "ui/models/translated.h"

#include <algorithm>

namespace lodestone::ui {
const QVector<Term>& glossary()
{
    static const QVector<Term> terms = [] {
        QVector<Term> all{
            { QStringLiteral("agreement"), tr("agreement"),
              tr("Share of held-out pairs in which the judge prefers the reply that people chose.") },
            { QStringLiteral("asked-enacted"), tr("asked and enacted"),
              tr("The direction by which the model judges a word, and the one along which it moves when told "
                 "to "
                 "act so: a notion need not be a conduct.") },
            { QStringLiteral("audit"), tr("audit"),
              tr("The judge under examination: how linear it is, whether it means what it does, what it says "
                 "when it is asked, and which principles could fool it.") },
            { QStringLiteral("bag-of-tokens"), tr("bag of tokens"),
              tr("A probe on the embedding layer, which sees which tokens a reply has and not what they say "
                 "together: a value that it finds is a matter of words.") },
            { QStringLiteral("best-of-n"), tr("best of n"),
              tr("Sample n replies and keep the judge's favourite; its KL is at most ln n − (n − 1)/n "
                 "(T38).") },
            { QStringLiteral("cloze"), tr("cloze"),
              tr("After the reply the model reads a short neutral suffix (“In one word, this reply was”); "
                 "the "
                 "log-odds of a principle's words against their opposites there are its judgment.") },
            { QStringLiteral("conditioned-cloze"), tr("conditioned cloze"),
              tr("The suffix quotes the principle's own text, so that every word of it counts; the model "
                 "must "
                 "read it anew for every reply.") },
            { QStringLiteral("constitution"), tr("constitution"),
              tr("Principles in plain words with weights; it selects a subspace of the value directions, or "
                 "their "
                 "weighted sum (T2).") },
            { QStringLiteral("difference-of-means"), tr("difference of means"),
              tr("Mean activation of chosen replies less that of rejected ones: a displacement (T46).") },
            { QStringLiteral("dpo"), tr("DPO"),
              tr("Direct preference optimisation: a policy fitted to pairs without a reward model; a chosen "
                 "reply's log-probability may fall while its margin rises.") },
            { QStringLiteral("effective"), tr("effective candidates"),
              tr("1/Σp²: how many candidates of a prompt still carry the updated policy (T37).") },
            { QStringLiteral("efficiency"), tr("efficiency"),
              tr("Cosine of the constitution's direction with people's in the covariance within prompts; 1 "
                 "would "
                 "gain all that the representation allows (T11).") },
            { QStringLiteral("encoding-quality"), tr("encoding quality (values encoded)"),
              tr("Share of a value's variance that a linear read-out of the activations explains (T1), "
                 "implied "
                 "from held-out accuracy.") },
            { QStringLiteral("gap"), tr("generation-judgment gap"),
              tr("How much better the model judges replies than its own likelihood prefers the good ones "
                 "(T9).") },
            { QStringLiteral("held-out"), tr("held out"),
              tr("From prompts that trained nothing: neither a direction nor its layer nor its strength.") },
            { QStringLiteral("kl"), tr("KL and β"),
              tr("How far the updated policy has moved from the base, in nats; β is its price, λ = 1/β. With "
                 "N "
                 "candidates it cannot exceed ln N (T3, T4, T37).") },
            { QStringLiteral("nonlinear"), tr("nonlinear remainder"),
              tr("What a curved probe reads of the model's answers beyond a straight one; the linear judge "
                 "leaves it out (T1).") },
            { QStringLiteral("paraphrase"), tr("paraphrase filter"),
              tr("Flags a constitution whose answers change when its pole words are replaced by the most "
                 "similar words: it needs no label.") },
            { QStringLiteral("position-bias"), tr("position bias"),
              tr("Asked which of two replies is better, a model leans towards one place; both orders are "
                 "asked "
                 "and averaged (T29).") },
            { QStringLiteral("people"), tr("people's direction w*"),
              tr("The read-out fitted to people's labels of the training prompts: the nearest the study has "
                 "to the "
                 "true value.") },
            { QStringLiteral("length-gaming"), tr("length gaming"),
              tr("A judge that likes length makes the policy longer, not better (T34).") },
            { QStringLiteral("noise-ceiling"), tr("noise ceiling"),
              tr("The largest cosine that so few labels could show, even if judge and people agreed "
                 "(T25).") },
            { QStringLiteral("overoptimisation"), tr("over-optimisation (Goodhart)"),
              tr("The judge's score still rises while people's value falls; only some judges turn over, and "
                 "the "
                 "cause is named where one does (T32, T33).") },
            { QStringLiteral("projection"), tr("projection"),
              tr("A constitution that restricts the model's own judgment to the span of its principles; "
                 "weights "
                 "do not enter (T2).") },
            { QStringLiteral("read-out"), tr("read-out and displacement"),
              tr("A read-out w scores a reply (w'h); the displacement Σw is where steering or training moves "
                 "it. "
                 "They differ wherever the activations are correlated (T42).") },
            { QStringLiteral("residual-stream"), tr("residual stream, layer"),
              tr("The vector that each token carries through the model; a layer is its value after a "
                 "block.") },
            { QStringLiteral("resistance"), tr("resistance to alignment"),
              tr("Share of pairs in which a reward model and a language model agree with each other and not "
                 "with "
                 "people: an angle between three directions (T48).") },
            { QStringLiteral("rlaif"), tr("RLAIF"),
              tr("Reinforcement learning from AI feedback: a model's judgments stand in for people's labels; "
                 "canonical through a reward model, direct without one (T50).") },
            { QStringLiteral("self-improvement"), tr("self-improvement (improves values)"),
              tr("Training on one's own judgments raises the value where judge and value are positively "
                 "correlated over one's replies (T5, T6).") },
            { QStringLiteral("steering"), tr("steering vector"),
              tr("A displacement added to the residual stream while the model writes (T42); Speak shows "
                 "it.") },
            { QStringLiteral("sycophancy"), tr("sycophancy"),
              tr("Three kinds: the policy takes on the labeler's manner, the judge likes what the policy "
                 "does "
                 "already (T23), the judge rewards agreement with the user.") },
            { QStringLiteral("value-direction"), tr("value direction"),
              tr("A way through the model's activations along which replies differ in a value: kind ones lie "
                 "on "
                 "one side, unkind ones on the other.") },
            { QStringLiteral("win-rate"), tr("win rate"),
              tr("How often the updated policy's reply is better than the base's along people's direction, "
                 "ties "
                 "half (T8).") },
        };
        std::sort(all.begin(), all.end(), [](const Term& x, const Term& y) {
            return x.name.compare(y.name, Qt::CaseInsensitive) < 0;
        });
        return all;
    }();
    return terms;
}

} // namespace lodestone::ui
