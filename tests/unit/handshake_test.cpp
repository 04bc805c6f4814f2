// Both halves of the handshake, and replies cut out of bytes.
#include "core/protocol/handshake.h"

#include <catch2/catch.hpp>

#include "core/protocol/password.h"
#include "core/protocol/reply.h"

using namespace jobq;

namespace {

std::string json_of(const std::string& line) {
    REQUIRE(line.starts_with("HELLO {"));
    REQUIRE(line.ends_with("}\n"));
    return line.substr(6);
}

}  // namespace

TEST_CASE("handshake: a HELLO comes as it was sent") {
    Hello sent;
    sent.wid = "w";
    sent.hostname = "h\"\\";
    sent.username = "u";
    sent.pwdhash = "p";
    sent.pid = 42;
    sent.labels = {"a", "b"};
    sent.slots = 3;
    auto got = read_hello(json_of(write_hello(sent)));
    REQUIRE(got);
    CHECK(got->version == 2);
    CHECK(got->opted_in);
    CHECK(got->wid == sent.wid);
    CHECK(got->hostname == sent.hostname);
    CHECK(got->username == sent.username);
    CHECK(got->pwdhash == sent.pwdhash);
    CHECK(got->pid == 42);
    CHECK(got->labels == sent.labels);
    CHECK(got->slots == 3);
}

TEST_CASE("handshake: a plain client opts in to nothing, names are read without regard to case") {
    auto plain = read_hello("{}");
    REQUIRE(plain);
    CHECK(plain->version == 0);
    CHECK_FALSE(plain->opted_in);
    CHECK(plain->wid.empty());
    CHECK(read_hello(R"({"WID":"w"})")->wid == "w");
    for (const std::string wrong : {R"({"v":256})", R"({"v":-1})", R"({"v":"2"})", R"({"wid":1})",
                                    R"({"labels":"a"})", R"({"rss_kb":"1"})", "[]", "", "{"}) {
        INFO(wrong);
        CHECK_FALSE(read_hello(wrong));
    }
    for (const std::string fine : {R"({"jobq":"1"})", R"({"slots":"x"})"})
        CHECK(read_hello(fine));
}

TEST_CASE("handshake: a greeting is answered with what it asks for") {
    auto open = answer_greeting("HI {\"v\":2}", {}, "");
    REQUIRE(open);
    CHECK(read_hello(json_of(*open))->pwdhash.empty());
    const PasswordCheck check(std::make_shared<const std::string>("secret"), false);
    std::string greeting = check.greeting();
    greeting = greeting.substr(1, greeting.find_last_not_of("\r\n"));
    auto known = answer_greeting(greeting, {}, "secret");
    REQUIRE(known);
    CHECK(check.accepts(2, read_hello(json_of(*known))->pwdhash));
    CHECK(answer_greeting(greeting, {}, "").error().code == ErrorCode::unauthorized);
    for (const std::string other : {"", "OK", "HI", "HI ", "HI there", "SSH-2.0"}) {
        INFO(other);
        CHECK(answer_greeting(other, {}, "").error().code == ErrorCode::unavailable);
    }
}

TEST_CASE("reply: each kind is cut out, however the bytes come") {
    using Kind = ReplyView::Kind;

    struct Case {
        std::string bytes;
        Kind kind;
        std::string text;
    };

    for (const Case& one :
         {Case{"+OK\r\n", Kind::simple, "OK"}, Case{"+\r\n", Kind::simple, ""},
          Case{"-ERR no such\r\n", Kind::error, "ERR no such"}, Case{"$-1\r\n", Kind::null, ""},
          Case{"$0\r\n\r\n", Kind::bulk, ""}, Case{"$4\r\na\r\nb\r\n", Kind::bulk, "a\r\nb"}}) {
        INFO(one.bytes);
        for (size_t have = 0; have < one.bytes.size(); ++have) {
            auto early = read_reply(std::string_view(one.bytes).substr(0, have), 100);
            REQUIRE(early);
            CHECK_FALSE(*early);
        }
        const std::string two = one.bytes + "+next\r\n";
        auto whole = read_reply(two, 100);
        REQUIRE(whole);
        REQUIRE(*whole);
        CHECK((*whole)->kind == one.kind);
        CHECK((*whole)->text == one.text);
        CHECK((*whole)->bytes == one.bytes.size());
    }
}

TEST_CASE("reply: what is none is refused, also when it never ends") {
    for (const std::string wrong : {"\r\n", "HTTP/1.1 400\r\n", "$x\r\n", "$\r\n", "$101\r\n",
                                    "$-2\r\n", ":1\r\n", "*1\r\n", "$99999999999999999999\r\n"}) {
        INFO(wrong);
        auto got = read_reply(wrong, 100);
        REQUIRE_FALSE(got);
        CHECK(got.error().code == ErrorCode::bad_data);
    }
    CHECK_FALSE(read_reply(std::string(100'000, 'x'), 100));
    CHECK_FALSE(read_reply("+" + std::string(100'000, 'x') + "\r\n", 1 << 20));
}

TEST_CASE("reply: an error's first word is its code") {
    CHECK(error_of("NOT_FOUND no job x").code == ErrorCode::not_found);
    CHECK(error_of("NOT_FOUND no job x").text == "no job x");
    CHECK(error_of("odd").code == ErrorCode::internal);
    CHECK(error_of("odd").text == "odd");
}
