// The engine library's only exported symbol.
#include "core/model/engine_entry.h"
#include "core/torch/thread_budget.h"
#include "core/torch/transformer.h"

#include <thread>

namespace {

lodestone::Result<lodestone::model::MatrixMeasurement> measure(int threads)
{
    const int used
        = threads > 0 ? threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    try {
        lodestone::torch_engine::useThreads(used);
        return lodestone::torch_engine::measurePaths(lodestone::torch_engine::shapesOf(576, 1536, 960), used);
    } catch (const std::exception& error) {
        return lodestone::fail(lodestone::ErrorKind::Failed, "to measure the matrix paths", error.what());
    }
}

} // namespace

extern "C" __attribute__((visibility("default"))) const lodestone::model::EngineEntry*
lodestone_engine_entry()
{
    static const lodestone::model::EngineEntry entry{ &lodestone::torch_engine::Transformer::load, &measure };
    return &entry;
}
