#include "cli/job_options.h"

#include <array>
#include <cstdlib>

#include "cli/interrupt.h"
#include "cli/submit.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/base/trace_context.h"
#include "core/job/job.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--queue", "", "NAME", "the queue (default: default)", Takes::queue},
    Option{"--priority", "", "1..9", "9 runs first, 5 is normal"},
    Option{"--in", "", "DURATION", "run no earlier than that from now: 30s, 5m, 1h30m"},
    Option{"--at", "", "TIME", "run no earlier than then: RFC 3339, or 'in 5m'"},
    Option{"--max-attempts", "", "N", "give up after N attempts, 1 to 1000"},
    Option{"--timeout", "", "DURATION", "stop an attempt after that"},
    Option{"--expires", "", "DURATION", "do not start it later than that from now"},
    Option{"--id", "", "JID", "the job's id; it is one job, for as long as its record is kept"},
    Option{"--again", "", "", "run the finished job of that --id once more", Takes::nothing},
    Option{"--idempotency-key", "", "KEY", "the same key within 24 h is stored once"},
    Option{"--unique-for", "", "DURATION",
           "refuse a job like it (queue, type, payload) for so long"},
    Option{"--unique-until", "", "WHEN", "when a job like it may come: start or success"},
    Option{"--durability", "", "LEVEL",
           "store it so or better, or refuse: fsync, everysec, memory"},
    Option{"--traceparent", "", "CONTEXT",
           "the trace it belongs to (default: $TRACEPARENT, or that of the job that enqueues it)"},
    Option{"--webhook", "", "URL", "tell that URL of the job's end; its host must be allowed"},
    Option{"--tag", "", "NAME", "a tag; may be given several times"},
    Option{"--wait", "", "", "wait for its end", Takes::nothing},
};

Answer<> add_when(const Args& args, JsonObject& request) {
    if (args.has("--in") && args.has("--at"))
        return give_up(kUsage, "--in and --at can't both be given");
    if (args.text("--in").starts_with('-'))
        return give_up(kUsage, "--in: " + args.text("--in") + " is in the past",
                       "leave it away to run the job now");
    const auto delay = args.duration_ms("--in");
    if (!delay) return tl::unexpected(delay.error());
    if (*delay) request.number("delay_ms", **delay);
    const auto at = args.time_ms("--at");
    if (!at) return tl::unexpected(at.error());
    if (*at) request.text("run_at", format_rfc3339(**at));
    const auto expires = args.duration_ms("--expires");
    if (!expires) return tl::unexpected(expires.error());
    if (*expires) request.number("expires_ms", **expires);
    const auto timeout = args.duration_ms("--timeout");
    if (!timeout) return tl::unexpected(timeout.error());
    if (*timeout && **timeout == 0) return give_up(kUsage, "--timeout: 0 leaves a job no time");
    if (*timeout) request.number("timeout_ms", **timeout);
    return {};
}

// An option that can't be read is an error; a variable is often set by others, and then no context.
Answer<> add_trace(const Args& args, JsonObject& request) {
    if (args.has("--traceparent")) {
        const auto context = parse_traceparent(args.text("--traceparent"));
        if (!context) return give_up(kUsage, "--traceparent: " + context.error().text);
        request.text("traceparent", format_traceparent(*context));
        return {};
    }
    // A job's own variable comes last: what it runs under another span of it has the first.
    for (const char* name : {"TRACEPARENT", "JOBQ_TRACEPARENT"}) {
        const char* value = std::getenv(name);
        const auto context = read_traceparent(value ? value : "");
        if (!context) continue;
        request.text("traceparent", format_traceparent(*context));
        break;
    }
    return {};
}

}  // namespace

std::span<const Option> job_options() {
    return kOptions;
}

Answer<> check_type(const std::string& type) {
    Job probe;
    probe.jid = std::string(limits::kJidMinBytes, '0');
    probe.type = type;
    const auto good = validate(probe);
    if (good) return {};
    return tl::unexpected(Failure(good.error()));
}

Answer<> check_name(const std::string& what, const std::string& name) {
    if (is_name(name)) return {};
    return give_up(kUsage, what + " '" + printable(utf8_prefix(name, 100)) + "' is not a name",
                   "names have 1 to 64 of the characters A-Z a-z 0-9 . _ -");
}

Answer<> add_job_options(const Args& args, JsonObject& request) {
    if (args.has("--queue")) {
        if (auto good = check_name("--queue:", args.text("--queue")); !good) return good;
        request.text("queue", args.text("--queue"));
    }
    const auto priority = args.number("--priority", limits::kPriorityMin, limits::kPriorityMax);
    if (!priority) return tl::unexpected(priority.error());
    if (*priority) request.number("priority", **priority);
    const auto attempts = args.number("--max-attempts", 1, limits::kAttemptsMax);
    if (!attempts) return tl::unexpected(attempts.error());
    if (*attempts) request.number("max_attempts", **attempts);
    if (auto good = add_when(args, request); !good) return good;
    if (args.has("--id")) request.text("jid", args.text("--id"));
    if (args.has("--again") && !args.has("--id"))
        return give_up(kUsage, "--again needs --id JID", "without an id each job is a new one");
    if (args.has("--again")) {
        request.flag("again", true);
        // Of this call alone: should its answer be lost, the repeat is not one more run.
        if (!args.has("--idempotency-key")) request.text("idempotency_key", new_jid());
    }
    if (args.has("--idempotency-key"))
        request.text("idempotency_key", args.text("--idempotency-key"));
    const auto unique = args.duration_ms("--unique-for");
    if (!unique) return tl::unexpected(unique.error());
    if (*unique && **unique == 0) return give_up(kUsage, "--unique-for: 0 keeps nothing out");
    if (*unique) request.number("unique_for_ms", **unique);
    const std::string until = args.text("--unique-until");
    if (args.has("--unique-until") && !*unique)
        return give_up(kUsage, "--unique-until needs --unique-for DURATION");
    if (args.has("--unique-until") && until != "start" && until != "success")
        return give_up(kUsage,
                       "--unique-until: " + printable(until) + " is neither start nor success");
    if (args.has("--unique-until")) request.text("unique_until", until);
    const std::string durability = args.text("--durability");
    if (args.has("--durability") && !durability_of(durability))
        return give_up(kUsage, "--durability: " + printable(durability) +
                                   " is none of fsync, everysec and memory");
    if (args.has("--durability")) request.text("durability", durability);
    if (auto good = add_trace(args, request); !good) return good;
    if (args.has("--webhook")) request.text("webhook", args.text("--webhook"));
    for (const auto& tag : args.all("--tag"))
        if (auto good = check_name("--tag:", tag); !good) return good;
    if (args.has("--tag")) request.texts("tags", args.all("--tag"));
    return {};
}

}  // namespace jobq::cli
