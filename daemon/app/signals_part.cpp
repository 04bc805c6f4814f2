#include "daemon/app/signals_part.h"

#include <signal.h>

#include <utility>

#include "core/async/wait.h"

namespace jobq {

task<Result<>> Signals::start() {
    for (int number : {SIGTERM, SIGINT})
        watches_.push_back(on_signal(reactor_, number, calls_.stop));
    watches_.push_back(on_signal(reactor_, SIGHUP, calls_.reload));
    watches_.push_back(on_signal(reactor_, SIGUSR2, calls_.restart));
    co_return Result<>{};
}

task<void> Signals::stop(Ending) {
    if (watches_.empty()) co_return;
    if (calls_.restarts()) {
        hold(watches_);
        co_await sleep_for(reactor_, 1);  // what came before has its say
    }
    if (calls_.restarts()) {
        watches_.clear();
    } else {
        ignore_from_now(std::exchange(watches_, {}));
    }
}

}  // namespace jobq
