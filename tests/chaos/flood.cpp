// See flood.h.
#include "tests/chaos/flood.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

#include "core/base/time.h"
#include "tests/chaos/paths.h"
#include "tests/chaos/witness.h"

namespace jobq::chaos {
namespace {

using nlohmann::json;

constexpr int kDelayedPerMille = 10, kFailingPerMille = 10, kReplyMs = 8'000;
constexpr int64_t kBetweenStopsUs = 20'000'000;  // some heartbeats
constexpr int kDelayMs = 2'000, kAheadMs = 200;

// One connection that enqueues. A call whose answer did not come is not repeated: a job that is
// over may be pushed again, and then it runs again.
class BulkProducer {
  public:
    BulkProducer(Rig& rig, const FloodPlan& plan, uint64_t seed)
        : rig_(rig), plan_(plan), random_(seed) {}

    // False while nobody listens.
    bool produce() {
        // A Faktory client, or one that opted in: errors differ.
        const bool plain = below(2) == 0;
        if (!wire_)
            wire_ = connect(rig_.daemon().socket(), plain ? R"({"v":2})" : R"({"v":2,"jobq":1})");
        if (!wire_) return false;
        make_drafts();
        const int64_t invoked_us = monotonic_us();
        std::vector<std::string> replies;
        if (below(2))
            push_bulk(replies);
        else
            push_pipelined(replies);
        std::vector<Call> calls;
        for (size_t i = 0; i < jids_.size(); ++i) {
            const Outcome outcome = outcome_of(replies[i]);
            calls.push_back({Call::Kind::enqueue, outcome, jids_[i], invoked_us, monotonic_us(), "",
                             outcome == Outcome::ok ? "" : replies[i]});
        }
        rig_.history().add_calls(std::move(calls));
        return true;
    }

  private:
    int below(int limit) { return int(random_() % uint64_t(limit)); }

    void make_drafts() {
        jids_.clear();
        lines_.clear();
        std::vector<std::pair<std::string, JobSpec>> specs;
        const int count = 1 + below(plan_.per_call);
        for (int i = 0; i < count; ++i) {
            const std::string jid = rig_.history().fresh("flood-");
            const bool fails = below(1000) < kFailingPerMille;
            const std::string payload = R"({"do":"ok","n":)" + std::to_string(random_()) +
                                        (fails ? R"(,"fail_first":1})" : "}");
            JobSpec spec;
            spec.max_attempts = kTypeAttempts;
            spec.checksum = checksum_of(payload);
            std::string line = R"({"jid":")" + jid + R"(","jobtype":"flood","queue":"flood",)" +
                               R"("args":[)" + payload + "]";
            if (below(1000) < kDelayedPerMille) {
                const int64_t in_ms = kAheadMs + below(kDelayMs);
                spec.run_at_us = monotonic_us() + (in_ms - 1) * 1000;
                line += R"(,"at":")" + format_rfc3339(wall_ms() + in_ms) + "\"";
            }
            lines_.push_back(line + "}");
            jids_.push_back(jid);
            specs.emplace_back(jid, std::move(spec));
        }
        rig_.history().add_jobs(std::move(specs));
    }

    // In PUSHB's reply the jobs that were refused are named, each with why.
    void push_bulk(std::vector<std::string>& replies) {
        std::string line = "PUSHB [";
        for (const auto& one : lines_)
            line += (line.ends_with("[") ? "" : ",") + one;
        const bool sent = wire_->send(line + "]\r\n");
        const std::string reply = sent ? wire_->reply(kReplyMs) : "(not sent)";
        if (reply.starts_with("(")) wire_.reset();
        const auto refused = json::parse(reply, nullptr, false);
        for (const auto& jid : jids_) {
            if (refused.is_object())
                replies.push_back(refused.contains(jid) ? "-" + refused[jid].dump() : "+OK");
            else
                replies.push_back(reply.starts_with("-") ? reply : "(not read) " + reply);
        }
    }

