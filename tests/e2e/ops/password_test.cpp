// The password of jobqd's TCP port, asked of any client; no TLS here.
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/server/guesses.h"
#include "tests/support/live/http_kit.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/live/tcp_client.h"
#include "tests/support/poll.h"

using namespace jobq;
using namespace jobq::test;

namespace {

constexpr const char* kConfig = R"([listen]
tcp = "127.0.0.1:0"
password_file = "{dir}/password"
)";

// With the password "foobar" in its file before it starts.
struct Guarded {
    explicit Guarded(const std::string& more = "") {
        dir.write("password", "foobar\n");
        ::chmod((dir / "password").c_str(), 0600);
        std::string toml = kConfig + more + "[pool.threads]\nkind = \"thread\"\n";
        toml.replace(toml.find("{dir}"), 5, dir.path());
        daemon = std::make_unique<LiveDaemon>(toml);
    }

    int port() const { return tcp_port(*daemon); }

    TempDir dir;
    std::unique_ptr<LiveDaemon> daemon;
};

}  // namespace

TEST_CASE("who comes by TCP needs the password, who comes by the Unix socket does not") {
    Guarded guarded;
    const int port = guarded.port();
    {
        TcpClient client(port);
        const std::string greeting = client.line();
        CHECK(greeting.starts_with("+HI {\"v\":2,\"i\":256,\"s\":\""));
        CHECK(client.hello(TcpClient::members(greeting, "foobar")) == "+OK");
        client.send("PUSH {\"jid\":\"12345678\",\"jobtype\":\"noop\",\"args\":[]}\r\n");
        CHECK(client.line() == "+OK");
    }
    for (const std::string password : {"foobaz", ""}) {
        TcpClient client(port);
        CHECK(client.hello(TcpClient::members(client.line(), password)) == "-ERR Invalid password");
        CHECK(client.at_end());
    }
    for (const std::string hello : {"{\"v\":2}", "{\"v\":2,\"pwdhash\":null}", "{}"}) {
        TcpClient client(port);
        client.line();
        CHECK(client.hello(hello) == "-ERR Invalid password");
        CHECK(client.at_end());
    }
    guarded.daemon->must({"wait", "12345678", "--timeout", "20s"});
    const std::string log = guarded.daemon->log();
    CHECK(contains(log, "auth.refused"));
    CHECK(contains(log, "peer=127.0.0.1:"));
    CHECK_FALSE(contains(log, "foobar"));
}

TEST_CASE("clients of versions 0 and 1 are let in unless the configuration says no") {
    const bool allowed = GENERATE(true, false);
    Guarded guarded(allowed ? "" : "old_password_hash = false\n");
    for (const int version : {0, 1}) {
        TcpClient client(guarded.port());
        const std::string answer =
            client.hello(TcpClient::members(client.line(), "foobar", version));
        CHECK(answer == (allowed ? "+OK" : "-ERR Invalid password"));
    }
    TcpClient client(guarded.port());
    CHECK(client.hello(TcpClient::members(client.line(), "foobar")) == "+OK");
}

TEST_CASE("jobq takes the password from a file, a variable or the address") {
    Guarded guarded;
    const std::string host = "127.0.0.1:" + std::to_string(guarded.port());
    const std::string file = guarded.dir / "password";

    struct Way {
        std::vector<std::string> options;
        std::map<std::string, std::string> env;
    };

    const std::vector<Way> ways{
        {{"--server", "tcp://" + host, "--password-file", file}, {}},
        {{"--server", host}, {{"JOBQ_PASSWORD", "foobar"}}},
        {{}, {{"JOBQ_URL", "tcp://" + host}, {"JOBQ_PASSWORD", file}}},
        {{}, {{"JOBQ_URL", "tcp://:foobar@" + host}, {"JOBQ_PASSWORD", "other"}}},
        {{}, {{"FAKTORY_URL", "tcp://:foobar@" + host}}},
        {{},
         {{"FAKTORY_PROVIDER", "MY_QUEUE"},
          {"MY_QUEUE", "tcp://:foobar@" + host},
          {"FAKTORY_URL", "tcp://nowhere.invalid:1"}}},
        {{}, {{"JOBQ_URL", "tcp://:foobar@" + host}, {"FAKTORY_URL", "tcp://nowhere.invalid:1"}}},
    };
    for (const auto& way : ways) {
        CliCall call;
        call.args = {"ping"};
        call.args.insert(call.args.end(), way.options.begin(), way.options.end());
        call.env = way.env;
        const Ran ran = run_cli(call);
        INFO(&way - ways.data() << ": " << ran.err);
        CHECK(ran.status == 0);
    }
}

