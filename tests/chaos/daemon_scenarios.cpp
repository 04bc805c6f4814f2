// Scenarios of jobqd as a process: it crashes, a second one is started beside it, its configuration
// gets worse under it, what it logs to is gone.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"

namespace jobq::chaos {
namespace {

namespace fs = std::filesystem;

constexpr int kTaken = 4;  // the exit status of a jobqd whose state directory has one already

size_t count_of(const std::string& text, const std::string& word) {
    size_t count = 0;
    for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + word.size()))
        ++count;
    return count;
}

// jobqd was not to end: told, and started again so that the rest can be judged.
void must_live(Rig& rig, const std::string& after) {
    auto& daemon = rig.daemon();
    if (test::is_alive(daemon.pid())) return;
    int status = 0;
    daemon.wait_end(1, &status);
    rig.found(FindingKind::ended, "", "jobqd ended with " + std::to_string(status) + " " + after);
    daemon.start();
}

// A fatal signal instead of KILL: no handler of ours may hang or write to the store in it.
Report jobqd_crash(const RunOptions& options, std::string& directory) {
    Rig rig(options, {});
    directory = rig.directory();
    rig.repeat(300, 3'000, [&] {
        static constexpr int kSignals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE};
        const int number = kSignals[rig.below(4)];
        Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
        rig.daemon().signal(number);
        int status = 0;
        if (!rig.daemon().wait_end(5, &status)) {
            rig.found(FindingKind::told_wrong, "", "jobqd outlives a fatal signal for 5 s");
            rig.daemon().kill();
        } else if (status != 128 + number) {
            rig.found(FindingKind::told_wrong, "",
                      "after signal " + std::to_string(number) + " jobqd ended with " +
                          std::to_string(status));
        }
        rig.daemon().start();
        fault.until_us = monotonic_us();
        rig.note(fault);
    });
    return rig.finish();
}

// Another jobqd on the same directory, again and again: it ends, says why, and harms nothing.
Report second_jobqd(const RunOptions& options, std::string& directory) {
    Rig rig(options, {});
    directory = rig.directory();
    auto& daemon = rig.daemon();
    rig.repeat(100, 1'000, [&] {
        test::CliCall call;
        call.program = test::kJobqdProgram;
        call.args = {"--config", daemon.dir() / "jobqd.toml", "--state-dir", daemon.state_dir(),
                     "--unix",   daemon.dir() / "second.sock"};
        const test::Ran ran = test::run_cli(call);
        if (ran.status != kTaken)
            rig.found(FindingKind::told_wrong, "",
                      "a second jobqd ended with " + std::to_string(ran.status));
        if (ran.err.find(daemon.state_dir()) == std::string::npos)
            rig.found(FindingKind::told_wrong, "", "it names no directory: " + ran.err);
        must_live(rig, "beside a second one");
        // The lock goes with its holder, however that ended.
        if (rig.below(4) == 0) rig.kill_daemon();
    });
    return rig.finish();
}

constexpr const char* kBadConfigs[] = {
    "[pool.local\nkind = ",
    "no_such_key = 1\n",
    "[pool.local]\nkind = \"exec\"\nqueues = [\"local\"]\nslots = -4\n",
    "stop_timeout = \"soon\"\n",
    "\xff\xfe\x00",
};

// A file that can't be used, or is gone: the old one is kept, and it is said. Between them many
// signals at once, and files that are right.
Report reload(const RunOptions& options, std::string& directory) {
    Rig rig(options, {});
    directory = rig.directory();
    auto& daemon = rig.daemon();
    const std::string good = test::read_file(daemon.dir() / "jobqd.toml");
    const auto says = [&](const std::string& event) {
        const size_t before = count_of(daemon.log(), event);
        daemon.signal(SIGHUP);
        if (!test::eventually([&] { return count_of(daemon.log(), event) > before; }))
            rig.found(FindingKind::told_wrong, "", "no " + event + " after SIGHUP");
    };
    rig.repeat(50, 700, [&] {
        const int kind = rig.below(int(std::size(kBadConfigs)) + 1);
        if (kind == int(std::size(kBadConfigs)))
            fs::remove(daemon.dir() / "jobqd.toml");
        else
            daemon.write_config(kBadConfigs[kind]);
        says("config.kept");
        std::string other = good;
        if (rig.below(2)) other.replace(other.find("slots = 8"), 9, "slots = 3");
        daemon.write_config(other);
        for (int left = rig.below(200); left > 0; --left)
            daemon.signal(SIGHUP);
        says("config.reloaded");
        must_live(rig, "after SIGHUP");
    });
    daemon.write_config(good);
    says("config.reloaded");
    return rig.finish();
}

// Ways in which what jobqd writes its log to is no good, as the shell makes them.
constexpr const char* kBadLogs[] = {
    ">/dev/full 2>/dev/full",  // the disk of the logs is full
    ">&- 2>&-",                // closed: the next descriptors that are opened have their numbers
    "> >(exec true) 2>&1",     // a pipe that nobody reads any more
    "</dev/null >&0 2>&0",     // not to be written to
};

// No SIGPIPE, no end, and no line of the log in a file or a connection that is not for it.
Report log_gone(const RunOptions& options, std::string& directory) {
    test::TempDir scripts;
    Rig rig(options, {});
    directory = rig.directory();
    auto& daemon = rig.daemon();
    rig.repeat(500, 1'500, [&] {
        Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
        const std::string bad = kBadLogs[rig.below(int(std::size(kBadLogs)))];
        const std::string program =
            scripts.write("jobqd", "#!/bin/bash\nexec " + std::string(test::kJobqdProgram) +
                                       " \"$@\" " + bad + "\n");
        fs::permissions(program, fs::perms::owner_all);
        daemon.use_program(program);
        rig.below(2) ? void(daemon.stop()) : daemon.kill();
        daemon.start();
        fault.until_us = monotonic_us();
        rig.note(fault);
        daemon.signal(SIGHUP);  // something to tell
        rig.rest(500, 1'500);
        for (const char* fd : {"/fd/1", "/fd/2"}) {
            std::error_code none;
            const auto link =
                fs::read_symlink("/proc/" + std::to_string(daemon.pid()) + fd, none).string();
            if (link.starts_with("socket:") || link.find("/s/") != link.npos)
                rig.found(FindingKind::told_wrong, "", "the log goes to " + link + " with " + bad);
        }
        must_live(rig, "with its log to " + bad);
    });
    return rig.finish();
}

}  // namespace

std::vector<Scenario> daemon_scenarios() {
    return {
        {"jobqd_crash", "4 jobqd crashes: SIGSEGV, SIGABRT and the like", "", false, jobqd_crash},
        {"second_jobqd", "29 another jobqd on the same directory", "", false, second_jobqd},
        {"reload", "31 bad configurations, and many SIGHUP at once", "", false, reload},
        {"log_gone", "31 the log is full, closed, or read by nobody", "", false, log_gone},
    };
}

}  // namespace jobq::chaos
