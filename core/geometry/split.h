// Divides labelled items by prompt, so that no prompt is ever on both sides of a test.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lodestone::geometry {

/// Item numbers in increasing order.
struct Split {
    std::vector<int> training;
    std::vector<int> heldOut;
};

/// Holds out about `heldOutFraction` (0 .. 1) of the groups, whole groups only. With `strata` (one id per
/// item; a group belongs to the stratum of its first item) each stratum gives its share, rounded so that the
/// total is right to one group. Where there are two groups or more and the fraction is neither 0 nor 1, both
/// sides get at least one. Deterministic in the seed. `strata` empty: one stratum; of another length than
/// `groups`: ignored.
Split splitByGroup(
    std::span<const int> groups, double heldOutFraction, std::uint64_t seed = 0,
    std::span<const int> strata = {});

/// At most `folds` splits by group, each group held out in exactly one; groups are dealt in random order, so
/// that fold sizes differ by one group at most. Fewer folds when there are fewer groups; empty below two
/// groups or two folds.
std::vector<Split> foldsByGroup(std::span<const int> groups, int folds, std::uint64_t seed = 0);

} // namespace lodestone::geometry
