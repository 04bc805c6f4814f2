// Faktory Work Protocol 2, section 10: what Faktory Enterprise's clients use. Row by row.
#include <signal.h>

#include <catch2/catch.hpp>

#include "core/base/time.h"
#include "tests/support/live/faktory_kit.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;

std::string in_seconds(int64_t seconds) {
    auto now = std::chrono::system_clock::now().time_since_epoch();
    int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    return format_rfc3339(ms + seconds * 1000);
}

std::string push(Wire& wire, const std::string& queue, const std::string& custom,
                 const std::string& args = "[1]") {
    std::string jid = fresh("ent-job-");
    return wire.ask("PUSH {\"jid\":\"" + jid + "\",\"jobtype\":\"T\",\"queue\":\"" + queue +
                    "\",\"args\":" + args + ",\"custom\":" + custom + "}");
}

// The next job of the queue, ended by `how` ("" leaves it running).
json take(Wire& wire, const std::string& queue, const std::string& how = "ACK") {
    json job = wire.ask_json("FETCH " + queue);
    std::string jid = job.at("jid");
    if (!how.empty()) CHECK(wire.ask(how + " {\"jid\":\"" + jid + "\"}") == "+OK");
    return job;
}

std::string new_batch(Wire& wire, const std::string& members) {
    return wire.ask("BATCH NEW {" + members + "}");
}

std::string callback(const std::string& type, const std::string& queue) {
    return "{\"jid\":\"" + fresh("ent-cb-") + "\",\"jobtype\":\"" + type + "\",\"queue\":\"" +
           queue + "\",\"args\":[]}";
}

// "total pending failed complete_st success_st".
std::string status(Wire& wire, const std::string& bid) {
    json s = wire.ask_json("BATCH STATUS " + bid);
    return std::to_string(s.at("total").get<int>()) + " " +
           std::to_string(s.at("pending").get<int>()) + " " +
           std::to_string(s.at("failed").get<int>()) + " '" +
           s.at("complete_st").get<std::string>() + "' '" + s.at("success_st").get<std::string>() +
           "'";
}

std::string state(Wire& wire, const std::string& jid) {
    return wire.ask_json("TRACK GET " + jid).at("state");
}

}  // namespace

TEST_CASE("faktory 10 unique: a second PUSH of equal queue, jobtype and args is NOTUNIQUE",
          "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q");
    CHECK(push(wire, q, R"({"unique_for":60})") == "+OK");
    CHECK(push(wire, q, R"({"unique_for":60})") == "-NOTUNIQUE Job not unique");
    CHECK(push(wire, q, R"({"unique_for":60})", "[ 1 ]") == "-NOTUNIQUE Job not unique");
    CHECK(push(wire, q, R"({"unique_for":60})", "[1.0]") == "-NOTUNIQUE Job not unique");
    CHECK(push(wire, q, R"({"unique_for":60})", R"([{"a":1,"b":"x"}])") == "+OK");
    CHECK(push(wire, q, R"({"unique_for":60})", R"([{"b":"\u0078","a":1}])") ==
          "-NOTUNIQUE Job not unique");
    CHECK(push(wire, q, R"({"unique_for":60})", "[2]") == "+OK");
    CHECK(push(wire, fresh("q"), R"({"unique_for":60})") == "+OK");
    CHECK(push(wire, q, "{}") == "+OK");  // without unique_for locks are not looked at
    CHECK(push(wire, q, R"({"unique_for":false})") == "+OK");
    json reply =
        wire.ask_json("PUSHB [{\"jid\":\"pushb-not-unique\",\"jobtype\":\"T\",\"queue\":\"" + q +
                      "\",\"args\":[1],\"custom\":{\"unique_for\":60}}]");
    CHECK(reply == json{{"pushb-not-unique", "NOTUNIQUE Job not unique"}});
}

