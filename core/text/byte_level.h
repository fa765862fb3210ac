// GPT-2's way of writing bytes as printable characters, in which byte-level vocabularies and their merges are
// stored.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lodestone::text {

/// The bytes that a token stands for: printable Latin-1 bytes are written as themselves, the others as U+0100
/// and up in order (Radford et al. 2019). nullopt when a character is none of the 256.
std::optional<std::string> bytesOfWritten(std::string_view written);

} // namespace lodestone::text
