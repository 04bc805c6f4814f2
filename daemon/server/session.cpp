#include "daemon/server/session.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/protocol/json_fields.h"
#include "core/protocol/verbs.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr size_t kReadBytes = limits::kBulkLineBytes + limits::kEnvelopeBytes;
constexpr size_t kGather = 1'000;  // lines stored together
constexpr std::string_view kEnqueue = "JOBQ ENQUEUE ", kPush = "PUSH ";

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

// Verbs whose lines carry many jobs or their output.
bool is_bulk(std::string_view line) {
    return starts_with(line, "PUSHB ") || starts_with(line, "JOBQ DONE ") ||
           starts_with(line, "JOBQ OUTPUT ") || starts_with(line, "JOBQ IMPORT ");
}

}  // namespace

std::string_view name(DaemonState state) {
    switch (state) {
        case DaemonState::starting:
            return "starting";
        case DaemonState::ready:
            return "ready";
        case DaemonState::stopping:
            return "stopping";
        case DaemonState::store_down:
            break;
    }
    return "store_down";
}

Session::Session(ServerContext& context, std::unique_ptr<Stream> stream, uint64_t id)
    : context_(context), stream_(std::move(stream)), id_(id), going_(context.reactor) {
    stream_->set_max_buffer(kReadBytes);
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
    line += opted_in_ ? info(error.code).name : std::string_view("ERR");
    line += ' ';
    for (char c : error.text)
        line += c == '\r' || c == '\n' ? ' ' : c;
    stream_->write(line + "\r\n");
}

std::shared_ptr<Waiters::Ticket> Session::new_ticket() {
    auto ticket = std::make_shared<Waiters::Ticket>(context_.reactor);
    if (closed()) ticket->interrupted = true;
    ticket_ = ticket;
    return ticket;
}

bool Session::may_take() const {
    if (context_.state == DaemonState::stopping) return false;
    return !worker_ || worker_->state == WorkerState::running;
}