TEST_CASE("faktory 10 unique: the lock is held through retries until ACK", "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q");
    CHECK(push(wire, q, R"({"unique_for":60,"unique_until":"success"})") == "+OK");
    std::string jid = take(wire, q, "").at("jid");
    CHECK(push(wire, q, R"({"unique_for":60})") == "-NOTUNIQUE Job not unique");
    CHECK(wire.ask("FAIL {\"jid\":\"" + jid + "\"}") == "+OK");
    CHECK(push(wire, q, R"({"unique_for":60})") == "-NOTUNIQUE Job not unique");
    CHECK(wire.ask(R"(MUTATE {"cmd":"requeue","target":"retries","filter":{"jids":[")" + jid +
                   "\"]}}") == "+OK");
    take(wire, q);
    CHECK(push(wire, q, R"({"unique_for":60})") == "+OK");
}

TEST_CASE("faktory 10 unique: until start the lock ends with the FETCH", "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q");
    std::string custom = R"({"unique_for":60,"unique_until":"start"})";
    CHECK(push(wire, q, custom) == "+OK");
    CHECK(push(wire, q, custom) == "-NOTUNIQUE Job not unique");
    take(wire, q, "");
    CHECK(push(wire, q, custom) == "+OK");
}

TEST_CASE("faktory 10 unique: what can't be meant is refused, not stored", "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q");
    CHECK(push(wire, q, R"({"unique_for":"soon"})") ==
          "-ERR custom.unique_for must be a number of seconds, not \"soon\"");
    CHECK(push(wire, q, R"({"unique_for":60,"unique_until":"later"})") ==
          "-ERR custom.unique_until must be \"success\" or \"start\"");
    CHECK(push(wire, q, R"({"expires_at":"never"})").starts_with("-ERR custom.expires_at: "));
    CHECK(wire.ask("FETCH " + q) == "$-1");
}

TEST_CASE("faktory 10 expiry: an expired job is dropped and the next one given", "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q");
    CHECK(push(wire, q, "{\"expires_at\":\"" + in_seconds(-1) + "\"}", "[\"late\"]") == "+OK");
    CHECK(push(wire, q, "{\"expires_in\":0.001}", "[\"late too\"]") == "+OK");
    CHECK(push(wire, q, "{\"expires_at\":\"" + in_seconds(60) + "\"}", "[\"in time\"]") == "+OK");
    json before = wire.ask_json("INFO");
    CHECK(take(wire, q).at("args") == json::array({"in time"}));
    json after = wire.ask_json("INFO");
    auto processed = [](const json& info) { return info["faktory"]["total_processed"].get<int>(); };
    CHECK(processed(after) == processed(before) + 1);  // expired ones count as nothing
}

TEST_CASE("faktory 10 tracking: progress and state from enqueued to success", "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q"), jid = fresh("ent-track-");
    CHECK(wire.ask("PUSH " + job_of(jid, q, R"(,"custom":{"track":1})")) == "+OK");
    json seen = wire.ask_json("TRACK GET " + jid);
    CHECK(seen.at("jid") == jid);
    CHECK(seen.at("state") == "enqueued");
    CHECK(parse_rfc3339_ms(seen.at("updated_at").get<std::string>()));
    CHECK_FALSE(seen.contains("percent"));
    CHECK_FALSE(seen.contains("desc"));
    CHECK(wire.ask(R"(TRACK SET {"jid":")" + jid + R"(","percent":2,"desc":"Starting..."})") ==
          "+OK");
    CHECK(wire.ask(R"(TRACK SET {"jid":")" + jid + R"(","percent":3})") == "+OK");
    seen = wire.ask_json("TRACK GET " + jid);
    CHECK(seen.at("percent") == 3);
    CHECK(seen.at("desc") == "Starting...");
    take(wire, q, "");
    CHECK(state(wire, jid) == "working");
    CHECK(wire.ask("FAIL {\"jid\":\"" + jid + "\"}") == "+OK");
    CHECK(state(wire, jid) == "failed");
    std::string filter = R"("filter":{"jids":[")" + jid + "\"]}}";
    CHECK(wire.ask(R"(MUTATE {"cmd":"kill","target":"retries",)" + filter) == "+OK");
    CHECK(state(wire, jid) == "dead");
    CHECK(wire.ask(R"(MUTATE {"cmd":"requeue","target":"dead",)" + filter) == "+OK");
    CHECK(state(wire, jid) == "enqueued");
    take(wire, q);
    CHECK(state(wire, jid) == "success");
    CHECK(wire.ask(R"(TRACK SET {"jid":")" + jid + R"(","percent":100})") == "+OK");
    CHECK(wire.ask_json("TRACK GET " + jid).at("percent") == 100);
}

