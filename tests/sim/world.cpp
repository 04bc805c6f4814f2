// World: see world.h. Time moves to the next timer of any realm; then each runs until it is idle.
#include "tests/sim/world.h"

#include <algorithm>
#include <iostream>

namespace jobq::sim {

Plan Plan::draw(uint64_t seed) {
    Rng rng(seed * 2 + 1);
    auto between = [&rng](int low, int high) {
        return low + int(rng.below(uint64_t(high - low + 1)));
    };
    Plan plan;
    plan.jobs = between(4, 24);
    plan.clients = between(1, 3);
    plan.pool_slots = between(0, 3);
    plan.runners = between(0, 2);
    plan.faktory = between(0, 3);
    if (plan.pool_slots + plan.runners + plan.faktory == 0) plan.pool_slots = 1;
    plan.daemons = rng.below(4) == 0 ? 2 : 1;
    // A quarter of the runs see no fault of a kind, so that each kind is seen alone too.
    auto rate = [&](int most) { return rng.below(4) == 0 ? 0 : between(1, most); };
    plan.call_faults = rate(60);
    plan.daemon_kills = rate(15);
    plan.net_faults = rate(60);
    plan.worker_faults = rate(30);
    plan.wall_jumps = rng.below(4) == 0;
    plan.far_jump = plan.wall_jumps && rng.below(8) == 0;
    plan.heal_ms = between(20, 90) * 1'000;
    return plan;
}

std::string Plan::text() const {
    return std::to_string(jobs) + " jobs of " + std::to_string(clients) + " clients; " +
           std::to_string(daemons) + " daemons, " + std::to_string(pool_slots) + " slots, " +
           std::to_string(runners) + " runners, " + std::to_string(faktory) +
           " Faktory workers; per mille: calls " + std::to_string(call_faults) + ", kills " +
           std::to_string(daemon_kills) + ", net " + std::to_string(net_faults) +
           "; per cent of runs " + std::to_string(worker_faults) +
           (wall_jumps ? "; the wall clock jumps" : "") + (far_jump ? " far" : "") +
           "; healed after " + std::to_string(heal_ms / 1000) + " s";
}

World::World(uint64_t seed, Mistake planted, bool trace)
    : plan(Plan::draw(seed)),
      mistake(planted),
      tracing(trace),
      clock(seed),
      rng(seed),
      latest_wall_(clock.wall_ms()) {}

std::shared_ptr<Realm> World::new_realm() {
    auto realm = std::make_shared<Realm>(rng.next() | 1);
    realm->reactor.move_to(now());
    realm->reactor.step_wall(wall_step_);
    realms_.push_back(realm);
    return realm;
}

void World::step_wall(int64_t ms) {
    if (tracing) say("the wall clock jumps by " + std::to_string(ms) + " ms");
    wall_step_ += ms;
    clock.step_wall(ms);
    for (const auto& realm : realms_)
        realm->reactor.step_wall(ms);
    latest_wall_ = std::max(latest_wall_, wall());
}

void World::settle() {
    bool busy = true;
    while (busy) {
        clock.run_until_idle();
        busy = false;
        for (size_t i = 0; i < realms_.size(); ++i) {
            auto realm = realms_[i];
            if (realm->alive && realm->reactor.busy()) realm->reactor.run_until_idle();
        }
        busy = clock.busy();
        for (const auto& realm : realms_)
            busy = busy || (realm->alive && realm->reactor.busy());
    }
    ++events_;
}

void World::move_to(int64_t now_ms) {
    clock.move_to(now_ms);
    for (const auto& realm : realms_)
        if (realm->alive) realm->reactor.move_to(now_ms);
    latest_wall_ = std::max(latest_wall_, wall());
}

void World::run(int64_t ms, const std::function<bool()>& enough) {
    int64_t end = now() + ms;
    settle();
    while (!enough()) {
        int64_t next = clock.next_due_ms();
        for (const auto& realm : realms_)
            if (realm->alive) next = std::min(next, realm->reactor.next_due_ms());
        move_to(std::min(next, end));
        if (next > end) return;
        settle();
    }
}

uint64_t World::fired() const {
    uint64_t sum = clock.fired();
    for (const auto& realm : realms_)
        sum += realm->reactor.fired();
    return sum;
}

void World::say(const std::string& text) {
    if (tracing) std::cout << now() << " " << text << "\n";
}

void World::violated(const std::string& invariant, const std::string& text) {
    say("BROKEN " + invariant + ": " + text);
    if (violations_.size() < 20) violations_.push_back({invariant, text});
}

}  // namespace jobq::sim
