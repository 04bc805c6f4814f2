// Session: from greeting to +OK: the password, and which worker it belongs to.
#include <algorithm>

#include "core/base/text.h"
#include "core/protocol/password.h"
#include "daemon/observe/log.h"
#include "daemon/server/session.h"

namespace jobq {

task<bool> Session::handshake() {
    check_ = context_.access.door->check_for(*stream_);
    stream_->write(check_.greeting());
    int64_t deadline = context_.reactor.now_ms() + limits::kHandshakeMs;
    std::string_view line;
    while (lines_.next(line) != LineSplitter::Next::line) {
        if (stream_->buffer().size() > limits::kEnvelopeBytes) co_return false;
        int64_t left = deadline - context_.reactor.now_ms();
        if (left <= 0) co_return false;
        bool more = co_await stream_->read_more(left);
        if (!more) co_return false;
    }
    if (!line.starts_with("HELLO {")) co_return false;
    const bool accepted = accept_hello(line.substr(6));
    if (unseen_) co_await refuse_unseen();
    co_return accepted;
}

task<void> Session::refuse_unseen() {
    const auto held = context_.access.guesses.hold(stream_->peer_address());
    if (held) {
        auto wait = going_.wait(Guesses::kWaitMs);
        co_await wait;
    }
    stream_->write("-" + std::string(kTooManyGuesses) +
                   " from your address; try again in a moment\r\n");
}

bool Session::accept_hello(std::string_view json) {
    auto hello = read_hello(json);
    if (!hello) return false;
    // Of a Unix socket, which asks for none, there is no address.
    const std::string peer = check_.asks() ? stream_->peer_address() : "";
    const bool guess = !peer.empty() && !hello->pwdhash.empty();
    const int64_t now = context_.reactor.now_ms();
    if (guess && !context_.access.guesses.may_try(peer, now)) {
        unseen_ = true;
        return false;
    }
    if (!check_.accepts(hello->version, hello->pwdhash)) {
        if (guess && context_.access.guesses.was_wrong(peer, now)) note_guessing(peer);
        stream_->write("-ERR Invalid password\r\n");  // clients look for these words
        log(LogLevel::warn, "auth.refused", "a TCP client sent no password or a wrong one",
            {{"peer", peer}});
        return false;
    }
    opted_in_ = hello->opted_in;
    // In its name commands could be handed back, to run again.
    if (caller().open && !hello->wid.empty() && hello->wid == context_.runner.wid()) {
        stream_->write("-ERR this wid belongs to jobqd's own runner\r\n");
        return false;
    }
    identified_ = true;
    ++context_.counters.connections;
    context_.counters.plain += !opted_in_;
    reply_ok();
    if (context_.counters.connections > context_.config().listen.connections) {
        reply_error({ErrorCode::busy,
                     "too many connections: " + std::to_string(context_.counters.connections)});
        return false;
    }
    if (!hello->wid.empty()) join_worker(std::move(*hello));
    return true;
}

void Session::join_worker(Hello hello) {
    const std::string wid = std::move(hello.wid);
    worker_ = broker().workers().meet(wid);
    bool known = worker_->connections > 0;
    if (!known && worker_->kind == WorkerKind::faktory) {
        broker().workers().forget(wid);  // one that was gone: it begins anew
        worker_ = broker().workers().meet(wid);
    }
    ++worker_->connections;
    worker_->beat_ms = context_.reactor.now_ms();
    worker_->closers[id_] = [this] { end(); };
    if (known) return;  // a further connection of it: its first HELLO counts
    worker_->hostname = printable(hello.hostname);
    worker_->pid = hello.pid;
    worker_->labels = std::move(hello.labels);
    if (!opted_in_) return;
    worker_->slots = std::max<int64_t>(0, hello.slots);
    worker_->owner = "w:" + wid;
    worker_->kind = wid == context_.runner.wid() ? WorkerKind::runner : WorkerKind::remote;
    worker_->state = worker_->told = WorkerState::running;
    int64_t peer = stream_->peer().pid;
    if (stream_->is_unix() && peer > 0) context_.processes.watch(worker_, peer);
    log(LogLevel::info, "worker.connected", "", {{"worker", wid}, {"pid", hello.pid}});
}

void Session::leave_worker() {
    if (!worker_) return;
    worker_->closers.erase(id_);
    if (--worker_->connections > 0) return;
    // A plain Faktory worker is gone with its last connection, but known while it holds jobs. One
    // with a process lease may come back until the lease ends.
    if (worker_->kind != WorkerKind::faktory) return;
    if (broker().holders().wids_with_jobs().count(worker_->wid) == 0)
        broker().workers().forget(worker_);
}

}  // namespace jobq
