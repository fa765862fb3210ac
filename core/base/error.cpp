#include "core/base/error.h"

namespace lodestone {

std::string Error::message() const
{
    std::string text;
    if (!where.empty())
        text += where + ": ";
    if (kind == ErrorKind::Cancelled)
        return text + "cancelled";
    text += "expected " + expected;
    if (!found.empty())
        text += ", found " + found;
    return text;
}

} // namespace lodestone