TEST_CASE("faktory 10 tracking: of an unknown or untracked job the state is unknown", "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q"), jid = fresh("ent-plain-");
    CHECK(wire.ask("TRACK GET no-such-jid") ==
          R"({"jid":"no-such-jid","state":"unknown","updated_at":""})");
    CHECK(wire.ask("PUSH " + job_of(jid, q)) == "+OK");
    CHECK(wire.ask(R"(TRACK SET {"jid":")" + jid + R"(","percent":3})") == "+OK");
    CHECK(wire.ask_json("TRACK GET " + jid) ==
          json{{"jid", jid}, {"state", "unknown"}, {"updated_at", ""}});
    CHECK(wire.ask("TRACK SET {}") == "-ERR missing JID");
    CHECK(wire.ask("TRACK SET {").starts_with("-ERR invalid JSON"));
    CHECK(wire.ask("TRACK LOOK x") == "-ERR no such TRACK subcommand: LOOK");
}

TEST_CASE("faktory 10 tracking: reserve_until lengthens a lease, also over a restart of jobqd",
          "[faktory]") {
    FaktoryServer server("[server]\nreserve_min = \"1s\"\n");
    std::string jid = fresh("ent-lease-"), other = fresh("ent-lease-");
    {
        Wire wire = server.client();
        for (const auto& id : {jid, other})
            CHECK(wire.ask("PUSH " +
                           job_of(id, "q", R"(,"reserve_for":1,"retry":5,"custom":{"track":1})")) ==
                  "+OK");
        take(wire, "q", "");
        take(wire, "q", "");
        CHECK(wire.ask(R"(TRACK SET {"jid":")" + jid + R"(","reserve_until":")" + in_seconds(600) +
                       "\"}") == "+OK");
    }
    CHECK(server.daemon.stop() == 0);
    server.daemon.start();
    Wire wire = server.unix_client();
    CHECK(eventually([&] { return state(wire, other) == "failed"; }));
    CHECK(state(wire, jid) == "working");
    CHECK(wire.ask("ACK {\"jid\":\"" + jid + "\"}") == "+OK");
    CHECK(state(wire, jid) == "success");
}

TEST_CASE("faktory 10 batch: NEW answers a bulk bid that starts with b-", "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q"), cb = fresh("cb");
    std::string bid = new_batch(wire, R"("description":"Images","complete":)" + callback("C", cb));
    CHECK(bid.starts_with("b-"));
    json s = wire.ask_json("BATCH STATUS " + bid);
    CHECK(s.at("bid") == bid);
    CHECK(s.at("description") == "Images");
    CHECK_FALSE(s.contains("parent_bid"));
    CHECK(parse_rfc3339_ms(s.at("created_at").get<std::string>()));
    CHECK(status(wire, bid) == "0 0 0 '' ''");
    CHECK(wire.ask("BATCH OPEN " + bid) == bid);
    CHECK(wire.ask("BATCH COMMIT " + bid) == "+OK");
    // The callback need not have a jid, nor args.
    std::string bare = new_batch(wire, R"("success":{"jobtype":"S","queue":")" + cb + "\"}");
    CHECK(bare.starts_with("b-"));
}

