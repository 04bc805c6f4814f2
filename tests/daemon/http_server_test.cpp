// The HTTP transport on real sockets: what is too slow ends, what streams is slowed down by its
// reader and told when that goes, and nothing hangs at the stop.
#include "daemon/http/http_server.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "core/async/contain.h"
#include "daemon/http/problem.h"
#include "tests/daemon/on_loop.h"
#include "tests/support/http_client.h"
#include "tests/support/poll.h"

using namespace jobq;
using namespace jobq::test;

namespace {

constexpr size_t kEndless = 64 << 20;

// "/stream" writes until it is gone, "/count" reads a streamed body, "/hold" likewise and looks at
// each piece again after a while, "/wait" until released, "/throw" fails, "/cut" fails in the
// middle of its answer, "/fall" fails at its head, and others answer with the length of the body.
class TestApp : public HttpApp {
  public:
    explicit TestApp(UvReactor& reactor_in) : reactor(reactor_in), released(reactor_in) {}

    std::optional<HttpResponse> look(HttpExchange& exchange) override {
        const std::string& path = exchange.request().path;
        if (path == "/fall") throw std::length_error("the head");
        exchange.streams_body = path == "/count" || path == "/hold";
        exchange.body_limit = path == "/count" ? 8 << 20 : path == "/hold" ? 100'000 : 1'000;
        if (path == "/refused") return problem({ErrorCode::forbidden, "not this"});
        return std::nullopt;
    }

    task<void> serve(std::shared_ptr<HttpExchange> exchange) override {
        const std::string path = exchange->request().path;
        if (path == "/stream") {
            co_await stream(exchange);
            co_return;
        }
        if (path == "/hold") {
            co_await hold(exchange);
            co_return;
        }
        if (path == "/cut") {
            exchange->begin(HttpResponse());
            exchange->write("the first of two lines\n");
        }
        if (path == "/throw" || path == "/cut") {
            sleep_for pause(reactor, 1);
            co_await pause;
            throw std::out_of_range("what nobody expected");
        }
        size_t bytes = path == "/count" ? 0 : exchange->body().size();
        while (path == "/count") {
            const std::string piece = co_await exchange->read_some();
            bytes += piece.size();
            most = std::max(most, piece.size());
            if (piece.empty()) break;
            sleep_for pause(reactor, 1);
            co_await pause;
        }
        while (path == "/wait" && !open) {
            auto wait = released.wait(-1);
            co_await wait;
        }
        HttpResponse response;
        response.body = std::to_string(bytes);
        exchange->answer(std::move(response));
    }

    // While it waits more comes, also more than the limit.
    task<void> hold(std::shared_ptr<HttpExchange> exchange) {
        bool same = true;
        size_t bytes = 0;
        while (true) {
            const std::string piece = co_await exchange->read_some();
            if (piece.empty()) break;
            const size_t size = piece.size();
            bytes += size;
            sleep_for pause(reactor, 30);
            co_await pause;
            same = same && piece.size() == size && piece == std::string(size, 'x');
        }
        HttpResponse response;
        response.body = same && bytes <= 100'000 && exchange->too_long() ? "held" : "changed";
        exchange->answer(std::move(response));
    }

