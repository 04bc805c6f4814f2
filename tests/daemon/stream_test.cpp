// Streams on real sockets: bytes arrive whole and in order, every wait ends, one turn is one write.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "core/async/gate.h"
#include "core/base/rng.h"
#include "daemon/loop/listener.h"
#include "tests/daemon/on_loop.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using namespace jobq::test;

namespace {

// A stream and the raw, blocking other end.
struct Pair {
    explicit Pair(UvReactor& reactor) {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        stream = std::make_unique<Stream>(reactor, ends[0], true);
        other = ends[1];
    }

    ~Pair() { hang_up(); }

    void hang_up() {
        if (other >= 0) ::close(other);
        other = -1;
    }

    std::string take(size_t most = 65'536) const {
        std::string bytes(most, '\0');
        ssize_t got = ::recv(other, bytes.data(), most, MSG_DONTWAIT);
        bytes.resize(got > 0 ? size_t(got) : 0);
        return bytes;
    }

    void give(const std::string& bytes) const {
        REQUIRE(::send(other, bytes.data(), bytes.size(), MSG_NOSIGNAL) == ssize_t(bytes.size()));
    }

    std::unique_ptr<Stream> stream;
    int other = -1;
};

std::string noise(size_t bytes) {
    Rng rng(7);
    std::string out;
    while (out.size() < bytes)
        out += char('a' + rng.below(26));
    return out;
}

task<std::string> read_all(Stream& stream) {
    std::string all;
    bool more = true;
    while (more) {
        more = co_await stream.read_more(10'000);
        all += stream.buffer();
        stream.buffer().clear();
    }
    co_return all;
}

task<void> echo(std::unique_ptr<Stream> stream) {
    bool more = true;
    while (more) {
        more = co_await stream->read_more(10'000);
        stream->write(stream->buffer());
        stream->buffer().clear();
        auto room = stream->drained(1 << 20);
        co_await room;
    }
    stream->close_after_write();
    auto sent = stream->drained(1);
    co_await sent;
}

task<std::string> echo_round(UvReactor& reactor, Endpoint endpoint, std::string bytes) {
    auto connected = co_await Stream::connect(reactor, endpoint, 2'000);
    if (!connected) co_return connected.error().text;
    Stream& stream = **connected;
    std::string back;
    size_t sent = 0;
    while (back.size() < bytes.size()) {
        size_t part = std::min<size_t>(300'000, bytes.size() - sent);
        stream.write(std::string_view(bytes).substr(sent, part));
        sent += part;
        bool more = co_await stream.read_more(10'000);
        if (!more) break;
        back += stream.buffer();
        stream.buffer().clear();
    }
    stream.close();
    co_return back;
}

task<void> count_drained(Stream& stream, int& count) {
    auto room = stream.drained(1);
    co_await room;
    ++count;
}

task<void> count_end(Stream& stream, int& count) {
    bool more = co_await stream.read_more(-1);
    if (!more) ++count;
}

}  // namespace

TEST_CASE("megabytes go there and back unchanged, over Unix sockets and TCP") {
    UvReactor reactor;
    TempDir dir;
    Gate gate(reactor);
    std::string where = GENERATE("unix:", "127.0.0.1:0", "localhost:0");
    if (where == "unix:") where += dir / "s";
    auto listener = Listener::listen(reactor, *parse_listen(where),
                                     [&](auto stream) { gate.spawn(echo(std::move(stream))); });
    REQUIRE(listener);
    std::string bytes = noise(5'000'000);
    auto back = on_loop(reactor, echo_round(reactor, (*listener)->endpoint(), bytes));
    CHECK(back == bytes);
    (*listener)->close();
    on_loop(reactor, gate.close());
}

TEST_CASE("what one turn writes is one packet") {
    UvReactor reactor;
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    Stream stream(reactor, ends[0], true);
    stream.write("one ");
    stream.compose() += "two ";
    stream.write("three");
    CHECK(stream.unwritten() == 13);
    auto sent = [&] { return stream.unwritten() == 0; };
    CHECK(on_loop(reactor, until(reactor, sent)));
    char bytes[64];
    CHECK(std::string(bytes, size_t(::recv(ends[1], bytes, sizeof bytes, 0))) == "one two three");
    ::close(ends[1]);
}

TEST_CASE("a read ends at its limit, and the stream is still good") {
    UvReactor reactor;
    Pair pair(reactor);
    int64_t before = reactor.now_ms();
    CHECK_FALSE(on_loop(reactor, pair.stream->read_more(30)));
    CHECK(reactor.now_ms() - before >= 30);
    CHECK_FALSE(pair.stream->closed());
    pair.give("late");
    CHECK(on_loop(reactor, pair.stream->read_more(5'000)));
    CHECK(pair.stream->buffer() == "late");
}

TEST_CASE("bytes that came while the reader was busy are not waited for again") {
    UvReactor reactor;
    Pair pair(reactor);
    pair.give("a");
    REQUIRE(on_loop(reactor, pair.stream->read_more(5'000)));
    pair.give("b");
    auto there = [&] { return pair.stream->buffer() == "ab"; };
    REQUIRE(on_loop(reactor, until(reactor, there)));
    CHECK(on_loop(reactor, pair.stream->read_more(0)));
    CHECK_FALSE(on_loop(reactor, pair.stream->read_more(0)));
}

TEST_CASE("the end of the other side is an orderly end, and what was sent before it is read") {
    UvReactor reactor;
    Pair pair(reactor);
    std::string bytes = noise(150'000);
    pair.give(bytes);
    pair.hang_up();
    CHECK(on_loop(reactor, read_all(*pair.stream)) == bytes);
    CHECK(pair.stream->closed());
    CHECK(pair.stream->error().empty());
}

TEST_CASE("a peer that only shut down its sending side still gets its answer") {
    UvReactor reactor;
    Pair pair(reactor);
    pair.give("request");
    ::shutdown(pair.other, SHUT_WR);
    CHECK(on_loop(reactor, read_all(*pair.stream)) == "request");
    CHECK(pair.stream->closed());
    pair.stream->write("answer");
    pair.stream->close_after_write();
    on_loop(reactor, pair.stream->drained(1));
    CHECK(pair.take() == "answer");
    CHECK(pair.take().empty());
}

TEST_CASE("reading stops at the buffer's limit and goes on when there is room") {
    UvReactor reactor;
    Pair pair(reactor);
    pair.stream->set_max_buffer(1'000);
    pair.give(noise(2'500));
    auto full = [&] { return pair.stream->buffer().size() == 1'000; };
    REQUIRE(on_loop(reactor, pair.stream->read_more(5'000)));
    REQUIRE(on_loop(reactor, until(reactor, full)));
    CHECK_FALSE(on_loop(reactor, pair.stream->read_more(5'000)));
    CHECK_FALSE(pair.stream->closed());
    pair.stream->buffer().clear();
    CHECK(on_loop(reactor, pair.stream->read_more(5'000)));
    CHECK(pair.stream->buffer().size() == 1'000);
}

TEST_CASE("a slow reader at the other end makes drained() wait, not the loop") {
    UvReactor reactor;
    Pair pair(reactor);
    std::string bytes = noise(4'000'000);
    pair.stream->write(bytes);
    int drained = 0;
    spawn(count_drained(*pair.stream, drained));
    std::string got;
    auto some = [&] {
        got += pair.take(50'000);
        return drained == 1 && got.size() == bytes.size();
    };
    CHECK(on_loop(reactor, until(reactor, some)));
    CHECK(got == bytes);
}

TEST_CASE("closing ends every wait") {
    UvReactor reactor;
    Pair pair(reactor);
    pair.stream->write(noise(4'000'000));
    bool by_failure = GENERATE(false, true);
    int ended = 0;
    spawn(count_end(*pair.stream, ended));
    spawn(count_drained(*pair.stream, ended));
    reactor.after(5, [&] {
        if (by_failure) {
            pair.hang_up();
        } else {
            pair.stream->close();
        }
    });
    CHECK(on_loop(reactor, until(reactor, [&] { return ended == 2; })));
    CHECK(pair.stream->closed());
    pair.stream->write("dropped");
    CHECK(pair.stream->unwritten() == 0);
}

TEST_CASE("who watches is told once that the other side is gone, full buffer or not") {
    UvReactor reactor;
    Pair pair(reactor);
    bool full = GENERATE(false, true);
    if (full) pair.stream->set_max_buffer(100);
    int told = 0;
    pair.stream->watch_close([&] { ++told; });
    pair.give(noise(full ? 500 : 50));
    size_t expected = full ? 100 : 50;
    auto arrived = [&] { return pair.stream->buffer().size() == expected; };
    REQUIRE(on_loop(reactor, until(reactor, arrived)));
    CHECK(told == 0);
    pair.hang_up();
    CHECK(on_loop(reactor, until(reactor, [&] { return told > 0; })));
    on_loop(reactor, until(
                         reactor, [] { return false; }, 20));
    CHECK(told == 1);
}

TEST_CASE("a connect that can't be says where and why") {
    UvReactor reactor;
    TempDir dir;
    auto missing = on_loop(
        reactor, Stream::connect(reactor, *parse_endpoint("unix:" + dir.path() + "/no"), 1'000));
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == ErrorCode::unavailable);
    CHECK_THAT(missing.error().text, Catch::Contains(dir / "no"));
    CHECK_THAT(missing.error().text, Catch::Contains("No such file"));

    auto refused =
        on_loop(reactor, Stream::connect(reactor, *parse_endpoint("127.0.0.1:1"), 1'000));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK_THAT(refused.error().text, Catch::Contains("refused"));

    auto nowhere = on_loop(
        reactor, Stream::connect(reactor, *parse_endpoint("no-such-host.invalid:80"), 5'000));
    REQUIRE_FALSE(nowhere);
    CHECK_THAT(nowhere.error().text, Catch::Contains("no-such-host.invalid"));
}

TEST_CASE("a connect to who never accepts ends at its limit") {
    UvReactor reactor;
    TempDir dir;
    std::string path = dir / "deaf";
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    auto* address = reinterpret_cast<sockaddr*>(&name);
    int deaf = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(deaf, address, sizeof name) == 0);
    REQUIRE(::listen(deaf, 0) == 0);
    // Fill the backlog.
    int filler = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(filler, address, sizeof name) == 0);
    int64_t before = reactor.now_ms();
    auto late = on_loop(reactor, Stream::connect(reactor, *parse_endpoint("unix:" + path), 50));
    REQUIRE_FALSE(late);
    CHECK(late.error().code == ErrorCode::timeout);
    CHECK(reactor.now_ms() - before >= 50);
    ::close(filler);
    ::close(deaf);
}
