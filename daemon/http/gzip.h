// gzip: answers packed for clients that take it. A list of 500 jobs is a tenth then.
#pragma once

#include <string>
#include <string_view>

#include "daemon/http/message.h"

namespace jobq {

// "Accept-Encoding" has it, or everything.
bool takes_gzip(const HttpRequest& request);

// Packs the body when it is worth it: text, neither so short that nothing is gained nor so long
// that the loop would stand still for it.
void pack(const HttpRequest& request, HttpResponse& response);

}  // namespace jobq
