#include "cli/link/client.h"

#include <unistd.h>

#include <algorithm>
#include <climits>

#include "cli/base/interrupt.h"
#include "core/base/text.h"
#include "core/json/view.h"
#include "core/json/writer.h"
#include "core/protocol/handshake.h"
#include "core/protocol/password.h"

namespace jobq::cli {
namespace {

std::string host_name() {
    char name[HOST_NAME_MAX + 1] = {};
    gethostname(name, sizeof name - 1);
    return to_utf8(name);
}

// "  unix:/run/jobq/jobq.sock: No such file or directory" for each address tried.
Failure nobody_there(const std::vector<std::string>& tried) {
    std::string text = tried.size() == 1 ? "no jobqd answers at " + tried.front()
                                         : "no jobqd answers at any of the default sockets";
    if (tried.size() > 1)
        for (const auto& one : tried)
            text += "\n    " + one;
    return Failure(kNoDaemon, text,
                   "start one with `jobqd --dev`, or name another with --server unix:PATH or "
                   "JOBQ_URL=unix:PATH|tcp://HOST:PORT|tcp+tls://HOST:PORT");
}

}  // namespace

Result<std::string> Client::meaning(DaemonReply reply) {
    if (reply.kind != DaemonReply::Kind::error) return std::move(reply.text);
    Error error = error_of(reply.text);
    // Plain Faktory knows only ERR: a request it can't take.
    if (reply.text.starts_with("ERR ")) error.code = ErrorCode::invalid;
    error.text = printable(error.text);
    return tl::unexpected(std::move(error));
}

Result<> Client::shake_hands(int64_t deadline_ms) {
    auto greeting = link_.read_reply(deadline_ms);
    // A port that speaks TLS says nothing to a client that does not.
    const bool plain_tcp = !address_.endpoint.is_unix() && !address_.endpoint.tls;
    if (!greeting && plain_tcp && greeting.error().code != ErrorCode::cancelled)
        greeting.error().text += "; if the daemon uses TLS, use tcp+tls:// instead of tcp://";
    if (!greeting) return tl::unexpected(greeting.error());
    if (greeting->kind == DaemonReply::Kind::error)
        return fail(ErrorCode::busy, "the daemon refused: " + printable(greeting->text));
    Hello own;
    own.hostname = host_name();
    own.pid = getpid();
    own.username = to_utf8(address_.user);
    auto hello = answer_greeting(greeting->text, std::move(own), address_.password);
    if (!hello && hello.error().code == ErrorCode::unauthorized)
        return fail(ErrorCode::unauthorized,
                    "the daemon at " + address_.endpoint.text() +
                        " requires a password; give it with --password-file FILE, JOBQ_PASSWORD or "
                        "JOBQ_URL=tcp+tls://:PASSWORD@HOST:PORT");
    if (!hello) return tl::unexpected(hello.error());
    link_.queue(*hello);
    auto answer = link_.read_reply(deadline_ms);
    if (!answer) return tl::unexpected(answer.error());
    if (answer->kind != DaemonReply::Kind::error) return {};
    const std::string said = printable(answer->text);
    if (said.starts_with(kTooManyGuesses))
        return fail(ErrorCode::busy, "the daemon at " + address_.endpoint.text() +
                                         " does not check passwords from this address for a "
                                         "moment: it received too many wrong ones from there");
    if (said.find("password") != std::string::npos)
        return fail(ErrorCode::unauthorized,
                    "the daemon at " + address_.endpoint.text() + " rejected the password");
    return tl::unexpected(meaning(std::move(*answer)).error());
}

Result<Client> Client::open(const Address& address, int64_t deadline_ms) {
    auto link = Link::open(address, deadline_ms);
    if (!link) return tl::unexpected(link.error());
    Client client(std::move(*link), address);
    const auto hands = client.shake_hands(deadline_ms);
    if (!hands) return tl::unexpected(hands.error());
    return client;
}

Answer<Client> Client::connect(const Target& target, int64_t limit_ms) {
    const auto addresses = addresses_to_try(target);
    if (!addresses) return tl::unexpected(addresses.error());
    std::vector<std::string> tried;
    for (const auto& address : *addresses) {
        auto client = open(address, monotonic_ms() + limit_ms);
        if (client) return std::move(*client);
        // Somebody is there and said no, or the user gave up: looking further would be wrong.
        const ErrorCode code = client.error().code;
        if (code != ErrorCode::unavailable && code != ErrorCode::unknown &&
            code != ErrorCode::timeout)
            return tl::unexpected(Failure(client.error()));
        tried.push_back(address.endpoint.text() + ": " + client.error().text);
    }
    return tl::unexpected(nobody_there(tried));
}

Result<> Client::reconnect_once(int64_t limit_ms) {
    auto client = open(address_, monotonic_ms() + limit_ms);
    if (!client) return tl::unexpected(client.error());
    link_ = std::move(client->link_);
    return {};
}

Result<> Client::reconnect(int64_t limit_ms) {
    const int64_t end = monotonic_ms() + limit_ms;
    int64_t pause_ms = 20;
    while (true) {
        const auto back = reconnect_once(std::min(end - monotonic_ms(), kConnectMs));
        if (back) return {};
        if (interrupted()) return fail(ErrorCode::cancelled, "interrupted");
        if (monotonic_ms() + pause_ms >= end) return back;
        sleep_until(monotonic_ms() + pause_ms);
        pause_ms = std::min<int64_t>(pause_ms * 2, 500);
    }
}

void Client::send(std::string_view verb, std::string_view json) {
    link_.queue("JOBQ ");
    link_.queue(verb);
    link_.queue(" ");
    link_.queue(json);
    link_.queue("\n");
}

Result<std::string> Client::receive(int64_t deadline_ms) {
    auto reply = link_.read_reply(deadline_ms);
    if (!reply) return tl::unexpected(reply.error());
    return meaning(std::move(*reply));
}

Result<std::string> Client::call(std::string_view verb, std::string_view json, int64_t limit_ms) {
    send(verb, json);
    return receive(monotonic_ms() + limit_ms);
}

}  // namespace jobq::cli
