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

TEST_CASE("intake: what is advised for a job that nothing runs would make something run it") {
    Config config;
    PoolConfig pool;
    pool.name = "main";
    pool.queues = {{"default", 1}};
    config.pools["main"] = pool;
    config.types["mail"].run = {"mail"};
    config.types["quiet"].webhook = "https://example.com";  // says nothing of how it is run
    const auto advice = [&](const std::string& type, const std::string& queue) {
        return intake::handler_advice(type, queue, config);
    };
    CHECK(advice("new", "default") == "configure [type.new] run = [...], or start a worker for it");
    CHECK(
        advice("quiet", "other") ==
        "configure [type.quiet] run = [...] and a pool with that queue, or start a worker for it");
    CHECK(advice("mail", "other") ==
          "configure a pool with kind = \"exec\", queues = [\"other\"], or start a worker for it");
    CHECK(advice("run", "other") == "configure a pool with kind = \"exec\", queues = [\"other\"]");
    CHECK(advice("App::Mail", "default") ==
          "start a worker for it, or configure a child pool with that queue");
    CHECK(advice("noop", "default") ==
          "configure a pool with kind = \"thread\", queues = [\"default\"], types = [\"noop\"], or "
          "start a worker for it");
    config.pools["main"].types = {"print"};
    CHECK(advice("mail", "default") ==
          "add \"mail\" to types of [pool.main], or start a worker for it");
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
