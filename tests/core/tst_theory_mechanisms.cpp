// Statements T39 to T51: what training strengthens, steering, probes, audits.
// ctest labels: theory
#include "core/theory/sampling.h"
#include "tests/support/theory_checks.h"

using namespace lodestone;
using namespace lodestone::testing;

namespace {

const std::vector<Golden> golden{
    { "T39", {}, "dg_1", .40430, 5 },
    { "T39", {}, "dg_2", .80859, 5 }, // docs/theory.md, section 4
    { "T39", {}, "dg_3", 1.61719, 5 }, // section 4
    { "T39", {}, "share_3", .761905, 6 },
    { "T40", {}, "tau_tr", .099, 3 },
    { "T40", { { "a_1", 1 }, { "a_2", .2 } }, "tau_tr", .9615, 4 },
    { "T40", { { "a_1", 1 }, { "a_2", 0 } }, "p_test", .99, 9 }, // tested where it was trained
    { "T41", { { "eps", .1 } }, "z_T", 2.197225, 6 },
    { "T41", { { "z_0", 0 }, { "eps", .1 }, { "a_k", 1 } }, "dg_k", 1.098612, 6 },
    { "T41", { { "a_k", .5 } }, "share_s", .8, 9 },
    { "T42", {}, "shift_1", .56, 6 },
    { "T42", {}, "shift_2", .252, 6 },
    { "T42", {}, "shift_3", .21, 6 },
    { "T42", {}, "DeltaV", .686, 6 },
    { "T42", {}, "cos_read_steer", .884434, 6 }, // .82/(1 sqrt(.64 + .1296 + .09))
    { "T43", {}, "separation", 1, 9 },
    { "T43", {}, "separation_ablated", 0, 12 },
    { "T43", {}, "accuracy_ablated", .5, 9 },
    { "T44", {}, "mass_mean", .71161, 5 },
    { "T44", {}, "lda", .77838, 5 },
    { "T45", {}, "cos2", .6466, 4 },
    { "T45", {}, "l", .72, 9 },
    { "T45", { { "n", 150 } }, "cos2", 0, 9 }, // below the threshold
    { "T46", { { "n", 50 } }, "cos", .51640, 5 },
    { "T46", { { "n", 200 } }, "cos", .76980, 5 },
    { "T46", { { "n", 800 } }, "cos", .92376, 5 },
    { "T47", {}, "within", 1.5, 9 },
    { "T47", {}, "pooled", 3.153, 3 },
    { "T48", { { "p", .43 } }, "implied_angle", 77.4, 1 },
    { "T48", { { "p", .43 } }, "implied_rho", .218, 3 },
    { "T48", { { "p", .26 } }, "implied_angle", 46.8, 1 },
    { "T48", { { "p", .26 } }, "implied_rho", .685, 3 },
    { "T48", {}, "agree_from_pairs", .6516, 4 },
    { "T48", { { "rho_hr", .5 }, { "rho_hl", .5 }, { "rho_rl", .5 } }, "agree_all", .5, 9 },
    { "T48", { { "rho_hr", .5 } }, "angle", 60, 9 },
    { "T49", {}, "flip", .107835, 6 },
    { "T49", { { "D_0", 0 } }, "lpm", .107835, 6 },
    { "T50", {}, "base", -.75, 9 },
    { "T50", {}, "canonical", .45, 9 },
    { "T50", {}, "direct", .525, 9 },
    { "T50", {}, "K_canonical", 2.40, 9 },
    { "T50", {}, "K_direct", .88972, 5 },
    { "T51", { { "phi", 30 } }, "utility_left", .25, 9 },
    { "T51", { { "phi", 30 } }, "value_left_isolated", .75, 9 },
    { "T51", {}, "random_removed", .25, 9 },
};

const std::vector<Simulated> simulated{
    { "T39", {}, 6 },
    { "T39", { { "a_1", -1 }, { "p", .8 }, { "b_3", 1.5 }, { "p_b", .3 } }, 6 },
    { "T40", {}, 3 },
    { "T40", { { "a_1", 1 }, { "a_2", .2 }, { "x_3", .5 } }, 3 },
    { "T41", {}, 3 },
    { "T41", { { "z_0", 1 }, { "eps", .1 }, { "a_k", 1.2 } }, 3 },
    { "T42", {}, 5 },
    { "T42", { { "lambda", 1.1 }, { "w_c3", -.6 }, { "Sigma_12", -.4 } }, 5 },
    { "T43", {}, 5 },
    { "T43", { { "u_1", -.5 }, { "delta_2", .8 }, { "Sigma_33", 2 } }, 5 },
    { "T44", {}, 2 },
    { "T44", { { "delta_2", -1 }, { "Sigma_12", .2 } }, 2 },
    { "T45", {}, 2 },
    { "T45", { { "n", 600 }, { "d", 60 }, { "delta", 2 } }, 2 },
    { "T46", {}, 2, 200000 },
    { "T46", { { "n", 200 }, { "sigma", .7 } }, 2, 200000 },
    { "T47", {}, 4, 200000 },
    { "T47", { { "beta", -1 }, { "a", 1 }, { "c", 2 }, { "sigma", .5 }, { "n", 300 } }, 4, 200000 },
    { "T48", {}, 3 },
    { "T48", { { "rho_hr", -.3 }, { "rho_hl", .2 }, { "rho_rl", .5 } }, 3 },
    { "T49", {}, 4 },
    { "T49", { { "m", -.2 }, { "s", 2 }, { "D", 1 }, { "D_0", .5 } }, 4 },
    { "T50", {}, 5, 200000 },
    { "T50", { { "lambda", 1 }, { "kappa", 1 }, { "A", .6 }, { "w_2", -.5 } }, 5 },
    { "T51", {}, 5 },
    { "T51", { { "phi", 80 }, { "d", 8 }, { "k", 2 } }, 5 },
};

} // namespace

