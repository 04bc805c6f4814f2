#include "cli/verbs/filter.h"

#include "cli/base/interrupt.h"
#include "cli/enqueue/job_options.h"
#include "core/base/time.h"

namespace jobq::cli {

Answer<> add_filter(const Args& args, JsonWriter& request) {
    if (args.has("--type")) {
        if (auto good = check_type(args.text("--type")); !good) return good;
        request.field("type", args.text("--type"));
    }
    if (args.has("--queue")) {
        if (auto good = check_name("--queue:", args.text("--queue")); !good) return good;
        request.field("queue", args.text("--queue"));
    }
    if (args.has("--tag")) request.field("tag", args.text("--tag"));
    if (args.has("--error")) request.field("error", args.text("--error"));
    if (args.has("--group")) request.field("group", args.text("--group"));
    if (args.has("--text")) request.field("text", args.text("--text"));
    if (!args.has("--since")) return {};
    // "1h" is an age, anything else a point in time.
    const std::string& since = args.text("--since");
    if (const auto age = parse_duration_ms(since); age) {
        request.field("since", format_rfc3339(wall_ms() - *age));
        return {};
    }
    const auto at = parse_time_ms(since, wall_ms());
    if (!at)
        return give_up(kUsage, "--since: '" + printable(since) + "' is neither an age nor a time",
                       "use 1h, 30m, 2d or 2026-11-22T18:30:00Z");
    request.field("since", format_rfc3339(*at));
    return {};
}

}  // namespace jobq::cli
