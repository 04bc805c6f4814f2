// Scenario of a disk that gives back other bits than it was given: one bit of the private Redis's
// files is flipped while jobqd is down, again and again, each time in the same good state. jobqd
// refuses to start and says what to run, or no job runs with other data than were enqueued. What
// the flip took away must be seen by `jobq doctor`, or by jobqd itself.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tests/chaos/paths.h"
#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"

namespace jobq::chaos {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kWaiting = 20, kDone = 6, kPadding = 60;
constexpr int kDamaged = 70;  // exit status
constexpr std::chrono::seconds kRunsIn{8};

constexpr const char* kConfig = R"(
[pool.local]
kind = "exec"
queues = ["local"]
slots = 8
[type.chaos]
run = ["WITNESS", "{dir}/witness"]
max_attempts = 1
)";

// A jobqd with jobs in many places, stopped, to which it can be set back.
class Patient {
  public:
    explicit Patient(uint64_t seed) : random_(seed), daemon_(config(), {"--log-level", "info"}) {
        daemon_.must({"queue", "pause", "later"});
        for (int i = 0; i < kDone; ++i)
            enqueue("done-job-" + std::to_string(i), "local", {});
        test::eventually([&] { return daemon_.unfinished() == 0; });
        daemon_.must({"queue", "pause", "local"});
        for (int i = 0; i < kWaiting; ++i) {
            std::vector<std::string> more;
            if (i % 4 == 1) more = {"--in", "1s"};
            if (i % 4 == 2) more = {"--idempotency-key", "key-" + std::to_string(i)};
            enqueue("waiting-job-" + std::to_string(i), "local", more);
        }
        daemon_.stop();
        fs::copy(daemon_.state_dir(), good_, fs::copy_options::recursive);
    }

    void set_back() {
        fs::remove_all(daemon_.state_dir());
        fs::copy(good_, daemon_.state_dir(), fs::copy_options::recursive);
        std::ofstream(witness()).close();
    }

    // Where: for people.
    std::string flip() {
        std::vector<std::string> files;
        std::string jobs;
        for (const auto& file :
             fs::directory_iterator(daemon_.state_dir() + "/redis/appendonlydir")) {
            files.push_back(file.path());
            if (file.path().string().find(".incr.aof") != std::string::npos) jobs = file.path();
        }
        std::sort(files.begin(), files.end());
        const std::string file = below(5) ? jobs : files[size_t(below(int(files.size())))];
        std::string bytes = test::read_file(file);
        const size_t at = size_t(below(int(bytes.size())));
        bytes[at] = char(bytes[at] ^ (1 << below(8)));
        std::ofstream(file, std::ios::binary) << bytes;
        return fs::path(file).filename().string() + " byte " + std::to_string(at);
    }

    test::LiveDaemon& daemon() { return daemon_; }

    std::string witness() const { return daemon_.dir() / "witness"; }

    const std::map<std::string, std::string>& payloads() const { return payloads_; }

    int below(int limit) { return int(random_() % uint64_t(limit)); }

  private:
    static std::string config() {
        std::string text = kConfig;
        return text.replace(text.find("WITNESS"), 7, kWitnessJob);
    }

    void enqueue(const std::string& jid, const std::string& queue,
                 const std::vector<std::string>& more) {
        const std::string payload =
            json{{"do", "ok"}, {"pad", std::string(kPadding, char('a' + below(26)))}}.dump();
        payloads_[jid] = payload;
        std::vector<std::string> words{"enqueue", "chaos", "--id",      jid,
                                       "--queue", queue,   "--payload", "-"};
        words.insert(words.end(), more.begin(), more.end());
        daemon_.must(words, payload);
    }

    std::mt19937_64 random_;
    std::map<std::string, std::string> payloads_;
    test::LiveDaemon daemon_;
    test::TempDir copy_;
    const std::string good_ = copy_ / "good";
};

class Flips {
  public:
    explicit Flips(Patient& patient) : patient_(patient) {}

    void once() {
        patient_.set_back();
        where_ = patient_.flip();
        log_before_ = patient_.daemon().log().size();
        ++figures_["flips"];
        auto& daemon = patient_.daemon();
        try {
            daemon.start();
        } catch (const std::exception& refused) {
            return check_refusal();
        }
        const bool mended = daemon.log().find("redis.mended", log_before_) != std::string::npos;
        figures_["mended"] += mended;
        const test::Ran before = daemon.jobq({"doctor"});
        const test::Ran doctor = daemon.jobq({"doctor", "--fix", "--yes"});
        const bool seen = before.status == 1;
        if (before.status > 1) found(FindingKind::told_wrong, "", "doctor: " + before.err);
        figures_["doctor_findings"] += seen;
        const test::Ran after = daemon.jobq({"doctor"});
        if (after.status != 0)
            found(FindingKind::told_wrong, "", "after doctor --fix: " + after.out + after.err);
        daemon.jobq({"queue", "resume", "local"});
        test::eventually([&] { return daemon.unfinished() == 0; }, kRunsIn);
        check_jobs(seen || mended);
        if (test::is_alive(daemon.pid())) return void(daemon.stop());
        found(FindingKind::ended, "", "jobqd ended");
        daemon.wait_end(1);
    }

