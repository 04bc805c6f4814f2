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

#include "daemon/http/message.h"

namespace jobq {

// Nothing: it may pass. `hosts`: names besides loopback's, spaces between, without port.
std::optional<HttpResponse> guard(const HttpRequest& request, std::string_view hosts);
// Of the header Authorization, Bearer or Basic; "" when there is none.
std::string given_password(const HttpRequest& request);

bool is_safe(std::string_view method);
// "Host" without its port, in lower case; "" when it can't be meant.
std::string host_name(std::string_view host);

}  // namespace jobq
