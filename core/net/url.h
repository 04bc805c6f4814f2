// Url: SCHEME://[[USER]:PASSWORD@][HOST[:PORT]][/PATH][?QUERY][#FRAGMENT], split once for all who
// are given one. What the parts may be is said by who asks: endpoint, redis_url, web_url.
//
// Must stay true: no error text repeats what was read, since a password may stand in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/net/host.h"

namespace jobq {

// Percent-decoded.
struct Login {
    std::string user;
    std::optional<std::string> password;  // nullopt: no ":" stands there

    bool operator==(const Login&) const = default;
};

struct Url {
    std::string scheme;          // in lower case
    std::optional<Login> login;  // nullopt: no "@"
    HostPort at;                 // host "": nothing stands there, as in unix:///run/x
    std::string_view path;       // of the text that was read, from its "/" on; or ""
    std::optional<std::string_view> query;
    bool has_fragment = false;
};

// Whether an "@" behind the host is a part of the path, or the end of a password with a raw "/",
// "?" or "#" in it, which is refused.
enum class AtSign : uint8_t { may_be_in_path, ends_login };

// A view: `text` must outlive it. `invalid`: says what is wrong with "it".
Result<Url> parse_url(std::string_view text, AtSign at_sign);

// "a%41" as "aA", whatever bytes come of it; nullopt: a "%" without two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);

// Where user and password stand in what may be a URL, well formed or not: from "://" to the last
// "@"; {0, 0}: nowhere. For hiding them.
std::pair<size_t, size_t> login_span(std::string_view text);
// The same text with *** in place of the password.
std::string without_password(std::string_view text);

}  // namespace jobq
