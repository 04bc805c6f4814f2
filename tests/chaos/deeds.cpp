// See deeds.h. What changes waiting, dead and running jobs, queues and workers; deeds_new.cpp has
// what makes jobs.
#include "tests/chaos/deeds.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <stdexcept>

#include "tests/chaos/witness.h"
#include "tests/support/poll.h"

namespace jobq::chaos {

using nlohmann::json;

namespace {

constexpr std::chrono::seconds kComesInS{20};
constexpr int kConflict = 4, kNotFound = 3;

const char* name_of(Door door) {
    return door == Door::line ? "line" : door == Door::jobq ? "jobq" : "http";
}

// What a repeat finds may be what the first copy did.
bool is_conflict(const Told& told) {
    for (const char* word : {"CONFLICT", "NOT_FOUND", "conflict", "not-found"})
        if (told.text.find(word) != told.text.npos) return true;
    return told.status == kConflict || told.status == kNotFound || told.status == 404 ||
           told.status == 409;
}

}  // namespace

Deeds::Deeds(Rig& rig, Asker& asker) : rig_(rig), asker_(asker) {
    add_doors("enqueue", &Deeds::enqueue);
    add_doors("enqueue with a key", &Deeds::enqueue_with_key);
    add("enqueue --jsonl", [this] { enqueue_many(); });
    add("jobs:bulk", [this] { enqueue_many_by_http(); });
    add("run", [this] { run(); });
    add("PUSH", [this] { push(); });
    add("PUSHB", [this] { push_many(); });
    add("BATCH", [this] { batch(); });
    add("IMPORT", [this] { import(); });
    add("import faktory", [this] { import_faktory(); });
    add_doors("cancel", &Deeds::cancel);
    add_doors("cancel running", &Deeds::cancel_running);
    add_doors("retry", &Deeds::retry);
    add_doors("retry dead", &Deeds::retry_dead);
    add_doors("retry-dead", &Deeds::retry_dead_filtered);
    add_doors("operation", &Deeds::operate);
    add("STOP_OPERATION", [this] { stop_operation(); });
    add_doors("rm", &Deeds::remove);
    add_doors("release", &Deeds::release);
    add_doors("pause and resume", &Deeds::pause);
    add_doors("clear", &Deeds::clear);
    add("MUTATE kill", [this] { mutate_kill(); });
    add("MUTATE discard", [this] { mutate_discard(); });
    add("MUTATE requeue", [this] { mutate_requeue(); });
    add("TRACK", [this] { track(); });
    add_doors("quiet", &Deeds::quiet);
    add("DONE", [this] { done(); });
    add("DONE failed", [this] { done_failed(); });
    add("FAIL and ACK", [this] { faktory_ends(); });
    add("QUEUE", [this] { faktory_queue(); });
}

void Deeds::add(const std::string& name, std::function<void()> body) {
    all_.push_back([this, name, body = std::move(body)] {
        deed_ = name;
        body();
    });
}

void Deeds::add_doors(const std::string& name, void (Deeds::*body)(Door)) {
    for (const Door door : {Door::line, Door::jobq, Door::http})
        add(name + ", " + name_of(door), [this, body, door] { (this->*body)(door); });
}

void Deeds::expect(const std::string& jid, const std::string& state, int least, int most) {
    JobSpec spec;
    spec.max_attempts = most;
    rig_.history().add_job(jid, spec);
    if (!state.empty() && state != "unknown")
        rig_.history().add(
            {Call::Kind::enqueue, Outcome::ok, jid, monotonic_us(), monotonic_us(), "", ""});
    if (state == "cancelled")
        rig_.history().add(
            {Call::Kind::cancel, Outcome::ok, jid, monotonic_us(), monotonic_us(), "", ""});
    expected_.push_back({jid, state, least, most, deed_});
}

void Deeds::must(bool holds, const Told& told) {
    if (!holds) rig_.found(FindingKind::told_wrong, "", deed_ + ": " + told.text);
}

std::string Deeds::direct(const std::string& line) {
    if (!direct_) direct_ = connect(rig_.daemon().socket(), R"({"v":2,"jobq":1})");
    if (!direct_) throw std::runtime_error("jobqd does not answer");
    return direct_->ask(line);
}

json Deeds::direct_json(const std::string& line) {
    const std::string reply = direct(line);
    json answer = json::parse(reply, nullptr, false);
    if (!answer.is_object()) throw std::runtime_error(line + ": " + reply);
    return answer;
}

bool Deeds::comes_to(const std::string& jid, const std::string& state) {
    const std::string request = "JOBQ STATUS " + json{{"jids", {jid}}}.dump();
    const auto is = [&] { return direct_json(request)["jobs"][0].value("state", "") == state; };
    if (test::eventually(is, kComesInS)) return true;
    rig_.found(FindingKind::told_wrong, jid, "does not become " + state);
    return false;
}

std::string Deeds::waiting(const std::string& more) {
    const std::string jid = fresh();
    direct_json(R"(JOBQ ENQUEUE {"type":"chaos","queue":"local","payload":{"do":"ok"},)"
                R"("max_attempts":1,"delay_ms":3600000,"jid":")" +
                jid + "\"" + more + "}");
    return jid;
}

