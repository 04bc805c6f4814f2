// Daemon and Cluster: see daemon.h. come_up() does what App::start() does.
#include "tests/sim/daemon.h"

#include <algorithm>

namespace jobq::sim {
namespace {

std::shared_ptr<const Config> config_for(const Plan& plan) {
    auto config = std::make_shared<Config>();
    if (plan.daemons > 1) config->redis.url = "redis://127.0.0.1:6379";
    config->reserve_min_ms = 2'000;
    config->worker_timeout_ms = 20'000;
    TypeConfig quick;
    quick.name = "quick";
    quick.policy.backoff = Backoff{};
    quick.policy.backoff->base_ms = 500;
    quick.policy.backoff->max_ms = 5'000;
    config->types["quick"] = quick;
    QueueConfig narrow;
    narrow.name = "narrow";
    narrow.concurrency = 2;
    config->queues["narrow"] = narrow;
    return config;
}

}  // namespace

Behaviour Behaviour::draw(World& world) {
    Behaviour behaviour;
    int dice = int(world.rng.below(100));
    behaviour.takes_ms = dice < 70   ? world.between(0, 30)
                         : dice < 95 ? world.between(30, 2'000)
                                     : world.between(2'000, 12'000);
    int end = int(world.rng.below(100));
    behaviour.outcome = end < 75   ? Outcome::success
                        : end < 90 ? Outcome::failure
                        : end < 93 ? Outcome::crash
                        : end < 95 ? Outcome::snooze
                        : end < 97 ? Outcome::released
                        : end < 98 ? Outcome::timeout
                                   : Outcome::dead;
    return behaviour;
}

Ended ended_of(const Leased& lease, const std::string& owner, Outcome outcome, World& world) {
    Ended ended;
    ended.jid = lease.job.jid;
    ended.owner = owner;
    ended.token = lease.token;
    ended.report.outcome = outcome;
    if (outcome == Outcome::snooze) ended.report.snooze_ms = world.between(0, 3'000);
    if (outcome == Outcome::success) ended.report.result = "by " + owner + " " + lease.token;
    ended.report.message = "as the dice fell";
    return ended;
}

Daemon::Daemon(Cluster& cluster, int which)
    : realm(cluster.world.new_realm()),
      world(cluster.world),
      witness(cluster.witness),
      link(std::make_shared<StoreLink>(world, cluster.server)),
      store(realm->reactor, link, witness),
      events(realm->reactor),
      workers(realm->reactor),
      broker(realm->reactor, store, events, workers, cluster.config),
      chores(broker, world.plan.daemons > 1),
      cluster_(cluster),
      which_(which),
      owner_("pool:sim:" + broker.names().epoch()),
      room_(realm->reactor) {}

void Daemon::start() {
    link->on_kill([this] { cluster_.kill(which_); });
    link->on_up([this] {
        if (!serving()) return;
        chores.look_now();
        broker.waiters().notify_all();
    });
    if (world.plan.daemons > 1)
        store.on_hint([this](const std::string& queue) { cluster_.hint(which_, queue); });
    spawn(come_up());
}

task<void> Daemon::come_up() {
    co_await broker.leases().recover();
    chores.start();
    serving_ = true;
    if (world.tracing) world.say("daemon " + std::to_string(which_) + " serves");
    if (world.plan.pool_slots == 0) co_return;
    auto worker = workers.meet("pool:sim");
    worker->owner = owner_;
    worker->kind = WorkerKind::pool;
    spawn(pool_fetcher());
}

void Daemon::die() {
    realm->alive = false;
    link->die();
    witness.died(broker.names().epoch());
    for (size_t run : runs_)
        witness.stopped(run);
    for (const auto& hang_up : hang_ups)
        hang_up();
}

std::shared_ptr<Worker> Daemon::join(const std::string& wid, WorkerKind kind) {
    auto worker = workers.meet(wid);
    if (worker->owner.empty() && kind != WorkerKind::faktory) worker->owner = "w:" + wid;
    worker->kind = kind;
    worker->connections = 1;
    worker->beat_ms = realm->reactor.now_ms();
    if (!worker->owner.empty()) witness.heard(worker->owner);
    return worker;
}

task<void> Daemon::pool_fetcher() {
    const Types quick = types_of({"quick"});
    auto ticket = std::make_shared<Waiters::Ticket>(realm->reactor);
    while (true) {
        if (busy_ >= world.plan.pool_slots) {
            auto wait = room_.wait(30'000);
            co_await wait;
            continue;
        }
        FetchOrder order;
        order.owner = owner_;
        order.worker = "sim";
        order.queues = {"mail", "narrow", "low"};
        if (shares()) order.types = quick;
        order.count = world.plan.pool_slots - busy_;
        order.wait_ms = 30'000;
        auto leases = co_await broker.dispatch().fetch(std::move(order), ticket);
        if (!leases) {
            auto pause = room_.wait(200);
            co_await pause;
            continue;
        }
        for (auto& lease : *leases) {
            if (shares() && !quick->has(lease.job.type))
                world.violated("T1", lease.job.jid + " is of a type that the pool does not run");
            ++busy_;
            spawn(pool_run(std::move(lease)));
        }
    }
}

task<void> Daemon::pool_run(Leased lease) {
    size_t run = witness.started(lease);
    runs_.insert(run);
    Behaviour behaviour = Behaviour::draw(world);
    co_await sleep_for(realm->reactor, behaviour.takes_ms);
    witness.reported(run, behaviour.outcome);
    std::vector<Ended> batch;
    batch.push_back(ended_of(lease, owner_, behaviour.outcome, world));
    std::function<bool()> never = [] { return false; };
    co_await broker.attempts().finish_surely(std::move(batch), std::move(never));
    runs_.erase(run);
    --busy_;
    room_.notify_all();
}

Cluster::Cluster(World& the_world, Witness& the_witness)
    : world(the_world), witness(the_witness), config(config_for(the_world.plan)) {}

void Cluster::start() {
    daemons_.assign(size_t(world.plan.daemons), nullptr);
    for (int i = 0; i < size(); ++i)
        revive(i);
}

void Cluster::revive(int which) {
    if (world.tracing) world.say("daemon " + std::to_string(which) + " starts");
    daemons_[size_t(which)] = new Daemon(*this, which);
    daemons_[size_t(which)]->start();
}

void Cluster::kill(int which) {
    Daemon* victim = std::exchange(daemons_[size_t(which)], nullptr);
    if (!victim) return;
    if (world.tracing) world.say("daemon " + std::to_string(which) + " is killed");
    victim->die();
    bool long_away = world.faults && world.chance(100);
    int64_t away = long_away ? world.between(5'000, 30'000) : world.between(20, 1'500);
    auto link = victim->link;
    world.clock.after(away, [this, which, link] {
        // A private Redis is another one from now on: the one of before was ended.
        if (world.plan.daemons == 1) {
            link->forget();
            server.still_until_ms = 0;
        }
        revive(which);
    });
}

void Cluster::hint(int from, const std::string& queue) {
    for (int i = 0; i < size(); ++i) {
        if (i == from || world.fault(50)) continue;
        world.clock.after(world.between(0, 3), [this, i, queue] {
            if (daemon(i) && daemon(i)->serving()) daemon(i)->broker.hints().take(queue);
        });
    }
}

}  // namespace jobq::sim