    task<void> stream(std::shared_ptr<HttpExchange> exchange) {
        exchange->begin(HttpResponse());
        Signal going(reactor);
        exchange->tell_when_gone([&going] { going.notify_all(); });
        while (!exchange->gone() && written < kEndless) {
            std::string piece(1 << 10, 'x');
            exchange->write(piece + "\n");
            written += piece.size();
            co_await exchange->drained(64 << 10);
            if (pauses && !exchange->gone()) {
                auto wait = going.wait(10'000);
                co_await wait;
            }
        }
        exchange->tell_when_gone({});
        ++ended;
        exchange->end();
    }

    UvReactor& reactor;
    Signal released;
    bool open = false, pauses = false;
    size_t most = 0;
    std::atomic<size_t> written = 0;
    std::atomic<int> ended = 0;
};

// Of this process.
int descriptors() {
    int count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

struct Served {
    explicit Served(HttpLimits limits = {}) : app(reactor) {
        Endpoint endpoint;
        endpoint.host = "127.0.0.1";
        auto made = HttpServer::listen(reactor, endpoint, app, {}, limits);
        REQUIRE(made);
        server = std::move(*made);
    }

    int port() const { return server->endpoint().port; }

    // The client's side in a thread of its own; then the server stops.
    void with(std::function<void()> client) {
        std::atomic<bool> done = false;
        std::thread thread([&] {
            try {
                client();
            } catch (const std::exception& error) {
                trouble = error.what();
            }
            done = true;
        });
        on_loop(reactor, until_done(&done), 60'000);
        thread.join();
        INFO(trouble);
        CHECK(trouble.empty());
    }

    task<void> until_done(std::atomic<bool>* done) {
        auto is_done = [done] { return done->load(); };
        co_await until(reactor, is_done, 50'000);
        co_await server->stop();
    }

    UvReactor reactor;
    TestApp app;
    std::unique_ptr<HttpServer> server;
    std::string trouble;
};

HttpLimits hasty() {
    HttpLimits limits;
    limits.idle_ms = limits.body_ms = 200;
    limits.sweep_ms = 20;
    return limits;
}

}  // namespace

TEST_CASE("http: one connection serves many requests, with bodies and without", "[http]") {
    Served served;
    served.with([&] {
        HttpClient client(served.port());
        for (int i = 0; i < 100; ++i)
            CHECK(client.ask("POST", "/x", std::string(size_t(i), 'a')).body == std::to_string(i));
        CHECK(client.ask("HEAD", "/x").status == 200);
        CHECK(client.ask("GET", "/refused").status == 403);
        CHECK(client.ask("POST", "/refused", std::string(100'000, 'a')).status == 403);
        CHECK(client.ask("GET", "/x").body == "0");
    });
}

TEST_CASE("http: pipelined requests are answered in order", "[http]") {
    Served served;
    served.with([&] {
        HttpClient client(served.port());
        std::string all;
        for (int i = 1; i <= 50; ++i)
            all += "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(i) +
                   "\r\n\r\n" + std::string(size_t(i), 'b');
        client.send(all);
        for (int i = 1; i <= 50; ++i)
            CHECK(client.answer().body == std::to_string(i));
    });
}

TEST_CASE("http: too much body is told, however it comes", "[http]") {
    Served served;
    served.with([&] {
        HttpClient client(served.port());
        CHECK(client.ask("POST", "/x", std::string(1'001, 'a')).status == 413);
        CHECK(client.ask("POST", "/x", std::string(1'000, 'a')).status == 200);
        std::string chunk = "1000\r\n" + std::string(4096, 'a') + "\r\n";
        client.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk +
                    chunk + "0\r\n\r\n");
        CHECK(client.answer().status == 413);
        CHECK(client.at_end());
        HttpClient next(served.port());
        CHECK(next.ask("POST", "/x", "1").status == 200);
        next.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n");
        CHECK(next.answer().status == 413);
        CHECK(next.at_end());
    });
}

TEST_CASE("http: who sends without end is cut off", "[http]") {
    Served served;
    served.with([&] {
        HttpClient client(served.port());
        client.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        const std::string chunk = "10000\r\n" + std::string(65'536, 'a') + "\r\n";
        size_t sent = 0;
        while (sent < (100U << 20) && client.send(chunk))
            sent += chunk.size();
        CHECK(sent < (50U << 20));
    });
}

TEST_CASE("http: a head, a body and an idle connection that take too long end", "[http]") {
    Served served(hasty());
    served.with([&] {
        HttpClient idle(served.port()), head(served.port()), body(served.port());
        head.send("GET /x HTTP/1.1\r\nHost: a\r\n");
        body.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123");
        CHECK(body.answer().status == 408);
        CHECK(body.at_end());
        CHECK(head.at_end());
        CHECK(idle.at_end());
    });
}

TEST_CASE("http: a slow handler is waited for, whatever the idle limit", "[http]") {
    Served served(hasty());
    served.with([&] {
        HttpClient client(served.port());
        client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
        served.reactor.post_from_thread([&] {
            served.reactor.after(600, [&] {
                served.app.open = true;
                served.app.released.notify_all();
            });
        });
        CHECK(client.answer().status == 200);
    });
}

TEST_CASE("http: a streamed body is read no faster than its handler takes it", "[http]") {
    Served served;
    served.with([&] {
        HttpClient client(served.port());
        CHECK(client.ask("POST", "/count", std::string(5 << 20, 'a')).body ==
              std::to_string(5 << 20));
        CHECK(served.app.most <= (256 << 10));
        CHECK(client.ask("POST", "/x", "12").body == "2");
    });
}

TEST_CASE("http: a streamed answer waits for its reader, and ends with it", "[http]") {
    Served served;
    served.with([&] {
        {
            HttpClient client(served.port());
            client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
            // Until what the kernel and the server hold is full.
            size_t before = 0;
            for (int same = 0; same < 20;) {
                std::this_thread::sleep_for(std::chrono::milliseconds(10));
                same = served.app.written == before ? same + 1 : 0;
                before = served.app.written;
            }
            CHECK(before < kEndless / 2);
        }
        CHECK(eventually([&] { return served.app.ended == 1; }));
    });
}

TEST_CASE("http: a stream with nothing to say notices that its client went", "[http]") {
    Served served;
    served.app.pauses = true;
    served.with([&] {
        {
            HttpClient client(served.port());
            client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
            while (served.app.written == 0)
                std::this_thread::yield();
        }
        CHECK(eventually([&] { return served.app.ended == 1; }));
    });
}

TEST_CASE("http: the stop ends streams and lets requests have their answer", "[http]") {
    Served served;
    served.app.pauses = true;
    HttpClient stream(served.port()), waits(served.port());
    served.with([&] {
        stream.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
        waits.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
        while (served.app.written == 0)
            std::this_thread::yield();
        served.reactor.post_from_thread([&] {
            served.reactor.after(100, [&] {
                served.app.open = true;
                served.app.released.notify_all();
            });
        });
    });
    CHECK(waits.answer().status == 200);
    CHECK(stream.answer().status == 200);
    CHECK_THROWS(HttpClient(served.port()));
}

TEST_CASE("http: crowded, idle connections make room", "[http]") {
    HttpLimits limits;
    limits.connections = 20;
    limits.crowded_idle_ms = 100;
    limits.sweep_ms = 20;
    Served served(limits);
    served.with([&] {
        std::vector<std::unique_ptr<HttpClient>> idle;
        for (int i = 0; i < 40; ++i)
            idle.push_back(std::make_unique<HttpClient>(served.port()));
        HttpClient client(served.port());
        CHECK(client.ask("GET", "/x").status == 200);
    });
}

TEST_CASE("http: what a handler holds of a body stays while more than the limit comes", "[http]") {
    Served served;
    served.with([&] {
        HttpClient client(served.port());
        client.send("POST /hold HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 30; ++i)
            client.send("1388\r\n" + std::string(5'000, 'x') + "\r\n");
        client.send("0\r\n\r\n");
        CHECK(client.answer().body == "held");
    });
}

TEST_CASE("http: what escapes a handler ends its request and its connection alone", "[http]") {
    std::vector<std::string> told;
    on_escape([&](const Escape& escape) {
        told.push_back(std::string(escape.part) + ", " + escape.context + ": " + escape.what);
    });
    Served served;
    served.with([&] {
        HttpClient other(served.port());
        CHECK(other.ask("GET", "/x").status == 200);
        HttpClient thrown(served.port());
        auto answer = thrown.ask("GET", "/throw");
        CHECK(answer.status == 500);
        CHECK(answer.headers["content-type"] == "application/problem+json");
        CHECK(answer.body.find("\"code\":\"INTERNAL\"") != std::string::npos);
        CHECK(thrown.at_end());
        HttpClient cut(served.port());
        cut.send("GET /cut HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(cut.answer(true).status == 200);
        CHECK(cut.streamed_line() == "the first of two lines");
        CHECK(cut.at_end());
        HttpClient fallen(served.port());
        fallen.send("GET /fall HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(fallen.at_end());
        CHECK(other.ask("GET", "/x").status == 200);
    });
    on_escape({});
    REQUIRE(told.size() == 3);
    CHECK_THAT(told[0], Catch::StartsWith("http, GET /throw from 127.0.0.1:"));
    CHECK_THAT(told[0], Catch::EndsWith(": what nobody expected"));
    CHECK_THAT(told[1], Catch::StartsWith("http, GET /cut from "));
    CHECK_THAT(told[2], Catch::EndsWith(": the head"));
}

TEST_CASE("http: who ends in the middle of a request is let go at once, half of it or all",
          "[http]") {
    HttpLimits limits;
    limits.sweep_ms = 20;
    Served served(limits);
    const int before = descriptors();
    served.with([&] {
        for (const char* cut :
             {"GE", "GET /x HTTP/1.1\r\nHos",
              "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab",
              "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
            INFO(cut);
            {
                HttpClient client(served.port());
                client.send(cut);
            }
            CHECK(eventually([&] { return descriptors() == before; }, std::chrono::seconds(5)));
        }
        // It has said all there is to say, and waits for its answer through many sweeps.
        HttpClient half(served.port());
        half.send("POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
        half.end_sending();
        served.reactor.post_from_thread([&] {
            served.reactor.after(200, [&] {
                served.app.open = true;
                served.app.released.notify_all();
            });
        });
        CHECK(half.answer().body == "3");
    });
}
