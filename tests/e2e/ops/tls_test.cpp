// TLS on jobqd's TCP port: foreign clients and ours, who is refused, and the reload.
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/authority.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/live/tcp_client.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"

using namespace jobq;
using namespace jobq::test;

namespace {

// Listens with TLS and the password "foobar".
struct Secured {
    Secured() {
        const auto pair = authority.issue("server");
        dir.write("password", "foobar");
        ::chmod((dir / "password").c_str(), 0600);
        daemon = std::make_unique<LiveDaemon>(
            "[listen]\ntcp = \"127.0.0.1:0\"\npassword_file = \"" + dir / "password" +
                "\"\ntls_cert = \"" + pair.certificate + "\"\ntls_key = \"" + pair.key +
                "\"\n[pool.threads]\nkind = \"thread\"\n",
            std::vector<std::string>{"--log-level", "debug"});
        port = tcp_port(*daemon);
    }

    // jobq by TCP, with the password and the authority in variables.
    CliCall call(std::vector<std::string> args, std::string input = "") const {
        CliCall call;
        call.args = std::move(args);
        call.no_input = input.empty();
        call.input = std::move(input);
        call.env["JOBQ_URL"] = "tcp+tls://localhost:" + std::to_string(port);
        call.env["JOBQ_PASSWORD"] = "foobar";
        call.env["JOBQ_CA_FILE"] = authority.file();
        call.limit_s = 60;
        return call;
    }

    // openssl s_client, fed by a shell; what it said, both ways of saying.
    std::string openssl(const std::string& feed, const std::string& options) const {
        CliCall call;
        call.program = "/bin/sh";
        call.args = {"-c", "{ " + feed + "; } | openssl s_client -connect 127.0.0.1:" +
                               std::to_string(port) + " -CAfile '" + authority.file() +
                               "' -verify_return_error " + options + " 2>&1"};
        return run_cli(call).out;
    }

    TempDir dir;
    TestAuthority authority{dir};
    std::unique_ptr<LiveDaemon> daemon;
    int port = 0;
};

std::string big_array(size_t bytes) {
    return "[\"" + std::string(bytes, 'x') + "\"]";
}

}  // namespace

