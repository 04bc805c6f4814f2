// A stop, or another reload, at every turn of the loop that a start and a reload take: nothing
// hangs, leaks or aborts, what ran is handed back, and the next start serves. In this process: the
// App's own destructor and the reactor's look for what is left over.
// JOBQ_LIFECYCLE_STEP sets how many turns are left out between two (1: none).
#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "core/store/redis/redis_store.h"
#include "daemon/app.h"
#include "daemon/observe/log.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"
#include "tests/support/sync_link.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using namespace jobq::test;

namespace {

int count_in(const char* folder) {
    int count = 0;
    DIR* dir = opendir(folder);
    while (dir && readdir(dir))
        ++count;
    if (dir) closedir(dir);
    return count;
}

int step_asked() {
    const char* text = std::getenv("JOBQ_LIFECYCLE_STEP");
    return text ? std::max(1, std::atoi(text)) : 3;
}

// What a run of the daemon is, turn by turn.
struct Life {
    int turns = 0;    // until it ended, or until `limit` when it never did
    int serving = 0;  // the turn at which it served; 0: never
    int status = -1;
};

// A daemon on its own directory, and one Redis for all its lives.
struct Nest {
    explicit Nest(bool is_private = false) : own_redis(is_private) {
        if (!is_private) redis = std::make_unique<RedisServer>();
        // Raised at the App, and dropped between two of them.
        for (int number : {SIGTERM, SIGHUP})
            std::signal(number, SIG_IGN);
        log_open("error", false);
        configure(2);
    }

    ~Nest() {
        for (int number : {SIGTERM, SIGHUP, SIGINT, SIGUSR2})
            std::signal(number, SIG_DFL);
        log_open("info", false);
    }

    // It ends with its signals held, as a process that ends; this one goes on.
    static void let_in() {
        sigset_t held;
        sigemptyset(&held);
        for (int number : {SIGTERM, SIGHUP, SIGINT, SIGUSR2})
            sigaddset(&held, number);
        pthread_sigmask(SIG_UNBLOCK, &held, nullptr);
    }

    void configure(int slots) const {
        std::ofstream file(dir / "jobqd.toml");
        file << "state_dir = \"" << (dir / "s") << "\"\nstop_timeout = \"30ms\"\n"
             << "[listen]\nunix = \"" << socket() << "\"\nhttp = \"unix:" << (dir / "h.sock")
             << "\"\n";
        if (!binary.empty()) file << "[redis]\nbinary = \"" << binary << "\"\n";
        if (!own_redis) file << "[redis]\nurl = \"unix:" << redis->socket_path() << "\"\n";
        file << "[runner]\nstart = false\n[pool.threads]\nkind = \"thread\"\nslots = " << slots
             << "\nqueues = [\"default\"]\n";
    }

    std::string socket() const { return dir / "q.sock"; }

    // Each turn is told by its number.
    Life live(const std::function<void(int turn, bool serving)>& at_turn) const {
        return live_on([&](int turn, bool serving, UvReactor&) { at_turn(turn, serving); });
    }

    Life live_on(
        const std::function<void(int turn, bool serving, UvReactor& reactor)>& at_turn) const {
        Life life;
        Options options;
        options.config_files = {dir / "jobqd.toml"};
        Loaded loaded = load_for(options);
        for (const auto& error : loaded.errors)
            FAIL(error.to_string());
        auto places = make_places(loaded.config);
        REQUIRE(places);
        UvReactor reactor;
        App app(reactor, options, std::move(loaded), *places);
        spawn(app.run());
        bool late = false;
        reactor.on_turn([&](int64_t) {
            ++life.turns;
            bool serves = life.serving > 0 || access((dir / "s/jobqd.ready").c_str(), F_OK) == 0;
            if (serves && life.serving == 0) life.serving = life.turns;
            at_turn(life.turns, serves, reactor);
        });
        reactor.after(20'000, [&] {
            late = true;
            reactor.stop();
        });
        reactor.run();
        if (late) {  // its frames can't be taken apart
            std::fprintf(stderr, "the daemon did not end\n");
            std::abort();
        }
        life.status = app.exit_status();
        let_in();
        return life;
    }

    // A job that runs for ever, told to the daemon without waiting for its answer.
    int push(const std::string& jid) const {
        int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        socket().copy(address.sun_path, sizeof address.sun_path - 1);
        REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        const std::string text =
            "HELLO {\"v\":2,\"jobq\":1}\r\nJOBQ ENQUEUE {\"type\":\"sleep\","
            "\"payload\":{\"ms\":60000},\"jid\":\"" +
            jid + "\"}\r\n";
        REQUIRE(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == ssize_t(text.size()));
        return fd;
    }

