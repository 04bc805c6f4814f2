// Clients as rough as they come: requests that are cut, split, changed and of wrong lengths, on the
// socket and over HTTP, from several threads at once, with a reload and a killed Redis among them.
// jobqd lives, answers, and holds nothing of them afterwards.
// JOBQ_ROUGH_REQUESTS sets how many; ROUGH_SEED which ones.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "core/base/rng.h"
#include "core/protocol/verbs.h"
#include "tests/support/live/http_kit.h"

using namespace jobq;
using namespace jobq::test;

namespace {

int64_t number_of(const char* variable, int64_t otherwise) {
    const char* text = std::getenv(variable);
    return text ? std::atoll(text) : otherwise;
}

constexpr const char* kBodies[] = {
    R"({"type":"noop","payload":1})",
    R"({"type":"noop","delay_ms":9223372036854775807})",
    R"({"type":"noop","expires_ms":9223372036854775807,"timeout_ms":-1,"jid":"rough-0001"})",
    R"({"jids":["rough-0001","rough-0002"],"timeout_ms":9223372036854775807})",
    R"({"jid":"rough-0001","follow":true,"attempt":-9})",
    R"({"state":"ready","queue":"default","limit":3,"cursor":"x"})",
    R"({"jobs":[{"jid":"rough-0001","token":"t","outcome":"success","snooze_ms":1e99}]})",
    R"({"running":[{"jid":"a","token":"b"}],"wait_ms":0})",
    R"({"queues":["default","low"],"count":3,"wait_ms":1,"types":["none"]})",
    R"({"jobs":[{"jid":"rough-0001","token":"t","stream":"stdout","offset":-5,"text":"x"}]})",
    R"({"action":"remove","filter":{"state":"dead","all":true},"rate":1})",
    R"({"jid":"abcdefgh","jobtype":"noop","args":[1,{"a":[null,"\ud800"]}],"at":"never"})",
    R"([{"jid":"abcdefgi","jobtype":"noop","args":[]},7,{"a":1}])",
    R"({"cmd":"clear","target":"dead","filter":{"jobtype":"x","jids":[]}})",
    R"({"jid":"abcdefgh","errtype":"E","message":"m","backtrace":["a"]})",
    R"({"queues":["default"],"event":["nothing"]})",
    "",
    "{",
    "default *",
    "\xff\xfe[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
};

struct Ask {
    const char *method, *target, *type;
};

constexpr Ask kAsks[] = {{"POST", "/api/v1/jobs", "application/json"},
                         {"POST", "/api/v1/jobs:bulk", "application/jsonl"},
                         {"POST", "/api/v1/jobs:bulk", "application/x-ndjson"},
                         {"GET", "/api/v1/jobs?state=ready&limit=3", ""},
                         {"GET", "/api/v1/jobs/rough-0001", ""},
                         {"GET", "/api/v1/jobs/rough-0001/log?follow=true", ""},
                         {"GET", "/api/v1/events", ""},
                         {"GET", "/api/v1/live", ""},
                         {"GET", "/api/v1/queues", ""},
                         {"GET", "/metrics", ""},
                         {"GET", "/", ""},
                         {"DELETE", "/api/v1/jobs/rough-0001", ""},
                         {"POST", "/api/v1/dead/retry", "application/json"},
                         {"POST", "/api/v1/operations", "application/json"},
                         {"OPTIONS", "/api/v1/jobs", ""},
                         {"PUT", "/%zz/%00", "text/plain"}};

// One client in one thread.
class Rough {
  public:
    Rough(uint64_t seed, std::string socket, int port)
        : rng_(seed), socket_(std::move(socket)), port_(port) {}

    void once() {
        const bool http = rng_.below(2) == 0;
        fd_ = http ? connect_tcp() : connect_unix();
        if (fd_ < 0) return;
        if (http) {
            say(request());
        } else {
            talk();
        }
        if (!cut_) hear();
        if (rng_.below(4) == 0) {  // not in order, with what is unread
            linger hard{1, 0};
            ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        }
        ::close(fd_);
        cut_ = false;
    }

