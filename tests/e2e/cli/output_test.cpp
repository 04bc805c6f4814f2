// What a job writes, with the real programs: whole for who keeps up, byte for byte, in the order of
// time; what is left out is told; stdin of `run --wait`.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/rng.h"
#include "core/base/time.h"
#include "tests/support/live/cli_kit.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;

constexpr const char* kConfig = R"([run]
allow = true
[pool.default]
kind = "exec"
queues = ["default"]
slots = 4
)";

std::string numbers(int last) {
    std::string all;
    for (int i = 1; i <= last; ++i)
        all += std::to_string(i) + "\n";
    return all;
}

std::string all_bytes(size_t size) {
    Rng rng(42);
    std::string bytes(size, '\0');
    for (char& byte : bytes)
        byte = char(rng.next());
    return bytes;
}

}  // namespace

TEST_CASE("run --wait gives on all that a command writes, however fast") {
    LiveDaemon daemon(kConfig);
    const Ran ran = daemon.jobq({"run", "--wait", "--", "seq", "1", "400000"});
    INFO(ran.err);
    CHECK(ran.status == 0);
    CHECK((ran.out == numbers(400'000)));
    CHECK(ran.err.empty());
    const Ran both =
        daemon.jobq({"run", "--wait", "--", "sh", "-c", "seq 1 60000; seq 1 60000 >&2"});
    CHECK((both.out == numbers(60'000)));
    CHECK((both.err == numbers(60'000)));
}

TEST_CASE("bytes of any kind come through run --wait and result unchanged") {
    LiveDaemon daemon(kConfig);
    const std::string bytes = all_bytes(50'000);
    const std::string file = daemon.dir().write("bytes", bytes);
    const std::string jid = "bytes-001";
    const Ran ran = daemon.jobq({"run", "--wait", "--id", jid, "--", "cat", file});
    CHECK((ran.out == bytes));
    for (const std::vector<std::string>& more : {std::vector<std::string>{"-o", "raw"}, {}}) {
        std::vector<std::string> args{"result", jid};
        args.insert(args.end(), more.begin(), more.end());
        CHECK((daemon.jobq(args).out == bytes));
    }
    const json reply = json::parse(daemon.jobq({"result", jid, "--json"}).out);
    CHECK(reply.at("binary") == true);
    // JSON, too, with its blanks.
    const std::string odd = "\n {\"a\": 1.10}\n\n";
    daemon.jobq({"run", "--wait", "--id", "odd-json", "--", "printf", "%s", odd});
    CHECK(daemon.jobq({"result", "-o", "raw", "odd-json"}).out == odd);
    CHECK(daemon.jobq({"list", "-o", "raw"}).status == 2);
}

TEST_CASE("what a command writes to both streams is kept in the order of time, with its times") {
    LiveDaemon daemon(kConfig);
    const std::string jid = "both-001";
    const Ran ran = daemon.jobq({"run", "--wait", "--id", jid, "-o", "jsonl", "--", "sh", "-c",
                                 "echo 1; sleep 0.2; echo 2 >&2; sleep 0.2; echo 3"});
    REQUIRE(ran.status == 0);
    std::string seen;
    std::string last_time;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
        const json piece = json::parse(line);
        if (!piece.contains("text")) continue;
        seen += piece.at("stream").get<std::string>() + " " + piece.at("text").get<std::string>();
        const std::string time = piece.at("time");
        REQUIRE(parse_rfc3339_ms(time));
        CHECK(*parse_rfc3339_ms(time) >= parse_rfc3339_ms(last_time).value_or(0));
        last_time = time;
    }
    CHECK(seen == "stdout 1\nstderr 2\nstdout 3\n");
    CHECK(daemon.must({"logs", "--stdout", jid}) == "1\n2\n3");
    const std::string stamped = daemon.must({"logs", "--stdout", "--timestamps", jid});
    CHECK(contains(stamped, last_time + " 3"));
    CHECK(std::count(stamped.begin(), stamped.end(), 'Z') == 3);
}

TEST_CASE("what is left out is told with its place and size, and JSON is whole or refused") {
    LiveDaemon daemon(kConfig);
    const std::string jid = "long-001";
    daemon.must({"run", "--wait", "--id", jid, "--", "seq", "1", "40000"});
    const size_t missing = numbers(40'000).size() - (64 << 10);
    const std::string part = std::to_string(missing) + " bytes of ";
    const std::string place = " left out at byte 32768";
    const Ran result = daemon.jobq({"result", jid});
    CHECK(result.status == 0);
    CHECK(result.out.size() == 64 << 10);
    CHECK(contains(result.err, part + "the result" + place));
    const Ran logs = daemon.jobq({"logs", "--stdout", jid});
    CHECK(logs.out == result.out);
    CHECK(contains(logs.err, part + "stdout" + place));
    const json reply = json::parse(daemon.jobq({"result", jid, "--json"}).out);
    CHECK(reply.at("left_out") == missing);
    CHECK(reply.at("left_out_at") == 32'768);
    const std::string messages = daemon.jobq({"logs", "--stdout", jid, "-o", "jsonl"}).out;
    CHECK(contains(messages, "\"at\":32768,\"left_out\":" + std::to_string(missing)));

    const Ran ran = daemon.jobq({"run", "--wait", "--id", "json-001", "--json", "--", "sh", "-c",
                                 "printf '['; seq -s, 1 40000; printf ']'"});
    CHECK(ran.status == 65);
    CHECK(contains(ran.err, "is JSON of "));
    CHECK(contains(ran.err, "nothing was kept"));
    CHECK(daemon.jobq({"result", "json-001"}).status == 65);
}

TEST_CASE("who comes late to a running job gets all that is in its file") {
    LiveDaemon daemon(std::string(kConfig) + R"([type.held]
run = ["sh", "-c", "seq 1 40000; while [ ! -e {dir}/go ]; do sleep 0.02; done"]
output = "1MiB"
)");
    daemon.must({"enqueue", "held", "--id", "held-001"});
    const std::string all = numbers(40'000);
    CHECK(eventually([&] {
        return contains(daemon.jobq({"logs", "--stdout", "held-001"}).out, "40000");
    }));
    const Ran early = daemon.jobq({"logs", "--stdout", "held-001"});
    CHECK(early.out == all);
    CHECK(!contains(early.err, "left out"));
    daemon.dir().write("go", "");
    const Ran late = daemon.jobq({"logs", "-f", "--stdout", "held-001"});
    CHECK(late.out == all);
    CHECK(!contains(late.err, "left out"));
}

TEST_CASE("a type keeps as much output as it says, in a file, for as long as the job") {
    LiveDaemon daemon(std::string(kConfig) + R"([type.long]
run = ["sh", "-c", "printf '['; seq -s, 1 40000; printf ']'; echo said >&2"]
output = "1MiB"
[type.longer]
run = ["seq", "1", "400000"]
output = "2MiB"
[type.short]
run = ["echo", "hello"]
output = "1MiB"
)");
    const auto files = [&] {
        std::error_code none;
        const auto begin =
            std::filesystem::directory_iterator(daemon.state_dir() + "/output", none);
        return std::distance(begin, std::filesystem::directory_iterator());
    };
    daemon.must({"enqueue", "short", "--wait"});
    CHECK(files() == 0);
    std::string list = "[" + numbers(40'000);
    std::replace(list.begin(), list.end(), '\n', ',');
    const std::string json_text = list.substr(0, list.size() - 1) + "\n]";
    const std::string id = "long-0001";
    CHECK((daemon.must({"enqueue", "long", "--id", id, "--wait"}) == json_text));
    CHECK((daemon.jobq({"result", id, "-o", "raw"}).out == json_text));
    CHECK((daemon.must({"logs", id}) == "said"));
    CHECK(files() == 1);

    const std::string more = "long-0002";
    daemon.must({"enqueue", "longer", "--id", more, "--wait"});
    const Ran raw = daemon.jobq({"result", more, "-o", "raw"});
    const std::string whole = numbers(400'000);
    CHECK(raw.status == 0);
    CHECK((raw.out.substr(0, 2 << 20) == whole.substr(0, 2 << 20)));
    CHECK((raw.out.substr(2 << 20) == whole.substr(whole.size() - (32 << 10))));
    const std::string missing = std::to_string(whole.size() - (2 << 20) - (32 << 10));
    CHECK(contains(raw.err, missing + " bytes of stdout left out at byte 2097152"));
    // Over a restart, too.
    daemon.stop();
    daemon.start();
    CHECK((daemon.jobq({"result", id}).out == json_text + "\n"));
    daemon.must({"rm", "--yes", id, more});
    daemon.stop();
    daemon.start();
    CHECK(eventually([&] { return files() == 0; }, std::chrono::seconds(10)));
}

TEST_CASE("run --wait hands its stdin to the command, up to a limit that it tells") {
    LiveDaemon daemon(kConfig);
    CHECK(daemon.jobq({"run", "--wait", "--", "cat"}, "one\ntwo \"quoted\"\n").out ==
          "one\ntwo \"quoted\"\n");
    const std::string bytes = all_bytes(300'000);
    CHECK((daemon.jobq({"run", "--wait", "--", "cat"}, bytes).out == bytes));
    const Ran much = daemon.jobq({"run", "--wait", "--", "cat"}, std::string(600'000, 'x'));
    CHECK(much.status == 65);
    CHECK(contains(much.err, "stdin has more than 512 KiB"));
    CHECK(daemon.jobq({"run", "--wait", "--", "cat"}).out.empty());
}

}  // namespace jobq::test
