// Bytes from outside that mean nothing are an error, never the end of the program: configurations,
// jobs and verbs changed at random, and files that can't be written.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>

#include "core/base/file.h"
#include "core/base/rng.h"
#include "core/config/config.h"
#include "core/protocol/import_wire.h"
#include "core/protocol/job_wire.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using namespace jobq::test;

namespace {

constexpr int64_t kNow = 1'795'305'600'000;

// A few bytes others, doubled, cut out or put in.
std::string changed(std::string text, Rng& rng) {
    static constexpr std::string_view kMarks = "\"'[]{}=.,:#\n\\0 9e-+\xff\x80_ut";
    for (uint64_t n = 1 + rng.below(6); n > 0 && !text.empty(); --n) {
        const size_t at = rng.below(text.size());
        const size_t size = std::min<size_t>(text.size() - at, rng.below(20));
        switch (rng.below(4)) {
            case 0:
                text[at] = kMarks[rng.below(kMarks.size())];
                break;
            case 1:
                text.insert(at, text.substr(at, size));
                break;
            case 2:
                text.erase(at, size);
                break;
            default:
                text.insert(at, std::string(1 + rng.below(3), kMarks[rng.below(kMarks.size())]));
        }
    }
    return text;
}

}  // namespace

TEST_CASE("a configuration of any bytes is read or refused") {
    Rng rng(7);
    size_t refused = 0;
    std::vector<std::string> samples;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::string(kSourceDir) + "/config"))
        if (entry.path().extension() == ".toml") samples.push_back(read_file(entry.path()));
    REQUIRE(samples.size() > 0);
    for (int i = 0; i < 1'500; ++i) {
        const std::string text = changed(samples[rng.below(samples.size())], rng);
        INFO(text);
        auto loaded = load_config_text("any.toml", text);
        refused += !loaded.errors.empty();
    }
    CHECK(refused > 100);
}

TEST_CASE("a job of any bytes is read or refused") {
    Rng rng(8);
    const std::string kEnqueue =
        R"({"type":"mail","payload":{"a":[1,"\u00e9"]},"delay_ms":5,"expires_ms":7,"timeout":"5s",)"
        R"("tags":["x"],"unique_for_ms":5,"priority":9,"max_attempts":3,"jid":"abcdefgh"})";
    const std::string kPush =
        R"({"jid":"abcdefgh","jobtype":"mail","args":[1],"at":"2026-11-22T10:59:59Z","retry":3,)"
        R"("reserve_for":60,"custom":{"unique_for":5,"expires_in":1e3,"bid":"b-1"}})";
    const std::string kImport =
        R"({"state":"retrying","at_ms":9,"job":)" + kPush.substr(0, kPush.size() - 1) +
        R"(,"failure":{"retry_count":2,"errtype":"E","message":"m","backtrace":["l"]}}})";
    for (int i = 0; i < 5'000; ++i) {
        (void)parse_enqueue(changed(kEnqueue, rng), kNow, "new-jid-1");
        (void)parse_push(changed(kPush, rng), kNow);
        (void)parse_import(changed(kImport, rng), kNow);
    }
    CHECK(parse_import(kImport, kNow));
}

TEST_CASE("times near the end of all numbers are refused or kept in their bounds") {
    const std::string kMost = std::to_string(INT64_MAX);
    auto enqueue = [&](const std::string& member) {
        return parse_enqueue("{\"type\":\"mail\"," + member + "}", kNow, "new-jid-1");
    };
    CHECK_THAT(enqueue("\"delay_ms\":" + kMost).error().text,
               Catch::Contains("is beyond the year 9999"));
    CHECK(enqueue("\"delay_ms\":" + std::to_string(limits::kTimeMaxMs - kNow)).has_value());
    auto expires = enqueue("\"expires_ms\":" + kMost);
    REQUIRE(expires);
    CHECK(expires->job.expires_ms == limits::kTimeMaxMs);
    CHECK_FALSE(enqueue("\"expires_ms\":-" + kMost));
    CHECK_FALSE(enqueue("\"delay_ms\":-" + kMost));
    CHECK_FALSE(enqueue("\"timeout_ms\":" + kMost));
    CHECK_FALSE(enqueue("\"unique_for_ms\":" + kMost));
    auto pushed = parse_push(
        "{\"jid\":\"abcdefgh\",\"jobtype\":\"t\",\"args\":[],\"custom\":"
        "{\"expires_in\":253402300799}}",
        kNow);
    REQUIRE(pushed);
    CHECK(pushed->expires_ms == limits::kTimeMaxMs);
}

TEST_CASE("a small file is replaced whole or stays as it was") {
    TempDir dir;
    const std::string path = dir / "mark";
    REQUIRE(write_small_file(path, "first\n"));
    CHECK(read_file(path) == "first\n");
    REQUIRE(write_small_file(path, "second\n"));
    CHECK(read_file(path) == "second\n");
    {
        // As a full disk: the write fails in its middle.
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit before{}, small{};
        getrlimit(RLIMIT_FSIZE, &before);
        small = before;
        small.rlim_cur = 3;
        setrlimit(RLIMIT_FSIZE, &small);
        auto failed = write_small_file(path, "much longer\n");
        setrlimit(RLIMIT_FSIZE, &before);
        std::signal(SIGXFSZ, SIG_DFL);
        REQUIRE_FALSE(failed);
        CHECK(failed.error().code == ErrorCode::storage_full);
    }
    CHECK(read_file(path) == "second\n");
    CHECK_FALSE(std::filesystem::exists(path + ".new"));
    CHECK(write_small_file(dir / "no/such", "x").error().code == ErrorCode::forbidden);
}
