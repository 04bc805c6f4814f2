#include "daemon/chores/purger.h"

#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr int64_t kPurgeMs = 60'000;

}  // namespace

task<void> Purger::run() {
    while (!stopping()) {
        auto done = co_await broker_.store().purge(reactor_.wall_ms());
        if (!done && !is_known(done.error()))
            log(LogLevel::warn, "chore.purge_failed", done.error().text);
        bool more = true;
        while (more && !stopping()) {  // none but in a store of an older jobqd
            auto counted = co_await broker_.store().count_failed();
            more = counted && *counted;
        }
        if (stopping()) break;  // it was told while the store was busy
        auto wait = wake_.wait(kPurgeMs);
        co_await wait;
    }
}

}  // namespace jobq
