// AccessPart: the password and the certificate of [listen], read at the start and at each reload.
#pragma once

#include <memory>

#include "daemon/app/part.h"
#include "daemon/server/access.h"
#include "daemon/server/daemon_status.h"

namespace jobq {

class AccessPart final : public Part {
  public:
    // `status` has the addresses that are listened on, `config` is the one of now.
    AccessPart(Reactor& reactor, const ConfigPtr& config, const DaemonStatus& status)
        : reactor_(reactor), config_(config), status_(status) {}

    task<Result<>> start() override;
    // For those who connect from then on; connections keep what they came in by.
    Result<> prepare(const Config& fresh) override;
    task<void> reload() override;

    Access& access() { return access_; }

  private:
    using DoorPtr = std::shared_ptr<const Door>;

    Result<DoorPtr> read(const Config& config) const;

    Reactor& reactor_;
    const ConfigPtr& config_;
    const DaemonStatus& status_;
    Access access_;
    DoorPtr next_;  // for reload()
};

}  // namespace jobq
