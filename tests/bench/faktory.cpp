// A plain Faktory worker and producer, as bare as it can be: N connections, each FETCH, ACK, FETCH.
// One thread with poll(2); jobs are pushed first with PUSHB, so the drain alone is measured. Any
// server that speaks the Faktory Work Protocol 2 can be measured.
//
//   bench_faktory --server unix:PATH|tcp://HOST:PORT [--jobs N] [--connections N]
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/bench/bench_kit.h"

namespace jobq::bench {
namespace {

class Connection {
  public:
    explicit Connection(const std::string& server) {
        if (server.rfind("unix:", 0) == 0) {
            sockaddr_un name{};
            name.sun_family = AF_UNIX;
            std::strncpy(name.sun_path, server.c_str() + 5, sizeof name.sun_path - 1);
            fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
            connect_to(reinterpret_cast<sockaddr*>(&name), sizeof name, server);
        } else {
            const size_t colon = server.rfind(':');
            sockaddr_in name{};
            name.sin_family = AF_INET;
            name.sin_port = htons(uint16_t(std::stoi(server.substr(colon + 1))));
            ::inet_pton(AF_INET, server.substr(6, colon - 6).c_str(), &name.sin_addr);
            fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            connect_to(reinterpret_cast<sockaddr*>(&name), sizeof name, server);
            const int on = 1;
            ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
    }

    ~Connection() { ::close(fd_); }

    Connection(const Connection&) = delete;

    int fd() const { return fd_; }

    void send(const std::string& text) {
        for (size_t sent = 0; sent < text.size();) {
            const ssize_t n = ::write(fd_, text.data() + sent, text.size() - sent);
            if (n <= 0) throw std::runtime_error("the server has gone");
            sent += size_t(n);
        }
    }

    void read_more() {
        char bytes[65536];
        const ssize_t n = ::read(fd_, bytes, sizeof bytes);
        if (n <= 0) throw std::runtime_error("the server has gone");
        buffer_.append(bytes, size_t(n));
    }

    // A whole reply, "+..." or the body of a bulk ("" for null); false when it is not there yet.
    bool next(std::string& reply) {
        const size_t line = buffer_.find("\r\n");
        if (line == buffer_.npos) return false;
        if (buffer_[0] == '-') throw std::runtime_error("refused: " + buffer_.substr(0, line));
        if (buffer_[0] != '$') {
            reply = buffer_.substr(0, line);
            buffer_.erase(0, line + 2);
            return true;
        }
        const long bytes = std::stol(buffer_.substr(1));
        const size_t whole = line + 2 + (bytes < 0 ? 0 : size_t(bytes) + 2);
        if (buffer_.size() < whole) return false;
        reply = bytes < 0 ? "" : buffer_.substr(line + 2, size_t(bytes));
        buffer_.erase(0, whole);
        return true;
    }

    std::string receive() {
        std::string reply;
        while (!next(reply))
            read_more();
        return reply;
    }

  private:
    void connect_to(const sockaddr* name, socklen_t size, const std::string& server) {
        if (::connect(fd_, name, size) != 0) throw std::runtime_error("can't connect to " + server);
    }

    int fd_ = -1;
    std::string buffer_;
};

void push(const std::string& server, const std::string& queue, int64_t jobs) {
    Connection producer(server);
    producer.receive();
    producer.send("HELLO {\"v\":2}\r\n");
    producer.receive();
    constexpr int64_t kBatch = 1'000;
    const std::string payload(96, 'x');
    for (int64_t first = 0; first < jobs; first += kBatch) {
        std::string line = "PUSHB [";
        for (int64_t i = first; i < std::min(jobs, first + kBatch); ++i) {
            if (i > first) line += ',';
            line += "{\"jid\":\"bench-" + std::to_string(1'000'000'000 + i) +
                    "\",\"jobtype\":\"bench\",\"queue\":\"" + queue + "\",\"args\":[\"" + payload +
                    "\"]}";
        }
        producer.send(line + "]\r\n");
        if (producer.receive() != "{}") throw std::runtime_error("a job was refused");
    }
}

double drain(const std::string& server, const std::string& queue, int64_t jobs, int64_t count) {
    std::vector<std::unique_ptr<Connection>> workers;
    std::vector<pollfd> polled;
    const std::string fetch = "FETCH " + queue + "\r\n";
    for (int64_t i = 0; i < count; ++i) {
        workers.push_back(std::make_unique<Connection>(server));
        workers.back()->receive();
        workers.back()->send(
            "HELLO {\"v\":2,\"wid\":\"bench-worker\",\"hostname\":\"bench\",\"pid\":1,"
            "\"labels\":[]}\r\n");
        workers.back()->receive();
        polled.push_back({workers.back()->fd(), POLLIN, 0});
    }
    std::vector<bool> acking(workers.size(), false);
    int64_t done = 0;
    const double begin = now_s();
    for (auto& worker : workers)
        worker->send(fetch);
    while (done < jobs) {
        if (::poll(polled.data(), polled.size(), 30'000) <= 0)
            throw std::runtime_error(std::to_string(jobs - done) + " jobs did not come");
        for (size_t i = 0; i < workers.size(); ++i) {
            if (!polled[i].revents) continue;
            workers[i]->read_more();
            std::string reply;
            while (workers[i]->next(reply)) {
                if (acking[i]) {
                    ++done;
                    workers[i]->send(fetch);
                    acking[i] = false;
                } else if (reply.empty()) {
                    if (done < jobs) workers[i]->send(fetch);
                } else {
                    const size_t at = reply.find("\"jid\":\"") + 7;
                    workers[i]->send("ACK {\"jid\":\"" +
                                     reply.substr(at, reply.find('"', at) - at) + "\"}\r\n");
                    acking[i] = true;
                }
            }
        }
    }
    return now_s() - begin;
}

}  // namespace
}  // namespace jobq::bench

int main(int argc, char** argv) {
    using namespace jobq::bench;
    const std::string server = text_option(argc, argv, "server");
    if (server.empty()) {
        std::fprintf(stderr, "usage: bench_faktory --server unix:PATH|tcp://HOST:PORT ...\n");
        return 2;
    }
    const int64_t jobs = option(argc, argv, "jobs", 50'000),
                  connections = option(argc, argv, "connections", 10);
    const std::string queue = "bench-faktory";
    push(server, queue, jobs);
    const double seconds = drain(server, queue, jobs, connections);
    print_figure({{"name", "FETCH and ACK"},
                  {"connections", connections},
                  {"jobs_per_s", double(jobs) / seconds}});
}
