// The guard: which requests are not even looked at. Pure functions on the head.
//
// A page of another site can make a browser send requests to a daemon on loopback. It can't send
// them with a Host that is allowed (DNS rebinding), nor change anything: an unsafe method with the
// Origin or Sec-Fetch-Site of another site is refused, and bodies must be JSON, which a browser
// sends elsewhere only after asking. No CORS header is ever sent, so no answer can be read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/http/site.h"

namespace jobq {

// Each: nothing, it may pass.

// What a proxy before us may have read in another way.
std::optional<HttpResponse> guard_form(const HttpRequest& request);
// A name this server is not served under.
std::optional<HttpResponse> guard_host(const HttpRequest& request, const Asked& asked,
                                       const Site& site);
// A page of another site that wants to change something.
std::optional<HttpResponse> guard_origin(const HttpRequest& request, const Asked& asked,
                                         const Site& site);

// Of the header Authorization, Bearer or Basic; "" when there is none.
std::string given_password(const HttpRequest& request);

bool is_safe(std::string_view method);

}  // namespace jobq