TEST_CASE("jobq says what is wrong with a password, and never shows it") {
    Guarded guarded;
    const std::string host = "127.0.0.1:" + std::to_string(guarded.port());
    CliCall call;
    call.args = {"ping"};
    call.env["JOBQ_URL"] = "tcp://" + host;
    const Ran none = run_cli(call);
    CHECK(none.status == 77);
    CHECK(contains(none.err, "requires a password"));
    CHECK(contains(none.err, "JOBQ_PASSWORD"));
    call.env["JOBQ_PASSWORD"] = "geheim";
    const Ran wrong = run_cli(call);
    CHECK(wrong.status == 77);
    CHECK(contains(wrong.err, "rejected the password"));
    call.args = {"ping", "--password-file", "/nonexistent/password"};
    const Ran no_file = run_cli(call);
    CHECK(no_file.status == 66);
    CHECK(contains(no_file.err, "/nonexistent/password can't be read: No such file"));
    call.args = {"ping", "--server", "tcp://:geheim@" + host};
    const Ran on_line = run_cli(call);
    CHECK(on_line.status == 2);
    CHECK(contains(on_line.err, "--password-file"));
    for (const Ran* ran : {&none, &wrong, &no_file, &on_line})
        CHECK_FALSE(contains(ran->err + ran->out, "geheim"));
}

TEST_CASE("SIGHUP takes a new password, and keeps the old one when the file can't be used") {
    Guarded guarded;
    const int port = guarded.port();
    const auto takes = [&](const std::string& password) {
        TcpClient client(port);
        return client.hello(TcpClient::members(client.line(), password)) == "+OK";
    };
    TcpClient before(port);
    REQUIRE(before.hello(TcpClient::members(before.line(), "foobar")) == "+OK");
    guarded.dir.write("password", "second");
    guarded.daemon->signal(SIGHUP);
    CHECK(eventually([&] { return takes("second"); }));
    CHECK_FALSE(takes("foobar"));
    guarded.dir.write("password", "");
    guarded.daemon->signal(SIGHUP);
    CHECK(eventually([&] { return contains(guarded.daemon->log(), "config.kept"); }));
    CHECK(contains(guarded.daemon->log(), "listen.password_file: the password file"));
    CHECK(takes("second"));
    before.send("INFO\r\n");
    CHECK(before.reply().starts_with("{"));  // who was in stays in
    CHECK_FALSE(contains(guarded.daemon->log(), "second"));
}

TEST_CASE("a password file that everybody may read is used, with a warning") {
    Guarded guarded;
    CHECK_FALSE(contains(guarded.daemon->log(), "config.remark"));
    ::chmod((guarded.dir / "password").c_str(), 0644);
    guarded.daemon->signal(SIGHUP);
    CHECK(eventually([&] { return contains(guarded.daemon->log(), "config.remark"); }));
}

TEST_CASE("passwords can't be tried one after the other, by either door") {
    Guarded guarded("http = \"127.0.0.1:0\"\n");
    const auto ask = [&](const std::string& password) {
        HttpClient client(http_port(*guarded.daemon));
        REQUIRE(
            client.send("GET /api/v1/stats HTTP/1.1\r\nHost: localhost\r\nAuthorization: "
                        "Bearer " +
                        password + "\r\n\r\n"));
        auto answer = client.answer();
        if (answer.status != 200) CHECK(client.at_end());
        return answer.status;
    };
    // One that was let in before stays so.
    HttpClient known(http_port(*guarded.daemon));
    const std::string good =
        "GET /api/v1/stats HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer foobar\r\n\r\n";
    REQUIRE(known.send(good));
    CHECK(known.answer().status == 200);
    // Nobody waits for their answers: those that are refused unseen hold them back.
    std::vector<std::unique_ptr<HttpClient>> tries;
    const auto exhaust = [&](int count = Guesses::kBurst + 5) {
        tries.clear();
        for (int i = 0; i < count; ++i) {
            tries.push_back(std::make_unique<HttpClient>(http_port(*guarded.daemon)));
            tries.back()->send(
                "GET /api/v1/stats HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guess\r\n"
                "\r\n");
        }
    };
    exhaust();
    CHECK(tries.front()->answer().status == 401);
    // A right one is refused unseen, too. Each second one is looked at: so more than one try.
    CHECK(eventually([&] {
        exhaust();
        return ask("foobar") == 429;
    }));
    CHECK(eventually([&] {
        exhaust();
        TcpClient tcp(guarded.port());
        const std::string said = tcp.hello(TcpClient::members(tcp.line(), "foobar"));
        return contains(said, "too many wrong") && tcp.at_end();
    }));
    CHECK(eventually([&] {
        exhaust();
        auto call = guarded.daemon->call({"ping"});
        call.env["JOBQ_URL"] = "tcp://:foobar@127.0.0.1:" + std::to_string(guarded.port());
        const Ran ran = run_cli(call);
        return ran.status == 75 && contains(ran.err, "too many wrong ones");
    }));
    // So many wait, others are let go unheard: a try costs a connection and two seconds of it.
    CHECK(eventually([&] {
        exhaust(Guesses::kBurst + Guesses::kWaitingOfOne + 10);
        TcpClient tcp(guarded.port());
        return tcp.line().empty();
    }));
    tries.clear();
    REQUIRE(known.send(good));
    CHECK(known.answer().status == 200);
    CHECK(guarded.daemon->jobq({"ping"}).status == 0);
    CHECK(eventually([&] { return ask("foobar") == 200; }));
    CHECK(contains(guarded.daemon->log(), "auth.guessing"));
}
