// Scenarios of what is under jobqd: the disk, the memory of Redis, its scripts.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/chaos/disk.h"
#include "tests/chaos/inject.h"
#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"
#include "tests/support/live/cli_kit.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"
#include "tests/support/sync_link.h"

namespace jobq::chaos {
namespace {

// A rig whose files are on a disk of their own.
struct OnDisk {
    OnDisk(const RunOptions& options, std::string& directory, const std::string& toml = "")
        : rig(options, setup(disk, toml)) {
        directory = rig.directory();
    }

    static Setup setup(const Disk& disk, const std::string& toml) {
        Setup setup;
        setup.disk = disk.path();
        setup.toml = toml;
        return setup;
    }

    // Again and again, with what else happens to the disk meanwhile.
    void lose_power(const std::function<void()>& also) {
        rig.repeat(1'000, 4'000, [&] {
            rig.cut_power([&] {
                disk.cut_power();
                also();
            });
        });
    }

    Disk disk;
    Rig rig;
};

Report power_loss(const RunOptions& options, std::string& directory) {
    OnDisk run(options, directory);
    run.lose_power([] {});
    return run.rig.finish();
}

// The file that Redis appends to.
std::string appended(const std::string& state_dir) {
    for (const auto& file : std::filesystem::directory_iterator(state_dir + "/redis/appendonlydir"))
        if (file.path().string().find(".incr.aof") != std::string::npos) return file.path();
    return "";
}

// The same while Redis rewrites its file, which it does all the time here.
Report power_loss_rewrite(const RunOptions& options, std::string& directory) {
    test::TempDir dir;
    const std::string server =
        dir.write("redis-server",
                  "#!/bin/bash\n[ \"$1\" = - ] && set -- \"$@\" --auto-aof-rewrite-min-size 8kb "
                  "--auto-aof-rewrite-percentage 1\nexec -a redis-server " +
                      test::redis_binary() + " \"$@\"\n");
    std::filesystem::permissions(server, std::filesystem::perms::owner_all);
    OnDisk run(options, directory, "[redis]\nbinary = \"" + server + "\"\n");
    run.lose_power([] {});
    // Each rewrite begins a file with the next number.
    if (appended(run.rig.daemon().state_dir()).find(".aof.1.incr") != std::string::npos)
        run.rig.lacks("nothing was rewritten");
    return run.rig.finish();
}

// Nothing can be written any more, for some seconds.
Report disk_full(const RunOptions& options, std::string& directory) {
    OnDisk run(options, directory);
    Rig& rig = run.rig;
    rig.repeat(1'000, 3'000, [&] {
        Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
        const std::string filler = run.disk.path() + "/filler";
        {
            std::ofstream out(filler, std::ios::binary);
            const std::string block(64 << 10, 'x');
            while (out.write(block.data(), long(block.size())).flush()) {
            }
        }
        rig.rest(1'000, 3'000);
        std::filesystem::remove(filler);
        fault.until_us = monotonic_us();
        rig.note(fault);
    });
    return rig.finish();
}

// What Redis wrote last, as a disk may leave it: cut off, or zeros. Behind what is there already,
// since that was acknowledged.
void tear(const std::string& state_dir, int kind) {
    std::ofstream out(appended(state_dir), std::ios::app | std::ios::binary);
    const std::string command = "*3\r\n$4\r\nHSET\r\n$11\r\njobq:{main}:";
    out << command.substr(0, 5 + size_t(kind) * 9 % command.size());
}

Report power_loss_torn(const RunOptions& options, std::string& directory) {
    OnDisk run(options, directory);
    run.lose_power([&] { tear(run.rig.daemon().state_dir(), run.rig.below(4)); });
    return run.rig.finish();
}

// A system call of Redis on that file fails, for a moment, as often as there is time for.
Report failing_disk(const RunOptions& options, std::string& directory, const std::string& what) {
    need_tracing();
    Rig rig(options, {});
    directory = rig.directory();
    int met = 0;
    rig.repeat(500, 3'000, [&] {
        const pid_t redis = rig.daemon().redis_pid();
        if (redis <= 0) return;
        Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
        const Inject inject(redis, what + ":when=" + std::to_string(1 + rig.below(5)),
                            appended(rig.daemon().state_dir()));
        const auto ended = [&] { return !test::is_alive(redis); };
        if (test::eventually(ended, std::chrono::seconds(3))) ++met;
        fault.until_us = monotonic_us();
        rig.note(fault);
    });
    if (met == 0) rig.lacks("no system call of Redis failed");
    return rig.finish();
}

Report redis_eio(const RunOptions& options, std::string& directory) {
    return failing_disk(options, directory, "fdatasync:error=EIO");
}

Report redis_enospc(const RunOptions& options, std::string& directory) {
    return failing_disk(options, directory, "write:error=ENOSPC");
}

Report slow_disk(const RunOptions& options, std::string& directory) {
    need_tracing();
    Rig rig(options, {});
    directory = rig.directory();
    rig.repeat(500, 2'000, [&] {
        const pid_t redis = rig.daemon().redis_pid();
        if (redis <= 0) return;
        const Inject inject(redis, "fdatasync:delay_enter=500000");
        rig.rest(2'000, 4'000);
    });
    return rig.finish();
}

