// Scenarios of jobs that behave badly: they leave processes behind, don't listen, write without
// end, eat all memory. Neither jobqd nor other jobs may suffer from it, and nothing of them may
// stay.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"
#include "tests/support/poll.h"

namespace jobq::chaos {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr int kEndsInS = 20;
constexpr seconds kGoneIn{1};
constexpr size_t kMostKept = 70'000;   // of a job's output: head, tail and what is said between
constexpr size_t kRunnerMostFds = 40;  // at rest
constexpr int64_t kRunnerMostKib = 200'000;  // resident, at rest

constexpr const char* kNasty = R"(
[type.nasty]
run = ["WITNESS", "LOG", "{payload}"]
max_attempts = 1
timeout = "1s"
grace = "300ms"
)";

constexpr const char* kDeeds[] = {"background", "far",  "many",    "hidden",
                                  "relay",      "deaf", "stopped", "flood"};

std::vector<pid_t> zombies_of(pid_t parent) {
    auto children = test::children_of(parent);
    std::erase_if(children, [](pid_t pid) { return test::is_alive(pid); });
    return children;
}

int64_t resident_kib(pid_t pid) {
    const std::string status = test::read_file("/proc/" + std::to_string(pid) + "/status");
    const size_t at = status.find("VmRSS:");
    return at == status.npos ? 0 : std::atoll(status.c_str() + at + 6);
}

// Waits for its end; false, and told, when that does not come.
bool ends(Rig& rig, const std::string& jid, const std::string& what) {
    const auto over = [&] {
        const std::string state = rig.daemon().states({jid}).front();
        return state == "succeeded" || state == "dead" || state == "cancelled";
    };
    if (test::eventually(over, seconds(kEndsInS))) return true;
    rig.found(FindingKind::told_wrong, jid, "the job (" + what + ") does not end");
    return false;
}

// Nothing of it is there a second after its end, and no zombie of that time.
void check_gone(Rig& rig, const std::string& jid, const std::string& payload) {
    const pid_t runner = rig.daemon().runner_pid();
    const auto before = zombies_of(runner);
    const auto gone = [&] { return test::processes_with(payload) == 0; };
    if (!test::eventually(gone, kGoneIn))
        rig.found(FindingKind::survivor, jid,
                  std::to_string(test::processes_with(payload)) + " processes of " + payload);
    const std::string trace = rig.witness_log() + "." + jid;
    const std::string then = test::read_file(trace);
    rig.rest(100, 100);
    if (test::read_file(trace) != then)
        rig.found(FindingKind::survivor, jid, "a relay of processes goes on");
    const auto reaped = [&] {
        const auto now = zombies_of(runner);
        return std::none_of(before.begin(), before.end(), [&](pid_t pid) {
            return std::find(now.begin(), now.end(), pid) != now.end();
        });
    };
    if (!test::eventually(reaped, kGoneIn))
        rig.found(FindingKind::survivor, jid, "a zombie beside " + payload);
}

void check_output(Rig& rig, const std::string& jid) {
    for (const char* verb : {"result", "logs"}) {
        const size_t kept = rig.daemon().jobq({verb, jid}).out.size();
        if (kept > kMostKept)
            rig.found(FindingKind::told_wrong, jid,
                      std::to_string(kept) + " bytes are kept: jobq " + verb);
    }
}

void cancel(Rig& rig, const std::string& jid) {
    Call call{Call::Kind::cancel, Outcome::info, jid, monotonic_us(), 0, "", ""};
    rig.daemon().jobq({"cancel", jid});
    call.returned_us = monotonic_us();
    rig.history().add(std::move(call));
}

void check_runner(Rig& rig) {
    const pid_t runner = rig.daemon().runner_pid();
    size_t fds = 0;
    for (const auto& fd : fs::directory_iterator("/proc/" + std::to_string(runner) + "/fd"))
        fds += fd.is_symlink() ? 1 : 0;
    rig.figure("runner_fds_at_rest", double(fds));
    if (fds > kRunnerMostFds)
        rig.found(FindingKind::survivor, "", "the runner has " + std::to_string(fds) + " files");
    const int64_t kib = resident_kib(runner);
    rig.figure("runner_kib_at_rest", double(kib));
    if (kib > kRunnerMostKib)
        rig.found(FindingKind::survivor, "", "the runner has " + std::to_string(kib) + " KiB");
    const auto reaped = [&] { return zombies_of(runner).empty(); };
    if (!test::eventually(reaped, kGoneIn))
        rig.found(FindingKind::survivor, "", "a zombie of the runner at rest");
}

Report nasty_jobs(const RunOptions& options, std::string& directory) {
    Setup setup;
    setup.toml = kNasty;
    setup.at_rest = check_runner;
    Rig rig(options, setup);
    directory = rig.directory();
    const pid_t runner = rig.daemon().runner_pid();
    size_t next = size_t(rig.below(int(std::size(kDeeds))));
    int done = 0;
    rig.repeat(10, 200, [&] {
        const std::string what = kDeeds[next++ % std::size(kDeeds)];
        const std::string jid = rig.history().fresh("nasty-");
        const int ms = what == "deaf" ? 30'000 : 50 + rig.below(300);
        const std::string payload =
            R"({"do":")" + what + R"(","ms":)" + std::to_string(ms) + R"(,"tag":")" + jid + "\"}";
        JobSpec spec;
        spec.max_attempts = 1;
        rig.enqueue(jid, payload, spec, "local", "nasty");
        const bool runs =
            test::eventually([&] { return test::processes_with(payload) > 0; }, seconds(kEndsInS));
        if (runs && rig.below(3) == 0) cancel(rig, jid);
        if (!ends(rig, jid, what)) return;
        check_gone(rig, jid, payload);
        check_output(rig, jid);
        ++done;
    });
    rig.figure("nasty_jobs", done);
    if (rig.daemon().runner_pid() != runner)
        rig.found(FindingKind::ended, "", "the runner was replaced");
    return rig.finish();
}

