// See deeds.h. What makes jobs, by every door, and what reports that they have ended.
#include <stdexcept>

#include "tests/chaos/deeds.h"
#include "tests/chaos/paths.h"
#include "tests/chaos/witness.h"
#include "tests/support/sync_link.h"

namespace jobq::chaos {

using nlohmann::json;

namespace {

constexpr int kMany = 5;
constexpr int kTakes = 20;  // of a second each, at most

// A Faktory job, of the type that marks its runs.
json faktory_job(const std::string& jid) {
    return {{"jid", jid}, {"jobtype", "chaos"}, {"queue", "local"}, {"args", {{{"do", "ok"}}}}};
}

std::string hello_of(const std::string& wid) {
    return R"({"v":2,"jobq":1,"hostname":"chaos","pid":1,"labels":[],"slots":1,"wid":")" + wid +
           "\"}";
}

// jobq -o json: notes may follow.
json first_line(const Told& told) {
    const auto answer = json::parse(told.text.substr(0, told.text.find('\n')), nullptr, false);
    return answer.is_object() ? answer : json::object();
}

}  // namespace

void Deeds::enqueue(Door door) {
    // Of one type that is forgotten as soon as may be, and one that is not.
    const bool brief = rig_.below(2) == 0;
    const std::string jid = fresh(), type = brief ? "brief" : "chaos";
    json order{{"type", type}, {"queue", "local"}, {"payload", {{"do", "ok"}}}, {"jid", jid}};
    if (door == Door::line) {
        if (rig_.below(2)) order["again"] = false;
        asker_.line("JOBQ ENQUEUE " + order.dump());
    } else if (door == Door::http) {
        const Told told = asker_.http("POST", "/api/v1/jobs", order.dump());
        must(told.status / 100 == 2, told);
    } else {
        const Told told = asker_.jobq_alone(
            {"enqueue", type, "--queue", "local", "--payload", R"({"do":"ok"})", "-o", "json"});
        must(told.status == 0, told);
        return expect(first_line(told).value("jid", ""), brief ? "" : "succeeded", 1, 1);
    }
    expect(jid, brief ? "" : "succeeded", 1, 1);
}

void Deeds::enqueue_with_key(Door door) {
    const std::string key = fresh();
    json order{{"type", "chaos"}, {"queue", "local"}, {"payload", {{"do", "ok"}}}};
    Told told;
    if (door == Door::line) {
        order["idempotency_key"] = key;
        told = asker_.line("JOBQ ENQUEUE " + order.dump());
    } else if (door == Door::http) {
        told = asker_.http("POST", "/api/v1/jobs", order.dump(), {"Idempotency-Key: " + key});
    } else {
        told = asker_.jobq_alone({"enqueue", "chaos", "--queue", "local", "--payload",
                                  R"({"do":"ok"})", "--idempotency-key", key, "-o", "json"});
    }
    const std::string jid = first_line(told).value("jid", "");
    must(!jid.empty(), told);
    expect(jid, "succeeded", 1, 1);
}

void Deeds::enqueue_many() {
    std::string lines;
    for (int i = 0; i < kMany; ++i) {
        const std::string jid = fresh();
        lines +=
            json{{"type", "chaos"}, {"queue", "local"}, {"payload", {{"do", "ok"}}}, {"id", jid}}
                .dump() +
            "\n";
        expect(jid, "succeeded", 1, 1);
    }
    const Told told = asker_.jobq_alone({"enqueue", "--jsonl", "-", "-q"}, lines);
    must(told.status == 0, told);
}

void Deeds::enqueue_many_by_http() {
    std::string lines;
    for (int i = 0; i < kMany; ++i) {
        const std::string jid = fresh();
        lines +=
            json{{"type", "chaos"}, {"queue", "local"}, {"payload", {{"do", "ok"}}}, {"jid", jid}}
                .dump() +
            "\n";
        expect(jid, "succeeded", 1, 1);
    }
    const Told told =
        asker_.http("POST", "/api/v1/jobs:bulk", lines, {"Content-Type: application/jsonl"});
    must(told.status == 200, told);
}

