// Scenarios of what is around jobqd: the way to its clients, its clock, a second jobqd, much work.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "tests/chaos/paths.h"
#include "tests/chaos/proxy.h"
#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"
#include "tests/support/redis_server.h"

namespace jobq::chaos {
namespace {

Report proxy(const RunOptions& options, std::string& directory) {
    test::TempDir dir;
    Setup setup;
    setup.socket = dir / "proxy.sock";
    setup.traffic.reply_ms = 3'000;  // well within a lease
    Rig rig(options, setup);
    directory = rig.directory();
    MeanProxy mean(setup.socket, rig.daemon().socket(), options.seed);
    rig.repeat(1'000, 1'000, [] {});
    mean.be_good();
    if (mean.tricks() == 0) rig.lacks("the proxy did nothing wrong");
    return rig.finish();
}

// The clock that jobqd, its Redis and its runner see, through a shim.
class Clock {
  public:
    Clock() : file_(dir_.write("clock", std::string(sizeof(int64_t), '\0'))) {
        const int fd = open(file_.c_str(), O_RDWR | O_CLOEXEC);
        void* map = mmap(nullptr, sizeof(int64_t), PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (map == MAP_FAILED) throw std::runtime_error("can't map " + file_);
        offset_us_ = static_cast<int64_t*>(map);
        setenv("CHAOS_CLOCK_FILE", file_.c_str(), 1);
        setenv("LD_PRELOAD", kClockShim, 1);  // for processes started from here on
    }

    ~Clock() {
        only_those_started();
        munmap(const_cast<int64_t*>(offset_us_), sizeof(int64_t));
    }

    Clock(const Clock&) = delete;

    static void only_those_started() { unsetenv("LD_PRELOAD"); }

    void set(Rig& rig, int64_t offset_us) {
        rig.note_clock(offset_us);
        *offset_us_ = offset_us;
    }

  private:
    test::TempDir dir_;
    const std::string file_;
    volatile int64_t* offset_us_ = nullptr;
};

// An hour ahead, an hour back, and a strobe of seconds; right in the end.
Report clock_jumps(const RunOptions& options, std::string& directory) {
    Clock clock;
    Rig rig(options, {});
    directory = rig.directory();
    Clock::only_those_started();
    constexpr int64_t kHour = 3'600'000'000, kSecond = 1'000'000;
    rig.repeat(500, 3'000, [&] {
        static constexpr int64_t kJumps[] = {kHour, -kHour, 2 * kSecond, -2 * kSecond, 0};
        clock.set(rig, kJumps[rig.below(5)]);
        for (int i = 0; rig.below(2) && i < 20; ++i) {
            clock.set(rig, (i % 2 ? 2 : -2) * kSecond);
            rig.rest(50, 50);
        }
    });
    clock.set(rig, 0);
    return rig.finish();
}

// Both work for one Redis; the second is killed and comes back, the first has the clients.
Report two_daemons(const RunOptions& options, std::string& directory) {
    test::RedisServer redis({true, {}});
    Rig rig(options, with_redis(redis));
    directory = rig.directory();
    test::LiveDaemon second(test::read_file(rig.daemon().dir() / "jobqd.toml"));
    rig.repeat(500, 4'000, [&] {
        const pid_t runner = second.runner_pid();
        second.kill();
        if (rig.below(2) && test::is_alive(runner)) {
            kill(runner, SIGKILL);
            rig.note_kill(runner);
        }
        rig.rest(0, 2'000);
        second.start();
    });
    return rig.finish();
}

// Far more than can be done at once.
Report load(const RunOptions& options, std::string& directory) {
    Setup setup;
    setup.traffic.producers = 6;
    setup.traffic.consumers = 8;
    setup.traffic.per_second = 100;
    setup.traffic.job_ms = 10;
    setup.traffic.long_ms = 100;
    setup.drain_s = 400;
    Rig rig(options, setup);
    directory = rig.directory();
    rig.bounds().late_us = 400'000'000;
    rig.repeat(1'000, 1'000, [] {});
    return rig.finish();
}

}  // namespace

std::vector<Scenario> world_scenarios() {
    return {
        {"proxy", "28 the way to clients is slow, cut and swallows", "", true, proxy},
        {"clock", "21 the clock jumps by hours, and flickers", "", false, clock_jumps},
        {"two_daemons", "30 two jobqd on one Redis, one is killed", "", false, two_daemons},
        {"load", "35 far more jobs than can be run at once", "", false, load},
    };
}

}  // namespace jobq::chaos