TEST_CASE("faktory 10 batch: a batch or bid that is not there", "[faktory]") {
    Wire wire = shared().client();
    for (const char* verb : {"STATUS", "OPEN", "COMMIT"})
        CHECK(wire.ask("BATCH " + std::string(verb) + " b-none") == "-ERR No such batch b-none");
    CHECK(wire.ask("BATCH STATUS non-existent-batch-id") ==
          "-ERR No such batch non-existent-batch-id");
    CHECK(push(wire, fresh("q"), R"({"bid":"b-none"})") == "-ERR No such batch b-none");
    CHECK(new_batch(wire, R"("parent_bid":"b-none","success":)" + callback("S", "q")) ==
          "-ERR No such batch b-none");
    CHECK(new_batch(wire, "") == "-ERR a batch needs a success or a complete callback");
    CHECK(wire.ask("BATCH NEW []").starts_with("-ERR invalid JSON"));
    CHECK(wire.ask("BATCH CLOSE x") == "-ERR no such BATCH subcommand: CLOSE");
}

TEST_CASE("faktory 10 batch: jobs run at once, callbacks wait for COMMIT, success for complete",
          "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q"), cb = fresh("cb");
    std::string bid =
        new_batch(wire, "\"complete\":" + callback("C", cb) + ",\"success\":" + callback("S", cb));
    for (int i = 0; i < 2; ++i)
        CHECK(push(wire, q, "{\"bid\":\"" + bid + "\"}") == "+OK");
    CHECK(status(wire, bid) == "2 2 0 '' ''");
    json job = take(wire, q);
    CHECK(job.at("custom").at("bid") == bid);
    CHECK(status(wire, bid) == "2 1 0 '' ''");
    std::string failed = take(wire, q, "FAIL").at("jid");
    CHECK(status(wire, bid) == "2 0 1 '' ''");  // pending falls at the first ACK or FAIL
    CHECK(wire.ask("BATCH COMMIT " + bid) == "+OK");
    CHECK(status(wire, bid) == "2 0 1 '1' ''");
    job = take(wire, cb);
    CHECK(job.at("jobtype") == "C");
    CHECK(job.at("custom").at("_bid") == bid);
    CHECK_FALSE(job.at("custom").contains("_pbid"));  // it has no parent
    CHECK_FALSE(job.at("custom").contains("bid"));
    CHECK(status(wire, bid) == "2 0 1 '2' ''");
    CHECK(wire.ask(R"(MUTATE {"cmd":"requeue","target":"retries","filter":{"jids":[")" + failed +
                   "\"]}}") == "+OK");
    take(wire, q);
    CHECK(status(wire, bid) == "2 0 0 '2' '1'");
    CHECK(take(wire, cb, "FAIL").at("jobtype") == "S");
    CHECK(status(wire, bid) == "2 0 0 '2' '1'");  // a failed callback stays "1"
    CHECK(wire.ask("FETCH " + cb) == "$-1");
}

TEST_CASE("faktory 10 batch: an empty batch fires at its COMMIT", "[faktory]") {
    Wire wire = shared().client();
    std::string cb = fresh("cb");
    std::string bid =
        new_batch(wire, "\"complete\":" + callback("C", cb) + ",\"success\":" + callback("S", cb));
    CHECK(wire.ask("BATCH COMMIT " + bid) == "+OK");
    CHECK(status(wire, bid) == "0 0 0 '1' ''");
    CHECK(take(wire, cb).at("jobtype") == "C");
    CHECK(status(wire, bid) == "0 0 0 '2' '1'");
    CHECK(take(wire, cb).at("jobtype") == "S");
    CHECK(status(wire, bid) == "0 0 0 '2' '2'");
}

