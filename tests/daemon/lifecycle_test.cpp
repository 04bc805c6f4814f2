// A stop, a reload or a restart before any resumption of a start, a reload and a stop: nothing
// hangs, leaks or aborts, what ran is handed back, and the next start serves.
// JOBQ_LIFECYCLE_STEP sets how many resumptions are left out between two (1: none).
#include <sys/stat.h>

#include "tests/daemon/nest.h"

using namespace jobq;
using namespace jobq::test;

namespace {

int step_asked(int usual) {
    const char* text = std::getenv("JOBQ_LIFECYCLE_STEP");
    return text ? std::max(1, std::atoi(text)) : usual;
}

void stop_when_serving(Alive& alive) {
    if (alive.serves()) alive.app.ask_stop();
}

// How it has ended, as it should; `left` is what was there before.
void check_end(const Nest& nest, const Life& life, const Left& left) {
    CHECK(life.status == 0);
    const std::string litter = nest.litter();
    INFO(litter);
    CHECK(litter.empty());
    CHECK(Left().descriptors == left.descriptors);
    CHECK(Left().threads == left.threads);
}

}  // namespace

TEST_CASE("a stop before any resumption of a start ends it, and the next start serves") {
    Nest nest;
    const Life whole = nest.live(stop_when_serving);
    REQUIRE(whole.serving_step > 20);
    const Left left;
    for (int at = 0; at <= whole.serving_step; at += step_asked(1)) {
        INFO("stopped before resumption " << at << " of " << whole.serving_step);
        const Life cut = nest.live(
            [at](Alive& alive) {
                if (at == 0) alive.app.ask_stop();
                alive.reactor.before_step(at, [&app = alive.app] { app.ask_stop(); });
            },
            stop_when_serving);
        check_end(nest, cut, left);
    }
    CHECK(nest.live(stop_when_serving).serving_turn > 0);
}

TEST_CASE("a stop before any resumption of a start with a Redis of its own ends both") {
    Nest nest(true);
    const Life whole = nest.live(stop_when_serving);
    REQUIRE(whole.serving_step > 20);
    const Left left;
    for (int at = 1; at <= whole.serving_step; at += step_asked(7)) {
        INFO("stopped before resumption " << at << " of " << whole.serving_step);
        const Life cut = nest.live(
            [at](Alive& alive) {
                alive.reactor.before_step(at, [&app = alive.app] { app.ask_stop(); });
            },
            stop_when_serving);
        check_end(nest, cut, left);
    }
    CHECK(nest.live(stop_when_serving).serving_turn > 0);
}

TEST_CASE("a stop ends a start whose Redis never comes") {
    Nest nest(true);
    nest.binary = nest.dir / "redis";
    {
        std::ofstream script(nest.binary);
        script << "#!/bin/sh\nif [ \"$1\" = --version ]; then\n"
                  "  echo 'Redis server v=7.0.15 sha=00000000:0 malloc=libc bits=64 build=0'\n"
                  "else\n  exec sleep 1000\nfi\n";
    }
    chmod(nest.binary.c_str(), 0700);
    nest.configure(2);
    const Life cut = nest.live([](Alive& alive) {
        if (alive.life.turns == 12) raise(SIGTERM);
    });
    CHECK(cut.status == 0);
    CHECK(cut.serving_turn == 0);
}

