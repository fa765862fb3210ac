// The short neutral suffixes after which the model names a response in its own words.
#pragma once

#include "core/data/response_set.h"

#include <string>
#include <vector>

namespace lodestone::data {

/// A suffix read after a response. It does not contain any principle, so its last hidden state is stored once
/// and any words can be scored on it later.
struct ClozeSuffix {
    std::string name; ///< "one-word": names the file of its states
    std::string text; ///< the words that the model reads
    std::string
        userTurn; ///< not empty: the response is closed, the user says this, and `text` opens the answer
};

/// The default ensemble for replies, requests or statements.
std::vector<ClozeSuffix> defaultSuffixes(ItemKind kind);

} // namespace lodestone::data
