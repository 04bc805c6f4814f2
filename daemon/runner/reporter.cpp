// DONE and OUTPUT; see reporter.h.
// Must stay true: a report leaves the queue by an answer of jobqd, or because the job was lost.
#include "daemon/runner/reporter.h"

#include <algorithm>

#include "core/base/text.h"

namespace jobq {
namespace {

constexpr int64_t kOutputEveryMs = 100;
constexpr int64_t kCallMs = 15'000;
// A line is at most limits::kLineBytes; base 64 adds a third, and there is the rest of a report.
constexpr size_t kResultBytes = 384 << 10, kLogBytes = 256 << 10;
constexpr size_t kDoneLineBytes = 512 << 10;  // of several reports
constexpr size_t kOutputLineBytes = 256 << 10;
constexpr size_t kPieceBytes = 64 << 10;
constexpr size_t kReportBytes = 2048;  // of one, without result and log
constexpr size_t kReportsAtOnce = 200;
// While jobs wait for a slot reports may wait for one another: a call for each, and its fsync,
// would cost more than a short job itself.
constexpr int64_t kGatherMs = 10;

void shorten(std::string& text, size_t bytes) {
    if (text.size() <= bytes) return;
    Capture cut(bytes / 2, bytes / 2);
    cut.append(text);
    text = cut.text();
}

// Whether the same report may be taken later.
bool can_help(ErrorCode code) {
    return !is_final(code);
}

size_t weight(const DoneReport& report) {
    return kReportBytes + report.run.result.size() + report.run.log.size();
}

void add_pieces(std::vector<OutputChunk>& chunks, JobRun& run, OutputStream stream) {
    Capture& capture = stream == OutputStream::out ? run.out : run.err;
    while (auto piece = capture.take_piece(kPieceBytes)) {
        const TakenJob& job = run.job();
        chunks.push_back(
            {job.jid, job.token, job.attempt, stream, piece->offset, std::move(piece->bytes)});
    }
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
    if (run.result.size() > kResultBytes) run.result_is_json = false;
    shorten(run.result, kResultBytes);
    shorten(run.log, kLogBytes);
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
    if (run.out.piece_taken() || run.err.piece_taken()) {
        add_pieces(pending.output, run, OutputStream::out);
        add_pieces(pending.output, run, OutputStream::err);
    }
    push(std::move(pending));
}

void Reporter::add(const TakenJob& job, RunReport report) {
    Pending pending;
    if (report.ended_ms == 0) report.started_ms = report.ended_ms = hub_.reactor.wall_ms();
    pending.report = {job.jid, job.token, std::move(report)};
    push(std::move(pending));
}

void Reporter::output_soon() {
    if (timer_ != 0) return;
    timer_ = hub_.reactor.after(kOutputEveryMs, [this] {
        timer_ = 0;
        output_due_ = true;
        hub_.changed.notify_all();
    });
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

// Who answers may be another jobqd, or may not have got the last of it: all output of running jobs
// is sent again. What ended has it whole in its report, so a rest of it would only leave a gap.
void Reporter::rewind() {
    for (auto& pending : pending_)
        pending.output.clear();
    runs_.each([](JobRun& run) {
        run.out.rewind();
        run.err.rewind();
    });
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
        while (!pending.output.empty() && bytes < kOutputLineBytes) {
            bytes += pending.output.front().bytes.size() + kReportBytes;
            chunks.push_back(std::move(pending.output.front()));
            pending.output.erase(pending.output.begin());
        }
    }
    if (!output_due_) return !chunks.empty();
    bool room = true;
    runs_.each([&](JobRun& run) {
        room = room && bytes < kOutputLineBytes;
        if (!room) return;
        size_t before = chunks.size();
        add_pieces(chunks, run, OutputStream::out);
        add_pieces(chunks, run, OutputStream::err);
        for (size_t i = before; i < chunks.size(); ++i)
            bytes += chunks[i].bytes.size() + kReportBytes;
    });
    if (room) output_due_ = false;
    return !chunks.empty();
}

task<bool> Reporter::send_output() {
    std::vector<OutputChunk> chunks;
    while (client_.connected() && collect(chunks)) {
        auto line = request_line("OUTPUT", write(chunks));
        chunks.clear();
        auto answer = co_await client_.call(std::move(line), kCallMs);
        if (!answer && !client_.connected()) co_return false;
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
            int64_t ms = delay_.next_ms(hub_.rng);
            co_await hub_.pause(ms);
        }
    }
    client_.close();
}

}  // namespace jobq
