// .npy arrays and .npz archives of them.
#include "core/formats/npy.h"
#include "core/formats/npz.h"
#include "tests/fuzz/fuzz_input.h"

using namespace lodestone;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (const auto array = formats::NpyArray::read(fuzz::inMemory(data, size))) {
        const formats::RowMatrix values = array->toFloat();
        fuzz::require(static_cast<std::size_t>(values.size()) == array->rows() * array->rowItems());
    }
    if (const auto file = formats::readNpz(fuzz::inMemory(data, size)))
        fuzz::readAll(*file);
    return 0;
}
