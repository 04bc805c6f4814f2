// Simulation: see simulation.h.
#include "tests/sim/simulation.h"

#include "tests/sim/planted.h"

namespace jobq::sim {
namespace {

using Stored = std::vector<Result<Enqueued>>;

task<Result<Stored>> push(Daemon* daemon, std::vector<Job> jobs) {
    auto results = co_await daemon->broker.intake().enqueue(std::move(jobs), Caller{});
    co_return results;
}

task<Result<std::vector<Result<Cancelled>>>> cancel(Daemon* daemon, std::string jid) {
    std::vector<std::string> one{jid};
    auto results = co_await daemon->broker.control().cancel(std::move(one));
    co_return results;
}

task<Result<std::vector<Result<>>>> requeue(Daemon* daemon, std::string jid) {
    std::vector<std::string> one{jid};
    auto results = co_await daemon->broker.control().requeue(std::move(one), true, Caller{});
    co_return results;
}

task<Result<>> pause(Daemon* daemon, std::string queue, bool paused) {
    std::vector<std::string> one{queue};
    auto result = co_await daemon->broker.control().pause(std::move(one), paused);
    co_return result;
}

class OneRun {
  public:
    OneRun(uint64_t seed, Mistake mistake, bool tracing)
        : world_(seed, mistake, tracing),
          model_(world_.clock),
          planted_(world_, model_),
          witness_(world_, mistake == Mistake::none ? static_cast<Store&>(model_) : planted_),
          cluster_(world_, witness_) {}

    Verdict go();

  private:
    task<void> client(int number, int jobs);
    task<void> submit(Job job);
    task<void> change(std::string jid);
    task<void> resume();
    task<void> clock_trouble();
    Job make(int client, int number);
    void add_runner();
    void heal();
    bool drained() const;
    void check_waiting();
    void check_idle();

    std::string any_queue() {
        const char* names[] = {"mail", "mail", "narrow", "low"};
        return names[world_.rng.below(4)];
    }

    int any_daemon() { return int(world_.rng.below(uint64_t(cluster_.size()))); }

