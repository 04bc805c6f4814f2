// Lines for people and programs; see work_log.h.
// Must stay true: what comes from a job or from jobqd is printed without control characters.
#include "daemon/runner/work_log.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/json/writer.h"

namespace jobq {
namespace {

int64_t wall_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

const char* in_words(Outcome outcome) {
    switch (outcome) {
        case Outcome::success:
            return "succeeded";
        case Outcome::failure:
            return "failed";
        case Outcome::dead:
            return "failed for good";
        case Outcome::timeout:
            return "was stopped at its time limit";
        case Outcome::crash:
            return "crashed";
        case Outcome::cancelled:
            return "was cancelled";
        case Outcome::released:
            return "was stopped and goes back to its queue";
        case Outcome::snooze:
            return "was put off";
        case Outcome::count_:
            break;
    }
    return "ended";
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

// The members of an object, without its opening brace.
std::string members_of(JsonWriter& json) {
    json.end_object();
    return json.take().substr(1);
}

}  // namespace

void WorkLog::print(const std::string& text) const {
    std::string line = "jobq: " + printable(text) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
}

void WorkLog::print_json(std::string_view event, std::string members) const {
    std::string line = "{\"time\":\"" + format_rfc3339(wall_ms()) + "\",\"event\":\"";
    line.append(event).append("\",") += members + "\n";
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
}

std::string WorkLog::start_line() const {
    std::string text = "taking jobs of " + joined(options_.queues) + " from " + options_.endpoint;
    if (!options_.types.empty()) text += ", of type " + joined(options_.types);
    text += ", " + std::to_string(options_.slots) + (options_.slots == 1 ? " slot" : " slots");
    return text + ", as worker " + options_.name;
}

// Whether the same was said already: the tries of one outage.
bool WorkLog::repeats(std::string_view event) {
    if (event == "runner.online") {
        away_ = false;
        met_ = true;
        return false;
    }
    bool again = away_ && event == "runner.no_daemon";
    if (event == "runner.no_daemon" || event == "runner.away") away_ = true;
    return again;
}

void WorkLog::event(LogLevel level, std::string_view event, const std::string& text) {
    bool first = event == "runner.online" && !met_;
    if (repeats(event) && !options_.verbose) return;
    std::string said = text;
    if (event == "runner.online") said = first ? start_line() : "reconnected";
    if (event == "runner.away" || event == "runner.no_daemon")
        said += "; retrying until it is back";
    if (options_.json) {
        JsonWriter json;
        json.begin_object().field("level", level >= LogLevel::warn ? "warn" : "info");
        json.field("text", to_utf8(printable(said))).field("worker", options_.name);
        if (first) {
            json.field("endpoint", options_.endpoint).field("queues", options_.queues);
            json.field("slots", options_.slots).field("pid", int64_t(getpid()));
        }
        if (event.starts_with("runner.")) event.remove_prefix(7);
        print_json(event, members_of(json));
        return;
    }
    if (options_.silent && level < LogLevel::warn) return;
    print(said);
}

void WorkLog::started(const TakenJob& job) {
    if (options_.json) {
        JsonWriter json;
        json.begin_object().field("jid", job.jid).field("type", job.type);
        json.field("queue", job.queue).field("attempt", job.attempt);
        json.field("max_attempts", job.max_attempts);
        print_json("started", members_of(json));
    } else if (options_.verbose) {
        print(job.jid + " started: type " + job.type + ", queue " + job.queue + ", attempt " +
              std::to_string(job.attempt) + " of " + std::to_string(job.max_attempts));
    }
}

void WorkLog::ended(const TakenJob& job, const RunReport& report) {
    ++(report.outcome == Outcome::success ? succeeded_ : others_);
    int64_t took_ms = std::max<int64_t>(0, report.ended_ms - report.started_ms);
    if (options_.json) {
        JsonWriter json;
        json.begin_object().field("jid", job.jid).field("type", job.type);
        json.field("queue", job.queue).field("attempt", job.attempt);
        json.field("outcome", name(report.outcome)).field("duration_ms", took_ms);
        if (report.exit_code) json.field("exit_code", *report.exit_code);
        if (report.signal) json.field("signal", *report.signal);
        if (!report.error_type.empty()) json.field("error_type", to_utf8(report.error_type));
        if (!report.message.empty()) json.field("message", to_utf8(report.message));
        print_json("ended", members_of(json));
        return;
    }
    // A command that can't be started is this machine's trouble, not the job's.
    bool not_started = report.error_type == kNotStarted;
    if (!options_.verbose && !not_started) return;
    std::string text = job.jid + " " + in_words(report.outcome);
    if (!not_started) text += " after " + format_duration(took_ms);
    if (!report.message.empty()) text += ": " + report.message;
    print(text);
}

void WorkLog::closed() {
    if (options_.json) {
        JsonWriter json;
        json.begin_object().field("worker", options_.name);
        json.field("succeeded", succeeded_).field("others", others_);
        print_json("closed", members_of(json));
        return;
    }
    bool asked = options_.verbose || options_.burst || options_.max_jobs >= 0;
    if (!asked || options_.silent) return;
    print("ran " + std::to_string(succeeded_ + others_) + " jobs: " + std::to_string(succeeded_) +
          " succeeded, " + std::to_string(others_) + " did not succeed");
}

}  // namespace jobq
