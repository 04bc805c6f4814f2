// HttpRequest and HttpResponse: what the transport hands to the API and gets back. No library in
// it: the API, its tests and the guard see only this.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace jobq {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method;
    std::string path;    // as it was sent, not decoded, without the query
    std::string query;   // what stands behind "?", as it was sent
    HttpFields headers;  // in order, repeated ones too
    std::string body;
    bool is_unix = false;  // came by a Unix socket: no browser can, but a proxy may stand before it
    bool is_http_1_0 = false;
    // HOST[:PORT] of a target such as "http://HOST/path"; it counts before the header Host.
    std::optional<std::string> authority;
    bool known = false;  // a password was right on this connection before
    std::string peer;    // "HOST:PORT"; "" for a Unix socket
    // As they were sent: the whole head, and its first line; 0: not known.
    size_t head_bytes = 0, first_line_bytes = 0;

    // Names without regard to case; the first one, or null.
    const std::string* header(std::string_view name) const;
    size_t count(std::string_view name) const;
};

struct HttpResponse {
    int status = 200;
    std::string body{};
    std::string type = "application/json";
    HttpFields headers{};  // besides those every response has
    bool close = false;    // the connection too: at once, what the client still sends is not read
    // It is sent so much later; until then, and a little longer, this is kept.
    int64_t wait_ms = 0;
    std::shared_ptr<const void> held{};
};

// A request's target, as its first line has it: a path with a query, or a whole URL.
void set_target(HttpRequest& request, std::string_view target);

bool has_header(const HttpResponse& response, std::string_view name);

// Every answer has these, unless it has its own of that name; what it says may be read by nobody
// else, nor be taken for another type.
inline constexpr std::pair<const char*, const char*> kAlways[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

// Of a path or a query: "%41+b" as text. invalid: a "%" without two digits, a NUL, no UTF-8.
Result<std::string> decoded_part(std::string_view text, bool plus_is_space);
// "a=1&b" decoded, in order.
Result<HttpFields> parse_query(std::string_view query);
bool same_word(std::string_view a, std::string_view b);  // without regard to case, ASCII

}  // namespace jobq