    Report report() {
        Report report;
        report.findings = findings_;
        report.figures = figures_;
        report.attempted = report.acknowledged =
            int64_t(figures_["flips"]) * int64_t(patient_.payloads().size());
        report.started = started_;
        if (figures_["flips"] < 1 || started_ == 0)
            report.unproven = "nothing was flipped or ran\n";
        report.verdict = !findings_.empty()        ? Verdict::fail
                         : report.unproven.empty() ? Verdict::pass
                                                   : Verdict::unknown;
        return report;
    }

  private:
    void found(FindingKind kind, const std::string& jid, const std::string& text) {
        findings_.push_back({kind, jid, where_ + ": " + text});
    }

    test::Ran start_once() {
        const auto& daemon = patient_.daemon();
        test::CliCall call;
        call.program = test::kJobqdProgram;
        call.args = {"--config",    daemon.dir() / "jobqd.toml",
                     "--state-dir", daemon.state_dir(),
                     "--unix",      daemon.socket()};
        return test::run_cli(call);
    }

    // It tells what to run, and after that it starts; or what to correct by hand.
    void check_refusal() {
        ++figures_["refused"];
        const test::Ran ran = start_once();
        const std::string told = ran.err.substr(0, ran.err.find_last_not_of('\n') + 1);
        if (ran.status != kDamaged)
            found(FindingKind::told_wrong, "",
                  "exit status " + std::to_string(ran.status) + ": " + told);
        if (told.find("correct the manifest") != told.npos) return;
        for (const char* command : {"redis-check-aof --fix ", "truncate -s ", "mv "}) {
            const size_t at = told.rfind(command);
            if (at == told.npos) continue;
            test::CliCall call;
            call.program = "/bin/sh";
            call.args = {"-c", "echo y | " + told.substr(at) + " 2>&1"};
            call.env["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
            const test::Ran mended = test::run_cli(call);
            if (mended.status != 0)
                return found(FindingKind::told_wrong, "",
                             told.substr(at) + " does not help: " + mended.out);
            try {
                patient_.daemon().start();
                patient_.daemon().stop();
            } catch (const std::exception& error) {
                found(FindingKind::told_wrong, "", "no start after " + told.substr(at));
            }
            return;
        }
        found(FindingKind::told_wrong, "", "no command to run: " + told);
    }

    void check_jobs(bool seen) {
        const auto& daemon = patient_.daemon();
        for (const auto& mark : read_marks(patient_.witness())) {
            if (mark.kind != Mark::Kind::start) continue;
            ++started_;
            const auto job = patient_.payloads().find(mark.jid);
            if (job == patient_.payloads().end())
                found(FindingKind::unexpected, mark.jid, "run, and nobody enqueued it");
            else if (mark.checksum != checksum_of(job->second))
                found(FindingKind::damaged, mark.jid, "run with another payload");
        }
        for (const auto& [jid, payload] : patient_.payloads()) {
            const std::string state = daemon.states({jid}).front();
            if (state == "succeeded") continue;
            const std::string told = daemon.jobq({"status", jid}).out;
            if (state == "dead" && told.find("corrupt") != told.npos)
                ++figures_["corrupt"];
            else if (jid.starts_with("done-"))
                ++figures_["old_records_gone"];  // it ran before; nothing runs wrongly
            else if (state == "scheduled")
                ++figures_["due_time_changed"];  // there, and told; only later
            else if (seen)
                ++figures_["lost_and_told"];
            else
                found(FindingKind::lost, jid, "is " + state + ", and doctor found nothing");
        }
    }

    Patient& patient_;
    std::string where_;
    size_t log_before_ = 0;
    std::vector<Finding> findings_;
    std::map<std::string, double> figures_;
    int64_t started_ = 0;
};

Report bit_flip(const RunOptions& options, std::string& directory) {
    Patient patient(options.seed);
    directory = patient.daemon().dir().path();
    Flips flips(patient);
    const int64_t end_us = monotonic_us() + options.seconds * 1'000'000;
    while (monotonic_us() < end_us)
        flips.once();
    return flips.report();
}

}  // namespace

std::vector<Scenario> damage_scenarios() {
    return {
        {"bit_flip", "33 a bit of Redis's files is another while jobqd is down", "", false,
         bit_flip},
    };
}

}  // namespace jobq::chaos
