// The judge of chaos runs: for each kind of finding a history that has it, and one that just does
// not.
#include "tests/chaos/checker.h"

#include <catch2/catch.hpp>

namespace jobq::chaos {
namespace {

constexpr int64_t kS = 1'000'000;

// A history of one job "a", that ran well from 2 s to 3 s, with what a row changes.
struct History {
    Evidence e;

    History() {
        e.jobs["a"] = {0, 3, "c1", false, ""};
        call(Call::Kind::enqueue, Outcome::ok, 1 * kS);
        run(2 * kS, 3 * kS, true);
        e.store["a"] = {"succeeded", {"succeeded"}};
        e.drained = true;
    }

    void call(Call::Kind kind, Outcome outcome, int64_t at, std::string token = "",
              std::string text = "") {
        e.calls.push_back({kind, outcome, "a", at, at + 1000, std::move(token), std::move(text)});
    }

    void run(int64_t from, int64_t to, bool ok, std::string token = "t1", int pid = 11) {
        start(from, token, pid);
        const auto end = ok ? Mark::Kind::end_ok : Mark::Kind::end_fail;
        e.marks.push_back({end, "a", 1, token, to, pid, "r1", "c1"});
    }

    void start(int64_t at, const std::string& token = "t1", int pid = 11) {
        e.marks.push_back({Mark::Kind::start, "a", 1, token, at, pid, "r1", "c1"});
    }

    void alive(int64_t at, const std::string& token = "t1", int pid = 11) {
        e.marks.push_back({Mark::Kind::alive, "a", 1, token, at, pid, "r1", "c1"});
    }

    // What a holder that tells was answered.
    void answered(int64_t at, Mark::Kind how, const std::string& token = "t1", int pid = 11) {
        e.tellers.insert("r1");
        e.marks.push_back({how, "a", 1, token, at, pid, "r1", "c1"});
    }

    void trouble(int64_t from, int64_t to) {
        e.faults.push_back({Fault::Kind::trouble, from, to, "", 0});
    }

    void kill(int64_t at) { e.faults.push_back({Fault::Kind::kill, at, 0, "r1", 0}); }

    void stop(int64_t from, int64_t to) {
        e.faults.push_back({Fault::Kind::pause, from, to, "r1", 0});
    }

