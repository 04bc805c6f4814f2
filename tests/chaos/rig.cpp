// See rig.h.
#include "tests/chaos/rig.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "tests/chaos/paths.h"
#include "tests/chaos/store_scan.h"
#include "tests/chaos/witness.h"
#include "tests/support/poll.h"

namespace jobq::chaos {
namespace {

using nlohmann::json;

constexpr int64_t kPoisonActsUs = 100'000;  // after its start mark
constexpr size_t kAskedAtOnce = 200;
constexpr size_t kResultsRead = 300;
// What may still be under way when a fault is over: a lease of before it, a retry of a crash.
constexpr int64_t kLateUs = 45'000'000;

constexpr const char* kConfig = R"(
stop_timeout = "10s"
[server]
reserve_min = "15s"
[pool.local]
kind = "exec"
queues = ["local"]
slots = 8
[type.chaos]
run = ["WITNESS", "LOG"]
max_attempts = 3
backoff = { base = "50ms", factor = 2, max = "400ms", jitter = 0.2 }
)";

std::string replaced(std::string text, const std::string& word, const std::string& by) {
    for (size_t at = 0; (at = text.find(word, at)) != text.npos; at += by.size())
        text.replace(at, word.size(), by);
    return text;
}

void sleep_us(int64_t us) {
    if (us > 0) std::this_thread::sleep_for(std::chrono::microseconds(us));
}

// A configuration is not what a power loss is to take.
void keep_on_disk(const std::string& path) {
    for (const auto& name : {path, path.substr(0, path.rfind('/'))}) {
        const int fd = open(name.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) != 0) throw std::runtime_error("can't sync " + name);
        close(fd);
    }
}

}  // namespace

Rig::Rig(const RunOptions& options, Setup setup)
    : options_(options),
      setup_(std::move(setup)),
      random_(options.seed),
      temporary_(std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") {
    std::string pattern = temporary_ + "/jobq-chaos-XXXXXX";
    if (!mkdtemp(pattern.data())) throw std::runtime_error("can't make " + pattern);
    directory_ = pattern;
    witness_log_ = directory_ + "/witness";
    bounds_.late_us = kLateUs;
    std::string config = replaced(kConfig + setup_.toml, "WITNESS", kWitnessJob);
    config = replaced(config, "LOG", witness_log_);
    setenv("JOBQ_KEEP_TMP", "1", 1);  // it goes with this directory
    setenv("TMPDIR", (setup_.disk.empty() ? directory_ : setup_.disk).c_str(), 1);
    daemon_ = std::make_unique<test::LiveDaemon>(config);
    setenv("TMPDIR", directory_.c_str(), 1);
    keep_on_disk(daemon_->dir() / "jobqd.toml");
    const std::string socket = setup_.socket.empty() ? daemon_->socket() : setup_.socket;
    clients_ =
        std::make_unique<Clients>(history_, setup_.traffic, socket, witness_log_, options.seed);
    ends_us_ = monotonic_us() + options.seconds * 1'000'000;
    clients_->start();
}

Rig::~Rig() {
    clients_.reset();
    daemon_.reset();
    setenv("TMPDIR", temporary_.c_str(), 1);
    unsetenv("JOBQ_KEEP_TMP");
}

bool Rig::time_is_up() const {
    return monotonic_us() >= ends_us_;
}

void Rig::rest(int min_ms, int max_ms) {
    const int64_t want_us = (min_ms + below(max_ms - min_ms + 1)) * int64_t(1000);
    sleep_us(std::min(want_us, ends_us_ - monotonic_us()));
}

void Rig::repeat(int min_ms, int max_ms, const std::function<void()>& trouble) {
    while (true) {
        rest(min_ms, max_ms);
        if (time_is_up()) return;
        trouble();
        ++troubles_;
    }
}

void Rig::note(Fault fault, const std::string& counted) {
    if (!counted.empty()) ++counts_[counted];
    faults_.push_back(std::move(fault));
}

void Rig::note_clock(int64_t offset_us) {
    clock_.push_back({monotonic_us(), offset_us});
}

void Rig::note_kill(pid_t runner) {
    note({Fault::Kind::kill, monotonic_us(), 0, std::to_string(runner), 0}, "runner_kill");
}

