// A reader of Python pickles that executes nothing: it knows the few opcodes and names with which PyTorch
// saves tensors, and refuses every other by name.
#pragma once

#include "core/base/error.h"

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

namespace lodestone::formats {

/// One object of a pickle. Objects refer to each other by their number in the pickle, so that neither depth
/// nor circles cost anything.
struct PickleObject {
    enum class Kind {
        None,
        Boolean, ///< integer is 0 or 1
        Integer,
        Real,
        Text,
        Bytes,
        Tuple,
        List,
        Dictionary, ///< items are key, value, key, value ...; also an OrderedDict
        Global, ///< a name from the allow-list: "torch FloatStorage"
        Storage, ///< a persistent id: items are its parts
        Tensor, ///< a call of a function from the allow-list: items are its arguments
    };
    Kind kind = Kind::None;
    std::int64_t integer = 0;
    double real = 0;
    std::string text;
    std::vector<std::uint32_t> items;
};

struct Pickle {
    std::deque<PickleObject> objects;
    std::uint32_t root = 0;

    const PickleObject& at(std::uint32_t object) const { return objects[object]; }
};

/// Allowed: the opcodes of protocol 2 to 5 for constants, tuples, lists, dictionaries, the memo and
/// persistent ids; the names `collections.OrderedDict`, `torch._utils._rebuild_tensor_v2`,
/// `torch._utils._rebuild_parameter`, `torch.Size` and torch's storage classes. Anything else is an error
/// that names it and the byte. At most a million objects.
Result<Pickle> readPickle(std::span<const std::byte> bytes, const std::string& file);

} // namespace lodestone::formats
