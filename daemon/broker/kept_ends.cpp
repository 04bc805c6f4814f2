#include "daemon/broker/kept_ends.h"

#include <optional>
#include <vector>

#include "daemon/broker/attempts.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

// Below what Faktory's clients wait for an answer.
constexpr int64_t kAnswerMs = 4'000;

}  // namespace

struct KeptEnds::End {
    End(Reactor& reactor, Ended what) : ended(std::move(what)), over(reactor) {}

    Ended ended;
    Signal over;
    std::optional<Result<>> result;
};

KeptEnds::KeptEnds(Reactor& reactor, Attempts& attempts, const RunningTable& running)
    : reactor_(reactor), attempts_(attempts), running_(running), gate_(reactor) {}

KeptEnds::~KeptEnds() = default;

task<Result<>> KeptEnds::finish(Ended ended) {
    const std::string jid = ended.jid;
    std::shared_ptr<End> end;
    if (auto kept = ends_.find(jid); kept != ends_.end()) end = kept->second;
    if (!end) {
        if (ended.report.ended_ms == 0) ended.report.ended_ms = reactor_.wall_ms();
        std::vector<Ended> one(1, ended);
        auto results = co_await attempts_.finish(std::move(one));
        const bool stops = give_up_ms_ != 0;
        if (results[0] || stops || is_final(results[0].error().code)) co_return results[0];
        auto& place = ends_[jid];
        if (!place) {
            // The attempt it was reported of, whoever runs the job by then.
            if (const Running* known = running_.find(jid); known && ended.token.empty()) {
                ended.owner = known->owner();
                ended.token = known->token();
            }
            place = std::make_shared<End>(reactor_, std::move(ended));
            gate_.spawn(keep(place));
        }
        end = place;
    }
    const int64_t until = reactor_.now_ms() + kAnswerMs;
    while (!end->result && reactor_.now_ms() < until && give_up_ms_ == 0) {
        auto over = end->over.wait(until - reactor_.now_ms());
        co_await over;
    }
    if (end->result) co_return *end->result;
    co_return fail(ErrorCode::unavailable,
                   "Redis can't record the end of job " + jid +
                       " now; jobqd keeps it and records it as soon as possible");
}

task<void> KeptEnds::keep(std::shared_ptr<End> end) {
    const std::string jid = end->ended.jid;
    std::vector<Ended> one(1, end->ended);
    std::function<bool()> give_up = [this] {
        return give_up_ms_ != 0 && reactor_.now_ms() >= give_up_ms_;
    };
    auto results = co_await attempts_.finish_surely(std::move(one), std::move(give_up));
    if (!results[0])
        log(LogLevel::warn, "job.finish_failed", results[0].error().text, {{"jid", jid}});
    end->result = results[0];
    ends_.erase(jid);
    end->over.notify_all();
}

task<void> KeptEnds::stop(int64_t limit_ms) {
    give_up_ms_ = reactor_.now_ms() + limit_ms;
    for (const auto& [jid, end] : ends_)
        end->over.notify_all();
    auto left = gate_.close();
    co_await left;
}

}  // namespace jobq
