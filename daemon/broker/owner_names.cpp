#include "daemon/broker/owner_names.h"

#include "core/base/crc32c.h"
#include "core/base/id.h"
#include "core/base/text.h"

namespace jobq {

OwnerNames::OwnerNames() {
    const uint64_t random = random_u64();
    epoch_ = hex({reinterpret_cast<const char*>(&random), 6});
}

std::string OwnerNames::reaper_of(const std::string& from) const {
    const std::string mine = reaper();
    return from == mine ? mine + "-again" : mine;
}

bool OwnerNames::is_process(std::string_view owner) {
    return owner.starts_with("pool:") || owner.starts_with("reaper:");
}

std::string OwnerNames::beat_name(const std::string& wid) {
    constexpr size_t kWhole = 128;
    if (wid.size() <= kWhole) return "f:" + wid;
    return "f:" + wid.substr(0, kWhole) + "~" + std::to_string(crc32c(0, wid));
}

}  // namespace jobq
