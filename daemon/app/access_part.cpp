#include "daemon/app/access_part.h"

#include <utility>

#include "core/net/endpoint.h"
#include "daemon/observe/log.h"

namespace jobq {

Result<AccessPart::DoorPtr> AccessPart::read(const Config& config) const {
    auto door = Door::make(config.listen, reactor_.wall_ms());
    if (!door) return door;
    for (const auto& remark : (*door)->remarks())
        log(LogLevel::warn, "config.remark", remark);
    return door;
}

task<Result<>> AccessPart::start() {
    auto door = read(*config_);
    if (!door) co_return tl::unexpected<Error>(door.error());
    access_.door = std::move(*door);
    co_return Result<>{};
}

Result<> AccessPart::prepare(const Config& fresh) {
    auto door = read(fresh);
    if (!door) return tl::unexpected<Error>(door.error());
    // listen.tcp and listen.http themselves change with a restart only.
    for (const auto& address : {status_.tcp, status_.http}) {
        auto bound = parse_listen(address);
        if (bound && !bound->is_unix() && !is_loopback(bound->host) && !(*door)->is_locked())
            return fail(
                ErrorCode::config,
                "other hosts can reach jobqd at " + address +
                    "; to remove the password or TLS, change the address and restart jobqd");
    }
    next_ = std::move(*door);
    return {};
}

task<void> AccessPart::reload() {
    if (next_) access_.door = std::exchange(next_, nullptr);
    co_return;
}

}  // namespace jobq
