// The command line without a daemon: what it says about wrong words, wrong values, wrong payloads
// and a daemon that is not there. Every case names its exit status and a part of the message.
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/live/cli_kit.h"
#include "tests/support/paths.h"

namespace jobq::test {
namespace {

Ran offline(std::vector<std::string> args) {
    CliCall call;
    call.args = std::move(args);
    return run_cli(call);
}

Ran with_input(std::vector<std::string> args, std::string input) {
    CliCall call;
    call.args = std::move(args);
    call.input = std::move(input);
    call.no_input = false;
    return run_cli(call);
}

struct Wrong {
    std::vector<std::string> args;
    int status;
    std::string says;
};

void check(const Wrong& wrong) {
    const Ran ran = offline(wrong.args);
    INFO("jobq " << (wrong.args.empty() ? "" : wrong.args.front()) << " ... " << wrong.says);
    INFO(ran.err);
    CHECK(ran.status == wrong.status);
    CHECK(contains(ran.err, wrong.says));
    CHECK(ran.err.starts_with("jobq: "));
    CHECK(ran.out.empty());
}

}  // namespace

TEST_CASE("jobq alone shows short help with an example") {
    const Ran ran = offline({});
    CHECK(ran.status == 0);
    CHECK(contains(ran.out, "$ jobq enqueue"));
    CHECK(std::count(ran.out.begin(), ran.out.end(), '\n') <= 15);
    CHECK(ran.err.empty());
}

TEST_CASE("a wrong verb or option is answered with the nearest right one") {
    const std::vector<Wrong> all{
        {{"enque", "email"}, 2, "did you mean 'enqueue'?"},
        {{"xyzzy"}, 2, "'xyzzy' is not a jobq verb"},
        {{"enqueue", "email", "--paylod", "x"}, 2, "did you mean '--payload'?"},
        {{"list", "--stat=dead"}, 2, "did you mean '--state'?"},
        {{"queue", "puase", "a"}, 2, "did you mean 'pause'?"},
        {{"list", "--state", "ded"}, 2, "did you mean 'dead'?"},
        {{"list", "-o", "jsn"}, 2, "did you mean 'json'?"},
        {{"completion", "bsh"}, 2, "did you mean 'bash'?"},
        {{"help", "enqeue"}, 2, "did you mean 'enqueue'?"},
        {{"-Z"}, 2, "no verb on the command line"},
        {{"config"}, 2, "`jobq config` needs a verb"},
    };
    for (const auto& wrong : all)
        check(wrong);
}

TEST_CASE("words of a later version are refused and name what works today") {
    for (const char* verb : {"cron", "key"}) {
        check({{verb}, 2, "not available in this version yet"});
        check({{verb, "--help"}, 2, "not available in this version yet"});
        check({{"help", verb}, 2, "not available in this version yet"});
        CHECK_FALSE(contains(offline({"help"}).out, std::string("  ") + verb + " "));
    }
    check({{"enqueue", "email", "--after", "x"}, 2, "jobq wait"});
    check({{"enqueue", "email", "--after"}, 2, "jobq wait"});
    check({{"enqueue", "email", "--unique-until", "start"}, 2, "--unique-for"});
    check({{"enqueue", "email", "--unique-for", "1m", "--unique-until", "x"}, 2, "success"});
}

TEST_CASE("values that can't be meant are refused before anything is sent") {
    const std::vector<Wrong> all{
        {{"enqueue"}, 2, "needs a TYPE"},
        {{"enqueue", std::string(256, 'x')}, 2, "at most 255 bytes"},
        {{"enqueue", "a\nb"}, 2, "without control characters"},
        {{"enqueue", "My::Worker", "--queue", "My::Queue"}, 2, "'My::Queue' is not a valid name"},
        {{"enqueue", "email", "{}"}, 2, "--payload FILE|-|JSON"},
        {{"enqueue", "email", "--queue", "a/b"}, 2, "--queue: 'a/b' is not a valid name"},
        {{"enqueue", "email", "--queue="}, 2, "--queue has an empty value"},
        {{"enqueue", "email", "--payload"}, 2, "--payload requires a value: --payload FILE"},
        {{"enqueue", "email", "-p"}, 2, "--payload requires a value: --payload FILE"},
        {{"list", "--queue", "--state", "dead"}, 2, "--queue requires a value: --queue NAME"},
        {{"run", "--env=A=", "--server", "unix:/nowhere", "--", "true"}, 69, "/nowhere"},
        {{"enqueue", "email", "--queue"}, 2, "--queue"},
        {{"enqueue", "email", "--priority", "10"}, 2, "--priority: '10'"},
        {{"enqueue", "email", "--max-attempts", "0"}, 2, "from 1 to 1000"},
        {{"enqueue", "email", "--in", "-5m"}, 2, "--in: '-5m' is in the past"},
        {{"enqueue", "email", "--in", "5"}, 2, "has no unit"},
        {{"enqueue", "email", "--in", "5m", "--at", "in 5m"}, 2, "can't be used together"},
        {{"enqueue", "email", "--at", "tomorrow"}, 2, "--at:"},
        {{"enqueue", "email", "--timeout", "0s"}, 2, "--timeout"},
        {{"enqueue", "--jsonl", "-", "--wait"}, 2, "--wait and --jsonl"},
        {{"enqueue", "--jsonl", "-", "--id", "a"}, 2, "--id applies to a single job"},
        {{"run"}, 2, "needs more"},
        {{"run", "--env", "JOBQ_NO_SUCH_VARIABLE", "--", "true"},
         2,
         "is not set in the environment"},
        {{"status"}, 2, "needs more arguments: jobq status JID"},
        {{"result", "a", "b"}, 2, "does not take 'b'"},
        {{"wait", "--timeout", "x", "a"}, 2, "--timeout"},
        {{"list", "--since", "yesterday"}, 2, "neither an age nor a time"},
        {{"retry-dead"}, 2, "needs ids, a filter, or --all"},
        {{"retry-dead", "--all", "--rate", "0/s"}, 2, "--rate: '0/s' is not a rate from 1 to"},
        {{"retry-dead", "--all", "--rate", "50/h"}, 2, "use 50/s"},
        {{"retry-dead", "--all", "--rate", "100001"}, 2, "from 1 to 100000"},
        {{"retry-dead", "a-job", "--rate", "5"}, 2, "can't be used with filters or --rate"},
        {{"workers", "stop"}, 2, "a worker id or --all is required"},
        {{"stats", "--interval", "1s"}, 2, "needs --watch"},
        {{"top", "--interval", "0"}, 2, "has no unit"},
        {{"top", "--interval", "0s"}, 2, "from 100ms to 24h"},
        {{"top", "--snapshots", "0"}, 2, "whole number from 1"},
        {{"top", "--once", "--snapshots", "2"}, 2, "can't be used together"},
        {{"top", "--onse"}, 2, "has no option --onse"},
        {{"--server", "ftp://x", "ping"}, 2, "ftp://"},
        {{"--server", "tcp://h:99999", "ping"}, 2, "its port is not a number from 0 to 65535"},
    };
    for (const auto& wrong : all)
        check(wrong);
}

TEST_CASE("verbs that destroy need --yes where nobody can be asked") {
    check({{"rm", "some-job"}, 2, "--yes is required"});
    CHECK(with_input({"rm", "-"}, "a\nb\n").status == 2);
}

TEST_CASE("a payload that is no payload is refused with its place") {
    const TempDir dir;
    const std::string missing = dir / "missing.json";
    const std::string bad_utf8 = dir.write("utf8.json", "\"\xff\"");
    const std::string broken = dir.write("broken.json", "{\n  \"a\": 1,\n  \"b\" 2\n}\n");
    const std::string big = dir.write("big.json", "\"" + std::string(1 << 20, 'x') + "\"");
    const std::string deep = dir.write("deep.json", std::string(65, '[') + std::string(65, ']'));
    const std::string abyss = dir.write("abyss.json", std::string(1'000'000, '['));
    const std::string huge = dir.write("huge.json", "1e999");
    const std::string empty = dir.write("empty.json", "");
    const std::vector<Wrong> all{
        {{"enqueue", "t", "--payload", missing}, 66, "is neither a file nor JSON text"},
        {{"enqueue", "t", "--payload", "table.json"}, 66, "is neither a file nor JSON text"},
        {{"enqueue", "t", "--payload", dir.path()}, 66, "is a directory"},
        {{"enqueue", "t", "--payload", "{\"a\":}"}, 65, "line 1, column 6"},
        {{"enqueue", "t", "--payload", "{} {}"}, 65, "line 1, column 4"},
        {{"enqueue", "t", "--payload", broken}, 65, "line 3, column 7"},
        {{"enqueue", "t", "--payload", bad_utf8}, 65, "ill-formed UTF-8"},
        {{"enqueue", "t", "--payload", "\"\xff\""}, 65, "not valid UTF-8"},
        {{"enqueue", "t", "--payload", big}, 65, "more than 1048576 bytes"},
        {{"enqueue", "t", "--payload", deep}, 65, "deeper than 64"},
        {{"enqueue", "t", "--payload", abyss}, 65, "deeper than 64"},
        {{"enqueue", "t", "--payload", huge}, 65, "huge.json"},
        {{"enqueue", "t", "--payload", empty}, 65, "is empty"},
        {{"enqueue", "--jsonl", missing}, 66, "can't open"},
        {{"enqueue", "--jsonl", dir.path()}, 66, "is a directory"},
    };
    for (const auto& wrong : all)
        check(wrong);
    const Ran nothing = with_input({"enqueue", "t", "--payload", "-"}, "");
    CHECK(nothing.status == 65);
    CHECK(contains(nothing.err, "stdin is empty"));
    const Ran piped = with_input({"enqueue", "t"}, "not json");
    CHECK(piped.status == 65);
    CHECK(contains(piped.err, "stdin: the payload is not JSON: line 1, column 2"));
}

TEST_CASE("without a daemon the answer comes at once and says what was tried and what to run") {
    const TempDir dir;
    CliCall call;
    call.args = {"ping"};
    call.env["JOBQ_URL"] = "unix:" + (dir / "none.sock");
    const Ran ran = run_cli(call);
    CHECK(ran.status == 69);
    CHECK(contains(ran.err, "unix:" + (dir / "none.sock") + ": No such file or directory"));
    CHECK(contains(ran.err, "jobqd --dev"));
    CHECK(ran.seconds < 8);

    // A socket that nobody listens on, where one is looked for by default.
    dir.write("jobq.sock", "");
    // With an empty /run where that is possible: a jobqd of this machine may listen in /run/jobq.
    CliCall by_default;
    by_default.program = "/bin/sh";
    by_default.args = {"-c",
                       "if unshare -m true 2>&-; then exec unshare -m sh -c 'mount -t tmpfs none "
                       "/run && exec \"$0\" ping' \"$0\"; else exec \"$0\" ping; fi",
                       kJobqProgram};
    by_default.env["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
    by_default.env["XDG_RUNTIME_DIR"] = dir.path();
    const Ran tried = run_cli(by_default);
    INFO(tried.err);
    CHECK(tried.status == 69);
    CHECK(contains(tried.err, "unix:" + (dir / "jobq.sock") + ": Connection refused"));
    CHECK(contains(tried.err, "unix:/run/jobq/jobq.sock"));

    CliCall tcp;
    tcp.args = {"ping"};
    tcp.env["JOBQ_URL"] = "tcp://:geheim@127.0.0.1:1";
    const Ran refused = run_cli(tcp);
    CHECK(refused.status == 69);
    CHECK(contains(refused.err, "tcp://127.0.0.1:1: Connection refused"));
    CHECK_FALSE(contains(refused.err, "geheim"));
}

TEST_CASE("a password on the command line is refused and not repeated") {
    const Ran ran = offline({"--server", "tcp://:geheim@127.0.0.1:1", "ping"});
    CHECK(ran.status == 2);
    CHECK(contains(ran.err, "JOBQ_URL"));
    CHECK_FALSE(contains(ran.err, "geheim"));
}

TEST_CASE("a configuration is checked without a daemon, every error with its place") {
    const TempDir dir;
    const std::string good = dir.write("good.toml", "[pool.default]\nkind = \"exec\"\nslots = 3\n");
    const std::string bad =
        dir.write("bad.toml", "[pool.default]\nkind = \"exe\"\nslots = 0\n[listn]\nunix = 3\n");
    const Ran fine = offline({"config", "check", good});
    CHECK(fine.status == 0);
    CHECK(fine.out == good + ": valid\n");
    const Ran errors = offline({"config", "check", bad});
    CHECK(errors.status == 78);
    CHECK(contains(errors.err, bad + ":2:"));
    CHECK(contains(errors.err, bad + ":3:"));
    CHECK(contains(errors.err, bad + ":4:"));
    CHECK(contains(offline({"config", "check", "--json", bad}).out, "\"line\":2"));
    const Ran shown = offline({"config", "show", good});
    CHECK(shown.status == 0);
    CHECK(contains(shown.out, "slots = 3"));
    CHECK(offline({"config", "check", dir / "none.toml"}).status == 66);
}

TEST_CASE("output that can't be written is an error") {
    for (const std::string& command :
         {kJobqProgram + std::string(" version"), kJobqdProgram + std::string(" --version"),
          kJobqdProgram + std::string(" --print-config")}) {
        CliCall call;
        call.program = "/bin/sh";
        call.args = {"-c", command + " > /dev/full"};
        const Ran ran = run_cli(call);
        CHECK(ran.status == 70);
        CHECK(contains(ran.err, "can't write to stdout"));
    }
}

}  // namespace jobq::test
