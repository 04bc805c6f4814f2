#include "daemon/broker/hint_router.h"

#include "daemon/broker/hint.h"

namespace jobq {

HintRouter::HintRouter(Store& store, Wakeups& wakeups, Watchers& watchers, JobControl& control)
    : wakeups_(wakeups), watchers_(watchers), control_(control) {
    store.on_ready([this](const std::string& text) { take(text); });
}

void HintRouter::take(const std::string& text) {
    const Hint hint = read_hint(text);
    switch (hint.kind) {
        case Hint::Kind::schedule:
            wakeups_.schedule.due(0);
            break;
        case Hint::Kind::queue:
            wakeups_.waiters.notify(hint.queue, hint.type, hint.count);
            break;
        case Hint::Kind::jobs:
            for (const auto& jid : hint.jids) {
                if (hint.cancels) control_.note_cancel(jid);
                watchers_.changed(jid);
            }
            break;
    }
}

}  // namespace jobq