std::string Deeds::died(const std::string& more) {
    const std::string jid = fresh();
    direct_json(R"(JOBQ ENQUEUE {"type":"chaos","queue":"local","payload":{"do":"fail"},)"
                R"("max_attempts":1,"jid":")" +
                jid + "\"" + more + "}");
    comes_to(jid, "dead");
    return jid;
}

Told Deeds::act(Door door, const std::string& verb, const std::string& jid) {
    if (door == Door::line) {
        std::string upper = verb;
        for (char& c : upper)
            c = char(std::toupper(c));
        return asker_.line("JOBQ " + upper + " " + json{{"jids", {jid}}}.dump());
    }
    if (door == Door::jobq)
        return verb == "rm" ? asker_.jobq({"rm", "--yes", jid}) : asker_.jobq({verb, jid});
    const std::string target = "/api/v1/jobs/" + jid;
    if (verb == "cancel") return asker_.http("DELETE", target);
    return asker_.http("POST", target + (verb == "rm" ? "/remove" : "/" + verb));
}

Told Deeds::queue(Door door, const std::string& verb, const std::string& name) {
    if (door == Door::http) return asker_.http("POST", "/api/v1/queues/" + name + "/" + verb);
    if (door == Door::jobq)
        return verb == "clear" ? asker_.jobq({"queue", verb, name, "--yes"})
                               : asker_.jobq({"queue", verb, name});
    if (verb == "clear") return asker_.line(R"(JOBQ CLEAR {"queue":")" + name + "\"}");
    return asker_.line((verb == "pause" ? "JOBQ PAUSE " : "JOBQ RESUME ") +
                       json{{"queues", {name}}}.dump());
}

void Deeds::cancel(Door door) {
    const std::string jid = waiting();
    act(door, "cancel", jid);
    expect(jid, "cancelled", 0, 0);
}

void Deeds::cancel_running(Door door) {
    const std::string jid = fresh();
    direct_json(R"(JOBQ ENQUEUE {"type":"chaos","queue":"local","payload":{"do":"ok","ms":60000},)"
                R"("max_attempts":3,"jid":")" +
                jid + "\"}");
    if (!comes_to(jid, "running")) return;
    act(door, "cancel", jid);
    expect(jid, "cancelled", 0, 1);  // its process may have had no time to write a word
}

void Deeds::retry(Door door) {
    const std::string jid = waiting();
    const Told told = act(door, "retry", jid);
    must(told.calls > 1 || !is_conflict(told), told);
    expect(jid, "succeeded", 1, 1);
}

// It dies again, perhaps before the repeat, which is then another retry.
void Deeds::retry_dead(Door door) {
    const std::string jid = died();
    const Told told = act(door, "retry", jid);
    expect(jid, "dead", 2, 1 + told.calls);
}

void Deeds::retry_dead_filtered(Door door) {
    const std::string tag = fresh(), one = died(R"(,"tags":[")" + tag + "\"]"),
                      two = died(R"(,"tags":[")" + tag + "\"]");
    const std::string filter = json{{"tag", tag}}.dump();
    const Told told = door == Door::line   ? asker_.line("JOBQ RETRY_DEAD " + filter)
                      : door == Door::jobq ? asker_.jobq({"retry-dead", "--tag", tag})
                                           : asker_.http("POST", "/api/v1/dead/retry", filter);
    for (const auto& jid : {one, two})
        expect(jid, "dead", 2, 1 + told.calls);
}

