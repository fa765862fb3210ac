// Sets the number of threads only where it changes: each call of torch's own function stops a pool of threads
// and starts another, which a token's pass through all blocks would pay dozens of times.
#pragma once

#include <ATen/Parallel.h>

namespace lodestone::torch_engine {

/// OpenMP's number belongs to the calling thread, hence one memory per thread.
inline void useThreads(int count)
{
    thread_local int inUse = 0;
    if (inUse == count)
        return;
    at::set_num_threads(count);
    inUse = count;
}

} // namespace lodestone::torch_engine
