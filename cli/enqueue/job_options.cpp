#include "cli/enqueue/job_options.h"

#include <array>
#include <cstdlib>

#include "cli/base/interrupt.h"
#include "cli/enqueue/submit.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/base/trace_context.h"
#include "core/job/job.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--queue", "", "NAME", "the queue (default: default)", Takes::queue},
    Option{"--priority", "", "1..9", "the priority: 9 runs first, 5 is normal"},
    Option{"--in", "", "DURATION", "start no earlier than this long from now: 30s, 5m, 1h30m"},
    Option{"--at", "", "TIME", "start no earlier than this time: RFC 3339, or 'in 5m'"},
    Option{"--max-attempts", "", "N", "give up after N attempts, 1 to 1000"},
    Option{"--timeout", "", "DURATION", "stop an attempt after this long"},
    Option{"--expires", "", "DURATION", "do not start the job later than this long from now"},
    Option{"--id", "", "JID", "the id of the job; it stands for one job while its record is kept"},
    Option{"--again", "", "", "run the finished job with this --id again", Takes::nothing},
    Option{"--idempotency-key", "", "KEY", "store jobs with the same key once within 24 h"},
    Option{"--unique-for", "", "DURATION",
           "refuse equal jobs (queue, type, payload) for this long"},
    Option{"--unique-until", "", "WHEN", "when an equal job is accepted again: start or success"},
    Option{"--durability", "", "LEVEL",
           "refuse the job unless it is stored this safely: fsync, everysec, memory"},
    Option{"--traceparent", "", "CONTEXT",
           "the trace of the job (default: $TRACEPARENT, or that of the enqueueing job)"},
    Option{"--webhook", "", "URL",
           "send a webhook to this URL when the job ends; its host must be allowed"},
    Option{"--tag", "", "NAME", "a tag; can be given several times"},
    Option{"--wait", "", "", "wait until the job has finished", Takes::nothing},
};

Answer<> add_when(const Args& args, JsonWriter& request) {
    if (args.has("--in") && args.has("--at"))
        return give_up(kUsage, "--in and --at can't be used together");
    if (args.text("--in").starts_with('-'))
        return give_up(kUsage, "--in: '" + args.text("--in") + "' is in the past",
                       "omit --in to run the job now");
    const auto delay = args.duration_ms("--in");
    if (!delay) return tl::unexpected(delay.error());
    if (*delay) request.field("delay_ms", **delay);
    const auto at = args.time_ms("--at");
    if (!at) return tl::unexpected(at.error());
    if (*at) request.field("run_at", format_rfc3339(**at));
    const auto expires = args.duration_ms("--expires");
    if (!expires) return tl::unexpected(expires.error());
    if (*expires) request.field("expires_ms", **expires);
    const auto timeout = args.duration_ms("--timeout");
    if (!timeout) return tl::unexpected(timeout.error());
    if (*timeout && **timeout == 0) return give_up(kUsage, "--timeout: must be longer than 0");
    if (*timeout) request.field("timeout_ms", **timeout);
    return {};
}

// An option that can't be read is an error; a variable is often set by others, and then no context.
Answer<> add_trace(const Args& args, JsonWriter& request) {
    if (args.has("--traceparent")) {
        const auto context = parse_traceparent(args.text("--traceparent"));
        if (!context) return give_up(kUsage, "--traceparent: " + context.error().text);
        request.field("traceparent", format_traceparent(*context));
        return {};
    }
    // A job's own variable comes last: what it runs under another span of it has the first.
    for (const char* name : {"TRACEPARENT", "JOBQ_TRACEPARENT"}) {
        const char* value = std::getenv(name);
        const auto context = read_traceparent(value ? value : "");
        if (!context) continue;
        request.field("traceparent", format_traceparent(*context));
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
    return give_up(kUsage,
                   what + " '" + printable(utf8_prefix(name, 100)) + "' is not a valid name",
                   "a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -");
}

Answer<> add_job_options(const Args& args, JsonWriter& request) {
    if (args.has("--queue")) {
        if (auto good = check_name("--queue:", args.text("--queue")); !good) return good;
        request.field("queue", args.text("--queue"));
    }
    const auto priority = args.number("--priority", limits::kPriorityMin, limits::kPriorityMax);
    if (!priority) return tl::unexpected(priority.error());
    if (*priority) request.field("priority", **priority);
    const auto attempts = args.number("--max-attempts", 1, limits::kAttemptsMax);
    if (!attempts) return tl::unexpected(attempts.error());
    if (*attempts) request.field("max_attempts", **attempts);
    if (auto good = add_when(args, request); !good) return good;
    if (args.has("--id")) request.field("jid", args.text("--id"));
    if (args.has("--again") && !args.has("--id"))
        return give_up(kUsage, "--again needs --id JID", "without an id every job is new");
    if (args.has("--again")) {
        request.field("again", true);
        // Of this call alone: should its answer be lost, the repeat is not one more run.
        if (!args.has("--idempotency-key")) request.field("idempotency_key", new_jid());
    }
    if (args.has("--idempotency-key"))
        request.field("idempotency_key", args.text("--idempotency-key"));
    const auto unique = args.duration_ms("--unique-for");
    if (!unique) return tl::unexpected(unique.error());
    if (*unique && **unique == 0) return give_up(kUsage, "--unique-for: must be longer than 0");
    if (*unique) request.field("unique_for_ms", **unique);
    const std::string until = args.text("--unique-until");
    if (args.has("--unique-until") && !*unique)
        return give_up(kUsage, "--unique-until needs --unique-for DURATION");
    if (args.has("--unique-until") && until != "start" && until != "success")
        return give_up(kUsage,
                       "--unique-until: '" + printable(until) + "' is neither start nor success");
    if (args.has("--unique-until")) request.field("unique_until", until);
    const std::string durability = args.text("--durability");
    if (args.has("--durability") && !durability_of(durability))
        return give_up(kUsage, "--durability: '" + printable(durability) +
                                   "' is not fsync, everysec or memory");
    if (args.has("--durability")) request.field("durability", durability);
    if (auto good = add_trace(args, request); !good) return good;
    if (args.has("--webhook")) request.field("webhook", args.text("--webhook"));
    for (const auto& tag : args.all("--tag"))
        if (auto good = check_name("--tag:", tag); !good) return good;
    if (args.has("--tag")) request.field("tags", args.all("--tag"));
    return {};
}

}  // namespace jobq::cli