    // Not found: not stored yet.
    Result<JobView> look(const std::string& jid) const {
        TestReactor clock;
        SyncLink link(redis->socket_path());
        RedisStore store(clock, link, Keys("main"), RedisStoreOptions{});
        auto views = run_task(clock, store.get({jid}));
        REQUIRE(views);
        return views->front();
    }

    bool runs(const std::string& jid) const {
        auto view = look(jid);
        return view && view->state == State::running;
    }

    TempDir dir;
    std::unique_ptr<RedisServer> redis;
    bool own_redis;
    std::string binary;  // of the own one
};

}  // namespace

TEST_CASE("a stop at any turn of a start ends it in order, and the next start serves") {
    Nest nest;
    auto stop_when_serving = [](int, bool serving) {
        if (serving) raise(SIGTERM);
    };
    const Life whole = nest.live(stop_when_serving);
    REQUIRE(whole.serving > 5);
    const int descriptors = count_in("/proc/self/fd"), threads = count_in("/proc/self/task");
    for (int stop = 1; stop < whole.serving; stop += step_asked()) {
        INFO("stopped at turn " << stop << " of " << whole.serving);
        const Life cut = nest.live([&](int turn, bool) {
            if (turn == stop) raise(SIGTERM);
        });
        CHECK(cut.status == 0);
        CHECK(count_in("/proc/self/fd") == descriptors);
        CHECK(count_in("/proc/self/task") == threads);
    }
    CHECK(nest.live(stop_when_serving).serving > 0);
}

TEST_CASE("a stop at any turn of a start with a Redis of its own ends both") {
    Nest nest(true);
    int turns = 40;
    for (int stop = 1; stop < turns; stop += 2 * step_asked() + 1) {
        INFO("stopped at turn " << stop << " of " << turns);
        const Life cut = nest.live([&](int turn, bool serving) {
            if (turn == stop || serving) raise(SIGTERM);
        });
        CHECK(cut.status == 0);
        if (cut.serving > 0) turns = std::min(turns, cut.serving);
    }
    CHECK(nest.live([](int, bool serving) {
                  if (serving) raise(SIGTERM);
              })
              .serving > 0);
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
    const Life cut = nest.live([](int turn, bool) {
        if (turn == 12) raise(SIGTERM);
    });
    CHECK(cut.status == 0);
    CHECK(cut.serving == 0);
}

namespace {

// A reload of changed slots while a job runs, and `number` at its n-th turn; then a stop. The job's
// view afterwards.
JobView reload_and(const Nest& nest, int number, int at, int* reload_turns) {
    static int jobs = 0;
    const std::string jid = "running-" + std::to_string(++jobs);
    int fd = -1, pushed_at = 0, reload_at = 0;
    nest.configure(2);
    SyncLink(nest.redis->socket_path()).command("FLUSHALL");  // jobs of before would run instead
    const Life life = nest.live_on([&](int turn, bool serving, UvReactor& reactor) {
        if (!serving) return;
        if (fd < 0) {
            fd = nest.push(jid);
            pushed_at = turn;
        }
        // Told by its record: it runs.
        if (reload_at == 0 && turn > pushed_at && nest.runs(jid)) {
            nest.configure(3);
            raise(SIGHUP);
            reload_at = turn;
            reactor.after(150, [] { raise(SIGTERM); });
        }
        if (reload_at > 0 && turn == reload_at + at) {
            nest.configure(4);
            raise(number);
        }
    });
    close(fd);
    CHECK(life.status == 0);
    *reload_turns = life.turns - reload_at;
    auto view = nest.look(jid);
    REQUIRE(view);
    return *view;
}

}  // namespace

TEST_CASE("a stop, or another reload, at any turn of a reload hands back what ran") {
    Nest nest;
    int turns = 0;
    for (int number : {SIGTERM, SIGHUP}) {
        int most = 30;
        for (int at = 1; at < most; at += step_asked()) {
            INFO((number == SIGTERM ? "stop" : "reload") << " at turn " << at);
            const JobView view = reload_and(nest, number, at, &turns);
            CHECK(view.state == State::ready);
            CHECK(view.record.attempts == 0);
            CHECK(view.record.crashes == 0);
            most = std::min(most, turns);
        }
        CHECK(most > 3);
    }
}