class TestTheoryMechanisms : public QObject {
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

    /// T46 beats T45 wherever the component is found at all.
    void meanDifferenceDominatesT46()
    {
        for (const double n : { 300., 800., 3000. }) {
            const auto squared = [&](const char* id) {
                const theory::Statement& statement = *theory::findStatement(id);
                return theory::find(
                           theory::evaluate(statement, valuesOf(statement, { { "n", n } })).value(), "cos2")
                    ->value;
            };
            QVERIFY(squared("T46") > squared("T45"));
        }
    }

    /// T43: the weight form W - r r'W gives the same activations as ablating what W writes.
    void weightFormT43()
    {
        Rng rng(8);
        const Eigen::VectorXd r = theory::normals(rng, 5).normalized(), x = theory::normals(rng, 4);
        Eigen::MatrixXd w(5, 4);
        for (int j = 0; j < 4; ++j)
            w.col(j) = theory::normals(rng, 5);
        const Eigen::VectorXd written = w * x, ablated = written - r * r.dot(written);
        const Eigen::MatrixXd pruned = w - r * (r.transpose() * w);
        QVERIFY((pruned * x - ablated).norm() < 1e-12);
    }

    /// T48: for any three that decide, all agree in (a12 + a13 + a23 - 1)/2 of the cases; so in the model.
    void threeLabelersT48()
    {
        const theory::Statement& statement = *theory::findStatement("T48");
        const double a = .5 + std::asin(.3) / M_PI, b = .5 + std::asin(.2) / M_PI,
                     c = .5 + std::asin(.6) / M_PI;
        const auto out = theory::evaluate(
                             statement,
                             valuesOf(
                                 statement,
                                 { { "rho_hr", .3 },
                                   { "rho_hl", .2 },
                                   { "rho_rl", .6 },
                                   { "a_12", a },
                                   { "a_13", b },
                                   { "a_23", c } }))
                             .value();
        QVERIFY(
            std::abs(theory::find(out, "agree_all")->value - theory::find(out, "agree_from_pairs")->value)
            < 1e-12);
    }
};

QTEST_GUILESS_MAIN(TestTheoryMechanisms)
#include "tst_theory_mechanisms.moc"
