// Relay: between clients and a server on a Unix socket, on a Unix socket or a loopback port of its
// own. One thread carries the bytes of all connections both ways; what it does to them is said by a
// Passage for each connection. The link can be cut as a whole.
#pragma once

#include <poll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace jobq::test {

// False when the other side is gone.
bool send_all(int fd, std::string_view bytes);

// One connection through a Relay; of its thread alone. Passes all there is unless it is derived
// from. False ends both sides.
class Passage {
  public:
    Passage() = default;
    Passage(const Passage&) = delete;
    virtual ~Passage() = default;

    virtual bool to_server(std::string_view bytes, int server) { return send_all(server, bytes); }

    virtual bool to_client(std::string_view bytes, int client) { return send_all(client, bytes); }
};

class Relay {
  public:
    // Called in the thread of the relay, for each connection.
    using MakePassage = std::function<std::unique_ptr<Passage>()>;

    Relay(std::string listen_path, std::string target_path, MakePassage make);
    // On a free port of loopback; passes everything.
    explicit Relay(std::string target_path);
    ~Relay();
    Relay(const Relay&) = delete;

    const std::string& path() const { return path_; }

    std::string url() const { return "tcp://127.0.0.1:" + std::to_string(port_); }

    // New connections go there from now on; those there are stay where they are.
    void move_to(std::string target_path);
    // Every connection ends and new ones are refused, until mend().
    void cut();
    void mend();

    int accepted() const { return accepted_; }  // connections, ever

  private:
    struct Pair {
        int client = -1, server = -1;
        std::unique_ptr<Passage> passage;
    };

    void start();
    void serve();
    void accept_one();
    // What was polled: the listener, then the client and the server of each pair.
    void carry_all(const std::vector<pollfd>& polled);
    void listen_again();
    void close_all();

    const std::string path_;  // "": on a port
    const MakePassage make_;
    std::mutex mutex_;
    std::string target_;
    int port_ = 0;
    int listener_ = -1;
    std::vector<Pair> pairs_;
    std::atomic<bool> wants_cut_ = false, is_cut_ = false, stop_ = false;
    std::atomic<int> accepted_ = 0;
    std::thread thread_;
};

}  // namespace jobq::test