void Session::client_gone() {
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

bool Session::next_line(std::string_view& line) {
    const std::string& buffer = stream_->buffer();
    size_t end = buffer.find('\n', used_);
    if (end == std::string::npos) return false;
    size_t length = end - used_;
    if (length > 0 && buffer[end - 1] == '\r') --length;
    line = std::string_view(buffer).substr(used_, length);
    used_ = end + 1;
    return true;
}

bool Session::line_too_long() const {
    std::string_view rest = std::string_view(stream_->buffer()).substr(used_);
    return rest.size() > (is_bulk(rest) ? limits::kBulkLineBytes : limits::kLineBytes);
}

task<bool> Session::handshake() {
    stream_->write("+HI {\"v\":2}\r\n");
    int64_t deadline = context_.reactor.now_ms() + limits::kHandshakeMs;
    std::string_view line;
    while (!next_line(line)) {
        if (stream_->buffer().size() > limits::kEnvelopeBytes) co_return false;
        int64_t left = deadline - context_.reactor.now_ms();
        if (left <= 0) co_return false;
        bool more = co_await stream_->read_more(left);
        if (!more) co_return false;
    }
    if (!starts_with(line, "HELLO {")) co_return false;
    co_return accept_hello(line.substr(6));
}

bool Session::accept_hello(std::string_view json) {
    auto hello = JsonObject::parse(json, true);
    if (!hello) return false;
    auto version = hello->integer("v");
    auto pid = hello->integer("pid");
    auto rss = hello->integer("rss_kb");
    auto labels = hello->strings("labels");
    auto wid = hello->string("wid");
    auto hostname = hello->string("hostname");
    if (!version || !pid || !rss || !labels || !wid || !hostname) return false;
    if (version->value_or(0) < 0 || version->value_or(0) > 255) return false;
    auto opted = hello->integer("jobq");
    opted_in_ = opted && opted->value_or(0) == 1;
    auto slots = hello->integer("slots");
    identified_ = true;
    ++context_.connections;
    reply_ok();
    if (context_.connections > context_.config().listen.connections) {
        reply_error(
            {ErrorCode::busy, "too many connections: " + std::to_string(context_.connections)});
        return false;
    }
    if (!wid->value_or("").empty())
        join_worker(**wid, hostname->value_or(""), pid->value_or(0),
                    labels->value_or(std::vector<std::string>()), slots ? slots->value_or(0) : 0);
    return true;
}

void Session::join_worker(std::string wid, std::string hostname, int64_t pid,
                          std::vector<std::string> labels, int64_t slots) {
    worker_ = broker().workers().meet(wid);
    bool known = worker_->connections > 0;
    ++worker_->connections;
    worker_->beat_ms = context_.reactor.now_ms();
    worker_->closers[id_] = [this] { end(); };
    if (known) return;  // a further connection of it: its first HELLO counts
    worker_->hostname = printable(hostname);
    worker_->pid = pid;
    worker_->labels = std::move(labels);
    if (!opted_in_) return;
    worker_->slots = std::max<int64_t>(0, slots);
    worker_->owner = "w:" + wid;
    worker_->kind = wid == context_.runner_wid ? WorkerKind::runner : WorkerKind::remote;
    worker_->state = worker_->told = WorkerState::running;
    int64_t peer = stream_->peer().pid;
    if (stream_->is_unix() && peer > 0 && context_.watch_process)
        context_.watch_process(worker_, peer);
    log(LogLevel::info, "worker.connected", "", {{"worker", wid}, {"pid", pid}});
}

void Session::leave_worker() {
    if (!worker_) return;
    worker_->closers.erase(id_);
    if (--worker_->connections > 0) return;
    // A plain Faktory worker is gone with its last connection; its jobs stay reserved. One with a
    // process lease may come back until the lease ends.
    if (worker_->kind == WorkerKind::faktory && broker().workers().find(worker_->wid) == worker_)
        broker().workers().forget(worker_->wid);
}

task<void> Session::run() {
    bool welcome = co_await handshake();
    if (welcome) stream_->watch_close([this] { client_gone(); });
    std::string_view line;
    while (welcome && !closed()) {
        if (next_line(line)) {
            co_await handle(std::string(line));
            co_await stream_->drained(1 << 20);
            continue;
        }
        if (line_too_long()) {
            Error error{ErrorCode::too_large,
                        "a line may have at most " + std::to_string(limits::kLineBytes) + " bytes"};
            reply_error(error);
            break;
        }
        stream_->buffer().erase(0, used_);
        used_ = 0;
        bool more = co_await stream_->read_more(-1);
        if (!more) break;
    }
    stream_->close_after_write();
    co_await stream_->drained(1);
    if (identified_) --context_.connections;
    client_gone();
    leave_worker();
}

task<void> Session::handle(std::string line) {
    size_t space = line.find(' ');
    std::string verb = line.substr(0, space);
    std::string argument = space == std::string::npos ? "" : line.substr(space + 1);
    bool bare = space == std::string::npos;
    if (verb == "PUSH" && !bare) {
        co_await store_pushes(std::move(argument), false);
        co_return;
    }
    bool jobq = verb == "JOBQ" && !bare;
    if (jobq) {
        space = argument.find(' ');
        verb = argument.substr(0, space);
        argument = space == std::string::npos ? "{}" : argument.substr(space + 1);
        if (verb == "ENQUEUE") {
            co_await store_pushes(std::move(argument), true);
            co_return;
        }
    }
    const VerbInfo* known = find_verb(verb, jobq);
    VerbHandler handler = known ? find_handler(verb, jobq) : nullptr;
    if (!handler) {
        std::string prefix = jobq ? "JOBQ " : "";
        std::string shown = printable(utf8_prefix(to_utf8(verb), 64));
        Error error{ErrorCode::invalid, "unknown command " + prefix + shown};
        reply_error(error);
        co_return;
    }
    static constexpr std::string_view kNeedArgument[] = {"PUSH", "PUSHB", "ACK",   "FAIL",
                                                         "BEAT", "QUEUE", "MUTATE"};
    bool needs = std::find(std::begin(kNeedArgument), std::end(kNeedArgument), verb) !=
                 std::end(kNeedArgument);
    if (bare && needs) {
        Error error{ErrorCode::invalid, "internal error"};  // Faktory's own text for it
        reply_error(error);
        co_return;
    }
    co_await handler(*this, std::move(argument));
}

Result<EnqueueRequest> Session::read_push(std::string_view argument, int64_t now_ms, bool jobq) {
    if (context_.state == DaemonState::stopping)
        return fail(ErrorCode::unavailable, "shutdown in progress");
    if (jobq) return parse_enqueue(argument, now_ms, broker().new_jid());
    auto job = parse_push(argument, now_ms);
    if (!job) return tl::unexpected<Error>(job.error());
    return EnqueueRequest{std::move(*job), false};
}

// `first` is the argument of the first line; those behind it that are here already join it.
task<void> Session::store_pushes(std::string first, bool jobq) {
    std::string_view prefix = jobq ? kEnqueue : kPush;
    std::vector<Result<EnqueueRequest>> requests;
    std::vector<Job> jobs;
    int64_t now = context_.reactor.wall_ms();
    std::string_view argument = first;
    while (true) {
        auto request = read_push(argument, now, jobq);
        if (request) {
            // What the reply needs stays.
            Job asked = std::move(request->job);
            request->job.type = asked.type;
            request->job.queue = asked.queue;
            jobs.push_back(std::move(asked));
        }
        requests.push_back(std::move(request));
        std::string_view rest = std::string_view(stream_->buffer()).substr(used_);
        std::string_view line;
        if (requests.size() >= kGather || !starts_with(rest, prefix) || !next_line(line)) break;
        argument = line.substr(prefix.size());
    }
    auto results = co_await broker().enqueue(std::move(jobs));
    size_t at = 0;
    for (const auto& request : requests) {
        if (!request) {
            reply_error(request.error());
            continue;
        }
        const auto& result = results[at++];
        if (!result) {
            reply_error(result.error());
        } else if (!jobq) {
            reply_ok();
        } else {
            bool same = result->how != Enqueued::How::stored;
            std::string body = "{\"jid\":" + json_quoted(result->jid) + ",\"state\":\"" +
                               std::string(name(result->state)) + "\",\"how\":\"";
            body += !same ? "stored" : result->how == Enqueued::How::existing ? "existing" : "same";
            std::string note = request->late
                                   ? "run_at is in the past: it runs now"
                                   : broker().why_no_handler(request->job.type, request->job.queue);
            if (!note.empty())
                body += "\",\"note\":" + json_quoted(note) + "}";
            else
                body += "\"}";
            reply_bulk(body);
        }
    }
}

}  // namespace jobq
