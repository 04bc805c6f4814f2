#include "cli/base/payload_check.h"

#include "core/base/text.h"
#include "core/json/place.h"

namespace jobq::cli {
Result<> check_payload(std::string_view text, const PayloadLimits& limits) {
    const std::string what(limits.what);
    if (text.size() > limits.bytes)
        return fail(
            ErrorCode::too_large,
            what + " has more than " + std::to_string(limits.bytes) +
                " bytes, the limit for one job; keep the data in a file and enqueue its path");
    if (trim(text).empty()) return fail(ErrorCode::bad_data, what + " is empty");
    auto trouble = json_trouble(text, limits.depth);
    if (!trouble) return {};
    if (trouble->too_deep)
        return fail(ErrorCode::bad_data, what + " is nested deeper than " +
                                             std::to_string(limits.depth) +
                                             " levels; flatten it, or pass it as a string");
    return fail(ErrorCode::bad_data,
                what + " is not JSON: " + json_place(text, trouble->byte, limits.one_line) + ": " +
                    trouble->why);
}

}  // namespace jobq::cli