    World world_;
    test::MemoryStore model_;
    PlantedStore planted_;
    Witness witness_;
    Cluster cluster_;
    std::vector<std::unique_ptr<Runner>> runners_;
    std::vector<std::unique_ptr<FaktoryWorker>> faktory_;
    int busy_clients_ = 0;
    int64_t idle_since_ms_ = 0;  // with work there, since then
    bool resumed_ = false, closing_ = false;
};

Job OneRun::make(int client, int number) {
    Job job;
    std::string id = std::to_string(client) + "-" + std::to_string(number);
    job.jid = "job-" + id;
    job.type = world_.chance(700) ? "quick" : "slow";
    job.queue = any_queue();
    job.args = "[\"" + id + "\"]";
    job.created_ms = world_.wall();
    job.reserve_for_s = world_.between(2, 20);
    if (world_.chance(200)) job.priority = int(world_.between(1, 9));
    if (world_.chance(300)) job.run_at_ms = world_.wall() + world_.between(-500, 30'000);
    if (job.type == "slow")
        job.retry = int(world_.between(-1, 2));
    else
        job.max_attempts = int(world_.between(1, 5));
    if (world_.chance(50)) job.expires_ms = world_.wall() + world_.between(0, 20'000);
    if (world_.chance(400)) job.idempotency_key = "key-" + id;
    if (world_.chance(200)) {
        Ties ties;
        ties.lock = "lock-" + std::to_string(world_.rng.below(3));
        ties.lock_for_ms = 20LL * 24 * 3'600'000;
        ties.until_start = world_.chance(300);
        job.ties = std::make_shared<const Ties>(ties);
    }
    return job;
}

// Repeats while the outcome is not known; gives up now and then.
task<void> OneRun::submit(Job job) {
    witness_.tried(job);
    for (int tries = 0; tries < 40; ++tries) {
        std::vector<Job> jobs{job};
        Serve<Stored> serve = [jobs](Daemon* daemon, std::shared_ptr<Exchange>) {
            return push(daemon, jobs);
        };
        auto slot = cluster_.call<Stored>(any_daemon(), std::move(serve));
        auto answer = co_await slot;
        if (answer && answer->front()) {
            witness_.acknowledged(job, *answer->front());
            co_return;
        }
        bool again = !answer || info(answer->front().error().code).retryable;
        if (!again || world_.chance(50)) co_return;
        co_await sleep_for(world_.clock, world_.between(10, 1'500));
    }
}

task<void> OneRun::change(std::string jid) {
    if (world_.chance(700)) {
        using Answer = std::vector<Result<Cancelled>>;
        Serve<Answer> serve = [jid](Daemon* daemon, std::shared_ptr<Exchange>) {
            return cancel(daemon, jid);
        };
        auto slot = cluster_.call<Answer>(any_daemon(), std::move(serve));
        co_await slot;
        co_return;
    }
    using Answer = std::vector<Result<>>;
    Serve<Answer> serve = [jid](Daemon* daemon, std::shared_ptr<Exchange>) {
        return requeue(daemon, jid);
    };
    auto slot = cluster_.call<Answer>(any_daemon(), std::move(serve));
    co_await slot;
}

task<void> OneRun::client(int number, int jobs) {
    int64_t pace = world_.plan.heal_ms / std::max(jobs, 1);
    for (int i = 0; i < jobs; ++i) {
        Job job = make(number, i);
        std::string jid = job.jid, queue = any_queue();
        co_await submit(std::move(job));
        if (world_.chance(80)) {
            co_await sleep_for(world_.clock, world_.between(0, 1'000));
            co_await change(std::move(jid));
        }
        if (world_.chance(30) && world_.faults) {
            bool paused = world_.chance(600);
            Serve<void> serve = [queue, paused](Daemon* daemon, std::shared_ptr<Exchange>) {
                return pause(daemon, queue, paused);
            };
            auto slot = cluster_.call<void>(any_daemon(), std::move(serve));
            co_await slot;
        }
        if (!world_.chance(300)) co_await sleep_for(world_.clock, world_.between(0, pace));
    }
    --busy_clients_;
}

task<void> OneRun::clock_trouble() {
    while (world_.faults) {
        co_await sleep_for(world_.clock, world_.between(1'000, 40'000));
        if (!world_.faults) break;
        int64_t hour = 3'600'000;
        int64_t step = world_.chance(500) ? hour : -hour;
        if (world_.plan.far_jump && world_.chance(400)) step = 400 * 24 * hour;
        world_.step_wall(step);
    }
}

task<void> OneRun::resume() {
    std::vector<std::string> queues{"mail", "narrow", "low"};
    for (const auto& queue : queues) {
        bool done = false;
        while (!done) {
            std::string name = queue;
            Serve<void> serve = [name](Daemon* daemon, std::shared_ptr<Exchange>) {
                return pause(daemon, name, false);
            };
            auto slot = cluster_.call<void>(0, std::move(serve));
            auto answer = co_await slot;
            done = answer.has_value();
            if (!done) co_await sleep_for(world_.clock, 100);
        }
    }
    resumed_ = true;
}

void OneRun::add_runner() {
    if (closing_) return;
    std::string wid = "runner-" + std::to_string(runners_.size());
    bool local = world_.chance(500);
    runners_.push_back(std::make_unique<Runner>(cluster_, wid, any_daemon(), local));
    runners_.back()->on_death(
        [this] { world_.clock.after(world_.between(100, 5'000), [this] { add_runner(); }); });
    runners_.back()->start();
}

// Faults end; a clock that was set back is set right, or what was planned before waits for years.
void OneRun::heal() {
    world_.say("peace");
    world_.faults = false;
    int64_t behind = world_.latest_wall() - world_.wall();
    if (behind > 0) world_.step_wall(behind);
    spawn(resume());
}

bool OneRun::drained() const {
    return resumed_ && busy_clients_ == 0 && witness_.unfinished() == 0;
}

// L1: a job that could start does not wait beside a free slot for longer than a fetch waits.
void OneRun::check_waiting() {
    constexpr int64_t kMostMs = 45'000;
    bool waits = false, free = false;
    for (int i = 0; i < cluster_.size(); ++i)
        free = free || (cluster_.daemon(i) && cluster_.daemon(i)->has_free_slot());
    // The queue with a limit may have to wait.
    auto queues = at_once(model_.queues(false)).value();
    for (const auto& queue : queues)
        waits = waits || (queue.name != "narrow" && !queue.paused && queue.size > 0);
    bool still = cluster_.server.still_until_ms > world_.now();
    if (!waits || !free || still) idle_since_ms_ = world_.now();
    if (world_.now() - idle_since_ms_ <= kMostMs) return;
    world_.violated("L1", "a job waits beside a free slot for " + std::to_string(kMostMs) + " ms");
}

// Nothing is left to do: no timer may spin, no call may be repeated.
void OneRun::check_idle() {
    closing_ = true;
    for (auto& runner : runners_)
        runner->retire();
    for (auto& worker : faktory_)
        worker->retire();
    world_.run(120'000, [] { return false; });
    for (int i = 0; i < cluster_.size(); ++i) {
        Broker& broker = cluster_.daemon(i)->broker;
        // With other daemons it may count what those have.
        if (cluster_.size() == 1 && !broker.running().empty())
            world_.violated("L4", "a daemon still counts " + broker.running().all().begin()->first +
                                      " as running");
        if (broker.returns().has_lost() || broker.leases().has_rest())
            world_.violated("L4", "a daemon still looks for jobs that were lost");
    }
    uint64_t calls = cluster_.server.calls, fired = world_.fired();
    const int64_t minutes = 10, per_minute = world_.plan.daemons > 1 ? 60 : 15;
    world_.run(minutes * 60'000, [] { return false; });
    calls = cluster_.server.calls - calls;
    fired = world_.fired() - fired;
    int64_t most = minutes * per_minute * world_.plan.daemons;
    if (int64_t(calls) > most || int64_t(fired) > 20 * most + 2'000)
        world_.violated("L4", "idle for " + std::to_string(minutes) +
                                  " minutes: " + std::to_string(calls) + " calls and " +
                                  std::to_string(fired) + " timers");
}

Verdict OneRun::go() {
    world_.say(world_.plan.text());
    const Plan& plan = world_.plan;
    cluster_.start();
    for (int i = 0; i < plan.runners; ++i)
        add_runner();
    for (int i = 0; i < plan.faktory; ++i) {
        std::string wid = "faktory-" + std::to_string(i);
        faktory_.push_back(std::make_unique<FaktoryWorker>(cluster_, wid, any_daemon()));
        faktory_.back()->start();
    }
    busy_clients_ = plan.clients;
    for (int i = 0; i < plan.clients; ++i)
        spawn(client(i, std::max(1, plan.jobs / plan.clients)));
    if (plan.wall_jumps) spawn(clock_trouble());
    auto broken = [this] { return !world_.violations().empty(); };
    world_.run(plan.heal_ms, broken);
    if (!broken()) {
        heal();
        idle_since_ms_ = world_.now();
        auto enough = [this] {
            check_waiting();
            return !world_.violations().empty() || drained();
        };
        world_.run(30 * 60'000, enough);
    }
    if (!broken()) witness_.check_end();
    if (!broken()) check_idle();
    Verdict verdict;
    verdict.violations = world_.violations();
    verdict.events = world_.events();
    verdict.calls = cluster_.server.calls;
    for (const auto& [jid, job] : witness_.jobs())
        verdict.starts += uint64_t(job.starts);
    verdict.lasted_ms = world_.now();
    return verdict;
}

}  // namespace

Verdict simulate(uint64_t seed, Mistake mistake, bool tracing) {
    // Left behind with all that its coroutines hold.
    auto* run = new OneRun(seed, mistake, tracing);
    return run->go();
}

}  // namespace jobq::sim
