// The command line taken apart: verbs, options, what is wrong and what was probably meant.
#include "cli/parse.h"

#include <catch2/catch.hpp>

using namespace jobq;
using namespace jobq::cli;

namespace {

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("parse: verbs, options and words end up where they belong") {
    auto parsed =
        parse({"enqueue", "email", "--queue", "mail", "--payload={\"a\":[1,2]}", "-o", "json"});
    REQUIRE(parsed);
    CHECK(parsed->args.verb->name == "enqueue");
    CHECK(parsed->args.words == Words{"email"});
    CHECK(parsed->args.text("--queue") == "mail");
    CHECK(parsed->args.text("--payload") == "{\"a\":[1,2]}");
    CHECK(parsed->format == Format::json);

    parsed = parse({"queue", "--server", "unix:/x", "pause", "a", "b"});
    REQUIRE(parsed);
    CHECK(parsed->args.verb->name == "queue pause");
    CHECK(parsed->args.words == Words{"a", "b"});
    CHECK(parsed->args.text("--server") == "unix:/x");

    // What follows the options of run is the command, whatever it looks like.
    parsed = parse({"run", "--wait", "ls", "--wait", "-o", "json"});
    REQUIRE(parsed);
    CHECK(parsed->args.has("--wait"));
    CHECK(parsed->args.words == Words{"ls", "--wait", "-o", "json"});
    CHECK(parsed->format == Format::text);

    parsed = parse({"status", "--", "--odd-id"});
    REQUIRE(parsed);
    CHECK(parsed->args.words == Words{"--odd-id"});
    parsed = parse({"run", "--env", "A=B=", "--env=C=", "--", "true"});
    REQUIRE(parsed);
    CHECK(parsed->args.words == Words{"true"});
}

TEST_CASE("parse: help and version need nothing else to be right") {
    CHECK(parse({})->args.verb == nullptr);
    CHECK(parse({"--version"})->version);
    CHECK(parse({"-V"})->version);
    CHECK(parse({"enqueue", "--bogus", "--help"})->help);
    CHECK(parse({"queue", "--help"})->help_topic == "queue");
}

TEST_CASE("parse: each mistake is told with what was meant, as a usage failure") {
    struct Case {
        Words words;
        std::string text;
        int status = 2;
    };

    const std::vector<Case> cases{
        {{"enqeue", "x"}, "enqueue"},
        {{"config"}, "needs a verb"},
        {{"queue", "pasue", "x"}, "pause"},
        {{"--queue", "x"}, "'x' is not a jobq verb"},
        {{"queue", "pause"}, "needs more arguments"},
        {{"enqueue", "a", "b"}, "does not take 'b'"},
        {{"enqueue", "a", "--quue", "b"}, "--queue"},
        {{"enqueue", "a", "--queue"}, "--queue requires a value: --queue NAME"},
        {{"enqueue", "a", "-p"}, "--payload requires a value"},
        {{"list", "--queue", "--state", "dead"}, "--queue requires a value"},
        {{"enqueue", "a", "--queue="}, "--queue has an empty value"},
        {{"stats", "-o", "yaml"}, "'yaml' is not one of text, json and jsonl"},
        {{"enqueue", "a\xff"}, "argument 2 is not valid UTF-8", 65},
    };
    for (const auto& one : cases) {
        std::string line;
        for (const auto& word : one.words)
            line += word + " ";
        INFO(line);
        const auto parsed = parse(one.words);
        REQUIRE(!parsed);
        INFO(parsed.error().text << " / " << parsed.error().hint);
        CHECK((parsed.error().text + parsed.error().hint).find(one.text) != std::string::npos);
        CHECK(parsed.error().status == one.status);
    }
}