// jobqd is killed at its k-th system call that sends something, for each k there is time for.
Report crash_points(const RunOptions& options, std::string& directory) {
    need_tracing();
    Rig rig(options, {});
    directory = rig.directory();
    int point = 0, killed = 0;
    rig.repeat(100, 300, [&] {
        const pid_t victim = rig.daemon().pid();
        Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
        {
            const Inject inject(victim, "write,writev,sendmsg,sendto:signal=SIGKILL:when=" +
                                            std::to_string(++point));
            const auto ended = [&] { return !test::is_alive(victim); };
            if (test::eventually(ended, std::chrono::seconds(3))) ++killed;
        }
        if (test::is_alive(victim)) return;
        rig.daemon().wait_end(10);
        rig.daemon().start();
        fault.until_us = monotonic_us();
        rig.note(fault);
    });
    if (killed == 0) rig.lacks("jobqd was never killed");
    return rig.finish();
}

Report redis_oom(const RunOptions& options, std::string& directory) {
    Setup setup;
    setup.toml = "[redis]\nmax_memory = \"8MiB\"\n";
    setup.traffic.padding = 20'000;
    setup.traffic.per_second = 60;
    Rig rig(options, setup);
    directory = rig.directory();
    rig.repeat(1'000, 1'000, [] {});
    Report report = rig.finish();
    if (report.refused == 0 && report.verdict == Verdict::pass) report.verdict = Verdict::unknown;
    return report;
}

Report script_flush(const RunOptions& options, std::string& directory) {
    test::RedisServer redis({true, {}});
    Rig rig(options, with_redis(redis));
    directory = rig.directory();
    rig.repeat(200, 1'000, [&] {
        test::SyncLink link(redis.socket_path());
        link.command("SCRIPT", "FLUSH");
    });
    return rig.finish();
}

}  // namespace

void need_root() {
    if (geteuid() != 0) throw NotRun{"needs root"};
}

void need_program(const std::string& name) {
    for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"})
        if (access((folder + name).c_str(), X_OK) == 0) return;
    throw NotRun{"needs the program " + name};
}

Setup with_redis(const test::RedisServer& redis) {
    Setup setup;
    setup.toml = "[redis]\nurl = \"unix:" + redis.socket_path() + "\"\n";
    setup.store = redis.dir();
    return setup;
}

void must_run(const std::vector<std::string>& words) {
    test::CliCall call;
    call.program = "/usr/bin/env";
    call.args = words;
    call.env["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
    const test::Ran ran = test::run_cli(call);
    if (ran.status != 0) throw std::runtime_error(words[0] + ": " + ran.err);
}

std::vector<Scenario> storage_scenarios() {
    return {
        {"power_loss", "14 power loss: what was not written to the disk is gone", "root", true,
         power_loss},
        {"power_loss_torn", "15 power loss in the middle of a write", "root", false,
         power_loss_torn},
        {"power_loss_rewrite", "14 power loss while Redis rewrites its file", "root", false,
         power_loss_rewrite},
        {"disk_full", "16 the disk is full for some seconds", "root", false, disk_full},
        {"redis_eio", "17 the disk fails", "root strace", false, redis_eio},
        {"redis_enospc", "17 a write finds the disk full", "root strace", false, redis_enospc},
        {"slow_disk", "18 each sync takes half a second", "root strace", false, slow_disk},
        {"crash_points", "1 jobqd SIGKILL at its k-th sending system call", "root strace", true,
         crash_points},
        {"redis_oom", "20 Redis has no memory left", "", false, redis_oom},
        {"script_flush", "34 Redis forgets the scripts", "", false, script_flush},
    };
}

}  // namespace jobq::chaos