TEST_CASE("two reloads asked for before any resumption of a start are done once it serves") {
    Nest nest;
    const Life whole = nest.live(stop_when_serving);
    const Left left;
    for (int at = 1; at <= whole.serving_step; at += step_asked(1)) {
        INFO("reloads before resumption " << at << " of " << whole.serving_step);
        nest.configure(2);
        // The threads of the pool tell which configuration counts.
        bool reloaded = false;
        const Life life = nest.live(
            [&](Alive& alive) {
                alive.reactor.before_step(at, [&nest, &app = alive.app] {
                    nest.configure(5);
                    app.ask_reload();
                    app.ask_reload();
                });
                alive.reactor.after(5'000, [&app = alive.app] { app.ask_stop(); });
            },
            [&](Alive& alive) {
                if (reloaded || Left().threads != left.threads + 5) return;
                reloaded = true;
                alive.app.ask_stop();
            });
        REQUIRE(reloaded);
        check_end(nest, life, left);
    }
}

namespace {

// A daemon that runs a job is disturbed: `first` when the job runs, `then` before the at-th
// resumption after that, and in any case a stop. The steps of it all are left in `steps`.
struct Disturbance {
    std::function<void(const Nest&nest, App&app)> first, then;
    int at = 1;
    int64_t stop_after_ms = 150;  // so long after `first`
};

JobView disturb(const Nest& nest, const Disturbance& what, Life* life, int* steps) {
    static int jobs = 0;
    const std::string jid = "running-" + std::to_string(++jobs);
    int fd = -1, pushed_turn = 0, first_step = 0;
    nest.configure(2);
    SyncLink(nest.redis->socket_path()).command("FLUSHALL");  // jobs of before would run instead
    *life = nest.live([&](Alive& alive) {
        if (!alive.serves() || first_step > 0) return;
        if (fd < 0) {
            fd = nest.push(jid);
            pushed_turn = alive.life.turns;
        }
        // Told by its record: it runs.
        if (alive.life.turns == pushed_turn || !nest.runs(jid)) return;
        App& app = alive.app;
        first_step = alive.reactor.steps();
        alive.reactor.before_step(what.at, [&] { what.then(nest, app); });
        what.first(nest, app);
        alive.reactor.after(what.stop_after_ms, [&] { app.ask_stop(); });
    });
    close(fd);
    *steps = life->steps - first_step;
    auto view = nest.look(jid);
    REQUIRE(view);
    return *view;
}

void reload_with(const Nest& nest, App& app, int slots) {
    nest.configure(slots);
    app.ask_reload();
}

// At one resumption after another, until there are no more. How many there were.
int disturb_at_each(const Nest& nest, Disturbance what, int step, bool restarts) {
    Life life;
    int steps = 0, most = 300;
    what.at = 1'000'000;  // never: what a descriptor costs once is not counted
    disturb(nest, what, &life, &steps);
    const Left left;
    for (what.at = 1; what.at < most; what.at += step) {
        INFO("before resumption " << what.at);
        const JobView view = disturb(nest, what, &life, &steps);
        check_end(nest, life, left);
        if (!restarts) CHECK_FALSE(life.restarts);
        CHECK(view.state == State::ready);
        CHECK(view.record.attempts == 0);
        CHECK(view.record.crashes == 0);
        most = std::min(most, steps);
    }
    return most;
}

}  // namespace

TEST_CASE("a stop before any resumption of a reload hands back what ran") {
    Nest nest;
    Disturbance what;
    what.first = [](const Nest& one, App& app) { reload_with(one, app, 3); };
    what.then = [](const Nest&, App& app) { app.ask_stop(); };
    CHECK(disturb_at_each(nest, what, step_asked(1), false) > 10);
}

TEST_CASE("another reload before any resumption of a reload hands back what ran") {
    Nest nest;
    Disturbance what;
    what.first = [](const Nest& one, App& app) { reload_with(one, app, 3); };
    what.then = [](const Nest& one, App& app) { reload_with(one, app, 4); };
    CHECK(disturb_at_each(nest, what, step_asked(5), false) > 10);
}

TEST_CASE("a restart before any resumption of a reload hands back what ran") {
    Nest nest;
    Disturbance what;
    what.first = [](const Nest& one, App& app) { reload_with(one, app, 3); };
    what.then = [](const Nest&, App& app) { app.ask_restart(); };
    CHECK(disturb_at_each(nest, what, step_asked(2), true) > 10);
}

TEST_CASE("a second stop before any resumption of a stop ends it at once") {
    Nest nest;
    nest.stop_timeout = "60s";
    Disturbance what;
    what.first = [](const Nest&, App& app) { app.ask_stop(); };
    what.then = [](const Nest&, App& app) { app.ask_stop(); };
    CHECK(disturb_at_each(nest, what, step_asked(1), false) > 5);
}
