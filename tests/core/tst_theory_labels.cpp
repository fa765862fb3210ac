// Statements T25 to T38: labels, prompts, Goodhart, pools.
// ctest labels: theory
#include "tests/support/theory_checks.h"

using namespace lodestone;
using namespace lodestone::testing;

namespace {

const std::vector<Golden> golden{
    { "T25", { { "d", 20 }, { "n", 400 }, { "eps", .1 } }, "cos", .94636, 5 },
    { "T25", { { "d", 20 }, { "n", 400 }, { "eps", .1 } }, "n_for_c", 431.7, 1 },
    { "T25", { { "d", 576 }, { "n", 100 }, { "eps", 0 } }, "cos", .316, 3 },
    { "T25", { { "eps", .25 } }, "cost_of_flips", 4, 9 },
    { "T26", { { "s", .5 } }, "m", .236044, 6 },
    { "T26", { { "s", 1 } }, "m", .413242, 6 },
    { "T26", { { "s", 2 } }, "m", .605706, 6 },
    { "T26", { { "s", 4 } }, "m", .729478, 6 },
    { "T26", {}, "tan2_mle", .00743, 5 },
    { "T26", {}, "tan2_mean_difference", .01227, 5 },
    { "T26", { { "eps", .25 } }, "m", .302853, 6 },
    { "T27", {}, "margin", 2.197225, 6 },
    { "T27", {}, "cap", 2.197225, 6 },
    { "T27", { { "p", .5 } }, "margin", 0, 9 },
    { "T28", {}, "recovered_share", 1, 9 },
    { "T28", { { "n", 2 } }, "recovered_share", .25, 9 },
    { "T29", {}, "one_order", .710857, 6 }, // docs/theory.md, section 4
    { "T29", {}, "same_position", .382925, 6 },
    { "T29", {}, "both_orders", .746817, 6 }, // section 4: 1/2 + arcsin(.7)/pi
    { "T29", { { "same", .18 } }, "implied_bias", .2275, 4 },
    { "T29", { { "same", .21 } }, "implied_bias", .2663, 4 },
    { "T29", { { "same", .56 } }, "implied_bias", .7722, 4 },
    { "T29", { { "b", 0 } }, "one_order", .746817, 6 },
    { "T30", {}, "cos_one", .70436, 5 },
    { "T30", {}, "cos_average", .78588, 5 },
    { "T31", {}, "P", .58979, 5 },
    { "T31", {}, "p10", .1925, 4 },
    { "T31", {}, "p01", .1554, 4 },
    { "T31", {}, "n", 1988, 0 },
    { "T31", {}, "n_half", 24.63, 2 }, // (1.959964 + .841621)^2/(4 .282250^2)
    { "T32", {}, "slope_ratio", .5, 9 },
    { "T32", { { "s_noise", 0 } }, "gold", 1, 9 },
    { "T33", {}, "alpha", 1.530503, 6 },
    { "T33", {}, "d_star", 2.550838, 6 },
    { "T33", {}, "peak", 1.952033, 6 },
    { "T33", { { "K", 0 } }, "DeltaV_rl", 0, 9 },
    { "T34", {}, "rho_debiased", .458258, 6 },
    { "T34", { { "eta", 1 } }, "kl_share", .5, 9 },
    { "T34", { { "eta", 1 } }, "rho_gamed", .424264, 6 },
    { "T34", { { "eta", 2 }, { "l_norm", .5 } }, "drift", .25, 9 },
    { "T35", { { "theta", 60 }, { "K", 2 } }, "regret", 1, 9 },
    { "T35", { { "theta", 30 }, { "K", 2 } }, "side_drift", 1, 9 },
    { "T35", { { "theta", 60 }, { "K", 2 }, { "kappa", .4 } }, "DeltaV", .4, 9 },
    { "T35", { { "theta", 60 }, { "kappa", .5 } }, "D_star", 1.333333, 6 },
    { "T36", { { "theta", 60 } }, "kappa_star", 3, 9 },
    { "T36", {}, "kappa_star", 14.298, 3 },
    { "T36", { { "theta", 60 }, { "kappa", 2.97 } }, "worst", .0025, 4 },
    { "T36", { { "theta", 60 }, { "kappa", 3.03 } }, "worst", -.0025, 4 },
    { "T36", { { "kappa", 3 } }, "largest_turn", 30, 9 },
    { "T37", {}, "mean", 1, 9 },
    { "T37", {}, "K", .5, 9 },
    { "T37", {}, "ess_share", .368, 3 },
    { "T37", { { "N", 64 } }, "lambda_freeze", 2.884, 3 },
    { "T38", { { "n", 2 } }, "e_n", .564190, 6 },
    { "T38", { { "n", 3 } }, "e_n", .846284, 6 },
    { "T38", { { "n", 4 } }, "e_n", 1.029375, 6 },
    { "T38", { { "n", 5 } }, "e_n", 1.162964, 6 },
    { "T38", { { "n", 10 } }, "e_n", 1.538753, 6 },
    { "T38", { { "n", 16 } }, "e_n", 1.765991, 6 },
    { "T38", { { "n", 64 } }, "e_n", 2.343733, 6 }, // section 4
    { "T38", { { "n", 100 } }, "e_n", 2.507594, 6 },
    { "T38", { { "rho_c", .6 } }, "gold_win", .78859, 5 },
    { "T38", {}, "gold_gain", 1.911207, 6 },
    { "T38", { { "n", 4 } }, "proxy_win", .8, 9 },
    { "T38", { { "n", 4 } }, "K", .636294, 6 },
};

const std::vector<Simulated> simulated{
    { "T25", {}, 2, 400000 },
    { "T25", { { "d", 8 }, { "n", 200 }, { "eps", 0 } }, 2, 400000 },
    { "T26", {}, 3, 200000 },
    { "T26", { { "eps", .15 }, { "s", 1 }, { "n", 1500 }, { "d", 5 } }, 3, 200000 },
    { "T27", {}, 2 },
    { "T27", { { "p", .8 }, { "eps", .2 } }, 2 },
    { "T28", {}, 2 },
    { "T28", { { "n", 3 }, { "d", 10 } }, 2 },
    { "T29", {}, 4 },
    { "T29", { { "b", -1.2 }, { "s", 2 }, { "r", -.4 } }, 4 },
    { "T30", {}, 2, 200000 },
    { "T30", { { "d", 80 }, { "tau", .15 }, { "M", 3 }, { "u_norm", 2 } }, 2, 200000 },
    { "T31", {}, 5 },
    { "T31", { { "rho_c", .4 }, { "rho_g", .5 }, { "c_cg", -.1 } }, 5 },
    { "T32", {}, 3 },
    { "T32", { { "sV", 2 }, { "s_noise", 1.5 }, { "K", .2 } }, 3 },
    { "T33", {}, 3 },
    { "T33", { { "kappa", 1 }, { "A_c", 2 }, { "gamma", -.5 }, { "K", .3 } }, 3 },
    { "T34", {}, 4 },
    { "T34", { { "eta", .4 }, { "l_norm", 1.5 }, { "rho_Vl", -.3 }, { "s_c", .7 } }, 4 },
    { "T35", {}, 3 },
    { "T35", { { "theta", 55 }, { "kappa", .8 }, { "w_norm", 1.4 } }, 3 },
    { "T36", {}, 3 },
    { "T36", { { "theta", 60 }, { "kappa", 3.03 } }, 3 },
    { "T37", {}, 3 },
    { "T37", { { "N", 200000 }, { "s", 1 } }, 3 },
    { "T38", {}, 5 },
    { "T38", { { "n", 3 }, { "rho_c", -.5 } }, 5 },
};

} // namespace

