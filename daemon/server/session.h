// Session: one client connection, from greeting to close. Reads lines, hands each to its verb's
// handler, answers in order. Consecutive PUSH (or JOBQ ENQUEUE) lines that are already here are
// stored together: a client that pipelines a thousand jobs costs a few script calls.
//
// Must stay true: memory is bounded by the line limits; a client that does not read its replies is
// not read from; one that goes away ends its waits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/protocol/handshake.h"
#include "core/protocol/job_wire.h"
#include "core/protocol/line_splitter.h"
#include "core/protocol/verbs.h"
#include "daemon/loop/stream.h"
#include "daemon/server/context.h"

namespace jobq {

class Session {
  public:
    Session(ServerContext& context, std::unique_ptr<Stream> stream, uint64_t id);

    task<void> run();
    // Ends waits and, once what is written is sent, the connection.
    void end();

    // For handlers.
    void reply_ok();
    void reply_bulk(std::string_view body);
    void reply_null();
    // "-ERR text" to a Faktory client, but NOTUNIQUE, which those know; "-CODE text" to one that
    // opted in.
    void reply_error(const Error& error);
    // Why jobs were not stored. To a Faktory client each error says that they certainly are not:
    // when nobody knows, the connection ends instead of an answer.
    void reply_unstored(const Error& error);

    void reply_raw(std::string_view bytes) { stream_->write(bytes); }

    task<void> drained() { return stream_->drained(1 << 20); }

    bool closed() const { return stream_->closed() || ending_; }

    // The verb came without even a space behind it.
    bool bare() const { return bare_; }

    Caller caller() const { return context_.access.caller(stream_->is_unix()); }

    bool opted_in() const { return opted_in_; }

    ServerContext& context() { return context_; }

    Broker& broker() { return context_.broker; }

    const std::shared_ptr<Worker>& worker() const { return worker_; }

    // Interrupted when the client goes: for waits.
    std::shared_ptr<Waiters::Ticket> new_ticket();
    // False while its worker is quiet, and when the daemon stops: nothing is to be taken.
    bool may_take() const;

    // A signal notified when the client goes or the session ends: for streams.
    Signal& going() { return going_; }

    // For what it takes without a wid.
    Connection connection() const { return {true, presence_}; }

    void close() { stream_->close_after_write(); }

    // PUSH, or JOBQ ENQUEUE. `first` is the argument of the first line; those of the same verb
    // behind it that are here already join it.
    task<void> store_pushes(std::string first, bool jobq);

  private:
    task<void> talk();
    void tell_of_escape();
    std::string peer_text() const;
    std::string shown_verb() const;
    task<bool> handshake();
    bool accept_hello(std::string_view json);
    // Its password was not even looked at: it waits for the answer.
    task<void> refuse_unseen();
    void join_worker(Hello hello);
    void leave_worker();
    task<void> handle(std::string line);
    // A line over its limit: says so, and lets the client hear it.
    task<void> refuse_line();
    Result<EnqueueRequest> read_push(std::string_view argument, int64_t now_ms, bool jobq);
    std::optional<Error> refusal(const VerbInfo& verb) const;
    void client_gone();

    ServerContext& context_;
    std::unique_ptr<Stream> stream_;
    uint64_t id_;
    PasswordCheck check_;
    LineSplitter lines_;
    std::string verb_;  // the one it is at, for messages
    bool opted_in_ = false, identified_ = false, ending_ = false, bare_ = false;
    bool unseen_ = false;  // its password was not looked at
    std::shared_ptr<Worker> worker_;
    std::weak_ptr<Waiters::Ticket> ticket_;
    Signal going_;
    std::shared_ptr<const void> presence_ = std::make_shared<char>();  // null: the client went
};

// A verb: parses its argument, calls one action, replies. The argument is all after the verb's
// space.
using VerbHandler = task<void> (*)(Session& session, std::string argument);
// `verb` is a row of kVerbs. Null: none may be called.
VerbHandler find_handler(const VerbInfo& verb);

}  // namespace jobq
