// The private Redis: starts closed to everyone but jobqd, comes back whatever is done to it, loses
// nothing it acknowledged, shares its directory with nobody, and says why it can't start.
#include "daemon/redis/private_redis.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "daemon/redis/link.h"
#include "daemon/redis/redis_log.h"
#include "tests/daemon/on_loop.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using namespace jobq::test;

namespace {

namespace fs = std::filesystem;

const std::string kSystemPath = "/usr/local/bin:/usr/bin:/bin";

// A private Redis and a link to it, started, and stopped at the end.
struct Running {
    Running(UvReactor& loop, PrivateRedis::Settings settings) : reactor(loop) {
        auto prepared = PrivateRedis::prepare(reactor, std::move(settings));
        if (!prepared) throw std::runtime_error(prepared.error().text);
        redis = std::move(*prepared);
        redis->on_state([this](RedisState state, const Error&) {
            states.push_back(state);
            if (state == RedisState::running && link) link->try_now();
        });
        auto started = on_loop(reactor, redis->start(10'000));
        if (!started) {
            on_loop(reactor, redis->stop());
            throw std::runtime_error(started.error().text);
        }
        UvRedisLink::Settings to;
        to.address = redis->address();
        link = std::make_unique<UvRedisLink>(reactor, std::move(to));
        link->start();
        auto ready = on_loop(reactor, link->wait_ready(10'000));
        if (ready) return;
        end();
        throw std::runtime_error(ready.error().text);
    }

    ~Running() { end(); }

    void end() {
        on_loop(reactor, link->stop());
        on_loop(reactor, redis->stop());
    }

    Reply call(Command command) {
        auto reply = on_loop(reactor, link->call(std::move(command)));
        if (!reply) throw std::runtime_error(reply.error().text);
        return std::move(*reply);
    }

    UvReactor& reactor;
    std::unique_ptr<PrivateRedis> redis;
    std::unique_ptr<UvRedisLink> link;
    std::vector<RedisState> states;
};

PrivateRedis::Settings in_dir(const std::string& dir) {
    PrivateRedis::Settings settings;
    settings.state_dir = dir;
    return settings;
}

Error error_of(UvReactor& reactor, const PrivateRedis::Settings& settings) {
    auto prepared = PrivateRedis::prepare(reactor, settings);
    return prepared ? Error{ErrorCode::internal, "it was prepared"} : prepared.error();
}

mode_t mode_of(const std::string& path) {
    struct stat file {};

    REQUIRE(::lstat(path.c_str(), &file) == 0);
    return file.st_mode & 07777;
}

std::string program(const TempDir& dir, const std::string& name, const std::string& script) {
    std::string path = dir.write(name, "#!/bin/sh\n" + script + "\n");
    fs::permissions(path, fs::perms::owner_all);
    return path;
}

// Adds numbers until told to stop, and notes those that were acknowledged.
// By a script of two writes, as the store's are: Redis keeps those as a transaction in its AOF,
// and replays transactions under other rules than plain commands.
task<void> add_numbers(UvRedisLink& link, const bool& stop, int start, std::set<int>& acknowledged,
                       int& unknown, int& running) {
    int n = start - 8;
    while (!stop) {
        n += 8;
        Command command("EVAL",
                        std::string_view("redis.call('SET', KEYS[1]..':last', ARGV[1]) "
                                         "return redis.call('SADD', KEYS[1], ARGV[1])"),
                        1, std::string_view("jobq:{t}:n"), n);
        auto reply = co_await link.call(std::move(command));
        if (reply && !reply->is_error()) acknowledged.insert(n);
        if (!reply && reply.error().code == ErrorCode::unknown) ++unknown;
    }
    --running;
}

// Runs `body` in a process of its own that ends when it is killed; true once it said it is ready.
template <class Body>
pid_t in_process(Body body) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_t pid = ::fork();
    if (pid == 0) {
        body([&] { return ::write(ready[1], "x", 1) == 1; });
        ::_exit(1);
    }
    ::close(ready[1]);
    char byte = 0;
    bool came = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
    if (!came) ::waitpid(pid, nullptr, 0);
    REQUIRE(came);
    return pid;
}

}  // namespace

TEST_CASE("the private Redis starts on an empty directory and is closed to everyone else") {
    UvReactor reactor;
    TempDir dir;
    Running running(reactor, in_dir(dir / "state/jobq"));
    std::string state = dir / "state/jobq";
    CHECK(mode_of(state) == 0700);
    CHECK(mode_of(state + "/redis.sock") == 0600);
    CHECK(mode_of(state + "/redis") == 0700);
    for (auto& entry : fs::recursive_directory_iterator(state))
        if (!entry.is_socket()) CHECK((mode_of(entry.path()) & 077) == 0);

    // The password is nowhere a neighbour can look.
    std::string proc = "/proc/" + std::to_string(running.redis->pid());
    CHECK_THAT(read_file(proc + "/cmdline"), Catch::Contains("redis-server"));
    for (const char* file : {"/cmdline", "/environ"})
        CHECK_THAT(read_file(proc + file), !Catch::Contains(running.redis->address().password));

    CHECK_THAT(running.call(Command("INFO", std::string_view("server"))).text,
               Catch::Contains("tcp_port:0"));
    // Nobody without the password.
    UvRedisLink::Settings stranger;
    stranger.address.endpoint = running.redis->address().endpoint;
    UvRedisLink link(reactor, stranger);
    link.start();
    auto refused = on_loop(reactor, link.wait_ready(5'000));
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().text, Catch::Contains("NOAUTH"));
    on_loop(reactor, link.stop());
}

TEST_CASE("its user may do what jobq does and nothing else") {
    UvReactor reactor;
    TempDir dir;
    Running running(reactor, in_dir(dir / "s"));
    std::string key = "jobq:{main}:x";
    CHECK(running.call(Command("HSET", key, std::string_view("f"), 1)).integer == 1);
    CHECK(running.call(Command("DEL", key)).integer == 1);
    CHECK(running.call(Command("ZADD", key, 1, std::string_view("m"))).integer == 1);
    CHECK(running.call(Command("UNLINK", key)).integer == 1);
    CHECK(running.call(Command("PUBLISH", key, std::string_view("m"))).integer == 0);
    std::string inside = "return redis.call('SET', KEYS[1], redis.call('TIME')[1])";
    CHECK(running.call(Command("EVAL", inside, 1, key)).text == "OK");
    CHECK(running.call(Command("SCRIPT", std::string_view("LOAD"), inside)).text.size() == 40);

    Command evil("EVAL", std::string_view("return redis.call('SET', 'other', '1')"), 0);
    for (auto command :
         {Command("SET", std::string_view("other"), 1), Command("GET", std::string_view("other")),
          Command("PUBLISH", std::string_view("other"), 1), Command("FLUSHALL"), Command("FLUSHDB"),
          Command("CONFIG", std::string_view("GET"), std::string_view("*")),
          Command("DEBUG", std::string_view("JMAP")), Command("KEYS", std::string_view("*")),
          Command("SHUTDOWN"), Command("ACL", std::string_view("LIST")), Command("MONITOR"),
          Command("MODULE", std::string_view("LIST")), Command("SAVE"),
          Command("CLIENT", std::string_view("KILL"), std::string_view("x")), evil}) {
        std::string wire;
        command.write_to(wire);
        INFO(wire);
        auto reply = running.call(command);
        CHECK(reply.is_error());
        CHECK_THAT(reply.text, Catch::Contains("NOPERM") || Catch::Contains("can't access") ||
                                   Catch::Contains("not allowed"));
    }
}

TEST_CASE("SIGKILL under load: acknowledged writes are all there, and it is back at once") {
    UvReactor reactor;
    TempDir dir;
    Running running(reactor, in_dir(dir / "s"));
    std::set<int> acknowledged;
    bool stop = false;
    int unknown = 0, writers = 8;
    for (int n = 0; n < 8; ++n)
        spawn(add_numbers(*running.link, stop, n, acknowledged, unknown, writers));
    for (int kills = 1; kills <= 3; ++kills) {
        size_t before = acknowledged.size();
        auto busy = [&] { return acknowledged.size() > before + 200; };
        REQUIRE(on_loop(reactor, until(reactor, busy)));
        ::kill(running.redis->pid(), SIGKILL);
        int64_t at = reactor.now_ms();
        auto gone = [&] { return running.link->state() != LinkState::ready; };
        REQUIRE(on_loop(reactor, until(reactor, gone)));
        size_t then = acknowledged.size();
        auto back = [&] { return acknowledged.size() > then; };
        REQUIRE(on_loop(reactor, until(reactor, back)));
        CHECK(reactor.now_ms() - at < 2'000);  // 0.1 s on an idle machine
        CHECK(running.redis->restarts() == kills);
    }
    stop = true;
    REQUIRE(on_loop(reactor, until(reactor, [&] { return writers == 0; })));
    CHECK(unknown > 0);
    CHECK(running.link->figures().unavailable == 0);
    auto stored = running.call(Command("SMEMBERS", std::string_view("jobq:{t}:n")));
    std::set<int> there;
    for (auto& item : stored.items)
        there.insert(std::stoi(item.text));
    CHECK(std::includes(there.begin(), there.end(), acknowledged.begin(), acknowledged.end()));
    // Those that are there without an acknowledgement are among the unknown.
    CHECK(there.size() - acknowledged.size() <= size_t(unknown));
    CHECK(running.states.size() == 2 + 3 * 3);
}

TEST_CASE("a Redis that is stopped does not wedge anything: unknown at the deadline, then back") {
    UvReactor reactor;
    TempDir dir;
    Running running(reactor, in_dir(dir / "s"));
    UvRedisLink::Settings hasty;
    hasty.address = running.redis->address();
    hasty.deadline_ms = 200;
    UvRedisLink link(reactor, hasty);
    link.start();
    REQUIRE(on_loop(reactor, link.wait_ready(5'000)));
    ::kill(running.redis->pid(), SIGSTOP);
    auto late = on_loop(reactor, link.call(Command("PING")));
    REQUIRE_FALSE(late);
    CHECK(late.error().code == ErrorCode::unknown);
    ::kill(running.redis->pid(), SIGCONT);
    CHECK(on_loop(reactor, link.call(Command("PING"))));
    CHECK(running.redis->restarts() == 0);
    on_loop(reactor, link.stop());
    // Stopping one that is stopped works, too: without the KILL.
    ::kill(running.redis->pid(), SIGSTOP);
}

TEST_CASE("what was written is there after an orderly stop and start") {
    UvReactor reactor;
    TempDir dir;
    auto durability = GENERATE(Durability::fsync, Durability::everysec);
    auto settings = in_dir(dir / "s");
    settings.durability = durability;
    {
        Running running(reactor, settings);
        running.call(Command("SET", std::string_view("jobq:{t}:k"), std::string_view("v")));
    }
    CHECK_FALSE(fs::exists(dir / "s/redis.sock"));
    Running running(reactor, settings);
    CHECK(running.call(Command("GET", std::string_view("jobq:{t}:k"))).text == "v");
}

TEST_CASE("memory durability writes nothing, and its limit is a limit") {
    UvReactor reactor;
    TempDir dir;
    auto settings = in_dir(dir / "s");
    settings.durability = Durability::memory;
    settings.max_memory_bytes = 8 << 20;
    Running running(reactor, settings);
    CHECK(running.call(Command("SET", std::string_view("jobq:a"), std::string(1'000, 'x'))).text ==
          "OK");
    std::string big(9 << 20, 'x');
    running.call(Command("SET", std::string_view("jobq:b"), big));
    auto over = running.call(Command("SET", std::string_view("jobq:c"), std::string_view("1")));
    CHECK_THAT(over.text, Catch::StartsWith("OOM"));
    CHECK(fs::is_empty(dir / "s/redis"));
}

TEST_CASE("two jobqd on one directory: the second is told whose it is") {
    UvReactor reactor;
    TempDir dir;
    Running running(reactor, in_dir(dir / "s"));
    auto error = error_of(reactor, in_dir(dir / "s"));
    CHECK(error.code == ErrorCode::conflict);
    CHECK_THAT(error.text,
               Catch::Contains(dir / "s") && Catch::Contains("pid " + std::to_string(::getpid())));
    // And the first is none the worse for it.
    CHECK(running.call(Command("PING")).text == "PONG");
}

TEST_CASE("the Redis of a killed jobqd goes with it, and the next one starts with its data") {
    TempDir dir;
    pid_t first = in_process([&](auto ready) {
        UvReactor reactor;
        Running running(reactor, in_dir(dir / "s"));
        running.call(Command("SET", std::string_view("jobq:{t}:k"), std::string_view("kept")));
        ready();
        reactor.run();
    });
    ::kill(first, SIGKILL);
    UvReactor reactor;
    ::waitpid(first, nullptr, 0);
    Running running(reactor, in_dir(dir / "s"));
    CHECK(running.call(Command("GET", std::string_view("jobq:{t}:k"))).text == "kept");
}

TEST_CASE("whoever still holds the data of a dead jobqd is waited for, then ended") {
    TempDir dir;
    fs::create_directories(dir / "s");
    fs::permissions(dir / "s", fs::perms::owner_all);
    pid_t holder = in_process([&](auto ready) {
        ::signal(SIGTERM, SIG_IGN);
        int fd = ::open((dir / "s/redis.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (::flock(fd, LOCK_EX) == 0 && ready())
            while (true)
                ::pause();
    });
    UvReactor reactor;
    Running running(reactor, in_dir(dir / "s"));
    int status = 0;
    CHECK(::waitpid(holder, &status, WNOHANG) == holder);
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    CHECK(running.call(Command("PING")).text == "PONG");
}

TEST_CASE("damaged data: it is not started again and again, and the named command repairs them") {
    UvReactor reactor;
    TempDir dir;
    {
        Running running(reactor, in_dir(dir / "s"));
        for (int n = 0; n < 50; ++n)
            running.call(Command("RPUSH", std::string_view("jobq:{t}:l"), n));
    }
    std::string file = dir / "s/redis/appendonlydir/appendonly.aof.1.incr.aof";
    auto size = fs::file_size(file);
    {
        std::fstream aof(file, std::ios::binary | std::ios::in | std::ios::out);
        aof.seekp(std::streamoff(size / 2));
        aof << std::string(64, '\0');
    }
    auto prepared = PrivateRedis::prepare(reactor, in_dir(dir / "s"));
    REQUIRE(prepared);
    auto started = on_loop(reactor, (*prepared)->start(10'000));
    REQUIRE_FALSE(started);
    CHECK(started.error().code == ErrorCode::corrupt);
    CHECK((*prepared)->state() == RedisState::failed);
    CHECK((*prepared)->restarts() == 0);
    std::string text = started.error().text;
    size_t at = text.find("redis-check-aof --fix");
    REQUIRE(at != std::string::npos);
    on_loop(reactor, (*prepared)->stop());
    prepared->reset();

    std::string repair = "echo y | " + text.substr(at) + " >/dev/null 2>&1";
    REQUIRE(std::system(repair.c_str()) == 0);
    Running running(reactor, in_dir(dir / "s"));
    auto length = running.call(Command("LLEN", std::string_view("jobq:{t}:l"))).integer;
    CHECK(length > 5);
    CHECK(length < 50);
}

TEST_CASE("a Redis that ends at every start is given up with its reason") {
    UvReactor reactor;
    TempDir dir;
    auto settings = in_dir(dir / "s");
    settings.binary = program(dir, "fake-redis",
                              "if [ \"$1\" = --version ]; then echo 'Redis server v=7.2.4 sha=0'; "
                              "else echo '9:M 01 Jan 2026 00:00:00.000 # the cat ate it'; exit 3; "
                              "fi");
    auto prepared = PrivateRedis::prepare(reactor, settings);
    REQUIRE(prepared);
    CHECK((*prepared)->binary().version == "7.2.4");
    auto started = on_loop(reactor, (*prepared)->start(10'000));
    REQUIRE_FALSE(started);
    CHECK(started.error().code == ErrorCode::config);
    CHECK_THAT(started.error().text, Catch::Contains("status 3: the cat ate it"));
    on_loop(reactor, (*prepared)->stop());
}

TEST_CASE("a Redis program that can't be used is named, with what to do") {
    UvReactor reactor;
    TempDir dir;
    auto settings = in_dir(dir / "s");
    std::string expected;
    SECTION("there is none") {
        settings.path = dir.path();
        expected = "apt install redis-tools";
    }
    SECTION("the configured one is not there") {
        settings.binary = dir / "none";
        expected = "no such program";
    }
    SECTION("the configured one is not in PATH") {
        settings.binary = "none-at-all";
        settings.path = kSystemPath;
        expected = "none-at-all";
    }
    SECTION("it is something else") {
        settings.binary = program(dir, "x", "echo hello");
        expected = "is not a Redis server";
    }
    SECTION("it is too old") {
        settings.binary = program(dir, "x", "echo 'Redis server v=6.0.16 sha=0:0'");
        expected = "is version 6.0.16, but jobq requires 7.0";
    }
    auto error = error_of(reactor, settings);
    CHECK(error.code == ErrorCode::config);
    CHECK_THAT(error.text, Catch::Contains(expected));
    CHECK_FALSE(fs::exists(dir / "s"));
}

TEST_CASE("a state directory that can't be used is named, with what to do") {
    UvReactor reactor;
    TempDir dir;
    std::string path = dir / "s", expected;
    SECTION("a file stands in the way") {
        dir.write("s", "");
        expected = "not a directory";
    }
    SECTION("its parent is a file") {
        dir.write("f", "");
        path = dir / "f/s";
        expected = "state_dir";
    }
    SECTION("other users can write to it") {
        fs::create_directory(path);
        fs::permissions(path, fs::perms::all);
        expected = "chmod 700 " + path;
    }
    SECTION("the lock is a link to somewhere else") {
        fs::create_directory(path);
        fs::permissions(path, fs::perms::owner_all);
        fs::create_symlink(dir / "elsewhere", path + "/lock");
        expected = path + "/lock";
    }
    auto error = error_of(reactor, in_dir(path));
    CHECK(error.code == ErrorCode::config);
    CHECK_THAT(error.text, Catch::Contains(expected) && Catch::Contains(path));
    CHECK_FALSE(fs::exists(dir / "elsewhere"));
}

TEST_CASE("a directory whose path is too long for a socket gets one in a private place") {
    UvReactor reactor;
    TempDir dir;
    auto settings = in_dir(dir / (std::string(60, 'a') + "/" + std::string(60, 'b')));
    settings.runtime_dir = dir.path();
    std::string socket;
    {
        Running running(reactor, settings);
        socket = running.redis->address().endpoint.unix_path;
        CHECK(socket.starts_with(dir.path() + "/jobq-"));
        CHECK(mode_of(fs::path(socket).parent_path()) == 0700);
        CHECK(running.call(Command("PING")).text == "PONG");
    }
    CHECK_FALSE(fs::exists(fs::path(socket).parent_path()));
}

TEST_CASE("the reasons in Redis's log are understood") {
    auto reason = [](std::deque<std::string> tail) {
        return reason_from_log(tail, "ended with status 1", "/var/lib/jobq/redis");
    };
    auto full =
        reason({"7:M 22 Nov 2026 10:00:00.000 # Error writing to the AOF file: No space "
                "left on device",
                "7:M 22 Nov 2026 10:00:00.000 # Can't recover from AOF write error when "
                "the AOF fsync policy is 'always'. Exiting..."});
    CHECK(full.code == ErrorCode::storage_full);
    CHECK_THAT(full.text, Catch::Contains("/var/lib/jobq/redis is full"));
    auto cut =
        reason({"7:M 22 Nov 2026 10:00:00.000 # Short write while writing to the AOF file: "
                "(nwritten=10, expected=20)"});
    CHECK(cut.code == ErrorCode::storage_full);
    auto config = reason({"", "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***",
                          "Reading the configuration file, at line 3", ">>> 'nonsense'",
                          "Bad directive or wrong number of arguments"});
    CHECK(config.code == ErrorCode::config);
    CHECK_THAT(config.text, Catch::Contains("'nonsense' Bad directive"));
    auto host = reason({"7:M 22 Nov 2026 10:00:00.000 # Can't chdir to 'x': Permission denied",
                        "7:M 22 Nov 2026 10:00:00.000 # WARNING overcommit_memory is set to 0!"});
    CHECK_THAT(host.text, Catch::EndsWith("Can't chdir to 'x': Permission denied"));
    CHECK(reason({}).text == "the private Redis ended with status 1");
    CHECK(parse_redis_log("7:M 22 Nov 2026 10:00:00.000 * Ready to accept connections").level ==
          '*');
    CHECK(parse_redis_log("7:M 22 Nov 2026 10:00:00.000 - a\x1b[31mb").text.find('\x1b') ==
          std::string::npos);
    CHECK(parse_redis_log("=== REDIS BUG REPORT").level == '#');
}
