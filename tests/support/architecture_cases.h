// The tiny models of the engine's tests: for each architecture what a plain transformer must do, and how its
// GGUF file says so.
#pragma once

#include "tests/support/model_writer.h"

namespace lodestone::testing {

struct Case {
    PlainTransformer plain;
    GgufHabits habits;
};

inline PlainTransformer gemmaOf(int blocks)
{
    PlainTransformer plain;
    plain.blocks = blocks;
    plain.plusOne = true;
    plain.activation = "gelu_tanh";
    plain.embeddingScale = std::sqrt(32.0);
    plain.headWidth = plain.rotated = 12;
    plain.kvHeads = 1;
    return plain;
}

inline std::vector<bool> slidingBut(int blocks, int period)
{
    std::vector<bool> local;
    for (int k = 0; k < blocks; ++k)
        local.push_back((k + 1) % period != 0);
    return local;
}

inline Case caseOf(const std::string& name)
{
    Case made;
    PlainTransformer& plain = made.plain;
    GgufHabits& habits = made.habits;
    habits.architecture = name.substr(0, name.find(' '));
    if (habits.architecture == "llama")
        habits.neighbours = true;
    if (name == "llama 3") {
        plain.factor = 8;
        plain.base = 1000;
        plain.tied = false;
        habits.more = [plain](GgufWriter& file) {
            Eigen::MatrixXd factors(plain.rotated / 2, 1);
            for (int i = 0; i < factors.rows(); ++i)
                factors(i, 0) = std::pow(plain.base, -2.0 * i / plain.rotated) / plain.frequency(i, false);
            file.tensor(
                "rope_freqs.weight", { static_cast<std::uint64_t>(factors.rows()) }, 0, floatBytes(factors));
        };
    } else if (name == "llama linear") {
        plain.stretch = 4;
        habits.more = [](GgufWriter& file) {
            file.text("llama.rope.scaling.type", "linear");
            writeFloat(file, "llama.rope.scaling.factor", 4);
        };
    } else if (name == "llama mistral") {
        plain.window = 5;
        plain.local = { true, true, true };
    } else if (name == "qwen2")
        plain.qkvBias = true;
    else if (name == "qwen3") {
        plain.headNorms = true;
        plain.headWidth = plain.rotated = 12; // not width / heads
        plain.base = 1e6;
    } else if (name == "gemma")
        plain = gemmaOf(2);
    else if (name == "gemma2") {
        plain = gemmaOf(4);
        plain.sandwich = true;
        plain.window = 6;
        plain.local = slidingBut(4, 2);
        plain.scoreCap = 0.7; // small, so that it bends
        plain.logitCap = 1.5;
        habits.more = [](GgufWriter& file) {
            writeFloat(file, "gemma2.attn_logit_softcapping", 0.7);
            writeFloat(file, "gemma2.final_logit_softcapping", 1.5);
        };
    } else if (name == "gemma3" || name == "gemma3 long") {
        plain = gemmaOf(7);
        plain.sandwich = plain.headNorms = true;
        plain.base = 1e6;
        plain.localBase = 10000;
        plain.window = 4;
        plain.local = slidingBut(7, 6);
        if (name == "gemma3 long") {
            plain.stretch = 8;
            habits.more = [](GgufWriter& file) {
                file.text("gemma3.rope.scaling.type", "linear");
                writeFloat(file, "gemma3.rope.scaling.factor", 8);
            };
        }
    } else if (name == "gpt2") {
        plain.layerNorm = plain.positions = plain.biases = true;
        plain.gated = false;
        plain.activation = "gelu_tanh";
        plain.kvHeads = 4;
        habits.fusedQkv = true;
    } else if (name == "gptneox" || name == "gptneox serial") {
        plain.layerNorm = plain.biases = true;
        plain.parallel = name == "gptneox";
        plain.gated = plain.tied = false;
        plain.activation = "gelu";
        plain.kvHeads = 4;
        plain.rotated = 2;
        habits.fusedQkv = true;
        const bool parallel = plain.parallel;
        habits.more = [parallel](GgufWriter& file) { file.flag("gptneox.use_parallel_residual", parallel); };
    } else if (name == "phi3" || name == "phi3 long") {
        plain.tied = false;
        plain.window = 7;
        plain.local = { true, true, true };
        habits.fusedQkv = habits.fusedGateUp = true;
        if (name == "phi3 long") {
            plain.divisors = { 1.0, 1.25, 1.5, 2.0 };
            plain.magnitude = 1.125;
            habits.more = [](GgufWriter& file) {
                file.integer("phi3.rope.scaling.original_context_length", 80);
                writeFloat(file, "phi3.rope.scaling.attn_factor", 1.125);
                Eigen::MatrixXd divisors(4, 1);
                divisors << 1.0, 1.25, 1.5, 2.0;
                file.tensor("rope_factors_short.weight", { 4 }, 0, floatBytes(divisors));
                file.tensor("rope_factors_long.weight", { 4 }, 0, floatBytes(divisors * 3));
            };
        }
    }
    plain.randomise(static_cast<unsigned>(17 + name.size()));
    return made;
}

} // namespace lodestone::testing
