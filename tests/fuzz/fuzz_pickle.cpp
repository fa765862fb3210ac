// Pickles: the program alone, and whole .pt archives.
#include "core/formats/pickle.h"
#include "core/formats/torch_file.h"
#include "tests/fuzz/fuzz_input.h"

using namespace lodestone;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const formats::MappedFile input = fuzz::inMemory(data, size);
    if (const auto pickle = formats::readPickle(input.bytes(), "input")) {
        fuzz::require(pickle->root < pickle->objects.size());
        for (const formats::PickleObject& object : pickle->objects)
            for (const std::uint32_t item : object.items)
                fuzz::require(item < pickle->objects.size());
    }
    if (const auto file = formats::readTorchFile(fuzz::inMemory(data, size)))
        fuzz::readAll(*file);
    return 0;
}
