// What the runner's parts share, and how long they wait between tries; see hub.h.
// Must stay true: a pause ends at once when everything is to end.
#include "daemon/runner/hub.h"

#include <algorithm>

namespace jobq {
namespace {

constexpr int64_t kDelayMinMs = 20, kDelayMaxMs = 800;  // and a quarter more by chance

}  // namespace

const TypeSpec* Hub::type(const std::string& name) const {
    auto found = types.find(name);
    if (found == types.end()) found = types.find(std::string(kAnyType));
    return found == types.end() ? nullptr : &found->second;
}

void Hub::say(LogLevel level, std::string_view event, const std::string& text) const {
    if (options.on_log) {
        options.on_log(level, event, text);
        return;
    }
    log(level, event, text, {{"runner", options.name}});
    log_flush();
}

task<void> Hub::pause(int64_t ms) {
    int64_t until = reactor.now_ms() + ms;
    while (!closing && reactor.now_ms() < until) {
        auto wait = changed.wait(until - reactor.now_ms());
        co_await wait;
    }
}

task<void> Hub::back_off(RetryDelay* delay) {
    int64_t ms = delay->next_ms(rng);
    co_await pause(ms);
}

int64_t RetryDelay::next_ms(Rng& rng) {
    int64_t base = std::clamp(next_ms_, kDelayMinMs, kDelayMaxMs);
    next_ms_ = base * 2;
    return base + int64_t(rng.below(uint64_t(base / 4 + 1)));
}

}  // namespace jobq
