// One exec attempt; see process_job.h for its phases.
// Must stay true: what libuv's callbacks call only stores, and on_end comes once.
#include "daemon/runner/process_job.h"

#include "daemon/runner/outcome.h"

namespace jobq {
namespace {

constexpr int64_t kDrainMs = 2'000;       // after the exit, for pipes a grandchild holds
constexpr int64_t kDrainStoppedMs = 200;  // the same when we stopped it

}  // namespace

ProcessJob::ProcessJob(UvReactor& reactor, OrphanSweeper& sweeper, TakenJob job, TypeSpec type,
                       JobRunEvents& events)
    : JobRun(std::move(job), type, reactor.wall_ms()),
      reactor_(reactor),
      sweeper_(sweeper),
      type_(std::move(type)),
      events_(events),
      timeout_ms_(this->job().timeout_ms > 0 ? this->job().timeout_ms : type_.timeout_ms) {}

ProcessJob::~ProcessJob() {
    reactor_.cancel(timer_);
    if (phase_ == Phase::lingering) sweeper_.leave(child_->pid());
}

void ProcessJob::wrote(OutputStream stream, std::string_view bytes) {
    output.append(stream, bytes, reactor_.wall_ms());
    if (output.full()) read_output(false);
    events_.on_output(*this);
}

void ProcessJob::read_output(bool reads) {
    out_reader_->pause(!reads);
    err_reader_->pause(!reads);
}

Result<> ProcessJob::open_pipes(SpawnPlan& plan, bool with_input) {
    auto out_pipe = make_pipe();
    if (!out_pipe) return tl::unexpected<Error>(out_pipe.error());
    plan.stdout_fd = out_pipe->write_fd;
    out_reader_ = std::make_unique<PipeReader>(
        reactor_, out_pipe->read_fd,
        [this](std::string_view bytes) { wrote(OutputStream::out, bytes); },
        [this] { check_over(); });
    auto err_pipe = make_pipe();
    if (!err_pipe) return tl::unexpected<Error>(err_pipe.error());
    plan.stderr_fd = err_pipe->write_fd;
    err_reader_ = std::make_unique<PipeReader>(
        reactor_, err_pipe->read_fd,
        [this](std::string_view bytes) { wrote(OutputStream::err, bytes); },
        [this] { check_over(); });
    if (!with_input) return {};
    auto in_pipe = make_pipe();
    if (!in_pipe) return tl::unexpected<Error>(in_pipe.error());
    plan.stdin_fd = in_pipe->read_fd;
    input_ = std::make_unique<PipeWriter>(reactor_, in_pipe->write_fd);
    return {};
}

void ProcessJob::close_childs_ends(const SpawnPlan& plan) {
    for (int fd : {plan.stdin_fd, plan.stdout_fd, plan.stderr_fd})
        close_fd(fd);
}

Result<> ProcessJob::start(const Launch& launch) {
    SpawnPlan plan = launch.plan;
    auto opened = open_pipes(plan, !launch.standard_input.empty());
    Result<std::unique_ptr<Child>> child;
    plan.pid_note = sweeper_.reserve();
    if (opened) {
        child = Child::spawn(reactor_, plan, [this](ChildEnd end) { exited(end); });
    } else {
        child = tl::unexpected<Error>(opened.error());
    }
    close_childs_ends(plan);
    if (!child) {
        sweeper_.not_started(plan.pid_note);
        out_reader_.reset();
        err_reader_.reset();
        input_.reset();
        return tl::unexpected<Error>(child.error());
    }
    child_ = std::move(*child);
    phase_ = Phase::running;
    sweeper_.enter(child_->pid(), job().jid);
    if (input_) {
        input_->write(launch.standard_input);
        input_->close_after_write();
    }
    if (timeout_ms_ > 0) set_timer(timeout_ms_, [this] { stop(StopReason::timeout); });
    return {};
}

void ProcessJob::set_timer(int64_t ms, std::function<void()> fn) {
    reactor_.cancel(timer_);
    timer_ = reactor_.after(ms, std::move(fn));
}

void ProcessJob::stop(StopReason reason) {
    if (phase_ == Phase::running) {
        set_reason(reason);
        phase_ = Phase::stopping;
        sweeper_.terminate(*child_);
        set_timer(type_.grace_ms, [this] { kill(StopReason::none); });
    } else if ((phase_ == Phase::stopping || phase_ == Phase::lingering) &&
               reason == StopReason::lost) {
        set_reason(reason);
    }
}

void ProcessJob::kill(StopReason reason) {
    if (phase_ == Phase::over || phase_ == Phase::idle) return;
    if (phase_ == Phase::draining) {
        // It has ended by itself: how it did still counts, unless nobody wants to know.
        if (reason == StopReason::lost) set_reason(reason);
        set_timer(0, [this] { finish(); });
        return;
    }
    if (reason != StopReason::none) set_reason(reason);
    if (phase_ == Phase::killed) return;
    if (phase_ == Phase::lingering) {
        sweeper_.leave(child_->pid());
        drain(kDrainStoppedMs);
        return;
    }
    phase_ = Phase::killed;
    reactor_.cancel(timer_);
    sweeper_.kill(*child_);
}

void ProcessJob::exited(const ChildEnd& end) {
    end_ = end;
    // What it left in its pipes is no more than they hold.
    out_reader_->drain();
    err_reader_->drain();
    if (phase_ == Phase::stopping) {
        // The others have the rest of the grace to do what the TERM asks of them.
        phase_ = Phase::lingering;
        sweeper_.linger(child_->pid(), [this] { drain(kDrainStoppedMs); });
        return;
    }
    drain(phase_ == Phase::running ? kDrainMs : kDrainStoppedMs);
}

// Nothing of it runs any more that is to be waited for, but its output.
void ProcessJob::drain(int64_t limit_ms) {
    phase_ = Phase::draining;
    set_timer(limit_ms, [this] { finish(); });
    // From the loop: kill() must not tell the end.
    reactor_.defer([this, alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired()) check_over();
    });
}

void ProcessJob::check_over() {
    if (phase_ == Phase::draining && out_reader_->ended() && err_reader_->ended()) finish();
}

void ProcessJob::finish() {
    if (phase_ == Phase::over) return;
    phase_ = Phase::over;
    reactor_.cancel(timer_);
    sweeper_.leave(child_->pid());
    // What its last processes wrote before they were ended.
    if (!out_reader_->ended()) out_reader_->drain();
    if (!err_reader_->ended()) err_reader_->drain();
    RunReport report = judge(*end_, stop_reason(), type_, timeout_ms_,
                             output.err().last_line(limits::kErrorMessageBytes));
    add_output(report, *this, reactor_.wall_ms());
    events_.on_end(*this, std::move(report));
}

}  // namespace jobq
