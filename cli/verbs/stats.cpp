// The verb `stats`: totals, queues, pools and rates; with --watch again and again.
#include <array>

#include "cli/base/interrupt.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "cli/terminal/show.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--watch", "-w", "", "repeat until ^C", Takes::nothing},
    Option{"--interval", "", "DURATION", "the interval of --watch (default: 1s)"},
};
constexpr int64_t kIntervalMs = 1'000, kIntervalLeastMs = 100;

void add(std::string& text, std::string_view name, const std::string& value) {
    text += padded(name, 12) + value + "\n";
}

std::string job_words(JsonView jobs) {
    std::string words;
    for (const char* state : {"ready", "running", "scheduled", "retrying", "dead"})
        words += std::string(words.empty() ? "" : ", ") + jobs[state].text() + " " + state;
    return words;
}

std::string over_words(JsonView jobs) {
    std::string words = jobs["succeeded"].text() + " succeeded";
    for (const char* state : {"cancelled", "expired", "dropped", "removed"})
        if (jobs[state].number() > 0) words += ", " + jobs[state].text() + " " + state;
    return words + ", of " + jobs["total"].text() + " enqueued";
}

std::string in_words(Output& out, JsonView stats) {
    std::string text;
    add(text, "daemon",
        "jobqd " + printable(stats["version"].text()) + ", up " +
            uptime_words(stats["uptime_s"].number()) + ", " + stats["connections"].text() +
            " connections");
    const JsonView redis = stats["redis"];
    std::string store = printable(redis["state"].text());
    if (redis["memory_bytes"].exists())
        store += ", " + std::to_string(redis["memory_bytes"].number() / 1024) + " KiB";
    add(text, "store", store);
    const JsonView storage = stats["storage"];
    if (const std::string state = storage["state"].text(); state == "full" || state == "refused")
        add(text, "storage",
            out.paint(state == "full" ? "full" : "writes refused", Colour::bad) + ": " +
                printable(storage["text"].text()));
    if (const std::string note = stats["storage"]["note"].text(); !note.empty())
        add(text, "repaired", printable(note));
    if (const int64_t woke = stats["watchdog_woke"].number(); woke > 0)
        add(text, "watchdog",
            out.paint("woke", Colour::bad) + " workers " + std::to_string(woke) +
                " times that nothing else woke: see the log");
    add(text, "jobs", job_words(stats["jobs"]));
    add(text, "finished", over_words(stats["jobs"]));
    if (const JsonView rates = stats["rates"]; rates.exists())
        add(text, "rates",
            rates["enqueued_per_s"].text() + "/s in, " + rates["finished_per_s"].text() + "/s out");
    for (const JsonView queue : stats["queues"].items())
        add(text, "queue",
            padded(printable(queue["name"].text()), 16) + padded(queue["size"].text(), 10) +
                "latency " + rounded(queue["latency_ms"].number()) +
                (queue["paused"].flag() ? ", " + out.paint("paused", Colour::busy) : ""));
    const int64_t more = stats["queues_total"].number() - int64_t(stats["queues"].items().size());
    if (more > 0)
        add(text, "queue", "and " + std::to_string(more) + " more: `jobq queue list` shows them");
    for (const JsonView pool : stats["pools"].items()) {
        std::string queues;
        for (const JsonView queue : pool["queues"].items())
            queues += (queues.empty() ? "" : ", ") + printable(queue.text());
        add(text, "pool",
            padded(printable(pool["name"].text()), 16) +
                padded(printable(pool["kind"].text()), 10) + pool["busy"].text() + " of " +
                pool["slots"].text() + " slots busy, queues " + queues);
    }
    return text;
}

void print(Output& out, JsonView stats, bool again) {
    if (!out.is_text()) {
        out.line(stats.raw());
    } else {
        // One screen that is written over; in a pipe the blocks follow each other.
        if (again && out.on_terminal()) out.raw("\033[H\033[J");
        out.raw(in_words(out, stats));
        if (again && !out.on_terminal()) out.line("");
    }
    out.flush();
}

Answer<int> run_stats(Invocation& invocation) {
    const Args& args = invocation.args;
    const auto interval = args.duration_ms("--interval");
    if (!interval) return tl::unexpected(interval.error());
    if (interval->value_or(kIntervalMs) < kIntervalLeastMs)
        return give_up(kUsage, "--interval: must be at least 100ms");
    const bool watch = args.has("--watch");
    if (*interval && !watch) return give_up(kUsage, "--interval needs --watch");
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    if (!watch) {
        const auto reply = client->call("STATS", "{}");
        if (!reply) return tl::unexpected(Failure(reply.error()));
        print(invocation.out, JsonView(*reply), false);
        return kDone;
    }
    const InterruptScope scope;
    end_with_reader();
    while (true) {
        const int64_t next = monotonic_ms() + interval->value_or(kIntervalMs);
        const auto reply = client->call("STATS", "{}");
        if (interrupted()) return kInterrupted;
        if (reply) {
            print(invocation.out, JsonView(*reply), true);
        } else {
            invocation.out.note(reply.error().text);
            if (!client->alive())
                if (auto back = client->reconnect(kReplyMs); !back && !interrupted())
                    return tl::unexpected(Failure(back.error()));
        }
        sleep_until(next);
        if (interrupted()) return kInterrupted;
    }
}

}  // namespace

const Verb kStats{.name = "stats",
                  .usage = "",
                  .summary = "Show totals, queues, pools and rates",
                  .examples = "jobq stats --watch\njobq stats --json",
                  .options = kOptions,
                  .more = {},
                  .run = run_stats};

}  // namespace jobq::cli
