// What `jobq loadgen` prints: a table for people, one document for machines, and the progress line.
#include <algorithm>
#include <array>
#include <cstdio>

#include "cli/base/interrupt.h"
#include "cli/loadgen/load_result.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

constexpr int64_t kProgressMs = 250;
constexpr size_t kBarColumns = 40;
constexpr std::array kPercents{50.0, 90.0, 99.0, 99.9, 99.99};
constexpr std::array kPercentNames{"p50", "p90", "p99", "p99.9", "p99.99"};

std::string fixed(double value, int digits) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
    return buffer;
}

std::string milliseconds(int64_t us) {
    return fixed(double(us) / 1000, us < 10'000 ? 3 : us < 1'000'000 ? 1 : 0);
}

std::string right(const std::string& text, size_t columns) {
    return std::string(text.size() < columns ? columns - text.size() : 1, ' ') + text;
}

double rate_of(int64_t jobs, int64_t us) {
    return us <= 0 ? 0 : double(jobs) * 1e6 / double(us);
}

void add_rate(std::string& text, const char* name, int64_t jobs, int64_t us) {
    text += padded(name, 10) + right(std::to_string(jobs), 12) +
            right(fixed(double(us) / 1e6, 3), 12) + right(fixed(rate_of(jobs, us), 0), 12) + "\n";
}

void add_latency(std::string& text, const char* name, const LatencyHistogram& values) {
    if (values.count() == 0) return;
    text += padded(name, 10);
    for (const double percent : kPercents)
        text += right(milliseconds(values.percentile(percent)), 10);
    text += right(milliseconds(values.max()), 10) + "\n";
}

void add_picture(std::string& text, const char* name, const LatencyHistogram& values) {
    const auto rows = values.octaves();
    int64_t most = 0;
    for (const int64_t count : rows)
        most = std::max(most, count);
    if (most == 0) return;
    text += std::string("\n") + name + ", up to ms\n";
    bool begun = false;
    for (size_t row = 0; row < rows.size(); ++row) {
        begun = begun || rows[row] > 0;
        if (!begun) continue;
        const auto bar = size_t(double(rows[row]) / double(most) * double(kBarColumns) + 0.5);
        text += right(milliseconds(int64_t(1) << row), 10) + "  " +
                padded(std::string(rows[row] > 0 && bar == 0 ? 1 : bar, '#'), kBarColumns) +
                right(std::to_string(rows[row]), 12) + "\n";
    }
}

const char* mode_name(LoadMode mode) {
    return mode == LoadMode::push ? "push" : mode == LoadMode::drain ? "drain" : "both";
}

void add_check(Output& out, std::string& text, const LoadResult& result) {
    text += "\n";
    if (result.refused > 0)
        text += "refused temporarily and sent again: " + std::to_string(result.refused) + "\n";
    if (result.events_lost > 0)
        text += "events: " + std::to_string(result.events_seen) + " jobs seen to finish, " +
                std::to_string(result.events_lost) + " events lost because they came too fast\n";
    if (!result.checked) {
        text += "did not check for lost jobs\n";
        return;
    }
    text += "checked " + std::to_string(result.looked_up) + " acknowledged jobs: " +
            out.paint(std::to_string(result.lost) + " lost",
                      result.lost > 0 ? Colour::bad : Colour::good);
    if (result.unfinished > 0) text += ", " + std::to_string(result.unfinished) + " not finished";
    if (result.dead > 0)
        text += ", " + out.paint(std::to_string(result.dead) + " dead", Colour::bad);
    text += "\n";
    if (result.lost > 0) text += "an example of a lost job: " + result.lost_example + "\n";
}

std::string in_words(Output& out, const LoadPlan& plan, const LoadResult& result) {
    std::string text =
        padded("", 10) + right("jobs", 12) + right("seconds", 12) + right("jobs/s", 12) + "\n";
    if (!plan.drains_what_is_there()) add_rate(text, "enqueue", result.acked, result.enqueue_us);
    if (result.run_us > 0) add_rate(text, "run", result.ended, result.run_us);
    if (result.ack.count() > 0) {
        text += "\n" + padded("ms", 10);
        for (const char* name : kPercentNames)
            text += right(name, 10);
        text += right("max", 10) + "\n";
        add_latency(text, "to ack", result.ack);
        add_latency(text, "to start", result.start);
        add_latency(text, "to finish", result.finish);
    }
    const bool ends = result.finish.count() > 0;
    add_picture(text, ends ? "to finish" : "to ack", ends ? result.finish : result.ack);
    add_check(out, text, result);
    return text;
}

std::string rate_json(int64_t jobs, int64_t us) {
    return JsonWriter::object()
        .field("jobs", jobs)
        .raw("seconds", fixed(double(us) / 1e6, 6))
        .raw("jobs_per_s", fixed(rate_of(jobs, us), 1))
        .done();
}

std::string latency_json(const LatencyHistogram& values) {
    auto object = JsonWriter::object();
    object.field("count", values.count()).field("min", values.min());
    object.raw("mean", fixed(values.mean(), 1));
    for (size_t i = 0; i < kPercents.size(); ++i)
        object.field(kPercentNames[i], values.percentile(kPercents[i]));
    object.field("max", values.max());
    std::string steps = "[";
    for (const auto& step : values.steps()) {
        if (steps.size() > 1) steps += ',';
        steps += JsonWriter::object()
                     .raw("percent", fixed(step.percent, 4))
                     .field("us", step.us)
                     .field("count", step.count)
                     .done();
    }
    return object.raw("percentiles", steps + "]").done();
}

std::string in_json(const LoadPlan& plan, const LoadResult& result) {
    auto object = JsonWriter::object();
    object.field("mode", mode_name(plan.mode)).field("type", plan.type).field("queue", plan.queue);
    object.field("clients", plan.clients).field("window", plan.window);
    object.field("batch", plan.batch).field("payload_bytes", plan.payload_bytes);
    if (plan.rate > 0) object.field("rate", plan.rate);
    if (!plan.drains_what_is_there())
        object.raw("enqueue", rate_json(result.acked, result.enqueue_us));
    if (result.run_us > 0) object.raw("run", rate_json(result.ended, result.run_us));
    object.field("refused", result.refused);
    auto latency = JsonWriter::object();
    latency.raw("ack", latency_json(result.ack));
    if (plan.latency)
        latency.raw("start", latency_json(result.start)).raw("finish", latency_json(result.finish));
    object.raw("latency_us", latency.done());
    if (plan.latency)
        object.raw("events", JsonWriter::object()
                                 .field("seen", result.events_seen)
                                 .field("lost", result.events_lost)
                                 .done());
    object.raw("cpu", JsonWriter::object()
                          .raw("user_s", fixed(double(result.user_us) / 1e6, 6))
                          .raw("system_s", fixed(double(result.system_us) / 1e6, 6))
                          .done());
    if (result.checked)
        object.raw("check", JsonWriter::object()
                                .field("jobs", result.looked_up)
                                .field("lost", result.lost)
                                .field("unfinished", result.unfinished)
                                .field("dead", result.dead)
                                .done());
    return object.field("interrupted", result.interrupted).done();
}

}  // namespace

void LoadProgress::show(const char* what, int64_t done, int64_t of) {
    if (!line_.wanted()) return;
    const int64_t now_ms = monotonic_ms();
    if (now_ms < next_ms_) return;
    if (last_what_ != what) last_what_ = what, last_done_ = done, last_ms_ = now_ms;
    const int64_t rate = now_ms > last_ms_ ? (done - last_done_) * 1000 / (now_ms - last_ms_) : 0;
    std::string line = std::string(what) + " " + std::to_string(done);
    if (of > 0) line += " of " + std::to_string(of);
    line_.show(line + ", " + std::to_string(rate) + "/s");
    next_ms_ = now_ms + kProgressMs;
    last_ms_ = now_ms;
    last_done_ = done;
}

void print_load(Output& out, const LoadPlan& plan, const LoadResult& result) {
    if (out.is_text()) {
        out.raw(in_words(out, plan, result));
    } else {
        out.line(in_json(plan, result));
    }
}

}  // namespace jobq::cli
