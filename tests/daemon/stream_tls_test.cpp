// Streams that speak TLS: the same behaviour as plain ones, on real sockets, and who is refused.
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "core/tls/tls.h"
#include "daemon/loop/stream.h"
#include "tests/daemon/on_loop.h"
#include "tests/support/authority.h"

using namespace jobq;
using namespace jobq::test;

namespace {

std::string noise(size_t bytes) {
    std::string out;
    for (size_t i = 0; out.size() < bytes; ++i)
        out += char('a' + i * i % 23);
    return out;
}

// Two ends of one connection: the server's with TLS already, the client's as the test wants it.
struct Ends {
    explicit Ends(UvReactor& reactor) : pair(authority.issue("server")) {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
        server = std::make_unique<Stream>(reactor, fds[0], true);
        client = std::make_unique<Stream>(reactor, fds[1], true);
        auto context = TlsContext::for_server(pair.certificate, pair.key);
        REQUIRE(context);
        server->start_tls(std::move(*TlsEngine::server(*context)));
    }

    void start_client(const std::string& host = "127.0.0.1", const std::string& ca_file = "") {
        auto context = TlsContext::for_client(ca_file.empty() ? authority.file() : ca_file);
        REQUIRE(context);
        client->start_tls(std::move(*TlsEngine::client(*context, host)));
    }

