#include "daemon/app/sessions.h"

#include <utility>

namespace jobq {

task<Result<>> Sessions::start() {
    Broker& broker = broker_.broker();
    operations_ = std::make_unique<Operations>(reactor_, broker);
    ServerContext context{reactor_,        broker,       views_.status, views_.access,
                          views_.counters, views_.pools, views_.runner, views_.processes,
                          *operations_,    views_.live,  views_.metrics};
    context_ = std::make_unique<ServerContext>(std::move(context));
    views_.status.started_ms = reactor_.now_ms();
    server_ = std::make_unique<Server>(reactor_, *context_);
    co_return Result<>{};
}

task<void> Sessions::drain(Ending) {
    if (operations_) co_await operations_->stop();
}

// A plain client may say how its jobs ended, for a moment.
task<void> Sessions::stop(Ending) {
    if (!server_ || std::exchange(stopped_, true)) co_return;
    if (views_.counters.plain > 0) co_await sleep_for(reactor_, limits::kLastWordsMs);
    co_await server_->stop();
}

}  // namespace jobq