void Deeds::operate(Door door) {
    const std::string tag = fresh(), jid = died(R"(,"tags":[")" + tag + "\"]");
    const std::string order =
        json{{"action", "retry"}, {"filter", {{"state", "dead"}, {"tag", tag}}}}.dump();
    // Some of the operations that a repeat begins may be one too many.
    const Told told = door == Door::line ? asker_.line("JOBQ OPERATE " + order)
                      : door == Door::jobq
                          ? asker_.jobq({"retry-dead", "--tag", tag, "--rate", "100/s"})
                          : asker_.http("POST", "/api/v1/operations", order);
    expect(jid, "dead", 2, 1 + told.calls);
}

void Deeds::stop_operation() {
    const std::string tag = fresh();
    for (int i = 0; i < 2; ++i)
        expect(died(R"(,"tags":[")" + tag + "\"]"), "dead", 1, 2);
    const json begun = direct_json(
        "JOBQ OPERATE " +
        json{{"action", "retry"}, {"rate", 1}, {"filter", {{"state", "dead"}, {"tag", tag}}}}
            .dump());
    const std::string one = json{{"id", begun.at("id")}}.dump();
    asker_.line("JOBQ STOP_OPERATION " + one);
    const auto is_over = [&] {
        return direct_json("JOBQ OPERATIONS " + one)["operations"][0]["state"] != "running";
    };
    if (!test::eventually(is_over, kComesInS))
        rig_.found(FindingKind::told_wrong, tag, "an operation does not stop");
}

void Deeds::remove(Door door) {
    const std::string one = waiting(), two = died();
    act(door, "rm", one);
    act(door, "rm", two);
    expect(one, "unknown", 0, 0);
    expect(two, "unknown", 1, 1);
}

// Of a Faktory worker that has gone: the job is ready once, and runs once more.
void Deeds::release(Door door) {
    const std::string queue = fresh(), jid = fresh();
    direct(R"(PUSH {"jid":")" + jid + R"(","jobtype":"chaos","args":[{}],"queue":")" + queue +
           "\"}");
    const auto take = [&](const std::string& wid) {
        auto worker = connect(rig_.daemon().socket(), R"({"v":2,"hostname":"chaos","pid":1,)"
                                                      R"("labels":[],"wid":")" +
                                                          wid + "\"}");
        if (!worker || worker->ask("FETCH " + queue).find(jid) == std::string::npos)
            throw std::runtime_error("no job came to " + wid);
        return worker;
    };
    take("gone-" + jid);  // and its connection is closed
    // Not before jobqd has seen that it is gone.
    const auto is_ready = [&] {
        act(door, "release", jid);
        const std::string request = "JOBQ STATUS " + json{{"jids", {jid}}}.dump();
        return direct_json(request)["jobs"][0].value("state", "") == "ready";
    };
    if (!test::eventually(is_ready, kComesInS))
        rig_.found(FindingKind::told_wrong, jid, "is not released");
    const auto next = take("next-" + jid);
    witness(jid, "next", "next-" + jid, true);
    const std::string reply = next->ask(R"(ACK {"jid":")" + jid + "\"}");
    must(reply == "+OK", {reply});
    expect(jid, "succeeded", 1, 1);
}

void Deeds::pause(Door door) {
    queue(door, "pause", "local");
    const auto paused = [&] {
        return direct_json(R"(JOBQ QUEUES {"queues":["local"]})")["queues"][0]["paused"] == true;
    };
    if (!paused()) rig_.found(FindingKind::told_wrong, "", "a paused queue is not");
    queue(door, "resume", "local");
    if (paused()) rig_.found(FindingKind::told_wrong, "", "a resumed queue is not");
}

void Deeds::faktory_queue() {
    asker_.line("QUEUE PAUSE local");
    asker_.line("QUEUE RESUME local");
    const json seen = direct_json(R"(JOBQ QUEUES {"queues":["local"]})");
    must(seen["queues"][0]["paused"] == false, {seen.dump()});
    const std::string name = fresh(), jid = fresh();
    direct(R"(PUSH {"jid":")" + jid + R"(","jobtype":"chaos","args":[{}],"queue":")" + name +
           "\"}");
    asker_.line("QUEUE REMOVE " + name);
    expect(jid, "unknown", 0, 0);
}

