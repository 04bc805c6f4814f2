// Reply: one answer of the server, cut out of the bytes that came: "+text", "-CODE text", "$-1" or
// "$n" and n bytes. RESP 2 without numbers and arrays, as Faktory's. Pure; below every client:
// jobq's Link and LoadLink, and the runner's Client.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.h"

namespace jobq {

struct ReplyView {
    enum class Kind : uint8_t { simple, error, null, bulk } kind = Kind::null;
    std::string_view text;  // within the bytes; of an error without "-"
    size_t bytes = 0;       // of the whole reply, its line ends included
};

// The reply that `unread` begins with; nothing: more bytes are needed. bad_data: it is no reply, or
// has more than `most` bytes.
Result<std::optional<ReplyView>> read_reply(std::string_view unread, size_t most);

// What an error reply says: its first word as a code.
Error error_of(std::string_view text);

}  // namespace jobq
