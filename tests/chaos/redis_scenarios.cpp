// Scenarios of the private Redis that crashes or is busy, by its own DEBUG commands. It is started
// through a script that adds what a test needs and jobqd never allows: DEBUG, and a user for it.
// And of an external one that answers and does not write.
#include <signal.h>

#include <filesystem>

#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"
#include "tests/support/sync_link.h"

namespace jobq::chaos {
namespace {

// After its start; the process it replaces is gone by then.
constexpr int kComesBackS = 20;

// A [redis] section with such a server.
class OpenRedis {
  public:
    OpenRedis() {
        const std::string server = dir_.write(
            "redis-server",
            "#!/bin/bash\n[ \"$1\" = - ] || exec -a redis-server " + test::redis_binary() +
                " \"$@\"\n"
                "exec -a redis-server " +
                test::redis_binary() +
                " \"$@\" < <(cat; echo 'user chaos on nopass ~* &* +@all'; "
                "echo 'enable-debug-command local'; echo 'crash-memcheck-enabled no')\n");
        std::filesystem::permissions(server, std::filesystem::perms::owner_all);
        toml_ = "[redis]\nbinary = \"" + server + "\"\n";
    }

    const std::string& toml() const { return toml_; }

  private:
    test::TempDir dir_;
    std::string toml_;
};

// The user of OpenRedis, on the socket of the rig's Redis. Throws while that is away.
class Debugger {
  public:
    explicit Debugger(Rig& rig) : link_(rig.daemon().state_dir() + "/redis.sock") {
        must("AUTH", "chaos", "none");
    }

    template <class... Args>
    void must(std::string_view verb, const Args&... args) {
        const Reply reply = link_.command(verb, args...);
        if (reply.is_error()) throw std::runtime_error(test::to_text(reply));
    }

    // Redis may end before it answers.
    template <class... Args>
    void tell(std::string_view verb, const Args&... args) {
        try {
            link_.command(verb, args...);
        } catch (const std::exception&) {
            return;
        }
    }

    std::string ask(std::string_view verb, std::string_view section) {
        return link_.command(verb, section).text;
    }

  private:
    test::SyncLink link_;
};

// As Redis ends itself when something is wrong in it. jobqd starts it again by itself.
Report redis_crash(const RunOptions& options, std::string& directory) {
    const OpenRedis open;
    Setup setup;
    setup.toml = open.toml();
    Rig rig(options, setup);
    directory = rig.directory();
    rig.repeat(500, 3'000, [&] {
        static constexpr const char* kWays[] = {"SEGFAULT", "PANIC", "OOM", "ABRT"};
        const char* way = kWays[rig.below(4)];
        const pid_t redis = rig.daemon().redis_pid();
        if (redis <= 0) return;
        Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
        if (std::string(way) == "ABRT")
            kill(redis, SIGABRT);
        else
            Debugger(rig).tell("DEBUG", way);
        const auto over = [&] { return !test::is_alive(redis); };
        if (!test::eventually(over)) rig.lacks(std::string("Redis outlives DEBUG ") + way);
        const auto again = [&] { return rig.daemon().redis_pid() > 0; };
        if (!test::eventually(again, std::chrono::seconds(kComesBackS)))
            rig.found(FindingKind::told_wrong, "", "Redis was not started again");
        fault.until_us = monotonic_us();
        rig.note(fault);
    });
    return rig.finish();
}

// Busy beyond the deadline of a command, and beyond the time after which Redis says BUSY: jobqd
// waits, and does not kill what writes.
Report redis_busy(const RunOptions& options, std::string& directory) {
    const OpenRedis open;
    Setup setup;
    setup.toml = open.toml();
    Rig rig(options, setup);
    directory = rig.directory();
    rig.repeat(500, 3'000, [&] {
        Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
        const pid_t redis = rig.daemon().redis_pid();
        Debugger debug(rig);
        if (rig.below(2)) {
            debug.must("DEBUG", "SLEEP", std::to_string(1 + rig.below(6)));
        } else {
            // A write in the middle: killed there, its first half would stay.
            debug.must("CONFIG", "SET", "busy-reply-threshold", "500");
            const std::string turns = std::to_string((2 + rig.below(5)) * 10'000'000);
            debug.must("EVAL",
                       "redis.call('SET', 'jobq:chaos:busy', 'half') "
                       "local n = 0 for i = 1, tonumber(ARGV[1]) do n = n + i % 7 end "
                       "redis.call('DEL', 'jobq:chaos:busy') return n",
                       "0", turns);
        }
        if (rig.daemon().redis_pid() != redis)
            rig.found(FindingKind::told_wrong, "", "a busy Redis was replaced");
        if (debug.ask("INFO", "commandstats").find("cmdstat_script|kill") != std::string::npos)
            rig.found(FindingKind::told_wrong, "", "a script was killed");
        fault.until_us = monotonic_us();
        rig.note(fault);
    });
    return rig.finish();
}

// For seconds at a time every write is refused: for want of replicas, or of a permission. Jobs end
// and fall due meanwhile.
Report redis_refuses(const RunOptions& options, std::string& directory) {
    test::RedisServer redis({true, {}});
    test::SyncLink admin(redis.socket_path());
    admin.command("ACL", "SETUSER", "chaos", "on", "nopass", "~*", "&*", "+@all");
    admin.command("AUTH", "chaos", "none");
    Setup setup = with_redis(redis);
    Rig rig(options, setup);
    directory = rig.directory();
    rig.repeat(300, 1'500, [&] {
        const Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
        const bool by_user = rig.below(2) == 0;
        if (by_user)
            admin.command("ACL", "SETUSER", "default", rig.below(2) ? "-@write" : "-evalsha");
        else
            admin.command("CONFIG", "SET", "min-replicas-to-write", "1");
        rig.rest(500, 4'000);
        admin.command("ACL", "SETUSER", "default", "+@all");
        admin.command("CONFIG", "SET", "min-replicas-to-write", "0");
        Fault over = fault;
        over.until_us = monotonic_us();
        rig.note(over);
    });
    return rig.finish();
}

}  // namespace

std::vector<Scenario> redis_scenarios() {
    return {
        {"redis_crash", "12 Redis crashes: SIGSEGV, panic, out of memory", "", false, redis_crash},
        {"redis_busy", "13 Redis is busy with a command or a script", "", false, redis_busy},
        {"redis_refuses", "13 Redis answers and refuses to write", "", true, redis_refuses},
    };
}

}  // namespace jobq::chaos
