// Nest: lives of a whole daemon in this process, on one state directory and one Redis. A life can
// be disturbed before any of its resumptions: App's own destructor and the reactor's look for what
// is left over.
#pragma once

#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/store/redis/redis_store.h"
#include "daemon/app/app.h"
#include "daemon/observe/log.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"
#include "tests/support/sync_link.h"
#include "tests/support/temp_dir.h"

namespace jobq::test {

inline int count_in(const char* folder) {
    int count = 0;
    DIR* dir = opendir(folder);
    while (dir && readdir(dir))
        ++count;
    if (dir) closedir(dir);
    return count;
}

// What a process may leave behind.
struct Left {
    int descriptors = count_in("/proc/self/fd"), threads = count_in("/proc/self/task");

    bool operator==(const Left&) const = default;
};

// Counts the resumptions of coroutines, and may do something right before one of them.
class SteppedReactor final : public UvReactor {
  public:
    void post(std::coroutine_handle<> handle) override {
        if (++steps_ == act_at_) UvReactor::post(once(std::exchange(act_, nullptr)).handle);
        UvReactor::post(handle);
    }

    int steps() const { return steps_; }

    // `ahead` of 1: the next one. One at a time.
    void before_step(int ahead, std::function<void()> act) {
        act_at_ = steps_ + ahead;
        act_ = std::move(act);
    }

  private:
    // Suspended until it is resumed once.
    struct Once {
        struct promise_type {
            Once get_return_object() {
                return {std::coroutine_handle<promise_type>::from_promise(*this)};
            }

            std::suspend_always initial_suspend() noexcept { return {}; }

            std::suspend_never final_suspend() noexcept { return {}; }

            void return_void() {}

            void unhandled_exception() { std::terminate(); }
        };

        std::coroutine_handle<> handle;
    };

    static Once once(std::function<void()> act) {
        act();
        co_return;
    }

    int steps_ = 0, act_at_ = 0;
    std::function<void()> act_;
};

// How a life went.
struct Life {
    int turns = 0, steps = 0;
    int serving_turn = 0, serving_step = 0;  // when it began to serve; 0: never
    int status = -1;
    bool restarts = false;
};

// A daemon as it lives, for what is to befall it.
struct Alive {
    App& app;
    SteppedReactor& reactor;
    const Life& life;

    bool serves() const { return life.serving_turn > 0; }
};

class Nest {
  public:
    explicit Nest(bool is_private = false) : own_redis_(is_private) {
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

    Nest(const Nest&) = delete;

    // A daemon ends with its signals held, as a process that ends; this one goes on.
    static void let_in() {
        sigset_t held;
        sigemptyset(&held);
        for (int number : {SIGTERM, SIGHUP, SIGINT, SIGUSR2})
            sigaddset(&held, number);
        pthread_sigmask(SIG_UNBLOCK, &held, nullptr);
    }

    void configure(int slots) const {
        std::ofstream file(dir / "jobqd.toml");
        file << "state_dir = \"" << (dir / "s") << "\"\nstop_timeout = \"" << stop_timeout
             << "\"\n[listen]\nunix = \"" << socket() << "\"\nhttp = \"unix:" << (dir / "h.sock")
             << "\"\n";
        if (!binary.empty()) file << "[redis]\nbinary = \"" << binary << "\"\n";
        if (!own_redis_) file << "[redis]\nurl = \"unix:" << redis->socket_path() << "\"\n";
        file << "[runner]\nstart = false\n[pool.threads]\nkind = \"thread\"\nslots = " << slots
             << "\nqueues = [\"default\"]\n";
    }

    Options options() const {
        Options options;
        options.config_files = {dir / "jobqd.toml"};
        return options;
    }

    std::string socket() const { return dir / "q.sock"; }

    // Says what is there of a daemon that is not: "" nothing.
    std::string litter() const {
        std::string names;
        for (const char* name : {"q.sock", "h.sock", "s/jobqd.ready"})
            if (access((dir / name).c_str(), F_OK) == 0) names += std::string(name) + " ";
        return names;
    }

    // From start to stop. `before` is called before it runs, `at_turn` after each of its turns.
    Life live(const std::function<void(Alive&)>& before,
              const std::function<void(Alive&)>& at_turn) const {
        Loaded loaded = load_for(options());
        for (const auto& error : loaded.errors)
            FAIL(error.to_string());
        auto places = make_places(loaded.config);
        REQUIRE(places);
        Life life;
        {
            SteppedReactor reactor;
            App app(reactor, options(), std::move(loaded), *places);
            Alive alive{app, reactor, life};
            before(alive);
            spawn(app.run());
            reactor.on_turn([&](int64_t) {
                ++life.turns;
                life.steps = reactor.steps();
                if (!alive.serves() && access((dir / "s/jobqd.ready").c_str(), F_OK) == 0) {
                    life.serving_turn = life.turns;
                    life.serving_step = life.steps;
                }
                at_turn(alive);
            });
            reactor.after(20'000, [] {  // its frames can't be taken apart
                std::fprintf(stderr, "the daemon did not end\n");
                std::abort();
            });
            reactor.run();
            life.status = app.exit_status();
            life.restarts = app.restarts();
        }
        let_in();
        return life;
    }

    Life live(const std::function<void(Alive&)>& at_turn) const {
        return live([](Alive&) {}, at_turn);
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
    std::string binary{};  // of the own one
    std::string stop_timeout = "30ms";

  private:
    bool own_redis_;
};

}  // namespace jobq::test
