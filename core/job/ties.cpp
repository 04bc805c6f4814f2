#include "core/job/ties.h"

#include <sodium.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/json/document.h"

namespace jobq {

std::string Ties::words() const {
    std::string words;
    if (!lock.empty()) words += (until_start ? "us" : "ua") + lock + " ";
    if (!bid.empty()) words += "b" + bid + " ";
    if (tracked) words += "t" + std::to_string(limits::kTrackKeepMs) + " ";
    if (!words.empty()) words.pop_back();
    return words;
}

std::string unique_digest(std::string_view queue, std::string_view type, std::string_view args) {
    std::string whole;
    whole.append(queue).append(1, '\0').append(type).append(1, '\0');
    whole.append(canonical_json(args));
    char digest[16];
    crypto_generichash(reinterpret_cast<unsigned char*>(digest), sizeof digest,
                       reinterpret_cast<const unsigned char*>(whole.data()), whole.size(), nullptr,
                       0);
    return hex({digest, sizeof digest});
}

}  // namespace jobq