void Deeds::run() {
    const std::string jid = fresh(), script = R"(echo '{"do":"ok"}' | )" +
                                              std::string(kWitnessJob) + " " + rig_.witness_log();
    const Told told =
        asker_.jobq_alone({"run", "--queue", "local", "--id", jid, "--", "sh", "-c", script});
    must(told.status == 0, told);
    expect(jid, "succeeded", 1, 1);
}

void Deeds::push() {
    const std::string jid = fresh();
    const Told told = asker_.line("PUSH " + faktory_job(jid).dump());
    must(told.text == "+OK", told);
    expect(jid, "succeeded", 1, 1);
}

void Deeds::push_many() {
    json jobs = json::array();
    for (int i = 0; i < kMany; ++i) {
        const std::string jid = fresh();
        jobs.push_back(faktory_job(jid));
        expect(jid, "succeeded", 1, 1);
    }
    const Told told = asker_.line("PUSHB " + jobs.dump());
    must(told.text == "{}", told);
}

// A batch whose NEW got no answer is never committed: its callback is never run.
void Deeds::batch() {
    const std::string callback = fresh();
    const std::string bid =
        asker_.line("BATCH NEW " + json{{"success", faktory_job(callback)}}.dump()).text;
    asker_.line("BATCH OPEN " + bid);
    for (int i = 0; i < 2; ++i) {
        json job = faktory_job(fresh());
        job["custom"] = {{"bid", bid}};
        const Told told = asker_.line("PUSH " + job.dump());
        must(told.text == "+OK", told);
        expect(job["jid"], "succeeded", 1, 1);
    }
    const Told told = asker_.line("BATCH COMMIT " + bid);
    must(told.text == "+OK" || told.calls > 1, told);
    expect(callback, "succeeded", 1, 1);
}

void Deeds::import() {
    json jobs = json::array();
    for (int i = 0; i < kMany; ++i) {
        const std::string jid = fresh();
        json one{{"state", i % 2 ? "scheduled" : "ready"}, {"job", faktory_job(jid)}};
        if (i % 2) one["at_ms"] = wall_ms() + 500;
        jobs.push_back(one);
        expect(jid, "succeeded", 1, 1);
    }
    const Told told = asker_.line("JOBQ IMPORT " + json{{"jobs", jobs}}.dump());
    must(told.text.find("error") == told.text.npos, told);
}

void Deeds::import_faktory() {
    if (!faktory_) faktory_ = std::make_unique<test::RedisServer>();
    test::SyncLink link(faktory_->socket_path());
    link.command("SADD", "queues", "local");
    link.command("DEL", "q:local");
    for (int i = 0; i < kMany; ++i) {
        const std::string jid = fresh();
        json job = faktory_job(jid);
        job["created_at"] = "2026-11-01T10:00:00Z";
        link.command("LPUSH", "q:local", job.dump());
        expect(jid, "succeeded", 1, 1);
    }
    const Told told = asker_.jobq_alone({"import", "faktory", "--redis", faktory_->socket_path()});
    must(told.status == 0, told);
}

void Deeds::witness(const std::string& jid, const std::string& token, const std::string& holder,
                    bool ok) {
    Mark mark;
    mark.jid = jid;
    mark.token = token;
    mark.holder = holder;
    for (const auto kind : {Mark::Kind::start, ok ? Mark::Kind::end_ok : Mark::Kind::end_fail}) {
        mark.kind = kind;
        mark.at_us = monotonic_us();
        write_mark(rig_.witness_log(), mark);
    }
}