TEST_CASE("faktory 10 batch: a child's success callback ends before the parent's is enqueued",
          "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q"), cb = fresh("cb");
    std::string parent = new_batch(wire, "\"success\":" + callback("Parent", cb));
    CHECK(push(wire, q, "{\"bid\":\"" + parent + "\"}") == "+OK");
    std::string child =
        new_batch(wire, "\"parent_bid\":\"" + parent + "\",\"success\":" + callback("Child", cb));
    CHECK(push(wire, q, "{\"bid\":\"" + child + "\"}") == "+OK");
    CHECK(wire.ask("BATCH COMMIT " + child) == "+OK");
    CHECK(wire.ask("BATCH COMMIT " + parent) == "+OK");
    CHECK(wire.ask_json("BATCH STATUS " + child).at("parent_bid") == parent);
    CHECK(status(wire, parent) == "1 1 0 '' ''");  // its own jobs, not the child's
    take(wire, q);
    take(wire, q);
    CHECK(status(wire, parent) == "1 0 0 '' ''");
    json job = take(wire, cb, "");
    CHECK(job.at("jobtype") == "Child");
    CHECK(job.at("custom").at("_bid") == child);
    CHECK(job.at("custom").at("_pbid") == parent);
    CHECK(status(wire, parent) == "1 0 0 '' ''");
    json info = wire.ask_json("BATCH STATUS " + child);
    CHECK(info.at("success_st") == "1");
}

TEST_CASE("faktory 10 batch: a finished batch is opened again, and no callback fires twice",
          "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q"), cb = fresh("cb");
    std::string bid = new_batch(wire, "\"success\":" + callback("S", cb));
    CHECK(wire.ask("BATCH COMMIT " + bid) == "+OK");
    CHECK(take(wire, cb).at("jobtype") == "S");
    CHECK(wire.ask("BATCH OPEN " + bid) == bid);
    CHECK(push(wire, q, "{\"bid\":\"" + bid + "\"}") == "+OK");
    CHECK(wire.ask("BATCH COMMIT " + bid) == "+OK");
    CHECK(status(wire, bid) == "1 1 0 '' '2'");
    take(wire, q);
    CHECK(status(wire, bid) == "1 0 0 '' '2'");
    CHECK(wire.ask("FETCH " + cb) == "$-1");
}

