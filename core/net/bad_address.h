// bad_address(): the refusal of an address; `why` says what is wrong with "it", and nothing of what
// was read: a password may stand in that.
#pragma once

#include <string>
#include <utility>

#include "core/base/error.h"

namespace jobq {

inline tl::unexpected<Error> bad_address(std::string why) {
    return fail(ErrorCode::invalid, std::move(why));
}

}  // namespace jobq
