// A study's labels as training and held-out examples, split once by prompt so that every score uses the same
// division.
#pragma once

#include "core/data/study.h"
#include "core/geometry/examples.h"

namespace lodestone::constitution {

/// Which responses belong to training prompts (true) or held-out ones.
std::vector<bool> trainingRows(const data::ResponseSet& set, const data::SplitSpec& split);

struct StudyExamples {
    geometry::Examples training, heldOut;
};

/// People's labels. Pairs where the study has preference pairs, single rows where texts are labelled; only
/// those about `value` when it is not empty. `rows`: how many of the first responses may be used (those
/// captured at a layer).
StudyExamples examplesOf(
    const data::ResponseSet& set, const std::vector<bool>& training, std::size_t rows,
    const std::string& value = {});

/// Groups (prompts) per response, and lengths in tokens.
std::vector<int> groupsOf(const data::ResponseSet& set);
std::vector<double> lengthsOf(const data::ResponseSet& set);

} // namespace lodestone::constitution
