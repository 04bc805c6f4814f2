// The exit contract; see outcome.h. Defaults: 0 success, 75 (EX_TEMPFAIL) a failed attempt, 100
// dead at once, anything else a failed attempt, a signal a crash.
#include "daemon/runner/outcome.h"

#include <csignal>
#include <cstring>

#include "core/base/time.h"
#include "core/json/document.h"
#include "core/json/fields.h"

namespace jobq {
namespace {

constexpr int kExitDead = 100;
constexpr int64_t kSnoozeMs = 10'000;  // when an exit status is mapped to snooze

int64_t milliseconds(const timeval& time) {
    return int64_t(time.tv_sec) * 1000 + time.tv_usec / 1000;
}

Outcome exit_outcome(int code, const TypeSpec& type) {
    auto mapped = type.exit.find(code);
    if (mapped != type.exit.end()) return mapped->second;
    if (code == 0) return Outcome::success;
    return code == kExitDead ? Outcome::dead : Outcome::failure;
}

std::string ended_by(const ChildEnd& end) {
    if (end.exit_code) return "exit " + std::to_string(*end.exit_code);
    return end.signal ? "signal " + signal_name(*end.signal) : "lost";
}

void judge_end(RunReport& report, const ChildEnd& end, const TypeSpec& type,
               std::string last_words) {
    report.outcome = end.exit_code ? exit_outcome(*end.exit_code, type) : Outcome::crash;
    if (report.outcome == Outcome::success) return;
    if (report.outcome == Outcome::snooze) report.snooze_ms = kSnoozeMs;
    report.error_type = ended_by(end);
    report.message = std::move(last_words);
    if (!report.message.empty()) return;
    report.message = end.exit_code ? "exited with status " + std::to_string(*end.exit_code)
                                   : "ended by " + ended_by(end);
}

void judge_stop(RunReport& report, StopReason stopped, int64_t timeout_ms) {
    switch (stopped) {
        case StopReason::timeout:
            report.outcome = Outcome::timeout;
            report.error_type = "timeout";
            report.message = "still running after " + format_duration(timeout_ms);
            break;
        case StopReason::cancel:
            report.outcome = Outcome::cancelled;
            report.error_type = "cancelled";
            report.message = "stopped by a cancel request";
            break;
        default:
            report.outcome = Outcome::released;
            report.error_type = "released";
            report.message = "stopped because its runner is shutting down";
            break;
    }
}

}  // namespace

std::string signal_name(int number) {
    const char* short_name = sigabbrev_np(number);
    if (short_name != nullptr) return std::string("SIG") + short_name;
    return std::to_string(number);
}

RunReport judge(const ChildEnd& end, StopReason stopped, const TypeSpec& type, int64_t timeout_ms,
                std::string last_words) {
    RunReport report;
    report.exit_code = end.exit_code;
    report.signal = end.signal;
    report.user_cpu_ms = milliseconds(end.usage.ru_utime);
    report.system_cpu_ms = milliseconds(end.usage.ru_stime);
    report.max_rss_kib = end.usage.ru_maxrss;
    if (stopped == StopReason::none) {
        judge_end(report, end, type, std::move(last_words));
    } else {
        judge_stop(report, stopped, timeout_ms);
    }
    return report;
}

void add_output(RunReport& report, const JobRun& attempt, int64_t ended_ms) {
    report.started_ms = attempt.started_ms();
    report.ended_ms = ended_ms;
    Output kept = attempt.output.kept();
    report.order = std::move(kept.order);
    report.log = std::move(kept.err);
    report.log_cut = kept.err_cut;
    report.result = std::move(kept.out);
    report.result_cut = kept.out_cut;
    if (!report.result_cut) {
        report.result_is_json = check_json(report.result).has_value();
    } else if (report.outcome == Outcome::success && attempt.output.is_long_json()) {
        // A part of it would be read as something else, or not at all.
        report.result_is_json = true;
        report.result.clear();
        report.result_cut = {0, attempt.output.out().total()};
        report.order.clear();
    }
}

}  // namespace jobq