    TempDir dir;
    TestAuthority authority{dir};
    TestAuthority::Pair pair;
    std::unique_ptr<Stream> server, client;
};

task<std::string> read_bytes(Stream& stream, size_t count) {
    std::string all;
    bool more = true;
    while (more && all.size() < count) {
        more = co_await stream.read_more(10'000);
        all += stream.buffer();
        stream.buffer().clear();
    }
    co_return all;
}

// As a reader does that has made room.
task<void> read_once(Stream& stream) {
    bool more = co_await stream.read_more(0);
    (void)more;
}

task<void> count_drained(Stream& stream, int& count) {
    auto room = stream.drained(1);
    co_await room;
    ++count;
}

}  // namespace

TEST_CASE("TLS: megabytes go both ways unchanged") {
    UvReactor reactor;
    Ends ends(reactor);
    ends.start_client();
    const std::string bytes = noise(5'000'000);
    ends.client->write(bytes);
    ends.server->write("hello ");  // before the handshake is done
    ends.server->write(bytes);
    CHECK(ends.server->unwritten() == bytes.size() + 6);
    CHECK(on_loop(reactor, read_bytes(*ends.client, bytes.size() + 6)) == "hello " + bytes);
    CHECK(on_loop(reactor, read_bytes(*ends.server, bytes.size())) == bytes);
    CHECK(ends.server->unwritten() == 0);
}

TEST_CASE("TLS: reading stops near the buffer's limit and goes on when there is room") {
    UvReactor reactor;
    Ends ends(reactor);
    ends.start_client();
    ends.server->set_max_buffer(50'000);
    const std::string bytes = noise(3'000'000);
    ends.client->write(bytes);
    auto full = [&] { return ends.server->buffer().size() >= 50'000; };
    REQUIRE(on_loop(reactor, until(reactor, full)));
    int turns = 0;
    REQUIRE(on_loop(reactor, until(reactor, [&] { return ++turns > 50; })));
    CHECK(ends.server->buffer().size() <= 50'000 + (16 << 10));
    CHECK(ends.client->unwritten() > 1'000'000);
    CHECK(on_loop(reactor, read_bytes(*ends.server, bytes.size())) == bytes);
}

TEST_CASE("TLS: a slow reader makes drained() wait, and little is encrypted ahead") {
    UvReactor reactor;
    Ends ends(reactor);
    ends.start_client();
    ends.client->set_max_buffer(1'000);
    const std::string bytes = noise(4'000'000);
    ends.server->write(bytes);
    int drained = 0;
    spawn(count_drained(*ends.server, drained));
    auto stuck = [&] { return ends.client->buffer().size() >= 1'000; };
    REQUIRE(on_loop(reactor, until(reactor, stuck)));
    CHECK(drained == 0);
    CHECK(ends.server->unwritten() > 3'000'000);
    std::string got;
    auto some = [&] {
        got += ends.client->buffer();
        ends.client->buffer().clear();
        spawn(read_once(*ends.client));
        return drained == 1 && got.size() == bytes.size();
    };
    CHECK(on_loop(reactor, until(reactor, some, 20'000)));
    CHECK(got == bytes);
}

TEST_CASE("TLS: what is written before the close arrives, and then an orderly end") {
    UvReactor reactor;
    Ends ends(reactor);
    ends.start_client();
    ends.client->write("x");
    REQUIRE(on_loop(reactor, read_bytes(*ends.server, 1)) == "x");
    ends.server->write(noise(1'000'000));
    ends.server->close_after_write();
    CHECK(on_loop(reactor, read_bytes(*ends.client, SIZE_MAX)) == noise(1'000'000));
    CHECK(ends.client->closed());
    CHECK(ends.client->error().empty());
}

TEST_CASE("TLS: a certificate of another authority, or for another host, ends the connection") {
    UvReactor reactor;
    Ends ends(reactor);
    const bool other_host = GENERATE(false, true);
    TempDir other_dir;
    if (other_host) {
        ends.start_client("jobq.example.org");
    } else {
        ends.start_client("127.0.0.1", TestAuthority(other_dir).file());
    }
    ends.client->write("secret");
    auto closed = [&] { return ends.client->closed() && ends.server->closed(); };
    CHECK(on_loop(reactor, until(reactor, closed)));
    CHECK(ends.client->error() == std::string("the certificate is not trusted: ") +
                                      (other_host
                                           ? "The name in the certificate does not match the "
                                             "expected; connect with a name in the certificate"
                                           : "The certificate issuer is unknown; set JOBQ_CA_FILE "
                                             "to the file of its authority"));
    CHECK(ends.server->buffer().empty());
    CHECK(ends.server->error().find("the other side reported") != std::string::npos);
}

TEST_CASE("TLS: who does not speak it gets nothing and is closed") {
    UvReactor reactor;
    Ends ends(reactor);
    ends.server->write("+HI\r\n");
    ends.client->write("HELLO {\"v\":2}\r\n");
    CHECK(on_loop(reactor, read_bytes(*ends.client, 1)).empty());
    CHECK(ends.client->closed());
    CHECK(ends.server->closed());
    CHECK(ends.server->error() == "the other side does not speak TLS");
    CHECK(ends.server->unwritten() == 0);
}

TEST_CASE("TLS: nonsense after the handshake ends the connection with an error") {
    UvReactor reactor;
    Ends ends(reactor);
    auto context = TlsContext::for_client(ends.authority.file());
    auto engine = std::move(*TlsEngine::client(*context, "127.0.0.1"));
    std::string plain;
    auto shake = [&] {
        if (!engine->outgoing().empty()) ends.client->write(std::exchange(engine->outgoing(), {}));
        spawn(read_once(*ends.client));
        CHECK(engine->take(std::exchange(ends.client->buffer(), {}), plain));
        return engine->ready() && engine->outgoing().empty();
    };
    REQUIRE(on_loop(reactor, until(reactor, shake)));
    CHECK(engine->send("one "));
    std::string record = std::exchange(engine->outgoing(), {});
    CHECK(engine->send("two "));
    engine->outgoing().back() = char(engine->outgoing().back() ^ 1);
    ends.client->write(record + engine->outgoing());
    auto closed = [&] { return ends.server->closed(); };
    CHECK(on_loop(reactor, until(reactor, closed)));
    CHECK(ends.server->buffer() == "one ");
    CHECK(ends.server->error().starts_with("TLS: "));
}

TEST_CASE("TLS: files that are no pair are refused, each with its name") {
    TempDir dir;
    TestAuthority authority(dir);
    const auto one = authority.issue("one"), other = authority.issue("other");
    auto why = [](const std::string& certificate, const std::string& key) {
        auto made = TlsContext::for_server(certificate, key);
        REQUIRE_FALSE(made);
        CHECK(made.error().code == ErrorCode::config);
        return made.error().text;
    };
    CHECK(why(one.certificate, other.key).find("does not belong to the certificate") !=
          std::string::npos);
    CHECK(why(dir / "none", one.key).starts_with("the certificate " + dir / "none" + " can't"));
    CHECK(why(one.certificate, dir / "none").starts_with("the key " + dir / "none" + " can't"));
    CHECK(why(dir.write("bad", "nonsense"), one.key).find("must be PEM") != std::string::npos);
    CHECK(TlsContext::for_client(dir / "bad").error().text.find("no PEM certificate") !=
          std::string::npos);
    CHECK(TlsContext::for_client(""));
}