constexpr const char* kHungry = R"(
[type.hungry]
run = ["WITNESS", "LOG"]
max_attempts = 3
backoff = { base = "50ms", factor = 1, max = "50ms", jitter = 0.0 }
limits = { memory = "128MiB" }
)";

// The runs of a job that died of itself excuse that it runs again.
void excuse_deaths(Rig& rig, const std::vector<std::string>& jids) {
    for (const auto& mark : read_marks(rig.witness_log()))
        if (mark.kind == Mark::Kind::start &&
            std::find(jids.begin(), jids.end(), mark.jid) != jids.end())
            rig.note({Fault::Kind::kill, mark.at_us + 1, 0, mark.holder, mark.pid});
}

// Above the limit of its type: it dies by itself, and its last words are told.
Report job_memory(const RunOptions& options, std::string& directory) {
    Setup setup;
    setup.toml = kHungry;
    Rig rig(options, setup);
    directory = rig.directory();
    const pid_t runner = rig.daemon().runner_pid(), daemon = rig.daemon().pid();
    std::vector<std::string> jids;
    rig.repeat(100, 700, [&] {
        const std::string jid = rig.history().fresh("hungry-");
        JobSpec spec;
        spec.max_attempts = 3;
        rig.enqueue(jid, R"({"do":"eat"})", spec, "local", "hungry");
        jids.push_back(jid);
        if (!ends(rig, jid, "eat")) return;
        const std::string told = rig.daemon().jobq({"status", jid}).out;
        for (const char* word : {"dead", "poison", "SIGABRT", "bad_alloc"})
            if (told.find(word) == told.npos)
                rig.found(FindingKind::told_wrong, jid,
                          std::string("jobq status says no ") + word + ": " + told);
    });
    if (rig.daemon().runner_pid() != runner || rig.daemon().pid() != daemon)
        rig.found(FindingKind::ended, "", "jobqd or the runner was replaced");
    excuse_deaths(rig, jids);
    return rig.finish();
}

constexpr const char* kDying = R"(
[type.dying]
run = ["/bin/false"]
max_attempts = 1
)";
constexpr int kDyingJobs = 24, kDyingPage = 5;

// All that is dead of that type is retried, page by page, and dies again before the next page.
void retry_all(Rig& rig, const std::function<bool()>& all_dead) {
    auto wire = connect(rig.daemon().socket(), R"({"v":2,"jobq":1})");
    if (!wire) return;  // jobqd is away: another time
    nlohmann::json request{{"type", "dying"}, {"limit", kDyingPage}};
    int retried = 0;
    for (int page = 0; page < 10 * kDyingJobs / kDyingPage; ++page) {
        const auto answer = wire->ask_json("JOBQ RETRY_DEAD " + request.dump());
        retried += answer.at("retried").get<int>();
        if (!test::eventually(all_dead, seconds(kEndsInS)))
            return rig.found(FindingKind::told_wrong, "", "retried jobs do not die again");
        if (answer.at("next") == "") break;
        request["cursor"] = answer.at("next");
    }
    if (retried != kDyingJobs)
        rig.found(FindingKind::told_wrong, "",
                  "of " + std::to_string(kDyingJobs) + " dead jobs that die again " +
                      std::to_string(retried) + " were retried");
}

// Many are retried at once while they fail again and other jobs come and go: each once.
Report bulk_retry(const RunOptions& options, std::string& directory) {
    Setup setup;
    setup.toml = kDying;
    Rig rig(options, setup);
    directory = rig.directory();
    std::vector<std::string> jids;
    JobSpec spec;
    spec.max_attempts = 0;  // its runs write no witness
    for (int i = 0; i < kDyingJobs; ++i) {
        jids.push_back(rig.history().fresh("dying-"));
        rig.enqueue(jids.back(), "{}", spec, "local", "dying");
    }
    const auto all_dead = [&] {
        const auto states = rig.daemon().states(jids);
        return std::count(states.begin(), states.end(), "dead") == kDyingJobs;
    };
    if (!test::eventually(all_dead, seconds(kEndsInS))) rig.lacks("the jobs do not die");
    int walks = 0;
    rig.repeat(10, 100, [&] {
        retry_all(rig, all_dead);
        ++walks;
    });
    rig.figure("walks", walks);
    return rig.finish();
}

}  // namespace

std::vector<Scenario> job_scenarios() {
    return {
        {"bulk_retry", "10 many dead jobs are retried, and die again meanwhile", "", false,
         bulk_retry},
        {"nasty_jobs", "8 jobs that fork, hide, don't listen and flood", "", false, nasty_jobs},
        {"job_memory", "9 jobs that need more memory than they may have", "", false, job_memory},
    };
}

}  // namespace jobq::chaos