TEST_CASE("faktory 10 batch: a FETCH that waits is woken by a callback", "[faktory]") {
    Wire wire = shared().client(), worker = shared().client();
    std::string cb = fresh("cb");
    std::string bid = new_batch(wire, "\"success\":" + callback("S", cb));
    CHECK(worker.send("FETCH " + cb + "\r\n"));
    CHECK(worker.is_silent(50));
    CHECK(wire.ask("BATCH COMMIT " + bid) == "+OK");
    CHECK(json::parse(worker.reply(1'000)).at("jobtype") == "S");
}

TEST_CASE("faktory 10 batch: counts, locks and callbacks survive a kill of jobqd and its Redis",
          "[faktory]") {
    FaktoryServer server;
    std::string bid;
    {
        Wire wire = server.client();
        bid = new_batch(wire, "\"success\":" + callback("S", "cb"));
        CHECK(push(wire, "q", "{\"bid\":\"" + bid + "\",\"unique_for\":600}") == "+OK");
        CHECK(wire.ask("BATCH COMMIT " + bid) == "+OK");
    }
    server.daemon.kill();
    server.daemon.start();
    Wire wire = server.unix_client();
    CHECK(status(wire, bid) == "1 1 0 '' ''");
    CHECK(push(wire, "q", R"({"unique_for":600})") == "-NOTUNIQUE Job not unique");
    take(wire, "q");
    CHECK(push(wire, "q", R"({"unique_for":600})") == "+OK");
    CHECK(take(wire, "cb").at("jobtype") == "S");
    CHECK(status(wire, bid) == "1 0 0 '' '2'");
}

TEST_CASE("faktory 10 throttles: a queue's limits, in all and by worker", "[faktory]") {
    FaktoryServer server("[queue.two]\nconcurrency = 2\n[queue.each]\nworker_concurrency = 1\n");
    Wire a = server.worker("worker-a"), b = server.worker("worker-b");
    for (int i = 0; i < 3; ++i) {
        CHECK(push(a, "two", "{}") == "+OK");
        CHECK(push(a, "each", "{}") == "+OK");
    }
    std::string jid = take(a, "two", "").at("jid");
    take(b, "two", "");
    CHECK(b.send("FETCH two\r\n"));
    CHECK(b.is_silent(50));
    CHECK(a.ask("ACK {\"jid\":\"" + jid + "\"}") == "+OK");  // a free slot wakes who waits
    CHECK(json::parse(b.reply(1'000)).at("queue") == "two");
    take(a, "each", "");
    CHECK(a.ask("FETCH each") == "$-1");
    CHECK(take(b, "each").at("queue") == "each");
    CHECK(take(b, "each").at("queue") == "each");
}

TEST_CASE("faktory 10 throttles: a worker at its limit passes a push on to one that is not",
          "[faktory]") {
    FaktoryServer server("[queue.each]\nworker_concurrency = 1\n");
    Wire busy = server.worker("worker-busy"), more = server.worker("worker-busy"),
         free_one = server.worker("worker-free");
    CHECK(push(busy, "each", "{}") == "+OK");
    take(busy, "each", "");
    for (Wire* wire : {&busy, &more, &free_one}) {
        CHECK(wire->send("FETCH each\r\n"));
        CHECK(wire->is_silent(20));
    }
    Wire client = server.client();
    CHECK(push(client, "each", "{}") == "+OK");
    CHECK(json::parse(free_one.reply(1'000)).at("queue") == "each");
}

TEST_CASE("faktory 6 reservation: one that ends while Redis hangs is settled when it is back",
          "[faktory]") {
    FaktoryServer server(
        "[server]\nreserve_min = \"1s\"\n[queue.q]\nconcurrency = 1\n[runner]\nstart = false\n");
    Wire wire = server.unix_client();
    std::string jid = fresh("ent-hang-");
    CHECK(wire.ask("PUSH " + job_of(jid, "q", R"(,"reserve_for":1,"custom":{"track":1})")) ==
          "+OK");
    CHECK(push(wire, "q", "{}") == "+OK");
    take(wire, "q", "");
    const pid_t redis = server.daemon.redis_pid();
    REQUIRE(::kill(redis, SIGSTOP) == 0);
    // Until a call was given up: jobqd does not know whether it was done.
    CHECK(wire.ask("INFO").starts_with("-ERR"));
    REQUIRE(::kill(redis, SIGCONT) == 0);
    CHECK(eventually([&] {
        std::string seen = wire.ask("TRACK GET " + jid);
        return seen.starts_with("{") && json::parse(seen).at("state") != "working";
    }));
    CHECK(eventually([&] { return wire.ask("FETCH q").starts_with("{"); }));
}

TEST_CASE("faktory 10 batch: a callback's expires_in does not run from BATCH NEW", "[faktory]") {
    Wire wire = shared().client();
    std::string cb = fresh("cb");
    std::string bid = new_batch(wire, R"("success":{"jobtype":"S","args":[],"queue":")" + cb +
                                          R"(","custom":{"expires_in":0.001}})");
    CHECK(wire.ask("FETCH " + fresh("empty")) == "$-1");  // it would be over long since
    CHECK(wire.ask("BATCH COMMIT " + bid) == "+OK");
    CHECK(take(wire, cb).at("jobtype") == "S");
}

TEST_CASE("INFO with more than a hundred queues is right within a second or so", "[faktory]") {
    FaktoryServer server;
    Wire wire = server.client();
    for (int i = 0; i < 120; ++i)
        REQUIRE(push(wire, "many-" + std::to_string(i), "{}") == "+OK");
    auto total = [&] {
        return wire.ask_json("INFO").at("faktory").at("total_enqueued").get<int>();
    };
    CHECK(eventually([&] { return total() == 120; }));
    CHECK(push(wire, "many-0", "{}") == "+OK");
    CHECK(eventually([&] { return total() == 121; }, std::chrono::seconds(3)));
}

TEST_CASE("faktory 10 INFO: the description has Enterprise in it", "[faktory]") {
    Wire wire = shared().client();
    std::string description = wire.ask_json("INFO").at("server").at("description");
    CHECK(description.find("Enterprise") != description.npos);
}

}  // namespace jobq::test
