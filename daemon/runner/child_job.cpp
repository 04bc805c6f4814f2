// The run of one job in a child; see child_worker.h.
// Must stay true: worker_ is null from the moment the job is over.
#include "daemon/runner/child_worker.h"
#include "daemon/runner/outcome.h"

namespace jobq {

ChildJob::ChildJob(Hub& hub, JobRunEvents& events, TakenJob job, TypeSpec type)
    : JobRun(std::move(job), type, hub.reactor.wall_ms()),
      hub_(hub),
      events_(events),
      type_(std::move(type)),
      timeout_ms_(this->job().timeout_ms > 0 ? this->job().timeout_ms : type_.timeout_ms) {}

ChildJob::~ChildJob() {
    hub_.reactor.cancel(timer_);
}

void ChildJob::held_by(ChildWorker* worker) {
    worker_ = worker;
    if (timeout_ms_ <= 0) return;
    timer_ = hub_.reactor.after(timeout_ms_, [this] { stop(StopReason::timeout); });
}

void ChildJob::stop(StopReason reason) {
    if (worker_ == nullptr) return;
    bool first = stop_reason() == StopReason::none;
    set_reason(reason);
    if (!first) return;
    hub_.reactor.cancel(timer_);
    timer_ = hub_.reactor.after(type_.grace_ms, [this] { kill(StopReason::none); });
    worker_->terminate();
}

void ChildJob::kill(StopReason reason) {
    if (worker_ == nullptr) return;
    if (reason != StopReason::none) set_reason(reason);
    hub_.reactor.cancel(timer_);
    worker_->kill();
}

void ChildJob::read_output(bool reads) {
    if (worker_ != nullptr) worker_->read_stderr(reads);
}

void ChildJob::answered(const ChildMessage& message) {
    RunReport report;
    if (message.kind == ChildMessage::Kind::success) {
        output.append(OutputStream::out, message.result, hub_.reactor.wall_ms());
    } else {
        report.outcome = message.retry ? Outcome::failure : Outcome::dead;
        report.error_type = message.error_kind.empty() ? "error" : message.error_kind;
        report.message = message.error.empty() ? output.err().last_line(limits::kErrorMessageBytes)
                                               : message.error;
    }
    finish(std::move(report));
}

void ChildJob::child_died(const ChildEnd& end, bool unread) {
    RunReport report = judge(end, stop_reason(), TypeSpec{}, timeout_ms_,
                             output.err().last_line(limits::kErrorMessageBytes));
    if (stop_reason() == StopReason::none && unread) {
        // A child that can't even start must not make poison of every job that comes by.
        report.outcome = Outcome::released;
    } else if (stop_reason() == StopReason::none) {
        // Even with status 0: it owed an answer.
        report.outcome = Outcome::crash;
        report.snooze_ms.reset();
        if (report.error_type.empty()) report.error_type = "exit 0";
        if (report.message.empty()) report.message = "the child ended without an answer";
    }
    // They are those of all the jobs the child had.
    report.user_cpu_ms = report.system_cpu_ms = report.max_rss_kib = 0;
    finish(std::move(report));
}

void ChildJob::finish(RunReport report) {
    worker_ = nullptr;
    hub_.reactor.cancel(timer_);
    add_output(report, *this, hub_.reactor.wall_ms());
    events_.on_end(*this, std::move(report));
}

}  // namespace jobq
