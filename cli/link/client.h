// Client: a conversation with jobqd in jobq's verbs. Blocking; every call has a limit.
//
//   auto client = Client::connect(target);        // finds the daemon, says HELLO
//   auto reply = client->call("STATUS", json);    // one request, one JSON reply
//   client->send(...); client->receive(...);      // pipelining; replies come in order
//   client->send("LOGS", json); client->receive() until "end": a stream
//
// After a lost connection alive() is false and the error is `unknown`; reconnect() starts anew with
// the same daemon.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/link/address.h"
#include "cli/link/link.h"

namespace jobq::cli {

inline constexpr int64_t kConnectMs = 5'000;  // to a jobqd that is there, on a machine that is busy
inline constexpr int64_t kReplyMs = 30'000;

class Client {
  public:
    // The failure names each socket tried, why, and what to run.
    static Answer<Client> connect(const Target& target, int64_t limit_ms = kConnectMs);

    // JSON text of the answer. An error the daemon answered with has its code.
    Result<std::string> call(std::string_view verb, std::string_view json,
                             int64_t limit_ms = kReplyMs);

    void send(std::string_view verb, std::string_view json);
    // The next answer; timeout when none came by `deadline_ms` (monotonic_ms()'s clock).
    Result<std::string> receive(int64_t deadline_ms);

    bool alive() const { return link_.is_open(); }

    // Tries for `limit_ms`, with pauses; what was in flight is forgotten.
    Result<> reconnect(int64_t limit_ms);
    // One try of it, ended after `limit_ms`.
    Result<> reconnect_once(int64_t limit_ms);

    const Address& address() const { return address_; }

    Link& link() { return link_; }

    // What a reply means: its text, or the error it carries.
    static Result<std::string> meaning(DaemonReply reply);

  private:
    Client(Link link, Address address) : link_(std::move(link)), address_(std::move(address)) {}

    static Result<Client> open(const Address& address, int64_t deadline_ms);
    Result<> shake_hands(int64_t deadline_ms);

    Link link_;
    Address address_;
};

}  // namespace jobq::cli