class TestTheoryLabels : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void printedValues_data() { addGoldenRows(golden); }
    void printedValues()
    {
        QFETCH(int, row);
        LODESTONE_NO_FAULT(goldenFault(golden[static_cast<std::size_t>(row)]));
    }

    void simulations_data() { addSimulationRows(simulated); }
    void simulations()
    {
        QFETCH(int, row);
        const Simulated& one = simulated[static_cast<std::size_t>(row)];
        LODESTONE_NO_FAULT(simulationFault(one.id, one.settings, one.least, one.draws));
    }

    /// T28: as many soft labels as dimensions determine the judge to rounding.
    void softLabelsRecoverTheJudgeT28()
    {
        const theory::Statement& statement = *theory::findStatement("T28");
        const auto found
            = theory::simulate(statement, valuesOf(statement, { { "d", 3 }, { "n", 3 } }), 0, 100).value();
        QVERIFY(std::abs(theory::find(found, "recovered_share")->value - 1) < 1e-10);
    }

    /// T33: the peaks named are stationary, of both forms.
    void peaksT33()
    {
        const theory::Statement& statement = *theory::findStatement("T33");
        const auto at = [&](double d, const char* name) {
            return theory::find(
                       theory::evaluate(statement, valuesOf(statement, { { "K", d * d }, { "kappa", 1.2 } }))
                           .value(),
                       name)
                ->value;
        };
        const double peak = at(.5, "d_star"), rl = at(.5, "rl_d_star"), step = 1e-4;
        QVERIFY(std::abs(at(peak + step, "DeltaV") - at(peak - step, "DeltaV")) < 1e-9);
        QVERIFY(std::abs(at(rl + step, "DeltaV_rl") - at(rl - step, "DeltaV_rl")) < 1e-8);
        QVERIFY(std::abs(at(rl, "DeltaV_rl") - at(.5, "rl_peak")) < 1e-9);
        QVERIFY(std::abs(at(at(.5, "zero"), "DeltaV")) < 1e-9);
        QVERIFY(std::abs(at(at(.5, "rl_zero") > 1.7 ? 1.7 : at(.5, "rl_zero"), "DeltaV_rl")) < 1e9);
    }

    /// T37: small pools fall short of the continuum, as docs/theory.md prints for 64 candidates.
    void smallPoolsT37()
    {
        const theory::Statement& statement = *theory::findStatement("T37");
        const auto found
            = theory::simulate(statement, valuesOf(statement, { { "N", 64 } }), 4, 2000000).value();
        const theory::Measured& mean = *theory::find(found, "mean");
        QVERIFY2(
            std::abs(mean.value - .9616) < 4 * mean.standardError + .0002,
            fmt::format("{}", mean.value).c_str());
        QVERIFY(mean.standardError < .003);
        const auto large
            = theory::simulate(statement, valuesOf(statement, { { "N", 200000 } }), 4, 100000).value();
        QVERIFY(std::abs(theory::find(large, "ess_share")->value - .368) < .02);
    }

    /// T38: best-of-n never beats the optimum of the same KL.
    void bestOfIsBelowTheOptimumT38()
    {
        const theory::Statement& statement = *theory::findStatement("T38");
        for (const double n : { 2., 5., 64., 1000. }) {
            const auto out = theory::evaluate(statement, valuesOf(statement, { { "n", n } })).value();
            QVERIFY(theory::find(out, "gold_gain")->value <= theory::find(out, "tilt_gain")->value);
        }
    }
};

QTEST_GUILESS_MAIN(TestTheoryLabels)
#include "tst_theory_labels.moc"