void Deeds::clear(Door door) {
    const std::string name = fresh();
    for (int i = 0; i < 3; ++i) {
        const std::string jid = fresh();
        direct_json(R"(JOBQ ENQUEUE {"type":"chaos","payload":{},"queue":")" + name +
                    R"(","jid":")" + jid + "\"}");
        expect(jid, "unknown", 0, 0);
    }
    queue(door, "clear", name);
}

void Deeds::mutate_kill() {
    const std::string jid = waiting();
    const Told told = asker_.line(
        R"(MUTATE {"cmd":"kill","target":"scheduled","filter":{"jids":[")" + jid + "\"]}}");
    must(told.text == "+OK", told);
    expect(jid, "dead", 0, 0);
}

void Deeds::mutate_discard() {
    const std::string jid = died();
    const Told told = asker_.line(R"(MUTATE {"cmd":"discard","target":"dead","filter":{"jids":[")" +
                                  jid + "\"]}}");
    must(told.text == "+OK", told);
    expect(jid, "unknown", 1, 1);
}

void Deeds::mutate_requeue() {
    const std::string one = waiting(), two = died();
    const auto requeue = [&](const std::string& target, const std::string& jid) {
        const Told told = asker_.line(R"(MUTATE {"cmd":"requeue","target":")" + target +
                                      R"(","filter":{"jids":[")" + jid + "\"]}}");
        must(told.text == "+OK", told);
        return told.calls;
    };
    requeue("scheduled", one);
    expect(one, "succeeded", 1, 1);
    const int calls = requeue("dead", two);
    expect(two, "dead", 2, 1 + calls);
}

void Deeds::track() {
    const std::string jid = fresh();
    direct(R"(PUSH {"jid":")" + jid +
           R"(","jobtype":"chaos","queue":"local","args":[{"do":"ok"}],)" +
           R"("custom":{"track":1}})");
    asker_.line(R"(TRACK SET {"jid":")" + jid + R"(","percent":7,"desc":"so far"})");
    const std::string seen = direct("TRACK GET " + jid);
    must(seen.find("so far") != seen.npos, {seen});
    expect(jid, "succeeded", 1, 1);
}

void Deeds::quiet(Door door) {
    const std::string wid = fresh();
    auto worker = connect(rig_.daemon().socket(),
                          R"({"v":2,"hostname":"chaos","pid":1,"labels":[],"wid":")" + wid + "\"}");
    if (!worker) throw std::runtime_error("jobqd does not take a worker");
    worker->ask(R"(BEAT {"wid":")" + wid + "\"}");
    if (door == Door::line)
        asker_.line(R"(JOBQ SIGNAL {"signal":"quiet","wid":")" + wid + "\"}");
    else if (door == Door::jobq)
        asker_.jobq({"workers", "quiet", wid});
    else
        asker_.http("POST", "/api/v1/workers/" + wid + "/quiet");
    const std::string reply = worker->ask(R"(BEAT {"wid":")" + wid + "\"}");
    must(reply.find("quiet") != reply.npos, {reply});
}

void Deeds::check(Rig& rig) const {
    std::map<std::string, int> runs;
    for (const auto& mark : read_marks(rig.witness_log()))
        runs[mark.jid] += mark.kind == Mark::Kind::start;
    std::vector<std::string> jids;
    for (const auto& one : expected_)
        jids.push_back(one.jid);
    const auto states = rig.daemon().states(jids);
    for (size_t i = 0; i < expected_.size(); ++i) {
        const auto& [jid, state, least, most, deed] = expected_[i];
        const std::string where = ", after: " + deed;
        if (!state.empty() && states.at(i) != state)
            rig.found(FindingKind::told_wrong, jid, states[i] + ", not " + state + where);
        if (runs[jid] < least)
            rig.found(FindingKind::lost, jid, std::to_string(runs[jid]) + " runs" + where);
        if (runs[jid] > most)
            rig.found(FindingKind::duplicate, jid, std::to_string(runs[jid]) + " runs" + where);
        // How often it was to be run again is known by the judge of the rig only now.
        rig.history().set_attempts(jid, std::clamp(runs[jid], least, most));
    }
    rig.figure("judged_jobs", double(expected_.size()));
}

}  // namespace jobq::chaos