void Rig::note_kill(const std::string& holder) {
    note({Fault::Kind::kill, monotonic_us(), 0, holder, 0}, "worker_kill");
}

void Rig::pause(pid_t pid, int ms, const std::string* holder) {
    if (pid <= 0) return;
    Fault fault{holder ? Fault::Kind::pause : Fault::Kind::trouble, monotonic_us(), 0, "", 0};
    if (holder) fault.holder = *holder;
    kill(pid, SIGSTOP);
    sleep_us(int64_t(ms) * 1000);
    kill(pid, SIGCONT);
    fault.until_us = monotonic_us();
    note(std::move(fault), "stop");
}

void Rig::kill_daemon() {
    Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
    daemon_->kill();
    sleep_us(below(3) * int64_t(300'000));
    daemon_->start();
    fault.until_us = monotonic_us();
    note(std::move(fault), "jobqd_kill");
}

void Rig::kill_redis() {
    const pid_t redis = daemon_->redis_pid();
    if (redis <= 0) return;
    kill(redis, SIGKILL);
    note({Fault::Kind::trouble, monotonic_us(), monotonic_us(), "", 0}, "redis_kill");
}

void Rig::cut_power(const std::function<void()>& disk) {
    Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
    const pid_t redis = daemon_->redis_pid(), runner = daemon_->runner_pid();
    std::vector<pid_t> all = test::children_of(redis);  // one that rewrites the file
    for (const pid_t pid : test::children_of(runner))
        all.push_back(pid);
    all.insert(all.end(), {redis, runner});
    kill(daemon_->pid(), SIGKILL);
    for (const pid_t pid : all)
        if (pid > 0) kill(pid, SIGKILL);
    daemon_->kill();
    test::eventually([&] { return std::none_of(all.begin(), all.end(), test::is_alive); });
    note({Fault::Kind::kill, monotonic_us(), 0, std::to_string(runner), 0}, "");
    disk();
    daemon_->start();
    fault.until_us = monotonic_us();
    note(std::move(fault), "power_loss");
}

// A pid of long ago may be another's by now; a witness has its log among its arguments.
bool Rig::is_witness(pid_t pid) const {
    const std::string words = test::read_file("/proc/" + std::to_string(pid) + "/cmdline");
    return words.find('\0' + witness_log_ + '\0') != words.npos && test::is_alive(pid);
}

std::vector<Mark> Rig::running_now() const {
    std::map<std::pair<std::string, int>, Mark> running;
    for (const auto& mark : read_marks(witness_log_)) {
        const std::pair<std::string, int> run{mark.jid, mark.pid};
        if (mark.kind == Mark::Kind::start)
            running[run] = mark;
        else if (mark.kind != Mark::Kind::alive)
            running.erase(run);
    }
    std::vector<Mark> marks;
    for (const auto& [run, mark] : running)
        if (mark.token.empty() && is_witness(mark.pid)) marks.push_back(mark);
    return marks;
}

bool Rig::enqueue(const std::string& jid, const std::string& payload, JobSpec spec,
                  const std::string& queue, const std::string& type) {
    spec.checksum = checksum_of(payload);
    history_.add_job(jid, std::move(spec));
    Call call{Call::Kind::enqueue, Outcome::info, jid, monotonic_us(), 0, "", ""};
    auto wire = connect(daemon_->socket(), R"({"v":2,"jobq":1})");
    if (!wire) return false;
    const json request{{"type", type}, {"payload_text", payload}, {"queue", queue}, {"jid", jid}};
    call.text = wire->ask("JOBQ ENQUEUE " + request.dump());
    call.outcome = outcome_of(call.text);
    call.returned_us = monotonic_us();
    const bool acknowledged = call.outcome == Outcome::ok;
    history_.add(std::move(call));
    return acknowledged;
}

// Nothing waits and nothing runs, twice a second apart.
bool Rig::drain() {
    int64_t empty_since = 0;
    return test::eventually(
        [&] {
            const int64_t left = daemon_->unfinished();
            if (left != 0) empty_since = 0;
            if (left == 0 && !empty_since) empty_since = monotonic_us();
            sleep_us(100'000);
            return empty_since && monotonic_us() - empty_since > 1'000'000;
        },
        std::chrono::seconds(setup_.drain_s));
}

// What the API says of every job, then what the disk says.
std::map<std::string, Stored> Rig::read_store() {
    std::map<std::string, Stored> store;
    std::vector<std::string> jids;
    for (const auto& [jid, spec] : history_.jobs())
        jids.push_back(jid);
    auto wire = connect(daemon_->socket(), R"({"v":2,"jobq":1})");
    if (!wire) throw std::runtime_error("jobqd does not answer at the end");
    for (size_t from = 0; from < jids.size(); from += kAskedAtOnce) {
        const size_t to = std::min(jids.size(), from + kAskedAtOnce);
        const json request{
            {"jids", std::vector<std::string>(jids.begin() + long(from), jids.begin() + long(to))}};
        const json answer = wire->ask_json("JOBQ STATUS " + request.dump());
        for (const auto& job : answer.at("jobs"))
            if (job.contains("state") && job["state"] != "unknown")
                store[job.at("jid")].api_state = job["state"];
    }
    read_results(*wire, store);
    daemon_->stop();
    for (auto& [jid, places] :
         scan_store(setup_.store.empty() ? daemon_->state_dir() + "/redis" : setup_.store))
        store[jid].places = std::move(places);
    return store;
}

// What is kept as a job's result must be what its run said, word for word: its payload's checksum.
void Rig::read_results(test::Wire& wire, const std::map<std::string, Stored>& store) {
    size_t left = kResultsRead;
    for (const auto& mark : read_marks(witness_log_)) {
        const auto job = store.find(mark.jid);
        const bool over = job != store.end() && job->second.api_state == "succeeded";
        const bool exec = mark.token.empty();
        if (mark.kind != Mark::Kind::end_ok || !over || !exec || left == 0) continue;
        --left;
        const std::string reply = wire.ask("JOBQ RESULT " + json{{"jid", mark.jid}}.dump());
        const auto answer = json::parse(reply, nullptr, false);
        const std::string kept = answer.is_object() ? answer.value("result", "") : reply;
        for (const auto& text : {mark.checksum, kept})
            history_.add({Call::Kind::result, Outcome::ok, mark.jid, monotonic_us(), monotonic_us(),
                          "", text});
    }
}

// Beside the log that all share, those of who tells: killed while it writes, its last line is torn.
std::vector<Mark> Rig::all_marks() const {
    std::vector<Mark> marks = read_marks(witness_log_);
    for (const auto& holder : tellers_) {
        const auto own = read_marks(witness_log_ + "." + holder, true);
        marks.insert(marks.end(), own.begin(), own.end());
    }
    return marks;
}

// Who holds a poison job when it starts is dead a moment later.
void Rig::add_poison_kills(Evidence& evidence) const {
    for (const auto& mark : evidence.marks) {
        const auto job = evidence.jobs.find(mark.jid);
        if (job == evidence.jobs.end() || !job->second.poison) continue;
        if (mark.kind == Mark::Kind::start)
            evidence.faults.push_back(
                {Fault::Kind::kill, mark.at_us + kPoisonActsUs, 0, mark.holder, 0});
    }
}

Report Rig::finish() {
    healed_us_ = monotonic_us();
    clients_->stop_producing();
    Evidence evidence;
    evidence.drained = drain();
    clients_->stop();
    trouble_ += clients_->trouble();
    if (troubles_ == 0) lacks("there was no time to break anything");
    if (setup_.at_rest) setup_.at_rest(*this);
    evidence.store = read_store();
    evidence.jobs = history_.jobs();
    evidence.calls = history_.calls();
    evidence.marks = all_marks();
    evidence.tellers = tellers_;
    evidence.unanswered_fetches = history_.unanswered_fetches();
    evidence.faults = faults_;
    add_poison_kills(evidence);
    evidence.clock = clock_;
    evidence.bounds = bounds_;
    evidence.healed_us = healed_us_;
    Report report = judge(evidence);
    report.faults = counts_;
    report.unproven += trouble_;
    report.figures = figures_;
    report.findings.insert(report.findings.end(), findings_.begin(), findings_.end());
    if (!findings_.empty()) report.verdict = Verdict::fail;
    if (!trouble_.empty() && report.verdict == Verdict::pass) report.verdict = Verdict::unknown;
    daemon_.reset();
    if (report.verdict == Verdict::pass && !options_.keep) std::filesystem::remove_all(directory_);
    return report;
}

}  // namespace jobq::chaos