Deeds::Taken Deeds::take(Taken taken) {
    auto wire = connect(rig_.daemon().socket(), hello_of(taken.wid));
    for (int tries = 0; wire && tries < kTakes; ++tries) {
        const json jobs = wire->ask_json(R"(JOBQ TAKE {"queues":[")" + taken.queue +
                                         R"("],"count":1,"wait_ms":1000})");
        if (jobs.at("jobs").empty()) continue;
        taken.token = jobs["jobs"][0].at("token");
        return taken;
    }
    throw std::runtime_error("no job came to " + taken.wid);
}

Told Deeds::report(const Taken& taken, const std::string& outcome) {
    witness(taken.jid, taken.token, taken.wid, outcome == "success");
    json one{{"jid", taken.jid}, {"token", taken.token}, {"outcome", outcome}};
    if (outcome != "success") one["error_type"] = "planned";
    return asker_.line("JOBQ DONE " + json{{"jobs", {one}}}.dump(), hello_of(taken.wid));
}

void Deeds::done() {
    const std::string queue = fresh(), jid = fresh(), word = "so far " + jid;
    direct_json(R"(JOBQ ENQUEUE {"type":"chaos","payload":{},"queue":")" + queue + R"(","jid":")" +
                jid + "\"}");
    const Taken taken = take({"done-" + jid, queue, jid, ""});
    json one{{"jid", jid}, {"token", taken.token}};
    const json beat{{"running", {one}}, {"wait_ms", 0}, {"state", "running"}};
    asker_.line("JOBQ HEARTBEAT " + beat.dump(), hello_of(taken.wid));
    one.update({{"attempt", 1}, {"stream", "stderr"}, {"offset", 0}, {"text", word + "\n"}});
    asker_.line("JOBQ OUTPUT " + json{{"jobs", {one}}}.dump(), hello_of(taken.wid));
    const std::string log = rig_.daemon().must({"logs", jid});
    must(log == word, {log});
    const Told told = report(taken, "success");
    must(told.calls > 1 || told.text.find(R"("ok":true)") != told.text.npos, told);
    expect(jid, "succeeded", 1, 1);
}

// By a worker with a name, which is all that tells one run of a job from another.
void Deeds::faktory_ends() {
    const std::string queue = fresh(), jid = fresh(), wid = "worker-" + jid,
                      hello =
                          R"({"v":2,"hostname":"chaos","pid":1,"labels":[],"wid":")" + wid + "\"}";
    direct(R"(PUSH {"jid":")" + jid + R"(","jobtype":"chaos","args":[{}],"queue":")" + queue +
           "\"}");
    auto worker = connect(rig_.daemon().socket(), hello);
    for (const bool ok : {false, true}) {
        std::string job = "$-1";
        for (int tries = 0; worker && job == "$-1" && tries < kTakes; ++tries)
            job = worker->ask("FETCH " + queue);
        if (job.find(jid) == job.npos) throw std::runtime_error("no job came to " + wid);
        asker_.line(R"(BEAT {"wid":")" + wid + "\"}", hello);
        witness(jid, ok ? "second" : "first", wid, ok);
        const Told told =
            ok ? asker_.line(R"(ACK {"jid":")" + jid + "\"}", hello)
               : asker_.line(R"(FAIL {"jid":")" + jid + R"(","errtype":"planned","message":"no"})",
                             hello);
        must(told.calls > 1 || told.text == "+OK", told);
    }
    expect(jid, "succeeded", 2, 2);
}

// A failure that is told again is one attempt, and does not end the next.
void Deeds::done_failed() {
    const std::string queue = fresh(), jid = fresh();
    direct_json(R"(JOBQ ENQUEUE {"type":"chaos","payload":{},"max_attempts":2,"queue":")" + queue +
                R"(","jid":")" + jid + "\"}");
    const Taken taken{"done-" + jid, queue, jid, ""};
    report(take(taken), "failure");
    report(take(taken), "success");
    expect(jid, "succeeded", 2, 2);
}

}  // namespace jobq::chaos
