// Runner and FaktoryWorker: see workers.h. What they ask of a daemon is done there by the
// coroutines at the top, as the verbs TAKE, DONE, HEARTBEAT, FETCH, ACK and FAIL do it.
#include "tests/sim/workers.h"

#include <algorithm>

namespace jobq::sim {
namespace {

using Leases = std::vector<Leased>;
using Answers = std::vector<Result<>>;

struct Beat {
    std::vector<std::string> lost, cancel;
};

FetchOrder order_of(int count, int64_t wait_ms) {
    FetchOrder order;
    order.queues = {"mail", "narrow", "low"};
    order.count = count;
    order.wait_ms = wait_ms;
    return order;
}

task<Result<Leases>> take(Daemon* daemon, std::string wid, WorkerKind kind, int count,
                          std::shared_ptr<Exchange> exchange) {
    auto worker = daemon->join(wid, kind);
    auto ticket = std::make_shared<Waiters::Ticket>(daemon->realm->reactor);
    ticket->interrupted = exchange->cut;
    exchange->ticket = ticket;
    bool faktory = kind == WorkerKind::faktory;
    FetchOrder order = order_of(count, faktory ? limits::kFetchWaitMs : 10'000);
    order.owner = faktory ? "faktory" : worker->owner;
    order.worker = wid;
    order.lease_per_job = faktory;
    uint64_t session = ++daemon->sessions;
    worker->closers[session] = [exchange, ticket] { ticket->interrupt(); };
    auto leases = co_await daemon->broker.dispatch().fetch(std::move(order), ticket);
    worker->closers.erase(session);
    co_return leases;
}

task<Result<Answers>> done(Daemon* daemon, std::string wid, WorkerKind kind,
                           std::vector<Ended> batch) {
    daemon->join(wid, kind);
    auto results = co_await daemon->broker.attempts().finish(std::move(batch));
    co_return results;
}

task<Result<Beat>> beat(Daemon* daemon, std::string wid, WorkerKind kind,
                        std::vector<std::pair<std::string, std::string>> held) {
    auto worker = daemon->join(wid, kind);
    std::string owner = worker->owner;
    std::vector<std::string> named;
    for (const auto& [jid, token] : held)
        named.push_back(jid);
    co_await daemon->broker.returns().hand_back_unheard(owner, std::move(named));
    auto lost = co_await daemon->broker.leases().adopt(owner, wid, std::move(held));
    if (lost.empty() && worker->cancel.empty()) {
        auto notice = worker->notice.wait(2'000);
        co_await notice;
    }
    worker->beat_ms = daemon->realm->reactor.now_ms();
    daemon->witness.heard(owner);
    Beat answer;
    answer.lost = lost;
    answer.cancel = std::exchange(worker->cancel, {});
    co_return answer;
}

task<Result<>> goodbye(Daemon* daemon, std::string wid, WorkerKind kind) {
    auto worker = daemon->join(wid, kind);
    std::string owner = worker->owner, why = "its worker ended";
    for (const auto& [id, close] : std::map(worker->closers))
        close();
    co_await daemon->broker.returns().hand_back_all(owner);
    co_await daemon->broker.leases().reap(owner, std::move(why));
    daemon->workers.forget(wid);
    co_return Result<>{};
}

}  // namespace

Runner::Runner(Cluster& cluster, std::string wid, int which, bool local)
    : cluster_(cluster),
      world_(cluster.world),
      wid_(std::move(wid)),
      owner_("w:" + wid_),
      which_(which),
      kind_(local ? WorkerKind::runner : WorkerKind::remote) {}

void Runner::start() {
    renewed_ms_ = world_.now();
    spawn(beater());
    spawn(taker());
}

task<void> Runner::awake() {
    while (still_until_ms_ > world_.now())
        co_await sleep_for(world_.clock, still_until_ms_ - world_.now());
}

void Runner::stall() {
    int64_t still = world_.between(1'000, 40'000);
    if (world_.tracing) world_.say(wid_ + " stands still for " + std::to_string(still));
    still_until_ms_ = world_.now() + still;
}

void Runner::die() {
    if (dead_) return;
    if (world_.tracing) world_.say(wid_ + " dies");
    dead_ = true;
    for (const auto& [jid, held] : held_)
        if (held->started) cluster_.witness.stopped(held->run);
    cluster_.witness.died(owner_);
    Daemon* daemon = cluster_.daemon(which_);
    auto worker = daemon && daemon->serving() ? daemon->workers.find(wid_) : nullptr;
    if (worker) {
        worker->connections = 0;
        for (const auto& [id, close] : std::map(worker->closers))
            close();
        if (kind_ == WorkerKind::runner) daemon->chores.worker_died(worker);
    }
    if (on_death_) on_death_();
}

// Its lease can't be renewed: it ends its jobs before others start them.
void Runner::fence() {
    for (const auto& [jid, held] : held_) {
        if (held->lost || !held->started) continue;
        if (world_.tracing) world_.say(wid_ + " fences " + jid);
        held->lost = held->fenced = true;
        cluster_.witness.stopped(held->run);
    }
}

task<void> Runner::beater() {
    while (!dead_ && !gone_) {
        co_await awake();
        if (world_.now() - renewed_ms_ > limits::kProcessLeaseMs * 9 / 10) fence();
        std::vector<std::pair<std::string, std::string>> named;
        for (const auto& [jid, held] : held_)
            if (!held->lost) named.emplace_back(jid, held->lease.token);
        int64_t sent = world_.now();
        std::string wid = wid_;
        WorkerKind kind = kind_;
        Serve<Beat> serve = [wid, kind, named](Daemon* daemon, std::shared_ptr<Exchange>) {
            return beat(daemon, wid, kind, named);
        };
        auto slot = cluster_.call<Beat>(which_, std::move(serve));
        auto answer = co_await slot;
        co_await awake();
        if (dead_ || gone_) co_return;
        if (!answer) {
            co_await sleep_for(world_.clock, 200);
            continue;
        }
        renewed_ms_ = sent;
        for (const auto& jid : answer->cancel)
            if (held_.count(jid)) held_[jid]->cancelled = true;
        for (const auto& [jid, token] : named) {
            if (std::count(answer->lost.begin(), answer->lost.end(), jid) == 0) continue;
            auto held = held_.find(jid);
            if (held == held_.end() || held->second->lost) continue;
            if (held->second->lease.token != token) continue;  // given anew meanwhile
            held->second->lost = true;
            if (held->second->started) cluster_.witness.stopped(held->second->run);
        }
    }
}

task<void> Runner::taker() {
    const size_t slots = 2;
    while (!dead_ && !retiring_) {
        co_await awake();
        if (held_.size() >= slots || world_.now() - renewed_ms_ > limits::kProcessLeaseMs / 2) {
            co_await sleep_for(world_.clock, 20);
            continue;
        }
        int count = int(slots - held_.size());
        std::string wid = wid_;
        WorkerKind kind = kind_;
        Serve<Leases> serve = [wid, kind, count](Daemon* daemon,
                                                 std::shared_ptr<Exchange> exchange) {
            return take(daemon, wid, kind, count, exchange);
        };
        auto slot = cluster_.call<Leases>(which_, std::move(serve));
        auto leases = co_await slot;
        co_await awake();
        if (dead_) co_return;
        if (!leases) {
            co_await sleep_for(world_.clock, 200);
            continue;
        }
        for (auto& lease : *leases) {
            auto held = std::make_shared<Held>();
            held->lease = std::move(lease);
            std::string jid = held->lease.job.jid;
            if (held_.count(jid)) fence();  // it was taken from us and given again
            held_[jid] = held;
            spawn(run(jid));
        }
        if (world_.fault(world_.plan.worker_faults) && world_.chance(200)) stall();
    }
    while (!held_.empty() && !dead_)
        co_await sleep_for(world_.clock, 50);
    if (!dead_) co_await leave();
}

task<void> Runner::run(std::string jid) {
    auto held = held_[jid];
    held->started = true;
    held->run = cluster_.witness.started(held->lease);
    Behaviour behaviour = Behaviour::draw(world_);
    bool fault = world_.fault(world_.plan.worker_faults * 10);
    int kind = int(world_.rng.below(3));
    if (fault && kind == 0) stall();
    co_await sleep_for(world_.clock, behaviour.takes_ms);
    if (fault && kind == 1 && !dead_) die();
    if (fault && kind == 2) stall();
    co_await awake();
    if (dead_) co_return;
    Outcome outcome = held->cancelled ? Outcome::cancelled : behaviour.outcome;
    // One that was told that the job is not its own may report it all the same.
    bool late = held->lost;
    if (!late) cluster_.witness.reported(held->run, outcome);
    if (late) outcome = held->fenced ? Outcome::released : Outcome::success;
    if (!late || held->fenced || world_.chance(500)) co_await report(held, outcome);
    auto mine = held_.find(jid);
    if (mine != held_.end() && mine->second == held) held_.erase(mine);
}

task<void> Runner::report(std::shared_ptr<Held> held, Outcome outcome) {
    while (!dead_) {
        std::vector<Ended> batch{ended_of(held->lease, owner_, outcome, world_)};
        std::string wid = wid_;
        WorkerKind kind = kind_;
        Serve<Answers> serve = [wid, kind, batch](Daemon* daemon, std::shared_ptr<Exchange>) {
            return done(daemon, wid, kind, batch);
        };
        auto slot = cluster_.call<Answers>(which_, std::move(serve));
        auto answers = co_await slot;
        co_await awake();
        if (answers && (answers->front() || is_final(answers->front().error().code))) co_return;
        if (held->lost && !world_.faults) co_return;
        co_await sleep_for(world_.clock, 200);
    }
}

task<void> Runner::leave() {
    bool left = false;
    while (!left && !dead_) {
        std::string wid = wid_;
        WorkerKind kind = kind_;
        Serve<void> serve = [wid, kind](Daemon* daemon, std::shared_ptr<Exchange>) {
            return goodbye(daemon, wid, kind);
        };
        auto slot = cluster_.call<void>(which_, std::move(serve));
        auto said = co_await slot;
        left = said.has_value();
        if (!left) co_await sleep_for(world_.clock, 200);
    }
    gone_ = true;
}

FaktoryWorker::FaktoryWorker(Cluster& cluster, std::string wid, int which)
    : cluster_(cluster), world_(cluster.world), wid_(std::move(wid)), which_(which) {}

void FaktoryWorker::start() {
    spawn(work());
}

task<void> FaktoryWorker::work() {
    while (!retiring_) {
        std::string wid = wid_;
        Serve<Leases> serve = [wid](Daemon* daemon, std::shared_ptr<Exchange> exchange) {
            return take(daemon, wid, WorkerKind::faktory, 1, exchange);
        };
        auto slot = cluster_.call<Leases>(which_, std::move(serve));
        auto leases = co_await slot;
        if (!leases) {
            co_await sleep_for(world_.clock, 300);
            continue;
        }
        if (!leases->empty()) co_await run(std::move(leases->front()));
    }
    gone_ = true;
}

task<void> FaktoryWorker::run(Leased lease) {
    size_t run = cluster_.witness.started(lease);
    Behaviour behaviour = Behaviour::draw(world_);
    bool fault = world_.fault(world_.plan.worker_faults * 10);
    if (fault) behaviour.takes_ms += world_.between(0, 40'000);  // beyond its reservation
    co_await sleep_for(world_.clock, behaviour.takes_ms);
    if (fault && world_.chance(500)) {
        cluster_.witness.stopped(run);  // killed; one with the same name takes its place
        co_return;
    }
    bool good = behaviour.outcome == Outcome::success;
    Outcome outcome = good ? Outcome::success : Outcome::failure;
    cluster_.witness.reported(run, outcome);
    std::vector<Ended> batch{ended_of(lease, "", outcome, world_)};
    batch[0].token.clear();  // ACK and FAIL name the job alone
    batch[0].report.result.clear();
    std::string wid = wid_;
    for (int tries = int(world_.between(1, 4)); tries > 0; --tries) {
        Serve<Answers> serve = [wid, batch](Daemon* daemon, std::shared_ptr<Exchange>) {
            return done(daemon, wid, WorkerKind::faktory, batch);
        };
        auto slot = cluster_.call<Answers>(which_, std::move(serve));
        auto answers = co_await slot;
        if (answers && (answers->front() || is_final(answers->front().error().code))) break;
        co_await sleep_for(world_.clock, 200);
    }
}

}  // namespace jobq::sim
