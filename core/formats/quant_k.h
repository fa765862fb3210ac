// The "k" quantisations of GGUF: super-blocks of 256 weights whose small blocks have quantised scales of
// their own.
#pragma once

#include <cstddef>

namespace lodestone::formats {

/// Each reads one super-block (layouts as ggml writes them) and writes its 256 weights. Scales have 11
/// significant bits, block scales 4 to 7, weights at most 6, so every product is exact in float32 and the
/// result does not depend on whether the compiler fuses multiplications and additions.
void dequantiseQ2K(const std::byte* from, float* to); ///< 84 bytes
void dequantiseQ3K(const std::byte* from, float* to); ///< 110 bytes
void dequantiseQ4K(const std::byte* from, float* to); ///< 144 bytes
void dequantiseQ5K(const std::byte* from, float* to); ///< 176 bytes
void dequantiseQ6K(const std::byte* from, float* to); ///< 210 bytes

} // namespace lodestone::formats