  private:
    int connect_tcp() const {
        int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(uint16_t(port_));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return connected(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }

    int connect_unix() const {
        int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        socket_.copy(address.sun_path, sizeof address.sun_path - 1);
        return connected(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }

    static int connected(int fd, sockaddr* address, socklen_t size) {
        timeval limit{5, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (::connect(fd, address, size) == 0) return fd;
        ::close(fd);
        return -1;
    }

    // In pieces, and perhaps not to its end.
    void say(std::string text) {
        if (rng_.below(8) == 0) text.resize(rng_.below(text.size() + 1)), cut_ = true;
        size_t at = 0;
        while (at < text.size()) {
            const size_t size = rng_.below(3) == 0 ? 1 + rng_.below(7) : text.size() - at;
            const ssize_t sent =
                ::send(fd_, text.data() + at, std::min(size, text.size() - at), MSG_NOSIGNAL);
            if (sent <= 0) return;
            at += size_t(sent);
        }
        if (rng_.below(6) == 0) ::shutdown(fd_, SHUT_WR);
    }

    // For a moment, and not all of it.
    void hear() {
        timeval limit{0, int(1'000 * (1 + rng_.below(20)))};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        char bytes[4'096];
        for (int reads = int(rng_.below(4)); reads > 0; --reads)
            if (::recv(fd_, bytes, sizeof bytes, 0) <= 0) return;
    }

    std::string body() {
        std::string text = kBodies[rng_.below(std::size(kBodies))];
        if (rng_.below(5) == 0) text = text + "\n" + kBodies[rng_.below(std::size(kBodies))] + "\n";
        if (rng_.below(40) == 0) text += std::string(size_t(rng_.below(300'000)), ' ');
        for (uint64_t n = rng_.below(4) == 0 ? 1 + rng_.below(3) : 0; n > 0 && !text.empty(); --n)
            text[rng_.below(text.size())] = char(rng_.next());
        return text;
    }

    std::string chunked(const std::string& text) {
        std::string out;
        for (size_t at = 0; at < text.size();) {
            const size_t size = std::min<size_t>(text.size() - at, 1 + rng_.below(text.size()));
            char head[32];
            std::snprintf(head, sizeof head, "%zx\r\n", size);
            out += head + text.substr(at, size) + "\r\n";
            at += size;
        }
        return out + (rng_.below(10) == 0 ? "zz\r\n" : "0\r\n\r\n");
    }

    std::string request() {
        const Ask& ask = kAsks[rng_.below(std::size(kAsks))];
        const std::string text = *ask.type || rng_.below(10) == 0 ? body() : "";
        std::string head = std::string(ask.method) + " " + ask.target +
                           " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) + "\r\n";
        if (*ask.type) head += std::string("Content-Type: ") + ask.type + "\r\n";
        if (rng_.below(10) == 0) head += "X-" + std::string(rng_.below(20'000), 'a') + ": b\r\n";
        const auto framing = rng_.below(8);
        if (text.empty() && framing > 2) return head + "\r\n";
        if (framing < 3) return head + "Transfer-Encoding: chunked\r\n\r\n" + chunked(text);
        const auto length = int64_t(text.size()) + (framing == 3 ? int64_t(rng_.below(9)) - 4 : 0);
        return head + "Content-Length: " + std::to_string(length) + "\r\n\r\n" + text;
    }

    void talk() {
        static const char* const kHellos[] = {
            "HELLO {\"v\":2}\r\n", "HELLO {\"v\":2,\"jobq\":1}\r\n",
            "HELLO {\"v\":2,\"jobq\":1,\"wid\":\"rough-w\",\"slots\":2}\r\n",
            "HELLO {\"v\":2,\"wid\":\"rough-f\",\"hostname\":\"h\",\"pid\":1}\r\n",
            "HELLO {\"v\":\r\n"};
        std::string text = kHellos[rng_.below(20) == 0 ? 4 : rng_.below(4)];
        for (uint64_t n = rng_.below(6); n > 0; --n) {
            const VerbInfo& verb = kVerbs[rng_.below(kVerbs.size())];
            // Minutes of samples, and the end of what others do.
            if (verb.name == "PROFILE" || verb.name == "JOBQ") continue;
            std::string line = body();
            std::erase(line, '\n');
            text += (verb.jobq() ? "JOBQ " : "") + std::string(verb.name) + " " + line + "\r\n";
        }
        say(std::move(text));
    }

    Rng rng_;
    std::string socket_;
    int port_;
    int fd_ = -1;
    bool cut_ = false;
};

int descriptors(pid_t pid) {
    int count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
        ++count;
    return count;
}

// Of /metrics: the sum over its labels.
double metric(const HttpDaemon& daemon, const std::string& name) {
    const std::string text = daemon.ask("GET", "/metrics").body;
    double sum = 0;
    for (size_t at = text.find("\n" + name); at != text.npos; at = text.find("\n" + name, at + 1))
        sum += std::atof(text.c_str() + text.find(' ', at));
    return sum;
}

}  // namespace

TEST_CASE("rough clients, thousands of them, leave nothing behind") {
    const int64_t requests = number_of("JOBQ_ROUGH_REQUESTS", 3'000);
    const auto seed = uint64_t(number_of("ROUGH_SEED", 1));
    INFO("seed " << seed);
    HttpDaemon daemon("[runner]\nstart = false\n");
    const int before = descriptors(daemon.pid());
    std::atomic<int64_t> left = requests;
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            Rough rough(seed * 1'000 + i, daemon.socket(), daemon.port());
            while (left-- > 0)
                rough.once();
        });
    CHECK(eventually([&] { return left <= requests / 2; }, std::chrono::minutes(10)));
    daemon.signal(SIGHUP);
    const pid_t redis = daemon.redis_pid();
    if (redis > 0) ::kill(redis, SIGKILL);
    for (auto& thread : threads)
        thread.join();

    CHECK(is_alive(daemon.pid()));
    CHECK(eventually([&] { return daemon.jobq({"ping"}).status == 0; }));
    CHECK(eventually([&] { return metric(daemon, "jobq_connections") == 0; }));
    CHECK(metric(daemon, "jobq_contained_errors_total") == 0);
    // The keepalive of a client's, and what was taken for the look itself.
    CHECK(eventually([&] { return descriptors(daemon.pid()) <= before + 1; }));
    CHECK(daemon.stop() == 0);
}
