// DONE and OUTPUT; see reporter.h.
// Must stay true: a report leaves the queue by an answer of jobqd, or because the job was lost.
#include "daemon/runner/reporter.h"

#include <algorithm>

#include "core/base/text.h"

namespace jobq {
namespace {

constexpr int64_t kOutputEveryMs = 100;  // of a job that nobody follows
constexpr int64_t kOutputFollowedMs = 10;
constexpr size_t kOutputAtOnceBytes = 64 << 10;
constexpr int64_t kCallMs = 15'000;
constexpr int64_t kUnknownAgainMs = 100;
constexpr size_t kDoneLineBytes = 512 << 10;  // of several reports
constexpr size_t kOutputLineBytes = 256 << 10;
constexpr size_t kReportBytes = 2048;  // of one, without result and log
constexpr size_t kReportsAtOnce = 200;
// While jobs wait for a slot reports may wait for one another: a call for each, and its fsync,
// would cost more than a short job itself.
constexpr int64_t kGatherMs = 10;

// Whether the same report may be taken later.
bool can_help(ErrorCode code) {
    return !is_final(code);
}

size_t weight(const DoneReport& report) {
    return kReportBytes + report.run.result.size() + report.run.log.size();
}

void add_pieces(std::vector<OutputChunk>& chunks, const JobRun& run,
                std::vector<OutputPiece> pieces) {
    const TakenJob& job = run.job();
    for (auto& piece : pieces)
        chunks.push_back(
            {job.jid, job.token, job.attempt, std::move(piece), run.output.is_followed()});
}

}  // namespace

Reporter::Reporter(Hub& hub, RunTable& runs)
    : hub_(hub), runs_(runs), client_(hub.reactor, hub.dial) {}

Reporter::~Reporter() {
    hub_.reactor.cancel(timer_);
}

std::string Reporter::names() const {
    constexpr size_t kMost = 20;
    std::string text;
    for (size_t i = 0; i < std::min(pending_.size(), kMost); ++i)
        text += (i == 0 ? "" : " ") + pending_[i].report.jid;
    if (pending_.size() > kMost)
        text += " and " + std::to_string(pending_.size() - kMost) + " more";
    return text;
}

void Reporter::push(Pending pending) {
    RunReport& run = pending.report.run;
    run.message = to_utf8(utf8_prefix(run.message, limits::kErrorMessageBytes));
    run.error_type = to_utf8(utf8_prefix(run.error_type, limits::kErrorTypeBytes));
    run.worker = hub_.options.name;
    gives_back_ = gives_back_ || run.outcome == Outcome::released;
    pending_.push_back(std::move(pending));
    hub_.changed.notify_all();
}

void Reporter::add(JobRun& run, RunReport report) {
    Pending pending;
    pending.report = {run.job().jid, run.job().token, std::move(report)};
    const bool is_cut = run.output.out().is_cut() || run.output.err().is_cut();
    // Otherwise the report has it all.
    if (run.output.any_taken() || is_cut) {
        std::vector<OutputChunk> rest;
        add_pieces(rest, run, run.output.take_rest());
        pending.output = OutputRest(std::move(rest), is_cut);
    }
    push(std::move(pending));
}

void Reporter::add(const TakenJob& job, RunReport report) {
    Pending pending;
    if (report.ended_ms == 0) report.started_ms = report.ended_ms = hub_.reactor.wall_ms();
    pending.report = {job.jid, job.token, std::move(report)};
    push(std::move(pending));
}

void Reporter::send_now() {
    output_due_ = true;
    hub_.changed.notify_all();
}

std::function<void()> Reporter::send_later() {
    return [this] {
        timer_ = 0;
        send_now();
    };
}

void Reporter::output_soon(const JobRun& run) {
    const size_t ready = run.output.ready_bytes();
    if (output_due_) return;
    if (ready == 0) {
        hub_.changed.notify_all();  // for RoomWatch
    } else if (ready >= kOutputAtOnceBytes && (run.output.is_followed() || run.output.full())) {
        send_now();
    } else if (timer_ == 0) {
        timer_ = hub_.reactor.after(run.output.is_followed() ? kOutputFollowedMs : kOutputEveryMs,
                                    send_later());
    }
}

// What was sent once may have been taken: then it is the repeat that comes too late.
void Reporter::say_lost(const Pending& pending, bool may_be_taken) const {
    const std::string report = "the report of job " + pending.report.jid;
    if (may_be_taken) {
        hub_.say(LogLevel::info, "runner.report_repeated",
                 report +
                     " had no answer, and jobqd now says that this run has ended: the report was "
                     "accepted, or the lease had expired before");
    } else {
        hub_.say(LogLevel::warn, "runner.report_refused",
                 report + " was refused because it came after the lease had expired");
    }
}

void Reporter::forget(const std::string& jid, const std::string& token) {
    for (auto& pending : pending_) {
        if (pending.report.jid != jid || pending.report.token != token) continue;
        if (!pending.forgotten) say_lost(pending, pending.sent > 0);
        pending.forgotten = true;
    }
}

void Reporter::close() {
    client_.close();
    output_due_ = true;  // what the next jobqd does not have, also of jobs that write nothing more
}

// Who answers may be another jobqd, or may not have got the last of it: all output is sent again.
void Reporter::rewind() {
    for (auto& pending : pending_)
        pending.output.rewind();
    runs_.each([](JobRun& run) { run.output.rewind(); });
    output_due_ = true;
}

void Reporter::list_running(std::vector<RunningJob>& into) const {
    for (const auto& pending : pending_) {
        if (pending.forgotten) continue;
        const DoneReport& report = pending.report;
        into.push_back({report.jid, report.token, report.run.started_ms});
    }
}

// The next chunks that fit in a line; false when there are none.
bool Reporter::collect(std::vector<OutputChunk>& chunks) {
    size_t bytes = 0;
    for (auto& pending : pending_) {
        if (pending.forgotten) continue;
        while (bytes < kOutputLineBytes) {
            const OutputChunk* chunk = pending.output.next();
            if (chunk == nullptr) break;
            chunks.push_back(*chunk);
            bytes += chunk->piece.bytes.size() + kReportBytes;
        }
    }
    if (!output_due_) return !chunks.empty();
    output_due_ = false;
    runs_.each([&](JobRun& run) {
        if (bytes >= kOutputLineBytes) {
            output_due_ = true;
            return;
        }
        auto pieces = run.output.take(kOutputLineBytes - bytes);
        for (const auto& piece : pieces)
            bytes += piece.bytes.size() + kReportBytes;
        add_pieces(chunks, run, std::move(pieces));
    });
    return !chunks.empty();
}

// What jobqd says of the rest of ended jobs that was sent. An older one says nothing, and has it.
void Reporter::obey_for_ended(const std::vector<OutputRoom>& rooms) {
    for (auto& pending : pending_) {
        if (!pending.output.on_its_way()) continue;
        const auto room = std::find_if(rooms.begin(), rooms.end(), [&](const OutputRoom& one) {
            return one.jid == pending.report.jid;
        });
        const bool known = rooms.empty() || (room != rooms.end() && room->known);
        pending.output.settle(known);
        if (!known && timer_ == 0) timer_ = hub_.reactor.after(kUnknownAgainMs, send_later());
    }
}

// What jobqd says of the runs. Of those in `sent` all pieces that were taken are there.
void Reporter::obey(const std::vector<OutputRoom>& rooms, const std::vector<OutputChunk>& sent) {
    for (const auto& room : rooms) {
        JobRun* run = runs_.find(room.jid, "");
        if (run == nullptr) continue;
        const bool was_sent = std::any_of(sent.begin(), sent.end(), [&](const OutputChunk& chunk) {
            return chunk.jid == room.jid && chunk.token == run->job().token;
        });
        if (!room.known) {
            // Its lease was not heard of yet, by a jobqd that has just started.
            if (was_sent) run->output.rewind();
            if (was_sent && timer_ == 0) timer_ = hub_.reactor.after(kUnknownAgainMs, send_later());
            continue;
        }
        if (was_sent) run->output.arrived();
        run->held_since_ms = 0;
        run->output.set_room(room.room);
        if (!run->output.full()) run->read_output(true);
        if (run->output.ready_bytes() > 0) output_soon(*run);
    }
    if (!rooms.empty()) return;
    // A jobqd of an older version: it keeps up, or not.
    for (const auto& chunk : sent) {
        JobRun* run = runs_.find(chunk.jid, chunk.token);
        if (run == nullptr) continue;
        run->output.arrived();
        run->output.set_room(OutputRoom::kNobody);
        run->read_output(true);
    }
}

task<bool> Reporter::send_output() {
    OutputRequest request;
    while (client_.connected() && collect(request.chunks)) {
        auto line = request_line("OUTPUT", write(request));
        for (auto& chunk : request.chunks)
            chunk.piece.bytes.clear();
        auto answer = co_await client_.call(std::move(line), kCallMs);
        if (!answer && !client_.connected()) co_return false;
        std::vector<OutputRoom> none;
        if (!answer && can_help(answer.error().code)) co_return false;
        auto rooms = answer ? read_output_rooms(*answer) : Result<std::vector<OutputRoom>>(none);
        obey(rooms ? *rooms : none, request.chunks);
        obey_for_ended(rooms ? *rooms : none);
        request.chunks.clear();
    }
    co_return client_.connected();
}

// Takes what was answered out of the queue; false when something has to be sent again.
bool Reporter::settle(const std::vector<DoneAnswer>& answers, size_t count) {
    bool all = true;
    std::deque<Pending> left;
    for (size_t i = 0; i < count; ++i) {
        Pending pending = std::move(pending_.front());
        pending_.pop_front();
        bool answered = i < answers.size() && answers[i].jid == pending.report.jid;
        bool again = !answered || (!answers[i].ok && can_help(answers[i].error));
        if (again && !pending.forgotten) {
            all = false;
            // UNKNOWN says that it may have been taken.
            if (answered && answers[i].error != ErrorCode::unknown) pending.sent = 0;
            left.push_back(std::move(pending));
        } else if (answered && !answers[i].ok && answers[i].error == ErrorCode::lease_lost) {
            if (!pending.forgotten) say_lost(pending, pending.sent > 1);
        } else if (answered && !answers[i].ok) {
            hub_.say(LogLevel::warn, "runner.report_refused",
                     "the report of job " + pending.report.jid +
                         " was refused: " + std::string(info(answers[i].error).meaning));
        }
    }
    pending_.insert(pending_.begin(), std::make_move_iterator(left.begin()),
                    std::make_move_iterator(left.end()));
    return all;
}

// The whole line was refused. A report that can't be taken as it is must neither block the rest nor
// leave its job running for ever: it goes again without what the job wrote, then not at all.
void Reporter::refuse(const Error& error, size_t count) {
    if (can_help(error.code) || count > 1) return;
    DoneReport& report = pending_.front().report;
    hub_.say(LogLevel::error, "runner.report_refused",
             "the report of job " + report.jid + " was refused: " + error.text);
    RunReport& run = report.run;
    if (run.result.empty() && run.log.empty() && run.message.empty()) {
        pending_.pop_front();
        return;
    }
    run.result.clear();
    run.log.clear();
    run.message.clear();
}

task<bool> Reporter::send_done() {
    auto is_forgotten = [](const Pending& pending) { return pending.forgotten; };
    auto gone = std::remove_if(pending_.begin(), pending_.end(), is_forgotten);
    pending_.erase(gone, pending_.end());
    size_t most = kReportsAtOnce;
    while (!pending_.empty() && client_.connected()) {
        std::vector<const DoneReport*> batch;
        size_t bytes = 0;
        for (const auto& pending : pending_) {
            bytes += weight(pending.report);
            if (batch.size() == most || (!batch.empty() && bytes > kDoneLineBytes)) break;
            if (!pending.output.empty()) break;  // came just now: its output goes first
            batch.push_back(&pending.report);
        }
        size_t count = batch.size();
        if (count == 0) co_return true;
        for (size_t i = 0; i < count; ++i)
            ++pending_[i].sent;
        auto line = request_line("DONE", write(batch));
        auto answer = co_await client_.call(std::move(line), kCallMs);
        if (!answer) {
            if (client_.connected()) refuse(answer.error(), count);
            if (can_help(answer.error().code)) co_return false;
            most = 1;  // finds out which one it is
            continue;
        }
        auto answers = read_done_answers(*answer);
        if (!answers || !settle(*answers, count)) co_return false;
    }
    co_return client_.connected();
}

void Reporter::look_for_returns() {
    if (!gives_back_) return;
    gives_back_ = std::any_of(pending_.begin(), pending_.end(), [](const Pending& pending) {
        return !pending.forgotten && pending.report.run.outcome == Outcome::released;
    });
    if (!gives_back_) hub_.changed.notify_all();
}

task<void> Reporter::loop() {
    while (!hub_.closing) {
        if (!hub_.online || !has_work()) {
            auto wait = hub_.changed.wait(-1);
            co_await wait;
            continue;
        }
        bool fine = client_.connected();
        if (!fine) {
            auto connected = co_await client_.connect();
            fine = connected.has_value();
            if (fine) rewind();
        }
        if (fine) fine = co_await send_output();
        if (fine) fine = co_await send_done();
        look_for_returns();
        if (fine) {
            delay_.reset();
            if (!hub_.backlog.empty()) co_await hub_.pause(kGatherMs);
        } else {
            rewind();  // what was on its way
            co_await hub_.back_off(&delay_);
        }
    }
    client_.close();
}

}  // namespace jobq
