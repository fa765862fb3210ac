// Replaces operator new for one test program, so that a test can say "nothing large was asked for". Include
// it in the one source file of the program.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace lodestone::testing {

/// The largest single allocation since the last reset, bytes.
inline std::atomic<std::size_t> largestAllocation{ 0 };

} // namespace lodestone::testing

void* operator new(std::size_t size)
{
    auto& largest = lodestone::testing::largestAllocation;
    largest = std::max(largest.load(), size);
    if (void* memory = std::malloc(std::max<std::size_t>(size, 1)))
        return memory;
    throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
