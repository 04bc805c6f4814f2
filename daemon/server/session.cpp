#include "daemon/server/session.h"

#include <algorithm>

#include "core/async/contain.h"
#include "core/base/text.h"
#include "daemon/broker/intake_rules.h"
#include "daemon/observe/log.h"
#include "daemon/server/verbs/actions.h"

namespace jobq {
namespace {

constexpr size_t kGather = 1'000;  // lines stored together
constexpr std::string_view kEnqueue = "JOBQ ENQUEUE ", kPush = "PUSH ";

}  // namespace

Session::Session(ServerContext& context, std::unique_ptr<Stream> stream, uint64_t id)
    : context_(context),
      stream_(std::move(stream)),
      id_(id),
      lines_(stream_->buffer()),
      going_(context.reactor) {
    stream_->set_max_buffer(limits::kEnvelopeBytes + 1);
}

void Session::reply_ok() {
    stream_->write("+OK\r\n");
}

void Session::reply_bulk(std::string_view body) {
    std::string head = "$" + std::to_string(body.size()) + "\r\n";
    stream_->write(head);
    stream_->write(body);
    stream_->write("\r\n");
}

void Session::reply_null() {
    stream_->write("$-1\r\n");
}

void Session::reply_error(const Error& error) {
    std::string line = "-";
    bool coded = opted_in_ || error.code == ErrorCode::not_unique;
    line += coded ? info(error.code).name : std::string_view("ERR");
    line += ' ';
    for (char c : error.text)
        line += c == '\r' || c == '\n' ? ' ' : c;
    stream_->write(line + "\r\n");
}

void Session::reply_unstored(const Error& error) {
    if (opted_in_ || error.code != ErrorCode::unknown) return reply_error(error);
    log(LogLevel::info, "session.unsure",
        "connection closed, because its jobs may or may not be stored: " + error.text);
    end();
}

std::shared_ptr<Waiters::Ticket> Session::new_ticket() {
    auto ticket = std::make_shared<Waiters::Ticket>(context_.reactor);
    if (closed()) ticket->interrupted = true;
    ticket_ = ticket;
    return ticket;
}

bool Session::may_take() const {
    if (context_.status.state == DaemonState::stopping) return false;
    return !worker_ || worker_->state == WorkerState::running;
}

void Session::client_gone() {
    presence_.reset();
    if (auto ticket = ticket_.lock()) ticket->interrupt();
    going_.notify_all();
    broker().events().wake();                   // should it stream them
    if (worker_) worker_->notice.notify_all();  // a heartbeat that waits for news
}

void Session::end() {
    ending_ = true;
    client_gone();
    stream_->close_after_write();
}

// The border: an exception ends this session alone.
task<void> Session::run() {
    caught talking(talk());
    auto escaped = co_await talking;
    if (escaped) {
        const std::string doing = verb_.empty() ? "the handshake" : shown_verb();
        tell_escape("session", doing + " from " + peer_text(), escaped);
        tell_of_escape();
    }
    stream_->close_after_write();
    co_await stream_->drained(1);
    if (identified_) {
        --context_.counters.connections;
        context_.counters.plain -= !opted_in_;
    }
    client_gone();
    leave_worker();
}

// To a Faktory client an error would say that its jobs are not stored, which nobody knows.
void Session::tell_of_escape() {
    const bool stores = verb_ == "PUSH" || verb_ == "PUSHB";
    if (!identified_ || (stores && !opted_in_)) return;
    reply_error({ErrorCode::internal,
                 "the command failed inside jobqd and may or may not have been carried out; the "
                 "log of jobqd has the reason, and the connection is closed"});
}

std::string Session::shown_verb() const {
    return printable(utf8_prefix(to_utf8(verb_), 64));
}

std::string Session::peer_text() const {
    if (!stream_->is_unix()) return stream_->peer_address();
    return "pid " + std::to_string(stream_->peer().pid);
}

task<void> Session::talk() {
    bool welcome = co_await handshake();
    if (welcome) stream_->watch_close([this] { client_gone(); });
    if (!welcome && !stream_->error().empty())
        log(LogLevel::debug, "session.refused", stream_->error());
    std::string_view line;
    // What came before the client closed its side is still done.
    while (welcome && !ending_ && !stream_->broken()) {
        auto next = lines_.next(line);
        if (next == LineSplitter::Next::line) {
            co_await handle(std::string(line));
            co_await stream_->drained(1 << 20);
            continue;
        }
        if (next == LineSplitter::Next::too_long) {
            co_await refuse_line();
            break;
        }
        lines_.compact();
        stream_->set_max_buffer(lines_.room());
        bool more = co_await stream_->read_more(-1);
        if (!more) break;
    }
}

// The system throws an answer away that is followed by a close while bytes of the client are
// unread: for a moment they are taken and dropped.
task<void> Session::refuse_line() {
    Error error{ErrorCode::too_large, "a line of this verb may have at most " +
                                          std::to_string(lines_.limit()) +
                                          " bytes; send less in one line"};
    reply_error(error);
    co_await stream_->drained(1);
    int64_t until = context_.reactor.now_ms() + limits::kRefusedLineMs;
    bool more = true;
    while (more && context_.reactor.now_ms() < until) {
        stream_->buffer().clear();
        more = co_await stream_->read_more(limits::kRefusedLineMs / 5);
    }
}

// Nothing: it may be done.
std::optional<Error> Session::refusal(const VerbInfo& verb) const {
    if (bare_ && !verb.bare.empty()) return Error{ErrorCode::invalid, std::string(verb.bare)};
    if (context_.status.state == DaemonState::stopping && verb.has(kStores))
        return intake::shutting_down();
    return caller().refusal(verb.scope, verb_);
}

task<void> Session::handle(std::string line) {
    ++context_.counters.commands;
    size_t space = line.find(' ');
    verb_ = line.substr(0, space);
    bare_ = space == std::string::npos;
    std::string argument = std::move(line);
    argument.erase(0, bare_ ? argument.size() : space + 1);
    const bool jobq = verb_ == "JOBQ" && !bare_;
    std::string word = verb_;
    if (jobq) {
        space = argument.find(' ');
        word = argument.substr(0, space);
        argument = space == std::string::npos ? "{}" : argument.substr(space + 1);
        verb_ = "JOBQ " + word;
    }
    const VerbInfo* verb = find_verb(word, jobq);
    // How its jobs ended is all that a plain client may still say.
    if (context_.status.state == DaemonState::stopping && !opted_in_ &&
        (!verb || !verb->has(kAtShutdown))) {
        Error error{ErrorCode::unavailable, "shutdown in progress"};  // Faktory's words
        reply_error(error);
        end();
        co_return;
    }
    const VerbHandler handler = verb ? find_handler(*verb) : nullptr;
    if (!handler) {
        Error error{ErrorCode::invalid, "unknown command " + shown_verb()};
        reply_error(error);
        co_return;
    }
    if (auto refused = refusal(*verb)) {
        reply_error(*refused);
        co_return;
    }
    co_await handler(*this, std::move(argument));
}

Result<EnqueueRequest> Session::read_push(std::string_view argument, int64_t now_ms, bool jobq) {
    if (jobq) return parse_enqueue(argument, now_ms, broker().new_jid());
    auto job = parse_push(argument, now_ms);
    if (!job) return tl::unexpected<Error>(job.error());
    return EnqueueRequest{std::move(*job), false};
}

task<void> Session::store_pushes(std::string first, bool jobq) {
    std::string_view prefix = jobq ? kEnqueue : kPush;
    std::vector<Result<EnqueueRequest>> requests;
    std::vector<Job> jobs;
    int64_t now = context_.reactor.wall_ms();
    std::string_view argument = first;
    while (true) {
        auto request = read_push(argument, now, jobq);
        if (request) jobs.push_back(request->take_job());
        requests.push_back(std::move(request));
        std::string_view line;
        if (requests.size() >= kGather || !lines_.next_with(prefix, line)) break;
        ++context_.counters.commands;
        argument = line.substr(prefix.size());
    }
    auto results = co_await broker().intake().enqueue(std::move(jobs), caller());
    size_t at = 0;
    for (const auto& request : requests) {
        if (!request) {
            reply_error(request.error());
            continue;
        }
        const auto& result = results[at++];
        if (jobq) {
            auto answer = verbs::enqueued(broker(), *request, result);
            if (answer) {
                reply_bulk(*answer);
            } else {
                reply_unstored(answer.error());
            }
        } else if (result) {
            reply_ok();
        } else {
            reply_unstored(push_refusal(result.error(), request->job.jid));
        }
        if (ending_) co_return;  // nothing behind it may be heard in its place
    }
}

}  // namespace jobq
