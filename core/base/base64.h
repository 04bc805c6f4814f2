// Base 64 (RFC 4648 section 4), for bytes that are not UTF-8 in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace jobq {

std::string base64_encode(std::string_view bytes);
// Nothing when `text` is not padded base 64.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace jobq
