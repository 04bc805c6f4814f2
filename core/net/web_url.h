// Web addresses that jobqd sends to: a strict reading of http and https URLs. Called by
// core/config, daemon/work and whoever gives a URL to libcurl.
//
// Must stay true: what is read here can't be meant otherwise by libcurl. A URL that another reader
// could take for another host (credentials, percent signs or backslashes before the path, numbers
// that are no plain IPv4 address, letters beyond ASCII) is refused, not repaired.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace jobq {

struct WebOrigin {
    bool is_https = true;
    std::string host;  // in lower case; an IPv6 address without its brackets
    int port = 443;

    bool operator==(const WebOrigin&) const = default;

    std::string text() const;  // "https://hooks.example.com", with a port that is not the scheme's
};

// Of a whole URL. Errors are `invalid` and never hold the path.
Result<WebOrigin> parse_web_url(std::string_view text);
// "hooks.example.com", "host:8443", "http://host": as a list of allowed hosts has it; https unless
// it says http.
Result<WebOrigin> parse_web_origin(std::string_view text);
// "https://jobs.example.com": of a page, as a browser sends it in Origin. The scheme must stand
// there.
Result<WebOrigin> parse_page_origin(std::string_view text);

}  // namespace jobq
