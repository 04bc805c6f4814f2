// Scenarios of answers that are lost: a proxy cuts them at random. Who asked asks again until there
// is an answer, and what was asked for is done once: one job, one run. Of every verb that changes
// something, by every door; and of what a remote worker takes and reports.
#include <algorithm>
#include <memory>
#include <random>
#include <set>

#include "core/protocol/verbs.h"
#include "tests/chaos/deeds.h"
#include "tests/chaos/paths.h"
#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"
#include "tests/support/live/worker_process.h"

namespace jobq::chaos {
namespace {

constexpr const char* kToml = R"(
[listen]
http = "unix:{dir}/http.sock"
[run]
allow = true
[type.brief]
run = ["WITNESS", "LOG"]
retention = "0s"
)";
constexpr int kClientsOneIn = 3, kWorkerOneIn = 5, kHoldMs = 20;

// They change nothing of jobs, or it is a worker's own: see cut_worker.
const std::set<std::string> kElsewhere{"FETCH", "JOBQ TAKE", "JOBQ POOLS", "JOBQ PROFILE",
                                       "JOBQ DOCTOR"};

// No verb that changes something is left out.
void check_verbs(Rig& rig, const std::set<std::string>& asked) {
    for (const auto& verb : kVerbs) {
        const std::string name = (verb.jobq() ? "JOBQ " : "") + std::string(verb.name);
        const bool changes = verb.scope != Scope::none && verb.scope != Scope::read;
        if (changes && !asked.contains(name) && !kElsewhere.contains(name))
            rig.lacks("nobody asked for " + name);
    }
}

// Everything goes, and what comes after that is there alone.
std::set<std::string> flush(Rig& rig, uint64_t seed) {
    test::LiveDaemon daemon(
        "[server]\nallow_flush = true\n[listen]\nhttp = \"unix:{dir}/http.sock\"\n");
    Asker asker(daemon, seed);
    asker.line(R"(PUSH {"jid":"flushed-job","jobtype":"x","args":[]})");
    const Told told = asker.line("FLUSH");
    asker.line(R"(PUSH {"jid":"another-job","jobtype":"x","args":[]})");
    const auto states = daemon.states({"flushed-job", "another-job"});
    if (told.text != "+OK" || states != std::vector<std::string>{"unknown", "ready"})
        rig.found(FindingKind::told_wrong, "", "FLUSH: " + told.text);
    return asker.verbs();
}

Report cut_answers(const RunOptions& options, std::string& directory) {
    test::TempDir dir;
    std::unique_ptr<Deeds> deeds;
    Setup setup;
    setup.toml = kToml;
    setup.socket = dir / "clients.sock";
    setup.traffic.producers = 1;
    setup.traffic.consumers = 0;
    setup.traffic.queues = {"local"};
    setup.at_rest = [&deeds](Rig& rig) { deeds->check(rig); };
    Rig rig(options, setup);
    directory = rig.directory();
    test::CutProxy clients(setup.socket, rig.daemon().socket(), options.seed, kClientsOneIn,
                           kHoldMs);
    Asker asker(rig.daemon(), options.seed);
    deeds = std::make_unique<Deeds>(rig, asker);
    auto order = deeds->all();
    std::mt19937_64 random(options.seed);
    std::shuffle(order.begin(), order.end(), random);
    size_t next = 0;
    rig.repeat(0, 20, [&] { order[next++ % order.size()](); });
    // Each once, however short the time is.
    while (next < order.size())
        order[next++]();
    auto verbs = flush(rig, options.seed);
    verbs.insert(asker.verbs().begin(), asker.verbs().end());
    check_verbs(rig, verbs);
    if (asker.cuts() < 10 || clients.cuts() < 1) rig.lacks("hardly an answer was cut");
    rig.figure("deeds", double(next));
    rig.figure("cuts", asker.cuts() + clients.cuts());
    return rig.finish();
}

// TAKE, DONE, HEARTBEAT and OUTPUT of `jobq work`. What it took with an answer that was lost is
// handed back once it has not named it for the time of a lease.
Report cut_worker(const RunOptions& options, std::string& directory) {
    test::TempDir dir;
    Setup setup;
    setup.traffic.consumers = 0;
    setup.traffic.queues = {"far"};
    Rig rig(options, setup);
    directory = rig.directory();
    test::CutProxy proxy(dir / "work.sock", rig.daemon().socket(), options.seed, kWorkerOneIn,
                         kHoldMs);
    const test::WorkerProcess worker(rig.daemon(),
                                     {"far", "--slots", "8", "--", kWitnessJob, rig.witness_log()},
                                     "unix:" + proxy.path());
    rig.repeat(1'000, 1'000, [] {});
    if (proxy.cuts() < 1) rig.lacks("no answer was cut");
    proxy.be_good();
    rig.figure("cuts", proxy.cuts());
    return rig.finish();
}

}  // namespace

std::vector<Scenario> cut_scenarios() {
    return {
        {"cut_answers", "28 answers are lost, of every verb that changes something", "", true,
         cut_answers},
        {"cut_worker", "28 answers are lost to a remote worker", "", false, cut_worker},
    };
}

}  // namespace jobq::chaos