    void push_pipelined(std::vector<std::string>& replies) {
        std::string lines;
        for (const auto& one : lines_)
            lines += "PUSH " + one + "\r\n";
        std::string reply = wire_->send(lines) ? "" : "(not sent)";
        for (size_t i = 0; i < jids_.size(); ++i) {
            if (!reply.starts_with("(")) reply = wire_->reply(kReplyMs);
            replies.push_back(reply);
        }
        if (reply.starts_with("(")) wire_.reset();
    }

    Rig& rig_;
    const FloodPlan& plan_;
    std::mt19937_64 random_;
    std::unique_ptr<test::Wire> wire_;
    std::vector<std::string> jids_, lines_;
};

}  // namespace

const char* const kFloodToml = R"(
[type.flood]
max_attempts = 3
backoff = { base = "50ms", factor = 2, max = "400ms", jitter = 0.2 }
)";

Flood::Flood(Rig& rig, FloodPlan plan, uint64_t seed) : rig_(rig), plan_(plan) {
    workers_.resize(size_t(plan.workers));
    for (auto& worker : workers_)
        start_worker(worker);
    for (int i = 0; i < plan.producers; ++i)
        producers_.emplace_back([this, seed, i] { produce(seed * 1000 + 500 + uint64_t(i)); });
}

Flood::~Flood() {
    stop_producing();
    for (auto& worker : workers_) {
        kill(worker.pid, SIGKILL);
        waitpid(worker.pid, nullptr, 0);
    }
}

void Flood::produce(uint64_t seed) {
    BulkProducer producer(rig_, plan_, seed);
    std::mt19937_64 random(seed + 1);
    while (producing_ && rig_.history().acknowledged() < plan_.most) {
        if (!producer.produce()) pause_ms(20);
        pause_ms(int64_t(random() % uint64_t(2 * plan_.pause_ms + 1)));
    }
}

void Flood::stop_producing() {
    producing_ = false;
    for (auto& thread : producers_)
        thread.join();
    producers_.clear();
}

// Not seen before, so that nothing that its predecessor held is taken for its own.
void Flood::start_worker(Worker& worker) {
    worker = {};
    worker.wid = rig_.history().fresh("floodworker");
    rig_.note_teller(worker.wid);
    const std::string log = rig_.witness_log() + "." + worker.wid, socket = rig_.daemon().socket();
    worker.pid = fork();
    if (worker.pid < 0) throw std::runtime_error("can't start a flood worker");
    if (worker.pid > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(kFloodWorker, "flood_worker", socket.c_str(), log.c_str(), worker.wid.c_str(), nullptr);
    _exit(127);
}

Flood::Worker& Flood::any_worker() {
    return workers_[size_t(rig_.below(int(workers_.size())))];
}

void Flood::kill_worker() {
    Worker& worker = any_worker();
    if (worker.until_us) wake(worker);
    kill(worker.pid, SIGKILL);
    waitpid(worker.pid, nullptr, 0);
    rig_.note_kill(worker.wid);
    start_worker(worker);
}

void Flood::stop_worker(int for_ms) {
    Worker& worker = any_worker();
    if (worker.until_us) return;
    // Two stops with no heartbeat between them are one to jobqd, and two to the judge.
    if (worker.woken_us && monotonic_us() - worker.woken_us < kBetweenStopsUs) return;
    worker.stopped_us = monotonic_us();
    worker.until_us = worker.stopped_us + int64_t(for_ms) * 1000;
    kill(worker.pid, SIGSTOP);
}

void Flood::wake(Worker& worker) {
    kill(worker.pid, SIGCONT);
    rig_.note({Fault::Kind::pause, worker.stopped_us, monotonic_us(), worker.wid, 0}, "stop");
    worker.stopped_us = worker.until_us = 0;
    worker.woken_us = monotonic_us();
}

void Flood::go_on(bool all) {
    for (auto& worker : workers_)
        if (worker.until_us && (all || worker.until_us <= monotonic_us())) wake(worker);
}

}  // namespace jobq::chaos
