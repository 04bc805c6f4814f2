// What a configuration can't mean: the form of single values, and what does not go together.
#pragma once

#include <string>
#include <string_view>

#include "core/config/loader.h"
#include "core/net/web_url.h"

namespace jobq {

// "" or what is wrong with `value`, as the end of a sentence: "must be HOST:PORT".
std::string check_text(TextRule rule, std::string_view value);
// A value of the user in a message: quoted, without control characters, cut when long.
std::string shown(std::string_view value);
// Adds an error for all that does not fit together, after all files were read.
void check_config(LoadState& state);

// Where a webhook goes, and whether its addresses may be private ones.
struct WebhookAim {
    WebOrigin origin;
    bool may_be_private = false;
};

// invalid: no URL that can be used; forbidden: its host is in neither list. Texts name no path.
Result<WebhookAim> check_webhook(const WebhookConfig& config, const std::string& url);

}  // namespace jobq