    void state(const std::string& word) { e.store["a"] = {word, {word}}; }
};

struct Row {
    const char* name;
    void (*change)(History& h);
    const char* findings;  // their kinds, in order
    Verdict verdict = Verdict::fail;
};

std::string kinds(const Report& report) {
    std::string text;
    for (const auto& finding : report.findings)
        text += (text.empty() ? "" : " ") + std::string(to_string(finding.kind));
    return text;
}

void without_runs(History& h) {
    h.e.marks.clear();
}

// clang-format off
const Row kRows[] = {
    {"a job that runs once", [](History&) {}, "", Verdict::pass},
    {"not drained", [](History& h) { h.e.drained = false; }, "", Verdict::unknown},
    {"nothing happened", [](History& h) { h.e = {}; h.e.drained = true; }, "", Verdict::unknown},
    {"nothing ran",
     [](History& h) {
         without_runs(h); h.state("cancelled"); h.call(Call::Kind::cancel, Outcome::ok, 2 * kS);
     }, "", Verdict::unknown},
    {"a finding although not drained",
     [](History& h) { h.e.drained = false; h.run(4 * kS, 5 * kS, true, "t2", 12); }, "duplicate"},

    {"acknowledged and gone", [](History& h) { h.e.store.clear(); }, "lost"},
    {"acknowledged and still waiting", [](History& h) { h.state("ready"); }, "lost"},
    {"succeeded without a run", [](History& h) { without_runs(h); }, "lost"},
    {"succeeded, its only run failed",
     [](History& h) { without_runs(h); h.run(2 * kS, 3 * kS, false); }, "lost"},
    {"dead with attempts left",
     [](History& h) { without_runs(h); h.run(2 * kS, 3 * kS, false); h.state("dead"); }, "lost"},
    {"dead after all attempts",
     [](History& h) {
         without_runs(h);
         for (int i = 2; i < 5; ++i) h.run(i * kS, i * kS + 9, false, "t" + std::to_string(i), i);
         h.state("dead");
     }, "", Verdict::pass},
    {"cancelled, and nobody asked", [](History& h) { h.state("cancelled"); }, "lost"},
    {"cancelled, as asked",
     [](History& h) { h.state("cancelled"); h.call(Call::Kind::cancel, Outcome::ok, 9); }, "",
     Verdict::pass},
    {"expired, and it never could", [](History& h) { h.state("expired"); }, "lost"},
    {"dead by a fetch whose answer was lost",
     [](History& h) {
         without_runs(h); h.run(2 * kS, 3 * kS, false); h.state("dead"); h.e.unanswered_fetches = 2;
     }, "", Verdict::pass},
    {"dead by more fetches than there were",
     [](History& h) {
         without_runs(h); h.run(2 * kS, 3 * kS, false); h.state("dead"); h.e.unanswered_fetches = 1;
     }, "lost"},
    {"unanswered and gone",
     [](History& h) {
         h.e.jobs["b"] = {};
         h.e.calls.push_back({Call::Kind::enqueue, Outcome::info, "b", 1, 2, "", ""});
     }, "", Verdict::pass},

    {"run, never enqueued", [](History& h) { h.e.jobs.clear(); h.e.calls.erase(h.e.calls.begin()); },
     "unexpected"},
    {"stored, never enqueued", [](History& h) { h.e.store["x"] = {"dead", {"dead"}}; },
     "lost unexpected"},
    {"unanswered and run", [](History& h) { h.e.calls[0].outcome = Outcome::info; }, "",
     Verdict::unknown},

    {"another payload", [](History& h) { h.e.jobs["a"].checksum = "c2"; }, "damaged"},
    {"a payload nobody compares", [](History& h) { h.e.jobs["a"].checksum = ""; }, "",
     Verdict::pass},

    {"two runs without a reason", [](History& h) { h.run(4 * kS, 5 * kS, true, "t2", 12); },
     "duplicate"},
    {"two runs, the first failed",
     [](History& h) { h.e.marks[1].kind = Mark::Kind::end_fail; h.run(4 * kS, 5 * kS, true, "t2"); },
     "", Verdict::pass},
    {"two runs, its holder was killed during the first",
     [](History& h) { h.e.marks.pop_back(); h.kill(2 * kS + 9); h.run(4 * kS, 5 * kS, true, "t2", 12); },
     "", Verdict::pass},
    {"two runs, its holder was killed before the first one's first line",
     [](History& h) { h.e.marks.pop_back(); h.kill(2 * kS - 99'000); h.run(4 * kS, 5 * kS, true, "t2", 12); },
     "", Verdict::pass},
    {"two runs, its holder was killed long before the first one's first line",
     [](History& h) { h.e.marks.pop_back(); h.kill(2 * kS - 101'000); h.run(4 * kS, 5 * kS, true, "t2", 12); },
     "duplicate"},
    {"two runs, another holder was killed",
     [](History& h) {
         h.e.marks.pop_back(); h.kill(2 * kS + 9); h.e.faults[0].holder = "r2";
         h.run(4 * kS, 5 * kS, true, "t2", 12);
     }, "duplicate"},
    {"two runs, its holder was killed before the end was told",
     [](History& h) { h.kill(3 * kS + 9); h.run(5 * kS, 6 * kS, true, "t2", 12); }, "",
     Verdict::pass},
    {"two runs, its holder was killed long after",
     [](History& h) { h.kill(5 * kS); h.run(6 * kS, 7 * kS, true, "t2", 12); }, "duplicate"},
    {"two runs, its holder was killed after the answer to its report",
     [](History& h) {
         h.answered(3 * kS + 9, Mark::Kind::told); h.kill(3 * kS + 10);
         h.run(5 * kS, 6 * kS, true, "t2", 12);
     }, "duplicate"},
    {"two runs, its holder was killed just before the answer to its report",
     [](History& h) {
         h.answered(30 * kS, Mark::Kind::told); h.kill(29 * kS);
         h.run(35 * kS, 36 * kS, true, "t2", 12);
     }, "", Verdict::pass},
    {"two runs, the report of the first refused, and no reason for that",
     [](History& h) {
         h.answered(3 * kS + 9, Mark::Kind::stale); h.run(2 * kS + 1, 6 * kS, true, "t2", 12);
     }, "duplicate overlap"},
    {"two runs, its holder was killed when it could not tell the end yet",
     [](History& h) {
         h.trouble(3 * kS, 20 * kS); h.kill(20 * kS + 9); h.run(25 * kS, 26 * kS, true, "t2", 12);
     }, "", Verdict::pass},
    {"two runs, its holder was killed long after it could tell the end",
     [](History& h) {
         h.trouble(3 * kS, 20 * kS); h.kill(21 * kS + 9); h.run(25 * kS, 26 * kS, true, "t2", 12);
     }, "duplicate"},
    {"two runs, only this process was killed",
     [](History& h) {
         h.e.marks.pop_back(); h.kill(2 * kS + 9); h.e.faults[0].pid = 11;
         h.run(4 * kS, 5 * kS, true, "t2", 12);
     }, "", Verdict::pass},
    {"two runs, another process was killed",
     [](History& h) {
         h.e.marks.pop_back(); h.kill(2 * kS + 9); h.e.faults[0].pid = 13;
         h.run(4 * kS, 5 * kS, true, "t2", 12);
     }, "duplicate"},
    {"two runs, a stop within the lease",
     [](History& h) { h.e.marks.pop_back(); h.stop(2 * kS + 1, 10 * kS); h.run(20 * kS, 21 * kS, true, "t2", 12); },
     "duplicate"},
    {"two runs, a stop beyond the lease",
     [](History& h) { h.e.marks.pop_back(); h.stop(2 * kS + 1, 18 * kS); h.run(20 * kS, 21 * kS, true, "t2", 12); },
     "", Verdict::pass},
    {"a retry beyond the last attempt",
     [](History& h) {
         without_runs(h);
         for (int i = 2; i < 6; ++i) h.run(i * kS, i * kS + 9, false, "t" + std::to_string(i), i);
         h.state("dead");
     }, "duplicate"},
    {"one key, two jobs",
     [](History& h) {
         h.e.jobs["a"].key = "k";
         h.e.jobs["b"] = h.e.jobs["a"];
         h.e.store["b"] = {"ready", {"ready"}};
     }, "duplicate"},
    {"one key, the second refused",
     [](History& h) { h.e.jobs["a"].key = "k"; h.e.jobs["b"] = h.e.jobs["a"]; }, "", Verdict::pass},

    {"two runs at once",
     [](History& h) {
         h.e.marks[1].kind = Mark::Kind::end_fail; h.run(2 * kS + 9, 5 * kS, true, "t2", 12);
     }, "overlap"},
    {"the second run when the first was last seen",
     [](History& h) {
         h.e.marks.pop_back(); h.alive(3 * kS); h.kill(3 * kS); h.run(3 * kS, 5 * kS, true, "t2", 12);
     }, "", Verdict::pass},
    {"two runs at once, the first was stopped beyond its lease",
     [](History& h) {
         h.e.marks.pop_back(); h.stop(2 * kS + 1, 18 * kS); h.alive(18 * kS + 9);
         h.run(17 * kS, 19 * kS, true, "t2", 12);
     }, "", Verdict::pass},
    {"two runs at once, the first was stopped for a moment",
     [](History& h) {
         h.e.marks[1].kind = Mark::Kind::end_fail; h.e.marks[1].at_us = 9 * kS;
         h.stop(3 * kS, 4 * kS); h.run(5 * kS, 9 * kS, true, "t2", 12);
     }, "overlap"},

    {"alive long after its lease ended",
     [](History& h) { h.e.leases.push_back({"a", "t1", 2 * kS - 9}); }, "out_of_lease"},
    {"gone soon after its lease ended",
     [](History& h) { h.e.leases.push_back({"a", "t1", 2 * kS + 9}); }, "", Verdict::pass},
    {"cut off, and alive beyond the lease",
     [](History& h) {
         h.e.faults.push_back({Fault::Kind::cut, 2 * kS + 9, 40 * kS, "", 0});
         h.e.marks[1].at_us = 19 * kS;
     }, "out_of_lease"},
    {"cut off, and gone with the lease",
     [](History& h) {
         h.e.faults.push_back({Fault::Kind::cut, 2 * kS + 9, 40 * kS, "", 0});
         h.e.marks[1].at_us = 17 * kS;
     }, "", Verdict::pass},

    {"before its time", [](History& h) { h.e.jobs["a"].run_at_us = 2 * kS + 1; }, "early"},
    {"at its time", [](History& h) { h.e.jobs["a"].run_at_us = 2 * kS; }, "", Verdict::pass},
    {"at its time by a clock that is ahead",
     [](History& h) { h.e.jobs["a"].run_at_us = 9 * kS; h.e.clock = {{1 * kS, 7 * kS}}; }, "",
     Verdict::pass},
    {"before the clock was set ahead",
     [](History& h) { h.e.jobs["a"].run_at_us = 9 * kS; h.e.clock = {{2 * kS + 1, 7 * kS}}; },
     "early"},

    {"later than it could",
     [](History& h) { h.e.bounds.late_us = kS / 2; }, "late"},
    {"as late as it may", [](History& h) { h.e.bounds.late_us = kS; }, "", Verdict::pass},
    {"late, since the trouble was over only then",
     [](History& h) { h.e.bounds.late_us = kS / 2; h.e.healed_us = 2 * kS - 9; }, "",
     Verdict::pass},

    {"again long after its holder was killed",
     [](History& h) {
         h.e.bounds.again_us = kS; h.e.marks.pop_back(); h.kill(2 * kS + 9);
         h.run(3 * kS + 99, 5 * kS, true, "t2", 12);
     }, "late"},
    {"again soon after its holder was killed",
     [](History& h) {
         h.e.bounds.again_us = kS; h.e.marks.pop_back(); h.kill(2 * kS + 9);
         h.run(3 * kS, 5 * kS, true, "t2", 12);
     }, "", Verdict::pass},

    {"an end under the old token",
     [](History& h) {
         h.e.marks[1].kind = Mark::Kind::end_fail; h.run(4 * kS, 5 * kS, true, "t2", 12);
         h.call(Call::Kind::finish, Outcome::ok, 6 * kS, "t1");
     }, "stale_accepted"},
    {"an end under the old token, refused",
     [](History& h) {
         h.e.marks[1].kind = Mark::Kind::end_fail; h.run(4 * kS, 5 * kS, true, "t2", 12);
         h.call(Call::Kind::finish, Outcome::fail, 6 * kS, "t1");
     }, "", Verdict::pass},
    {"a report accepted although another had the job when it was sent",
     [](History& h) {
         h.stop(2 * kS, 20 * kS); without_runs(h); h.run(2 * kS, 21 * kS, true);
         h.answered(22 * kS, Mark::Kind::told); h.run(19 * kS, 20 * kS, true, "t2", 12);
     }, "stale_accepted"},
    {"an end under the newest token",
     [](History& h) {
         h.e.marks[1].kind = Mark::Kind::end_fail; h.run(4 * kS, 5 * kS, true, "t2", 12);
         h.call(Call::Kind::finish, Outcome::ok, 6 * kS, "t2");
     }, "", Verdict::pass},

    {"two results",
     [](History& h) {
         h.call(Call::Kind::result, Outcome::ok, 4 * kS, "", "1");
         h.call(Call::Kind::result, Outcome::ok, 5 * kS, "", "2");
     }, "result_changed"},
    {"one result, read twice",
     [](History& h) {
         h.call(Call::Kind::result, Outcome::ok, 4 * kS, "", "1");
         h.call(Call::Kind::result, Outcome::ok, 5 * kS, "", "1");
     }, "", Verdict::pass},

    {"two places", [](History& h) { h.e.store["a"].places.push_back("ready"); }, "two_places"},
    {"no place", [](History& h) { h.e.store["a"].places.clear(); }, "two_places"},
    {"another place than it is said to be in",
     [](History& h) { h.e.store["a"].places = {"dead"}; }, "two_places"},

    {"refused and run", [](History& h) { h.e.calls[0].outcome = Outcome::fail; },
     "dishonest_failed"},
    {"refused and stored",
     [](History& h) {
         h.e.jobs["b"] = {};
         h.e.calls.push_back({Call::Kind::enqueue, Outcome::fail, "b", 1, 2, "", ""});
         h.e.store["b"] = {"ready", {"ready"}};
     }, "dishonest_failed"},
    {"refused, then accepted",
     [](History& h) { h.call(Call::Kind::enqueue, Outcome::fail, kS / 2); }, "", Verdict::pass},
    {"refused and gone",
     [](History& h) {
         h.e.jobs["b"] = {};
         h.e.calls.push_back({Call::Kind::enqueue, Outcome::fail, "b", 1, 2, "", ""});
     }, "", Verdict::pass},

    {"poison that never dies",
     [](History& h) {
         h.e.jobs["a"].poison = true; without_runs(h);
         for (int i = 2; i < 6; ++i) h.start(i * kS, "t" + std::to_string(i), i);
         h.state("dead");
     }, "poison_over"},
    {"poison that is taken for a success",
     [](History& h) { h.e.jobs["a"].poison = true; }, "poison_over"},
    {"poison that is dead after three",
     [](History& h) {
         h.e.jobs["a"].poison = true; without_runs(h);
         for (int i = 2; i < 5; ++i) h.start(i * kS, "t" + std::to_string(i), i);
         h.state("dead");
     }, "", Verdict::pass},
};
// clang-format on

}  // namespace

TEST_CASE("a chaos run is judged by its history") {
    for (const auto& row : kRows) {
        History history;
        row.change(history);
        const Report report = judge(history.e);
        INFO(row.name);
        CHECK(kinds(report) == row.findings);
        CHECK(to_string(report.verdict) == to_string(row.verdict));
    }
}

TEST_CASE("a chaos run's counts") {
    History history;
    history.e.jobs["b"] = history.e.jobs["c"] = {};
    history.e.calls.push_back({Call::Kind::enqueue, Outcome::info, "b", 1, 2, "", ""});
    history.e.calls.push_back({Call::Kind::enqueue, Outcome::fail, "c", 1, 2, "", ""});
    history.e.store["b"] = {"ready", {"ready"}};
    const Report report = judge(history.e);
    CHECK(report.attempted == 3);
    CHECK(report.acknowledged == 1);
    CHECK(report.unanswered == 1);
    CHECK(report.recovered == 1);
    CHECK(report.refused == 1);
    CHECK(report.started == 1);
    CHECK(report.verdict == Verdict::pass);
}

}  // namespace jobq::chaos
