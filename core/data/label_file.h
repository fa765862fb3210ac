// What people say of a study's pairs while they sit at the program: one JSON line an answer, appended so that
// nothing already said can be lost.
#pragma once

#include "core/data/study.h"

#include <string>
#include <vector>

namespace lodestone::data {

enum class LabelAnswer {
    Left, ///< the reply shown at the left is better
    Right,
    Tie,
    Skip, ///< not answered: not asked again, and counts nowhere
    TakenBack ///< the rater's last answer about this pair does not hold any more
};
std::string labelAnswerName(LabelAnswer answer); ///< "left", "right", "tie", "skip", "taken-back"

struct PairLabel {
    std::string pair; ///< id of the study's pair
    std::string left, right; ///< ids of the responses as they were shown
    LabelAnswer answer = LabelAnswer::Skip;
    std::string rater;
    std::string time; ///< ISO 8601, UTC; written by appendLabel when empty
};

/// judgments/labels.jsonl in the study's folder.
std::filesystem::path labelFile(const Study& study);

/// Adds one line and hands it to the disk before it returns; the file is made when it is not there. A torn
/// last line (a machine that went down) is closed first. Other programs may append at the same time. Errors:
/// a folder that cannot be written, a full disk (Failed, with the path).
Result<void> appendLabel(const std::filesystem::path& file, PairLabel label);

struct LabelFile {
    std::vector<PairLabel> labels; ///< those that hold, one per rater and pair (the last), in order of saying
    int damaged = 0; ///< lines that could not be read: torn, or not of this format
};
/// Empty when there is no file. Errors: a file that cannot be read.
Result<LabelFile> readLabels(const std::filesystem::path& file);

} // namespace lodestone::data
