#include "daemon/redis/write_refusals.h"

#include "core/base/text.h"
#include "core/store/link/redis_errors.h"

namespace jobq {

void WriteRefusals::take(const ScriptAnswer& answer, int64_t now_ms) {
    if (answer.kind == ScriptKind::reads || !answer.heard) return;
    if (!answer.error) {
        if (by_script_.empty()) return;
        auto own = by_script_.find(answer.script);
        if (own != by_script_.end()) by_script_.erase(own);
        written(now_ms);
        return;
    }
    const RedisError& error = *answer.error;
    const bool of_the_call =
        error.means == RedisMeans::broken || error.means == RedisMeans::refuse_call;
    if (of_the_call || error.reason == "oom" || error.reason == "busy") return;
    by_script_[std::string(answer.script)] = {error.reason == "noperm", now_ms};
    reason_ = error.reason;
    text_ = std::string(error.meaning) + " (" + printable(answer.text) + ")";
}

void WriteRefusals::written(int64_t now_ms) {
    std::erase_if(by_script_, [now_ms](const auto& entry) {
        const Refusal& refusal = entry.second;
        return !refusal.not_permitted || now_ms - refusal.at_ms > kNotPermittedMs;
    });
    if (by_script_.empty()) over();
}

void WriteRefusals::over() {
    reason_.clear();
    text_.clear();
}

}  // namespace jobq
