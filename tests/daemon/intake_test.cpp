// May this job come in, and may a stored one be run again: one rule for every door.
#include <catch2/catch.hpp>

#include "daemon/broker/intake_rules.h"
#include "tests/daemon/session_rig.h"

using namespace jobq;
using namespace jobq::test;

namespace {

const Caller kOpen{true}, kKnown{false};

Job job_of(const std::string& type, const std::string& queue = "default") {
    Job job;
    job.jid = "intake-job";
    job.type = type;
    job.queue = queue;
    return job;
}

ErrorCode code_of(const std::optional<Error>& error) {
    REQUIRE(error);
    return error->code;
}

}  // namespace

TEST_CASE("intake: commands come from known callers alone, and where they are allowed") {
    Config config;
    for (bool allowed : {true, false}) {
        config.allow_run = allowed;
        for (const Caller& caller : {kOpen, kKnown}) {
            const bool may = allowed && !caller.open;
            INFO("run.allow " << allowed << ", open " << caller.open);
            CHECK(intake::refuses_commands(caller, config) == !may);
            CHECK(intake::type_refusal(caller, "run", config).has_value() == !may);
            CHECK(intake::rerun_refusal(caller, "run", config).has_value() == !may);
            CHECK(intake::refusal(caller, job_of("run"), config).has_value() == !may);
            CHECK_FALSE(intake::refusal(caller, job_of("running"), config));
            if (!may)
                CHECK(code_of(intake::refusal(caller, job_of("run"), config)) ==
                      ErrorCode::forbidden);
        }
    }
}

TEST_CASE("intake: what is jobqd's own, and a webhook that is not allowed, are refused") {
    const Config config;
    CHECK(code_of(intake::refusal(kKnown, job_of("jobq.webhook"), config)) == ErrorCode::forbidden);
    CHECK(code_of(intake::refusal(kKnown, job_of("t", "jobq.webhooks"), config)) ==
          ErrorCode::forbidden);
    Job told = job_of("t");
    told.webhook = "https://example.com/hook";
    CHECK(intake::refusal(kKnown, told, config));
}

TEST_CASE("intake: no more durability is promised than the store is known to give") {
    const Config config;
    Job job = job_of("t");
    for (std::string given : {"fsync", "everysec", "memory", "unknown", ""})
        CHECK_FALSE(intake::durability_refusal(job, given, config));
    job.durability = Durability::fsync;
    CHECK_FALSE(intake::durability_refusal(job, "fsync", config));
    for (std::string given : {"everysec", "memory", "unknown", ""}) {
        INFO(given);
        CHECK(code_of(intake::durability_refusal(job, given, config)) == ErrorCode::forbidden);
    }
    job.durability = Durability::everysec;
    CHECK_FALSE(intake::durability_refusal(job, "fsync", config));
}

TEST_CASE("intake: once it is closed every door refuses in the same words, and stores nothing") {
    SessionRig<MemoryStore> rig;
    rig.broker.intake().close();
    rig.status.state = DaemonState::stopping;
    rig.with([](const std::string& path) {
        SessionClient client(path);
        CHECK(client.ask("HELLO {\"v\":2,\"jobq\":1}") == "+OK");
        const std::string job = R"({"jid":"abcdefgh","jobtype":"t","args":[]})";
        for (const std::string& line :
             {"PUSH " + job, "PUSHB [" + job + "]", std::string(R"(JOBQ ENQUEUE {"type":"t"})"),
              std::string(R"(JOBQ IMPORT {"jobs":[]})")}) {
            INFO(line);
            CHECK(client.ask(line) == "-UNAVAILABLE " + intake::shutting_down().text);
        }
        CHECK_THAT(client.body("JOBQ PING {}"), Catch::Contains("stopping"));
    });
    std::vector<Job> jobs{job_of("t")};
    auto results = on_loop(rig.reactor, rig.broker.intake().enqueue(std::move(jobs), kKnown));
    REQUIRE(results.size() == 1);
    REQUIRE_FALSE(results[0]);
    CHECK(results[0].error().code == ErrorCode::unavailable);
    auto stats = on_loop(rig.reactor, rig.store.stats());
    REQUIRE(stats);
    CHECK(*stats == StoreStats{});
}
