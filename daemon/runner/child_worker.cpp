// The process of a child pool; see child_worker.h.
// Must stay true: job_ is cleared before the job is told its end, which may bring the next one.
#include "daemon/runner/child_worker.h"

#include <algorithm>

#include "core/async/contain.h"
#include "core/base/text.h"
#include "daemon/runner/launch.h"

namespace jobq {
namespace {

constexpr int64_t kBackoffMinMs = 100, kBackoffMaxMs = 10'000;
constexpr int64_t kHealthyMs = 10'000;  // lived so long: the back-off starts anew
constexpr int64_t kRetireGraceMs = 2'000;
constexpr size_t kIdleWordsBytes = 2'000;

}  // namespace

ChildWorker::ChildWorker(Hub& hub, JobRunEvents& events, PoolSpec pool,
                         std::function<void()> on_change)
    : hub_(hub),
      events_(events),
      pool_(std::move(pool)),
      on_change_(std::move(on_change)),
      idle_words_(0, kIdleWordsBytes) {
    launch();
}

ChildWorker::~ChildWorker() {
    hub_.reactor.cancel(timer_);
    if (child_) {
        if (!child_->ended()) hub_.sweeper.kill(*child_);
        hub_.sweeper.leave(child_->pid());
    }
}

Result<> ChildWorker::spawn() {
    Launch launch = launch_child(pool_, hub_.options.endpoint);
    SpawnPlan& plan = launch.plan;
    auto in_pipe = make_pipe();
    auto out_pipe = make_pipe();
    auto err_pipe = make_pipe();
    Result<> result;
    if (in_pipe && out_pipe && err_pipe) {
        plan.stdin_fd = in_pipe->read_fd;
        plan.stdout_fd = out_pipe->write_fd;
        plan.stderr_fd = err_pipe->write_fd;
        plan.pid_note = hub_.sweeper.reserve();
        auto child = Child::spawn(hub_.reactor, plan, [this](const ChildEnd& end) { died(end); });
        if (child) {
            child_ = std::move(*child);
        } else {
            hub_.sweeper.not_started(plan.pid_note);
            result = tl::unexpected<Error>(child.error());
        }
    } else {
        result = fail(ErrorCode::busy, "can't make a pipe for " + pool_.run.front());
    }
    if (in_pipe) close_fd(in_pipe->read_fd);
    if (out_pipe) close_fd(out_pipe->write_fd);
    if (err_pipe) close_fd(err_pipe->write_fd);
    if (!result) {
        if (in_pipe) close_fd(in_pipe->write_fd);
        if (out_pipe) close_fd(out_pipe->read_fd);
        if (err_pipe) close_fd(err_pipe->read_fd);
        return result;
    }
    input_ = std::make_unique<PipeWriter>(hub_.reactor, in_pipe->write_fd);
    out_reader_ = std::make_unique<PipeReader>(
        hub_.reactor, out_pipe->read_fd,
        [this](std::string_view bytes) {
            lines_ += bytes;
            if (reading_planned_) return;
            reading_planned_ = true;
            hub_.reactor.defer([this, alive = std::weak_ptr<bool>(alive_)] {
                if (!alive.expired()) read_lines();
            });
        },
        [] {});
    err_reader_ = std::make_unique<PipeReader>(
        hub_.reactor, err_pipe->read_fd, [this](std::string_view bytes) { on_stderr(bytes); },
        [] {});
    return {};
}

void ChildWorker::launch() {
    timer_ = 0;
    if (pool_.run.empty()) {
        hub_.say(LogLevel::error, "runner.child_not_started",
                 "pool " + pool_.name + " has no command; add run = [...] to it");
        state_ = State::over;
        return;
    }
    auto spawned = spawn();
    if (!spawned) {
        launch_later(spawned.error().text);
        return;
    }
    launched_ms_ = hub_.reactor.now_ms();
    hub_.sweeper.enter(child_->pid(), "");
    state_ = State::idle;
    on_change_();
}

void ChildWorker::launch_later(const std::string& why) {
    state_ = State::waiting;
    int64_t wait = kBackoffMinMs << std::min(failures_, 7);
    wait = std::min(wait, kBackoffMaxMs);
    ++failures_;
    hub_.say(LogLevel::warn, "runner.child_ended",
             "a child of pool " + pool_.name + ": " + why + "; it will be restarted");
    timer_ = hub_.reactor.after(wait, [this] { launch(); });
}

void ChildWorker::assign(ChildJob& job) {
    JOBQ_CHECK(state_ == State::idle && job_ == nullptr);
    state_ = State::busy;
    job_ = &job;
    job.held_by(this);
    std::string line = write_child_job(job.job());
    job_bytes_ = line.size();
    input_->write(std::move(line));
}

void ChildWorker::on_stderr(std::string_view bytes) {
    if (job_ == nullptr) {
        idle_words_.append(bytes);
        return;
    }
    job_->output.append(OutputStream::err, bytes, hub_.reactor.wall_ms());
    if (job_->output.full()) read_stderr(false);
    events_.on_output(*job_);
}

void ChildWorker::read_lines() {
    reading_planned_ = false;
    size_t start = 0;
    size_t end = 0;
    if (skipping_) {
        // The rest of a line that was too long.
        start = lines_.find('\n');
        skipping_ = start == std::string::npos;
        start = skipping_ ? lines_.size() : start + 1;
    }
    while ((end = lines_.find('\n', start)) != std::string::npos) {
        // A copy: handling it may start the next job.
        std::string line = lines_.substr(start, end - start);
        start = end + 1;
        try {
            on_line(line);
        } catch (...) {
            tell_escape("runner", "a line of a child of pool " + pool_.name,
                        std::current_exception());
            if (child_) kill();
        }
    }
    lines_.erase(0, start);
    if (lines_.size() <= limits::kLineBytes || !child_) return;
    lines_.clear();
    skipping_ = true;
    const std::string why =
        "a line on stdout has more than " + std::to_string(limits::kLineBytes) + " bytes";
    if (job_ != nullptr) {
        refuse_answer(why + "; write a large result to a file and answer with its name");
    } else {
        on_stderr("jobq: ignored: " + why + "\n");
    }
}

void ChildWorker::on_line(std::string_view line) {
    if (trim(line).empty()) return;
    auto message = read_child_message(line);
    if (!message) {
        on_unreadable(line, message.error().text);
        return;
    }
    // Of a job it does not hold (any more), or one that is being stopped.
    if (job_ == nullptr || message->jid != job_->job().jid) return;
    if (job_->stop_reason() != StopReason::none) return;
    if (message->kind == ChildMessage::Kind::progress) {
        on_stderr("progress " + std::to_string(message->progress) + "% " + message->note + "\n");
        return;
    }
    settle(*message);
}

// What is meant as the answer of its job ends the job, with what is wrong; else it would wait for
// its time limit. All else is talk on the wrong stream.
void ChildWorker::on_unreadable(std::string_view line, const std::string& why) {
    const auto has = [line](const std::string& text) {
        return line.find('"' + text + '"') != std::string_view::npos;
    };
    const bool answer = job_ != nullptr && has(job_->job().jid) && has("ok");
    if (answer) {
        refuse_answer(why);
    } else {
        on_stderr("jobq: ignored on stdout: " + why + "\n");
    }
}

void ChildWorker::refuse_answer(const std::string& why) {
    if (job_->stop_reason() != StopReason::none) return;
    ChildMessage message;
    message.kind = ChildMessage::Kind::failure;
    message.jid = job_->job().jid;
    message.error_kind = "bad answer";
    message.error = "the child's answer can't be read: " + why;
    settle(message);
}

void ChildWorker::settle(const ChildMessage& message) {
    // What it wrote to its log before it answered belongs to this job.
    err_reader_->drain();
    read_stderr(true);  // for the next one
    ChildJob* job = job_;
    job_ = nullptr;
    failures_ = 0;
    state_ = State::idle;
    job->answered(message);
    if (retiring_) {
        end_child();
    } else {
        on_change_();
    }
}

void ChildWorker::terminate() {
    in_grace_ = true;
    hub_.sweeper.terminate(*child_);
}

void ChildWorker::kill() {
    in_grace_ = false;
    if (!child_->ended()) {
        hub_.sweeper.kill(*child_);
        return;
    }
    // It has ended, and what it started has not, within the grace. From the loop, since who calls
    // must not be told the end meanwhile.
    hub_.reactor.cancel(timer_);
    timer_ = hub_.reactor.after(0, [this] { gone(); });
}

void ChildWorker::died(const ChildEnd& end) {
    end_ = end;
    if (in_grace_) {
        hub_.sweeper.linger(child_->pid(), [this] { gone(); });
    } else {
        gone();
    }
}

// The process, and where they had a grace, all that it started.
void ChildWorker::gone() {
    const ChildEnd end = end_;
    in_grace_ = false;
    if (!out_reader_->ended()) out_reader_->drain();
    read_lines();  // it may have answered before it died
    if (!err_reader_->ended()) err_reader_->drain();
    bool unread = input_->unread() >= job_bytes_;
    hub_.reactor.cancel(timer_);
    timer_ = 0;
    hub_.sweeper.leave(child_->pid());
    out_reader_.reset();
    err_reader_.reset();
    input_.reset();
    child_.reset();
    lines_.clear();
    skipping_ = false;
    ChildJob* job = job_;
    job_ = nullptr;
    state_ = retiring_ ? State::over : State::waiting;
    bool stopped = job != nullptr && job->stop_reason() != StopReason::none;
    if (job != nullptr) job->child_died(end, unread);
    if (retiring_) {
        on_change_();
        return;
    }
    if (stopped || hub_.reactor.now_ms() - launched_ms_ >= kHealthyMs) failures_ = 0;
    std::string why = end.signal
                          ? "ended by signal " + std::to_string(*end.signal)
                          : "exited with status " + std::to_string(end.exit_code.value_or(0));
    std::string words = idle_words_.last_line(200);
    launch_later(words.empty() ? why : why + " (" + words + ")");
}

void ChildWorker::end_child() {
    input_->close_after_write();
    terminate();
    timer_ = hub_.reactor.after(kRetireGraceMs, [this] {
        timer_ = 0;
        kill();
    });
}

void ChildWorker::retire() {
    if (retiring_) return;
    retiring_ = true;
    if (state_ == State::idle) end_child();
    if (state_ != State::waiting) return;
    hub_.reactor.cancel(timer_);
    timer_ = 0;
    state_ = State::over;
}

}  // namespace jobq
