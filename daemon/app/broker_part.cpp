#include "daemon/app/broker_part.h"

namespace jobq {

task<Result<>> BrokerPart::start() {
    BrokerOutside outside{redis_.room(), tracer_};
    outside.output_dir = places_.state_dir + "/output";
    outside.observers = {&metrics_, &tracer_};
    outside.handler_known = handler_known_;
    broker_ = std::make_unique<Broker>(reactor_, store_.store(), events_, workers_, config_,
                                       std::move(outside));
    store_.on_usable([this] { broker_->waiters().notify_all(); });
    co_return Result<>{};
}

task<void> BrokerPart::reload() {
    broker_->set_config(config_);
    status_.config_changed();
    for (const auto& worker : workers_.all())
        worker->notice.notify_all();
    broker_->waiters().notify_all();  // who waits may run other types now
    co_return;
}

task<void> BrokerPart::drain(Ending) {
    if (!broker_) co_return;
    broker_->intake().close();
    broker_->waiters().notify_all();  // those that wait for jobs see the state
}

}  // namespace jobq