TEST_CASE("jobq works over tcp+tls as over the Unix socket") {
    Secured secured;
    CHECK(run_cli(secured.call({"ping"})).status == 0);
    const std::string payload = "\"" + std::string(1'000'000, 'p') + "\"";
    const Ran echo = run_cli(secured.call({"enqueue", "echo", "-p", "-", "--wait"}, payload));
    INFO(echo.err.substr(0, 500));
    CHECK(echo.status == 0);
    CHECK(echo.out == payload + "\n");
    std::string lines;
    for (int i = 0; i < 20'000; ++i)
        lines += "{\"type\":\"noop\",\"payload\":" + std::to_string(i) + "}\n";
    const Ran bulk = run_cli(secured.call({"enqueue", "--jsonl", "-", "-q"}, lines));
    CHECK(bulk.status == 0);
    CHECK(std::count(bulk.out.begin(), bulk.out.end(), '\n') == 20'000);
    const Ran load = run_cli(secured.call(
        {"loadgen", "--jobs", "2000", "--clients", "3", "--batch", "50", "--latency"}));
    INFO(load.err);
    CHECK(load.status == 0);
}

TEST_CASE("jobq refuses a certificate that it can't trust, and says how to go on") {
    Secured secured;
    TempDir other_dir;
    const TestAuthority other(other_dir);
    CliCall call = secured.call({"ping"});
    call.env["JOBQ_CA_FILE"] = other.file();
    const Ran wrong = run_cli(call);
    CHECK(wrong.status == 77);
    CHECK(contains(wrong.err, "the certificate is not trusted: The certificate issuer is unknown"));
    CHECK(contains(wrong.err, "set JOBQ_CA_FILE to the file of its authority"));
    call.env.erase("JOBQ_CA_FILE");  // the system's authorities do not know ours either
    CHECK(run_cli(call).status == 77);
    call.args = {"ping", "--ca-file", secured.authority.file()};
    CHECK(run_cli(call).status == 0);
    call.args = {"ping", "--ca-file", "/nonexistent/ca.pem"};
    const Ran none = run_cli(call);
    CHECK(none.status == 78);
    CHECK(contains(none.err, "/nonexistent/ca.pem"));
}

TEST_CASE("the other way round: plain to a TLS port, TLS to a plain port") {
    Secured secured;
    CliCall call = secured.call({"ping"});
    call.env["JOBQ_URL"] = "tcp://127.0.0.1:" + std::to_string(secured.port);
    const Ran plain = run_cli(call);
    CHECK(plain.status == 69);
    CHECK(contains(plain.err, "use tcp+tls:// instead of tcp://"));

    LiveDaemon open("[listen]\ntcp = \"127.0.0.1:0\"\n");
    call.env["JOBQ_URL"] = "tcp+tls://127.0.0.1:" + std::to_string(tcp_port(open));
    const Ran tls = run_cli(call);
    CHECK(tls.status == 69);
    CHECK(contains(tls.err, "does not speak TLS"));
}

TEST_CASE("a plain client of a TLS port gets nothing and is closed after two seconds") {
    Secured secured;
    const auto before = std::chrono::steady_clock::now();
    TcpClient silent(secured.port);
    CHECK(silent.line().empty());
    CHECK(silent.at_end());
    const auto took = std::chrono::steady_clock::now() - before;
    CHECK(took > std::chrono::milliseconds(1'500));
    TcpClient hasty(secured.port);
    hasty.send("HELLO {\"v\":2}\r\n");
    CHECK(hasty.line().empty());
    CHECK(hasty.at_end());
}

TEST_CASE("a foreign TLS client speaks 1.2 and 1.3, not 1.1, and can't renegotiate") {
    Secured secured;
    const std::string hello = "printf 'HELLO {\"v\":2}\\r\\n'";
    for (const std::string version : {"-tls1_2", "-tls1_3"}) {
        const std::string said = secured.openssl(hello, version + " -quiet");
        INFO(said);
        CHECK(contains(said, "+HI {\"v\":2,\"i\":256"));
        CHECK(contains(said, "-ERR Invalid password"));
    }
    const std::string old = secured.openssl("true", "-tls1_1 -cipher ALL:@SECLEVEL=0");
    INFO(old);
    CHECK(contains(old, "alert protocol version"));
    CHECK_FALSE(contains(old, "+HI"));
    // s_client takes commands only as long as its input is open; the server closes first.
    secured.openssl("echo R; sleep 2", "-tls1_2");
    CHECK(contains(secured.daemon->log(), "the other side requested a renegotiation"));
    CHECK(run_cli(secured.call({"ping"})).status == 0);
}

TEST_CASE("a bulk of megabytes and a reader that is slow, over TLS") {
    Secured secured;
    TcpClient client(secured.port);
    client.start_tls(secured.authority.file());
    REQUIRE(client.hello(TcpClient::members(client.line(), "foobar")) == "+OK");
    std::string bulk = "PUSHB [";
    for (int i = 0; i < 15; ++i)
        bulk += std::string(i > 0 ? "," : "") + "{\"jid\":\"big-job-" + std::to_string(i) +
                "\",\"jobtype\":\"mine\",\"queue\":\"big\",\"args\":" + big_array(1'000'000) + "}";
    client.send(bulk + "]\r\n");
    CHECK(client.reply() == "{}");
    // All replies are asked for before one is read: 15 MB do not fit into the socket.
    for (int i = 0; i < 15; ++i)
        client.send("FETCH big\r\n");
    for (int i = 0; i < 15; ++i) {
        const auto job = nlohmann::json::parse(client.reply());
        CHECK(job.at("jid") == "big-job-" + std::to_string(i));
        CHECK(job.at("args").dump() == big_array(1'000'000));
    }
}

TEST_CASE("SIGHUP swaps the certificate, a broken pair keeps the old one and says so") {
    Secured secured;
    TempDir other_dir;
    const TestAuthority other(other_dir);
    const auto fresh = other.issue("fresh");
    TcpClient before(secured.port);
    before.start_tls(secured.authority.file());
    REQUIRE(before.hello(TcpClient::members(before.line(), "foobar")) == "+OK");

    CHECK(contains(secured.daemon->log(), "server.pem expires at "));  // within days

    secured.dir.write("server.key", read_file(fresh.key));  // and the old certificate
    secured.daemon->signal(SIGHUP);
    CHECK(eventually([&] { return contains(secured.daemon->log(), "config.kept"); }));
    CHECK(contains(secured.daemon->log(), "does not belong to the certificate"));
    CHECK(run_cli(secured.call({"ping"})).status == 0);

    secured.dir.write("server.pem", read_file(fresh.certificate));
    secured.daemon->signal(SIGHUP);
    CliCall call = secured.call({"ping"});
    call.env["JOBQ_CA_FILE"] = other.file();
    CHECK(eventually([&] { return run_cli(call).status == 0; }));
    CHECK(run_cli(secured.call({"ping"})).status == 77);
    before.send("INFO\r\n");
    CHECK(before.reply().starts_with("{"));
}

TEST_CASE("a runner works for a jobqd over tcp+tls") {
    Secured secured;
    secured.daemon->write_config(read_file(secured.daemon->dir() / "jobqd.toml"));
    CliCall call = secured.call({});
    call.program = kJobqdProgram;
    call.args = {"runner", "--connect", call.env["JOBQ_URL"], "--name", "far-away"};
    call.started = [&](int pid) {
        const bool met = eventually([&] {
            return contains(secured.daemon->jobq({"workers", "list"}).out, "far-away");
        });
        CHECK(met);
        ::kill(pid, SIGTERM);
    };
    const Ran ran = run_cli(call);
    CHECK(ran.status == 0);
    CHECK_FALSE(contains(ran.err, "foobar"));
    call.env["JOBQ_PASSWORD"] = "/nonexistent/password";
    call.started = nullptr;
    const Ran no_file = run_cli(call);
    CHECK(no_file.status == 78);
    CHECK(contains(no_file.err, "JOBQ_PASSWORD: the password file /nonexistent/password"));
}

TEST_CASE("an address that other hosts reach needs a password and TLS, and is served with both") {
    TempDir dir;
    const TestAuthority authority(dir);
    const auto pair = authority.issue("server");
    dir.write("password", "foobar");
    const std::string open = "[listen]\ntcp = \"0.0.0.0:0\"\n";
    const std::string password = "password_file = \"" + dir / "password" + "\"\n";
    const std::string tls =
        "tls_cert = \"" + pair.certificate + "\"\ntls_key = \"" + pair.key + "\"\n";
    const auto refused = [&](const std::string& toml, const std::string& why) {
        CliCall call;
        call.program = kJobqdProgram;
        call.args = {"--config",    dir.write("jobqd.toml", toml),
                     "--state-dir", dir / "state",
                     "--unix",      dir / "socket"};
        const Ran ran = run_cli(call);
        INFO(ran.err);
        CHECK(ran.status == 78);
        CHECK(contains(ran.err, why));
        call.args.emplace_back("--check-config");
        CHECK(run_cli(call).status == 78);
    };
    refused(open, "requires a password (password_file) and TLS (tls_cert, tls_key)");
    refused(open + password, "requires TLS (tls_cert, tls_key)");
    refused(open + tls, "requires a password (password_file)");
    refused(open + tls + "password_file = \"/nonexistent/p\"\n", "/nonexistent/p can't be read");
    refused(open + password + "tls_key = \"/k\"\ntls_cert = \"/nonexistent/c\"\n",
            "/nonexistent/c can't be read");
    LiveDaemon daemon(open + password + tls);
    CliCall call;
    call.args = {"ping"};
    call.env["JOBQ_URL"] = "tcp+tls://:foobar@127.0.0.1:" + std::to_string(tcp_port(daemon));
    call.env["JOBQ_CA_FILE"] = authority.file();
    CHECK(run_cli(call).status == 0);
    // The port stays open until a restart, so what guards it must stay, too.
    daemon.write_config("[listen]\ntcp = \"127.0.0.1:0\"\n");
    daemon.signal(SIGHUP);
    CHECK(eventually([&] { return contains(daemon.log(), "config.kept"); }));
    CHECK(run_cli(call).status == 0);
}

TEST_CASE("with a certificate HTTP is HTTPS, and asks for the password") {
    TempDir dir;
    TestAuthority authority(dir);
    const auto pair = authority.issue("server");
    dir.write("password", "foobar");
    LiveDaemon daemon("[listen]\nhttp = \"0.0.0.0:0\"\npassword_file = \"" + dir / "password" +
                      "\"\ntls_cert = \"" + pair.certificate + "\"\ntls_key = \"" + pair.key +
                      "\"\n");
    const std::string http =
        nlohmann::json::parse(read_file(daemon.state_dir() + "/jobqd.ready")).at("http");
    const int port = std::stoi(http.substr(http.rfind(':') + 1));
    auto status = [&](const std::string& header) {
        TcpClient client(port);
        client.start_tls(authority.file());
        client.send("GET /api/v1/stats HTTP/1.1\r\nHost: localhost\r\n" + header + "\r\n");
        return client.line();
    };
    CHECK(status("Authorization: Bearer foobar\r\n") == "HTTP/1.1 200 OK");
    CHECK(status("") == "HTTP/1.1 401 Unauthorized");
    TcpClient plain(port);
    plain.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(plain.at_end());
    TestAuthority other(dir, "other");
    TcpClient wary(port);
    CHECK_THROWS(wary.start_tls(other.file()));

    CliCall curl;
    curl.program = "/bin/sh";
    curl.args = {"-c", "curl -sS --cacert '" + authority.file() +
                           "' -u x:foobar https://127.0.0.1:" + std::to_string(port) +
                           "/api/v1/ping 2>&1"};
    CHECK(contains(run_cli(curl).out, "\"state\":\"ready\""));
}
