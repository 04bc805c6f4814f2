// Rig: one chaos run, from nothing to a verdict. It owns a jobqd with its private Redis and runner,
// the clients, and the record of all that was done to them; a scenario tells it what to break.
//
// Only processes of this run are ever signalled, each by its own pid. However a run ends, nothing
// of it stays but, when it failed, its directory.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/chaos/clients.h"
#include "tests/support/live/live_daemon.h"

namespace jobq::chaos {

struct RunOptions {
    uint64_t seed = 1;
    int64_t seconds = 20;  // of trouble
    bool keep = false;     // the directory, although it passed
};

// A scenario that lacks something here: not run, which is not passed.
struct NotRun {
    std::string why;
};

struct Setup {
    Traffic traffic;
    std::string toml;    // more of it; WITNESS and LOG in it are the witness job and its log
    std::string disk;    // where jobqd's files are; "": in the run's directory
    std::string store;   // the directory of an external Redis's appendonlydir
    std::string socket;  // where clients connect; "": to jobqd itself
    int drain_s = 90;
    // What the scenario looks at once all is drained and the clients are gone, with jobqd still
    // there.
    std::function<void(class Rig&)> at_rest;
};

class Rig {
  public:
    Rig(const RunOptions& options, Setup setup);
    ~Rig();
    Rig(const Rig&) = delete;

    test::LiveDaemon& daemon() { return *daemon_; }

    History& history() { return history_; }

    const std::string& witness_log() const { return witness_log_; }

    int below(int limit) { return int(random_() % uint64_t(limit)); }

    // Some time of running, at most so long, the end of the trouble before that.
    void rest(int min_ms, int max_ms);
    // While there is time left: rests, then does this.
    void repeat(int min_ms, int max_ms, const std::function<void()>& trouble);
    bool time_is_up() const;

    // Records of what a scenario does itself; `counted` is its kind in the report, "" in none.
    void note(Fault fault, const std::string& counted = "other");
    void note_clock(int64_t offset_us);
    void note_kill(pid_t runner);
    void note_kill(const std::string& holder);

    // This holder writes down how its reports are answered, in a witness log of its own.
    void note_teller(const std::string& holder) { tellers_.insert(holder); }

    Bounds& bounds() { return bounds_; }

    // SIGSTOP, so long, SIGCONT; as a pause of `holder` ("": of all), or as nobody's.
    void pause(pid_t pid, int ms, const std::string* holder);
    void kill_daemon();
    void kill_redis();
    // All processes of jobqd at once, then what happens to the disk, then jobqd comes again.
    void cut_power(const std::function<void()>& disk);

    // What did not happen although the scenario is about it: the run proves nothing.
    void lacks(const std::string& what) { trouble_ += what + "\n"; }

    // What the scenario itself saw and must not be: a finding like those of the judge.
    void found(FindingKind kind, const std::string& jid, const std::string& text) {
        findings_.push_back({kind, jid, text});
    }

    // "p99_ms", ...: kept beside the verdict.
    void figure(const std::string& name, double value) { figures_[name] = value; }

    // A job that runs now, by the witness, and is not poison; empty when there is none.
    std::vector<Mark> running_now() const;
    // One job, outside of the clients' traffic; whether it was acknowledged.
    bool enqueue(const std::string& jid, const std::string& payload, JobSpec spec,
                 const std::string& queue, const std::string& type = "chaos");

    // Heals, drains, stops, looks, judges. Once, and last.
    Report finish();

    // Of the run; kept when it failed.
    const std::string& directory() const { return directory_; }

  private:
    bool is_witness(pid_t pid) const;
    bool drain();
    std::map<std::string, Stored> read_store();
    void read_results(test::Wire& wire, const std::map<std::string, Stored>& store);
    std::vector<Mark> all_marks() const;
    void add_poison_kills(Evidence& evidence) const;

    const RunOptions options_;
    const Setup setup_;
    std::mt19937_64 random_;
    const std::string temporary_;
    std::string directory_, witness_log_, trouble_;
    std::unique_ptr<test::LiveDaemon> daemon_;
    History history_;
    std::unique_ptr<Clients> clients_;
    std::vector<Fault> faults_;
    std::vector<ClockShift> clock_;
    std::set<std::string> tellers_;
    std::map<std::string, int64_t> counts_;
    Bounds bounds_;
    std::vector<Finding> findings_;
    std::map<std::string, double> figures_;
    int64_t ends_us_ = 0, healed_us_ = 0, troubles_ = 0;
};

}  // namespace jobq::chaos
