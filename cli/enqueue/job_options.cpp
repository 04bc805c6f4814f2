#include "cli/enqueue/job_options.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "cli/base/interrupt.h"
#include "cli/enqueue/submit.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/base/trace_context.h"
#include "core/job/job_fields.h"

namespace jobq::cli {
namespace {

constexpr Takes takes_of(const Said& said) {
    if (said.word.empty()) return Takes::nothing;
    return said.form == WordForm::name ? Takes::queue : Takes::text;
}

constexpr Option kWait{"--wait", "", "", "wait until the job has finished", Takes::nothing};

constexpr auto kOptions = [] {
    constexpr auto has_option = [](const SaidField& field) { return !field.said.option.empty(); };
    constexpr auto kCount =
        size_t(std::count_if(kSaidFields.begin(), kSaidFields.end(), has_option));
    std::array<Option, kCount + 1> options{};
    size_t at = 0;
    for (const auto& field : kSaidFields) {
        const Said& said = field.said;
        if (!said.option.empty())
            options[at++] = {said.option, "", said.word, said.help, takes_of(said)};
    }
    options[at] = kWait;
    return options;
}();

// What one option can't say of itself.
Answer<> check_together(const Args& args) {
    if (args.has("--in") && args.has("--at"))
        return give_up(kUsage, "--in and --at can't be used together");
    if (args.text("--in").starts_with('-'))
        return give_up(kUsage, "--in: '" + args.text("--in") + "' is in the past",
                       "omit --in to run the job now");
    if (args.has("--again") && !args.has("--id"))
        return give_up(kUsage, "--again needs --id JID", "without an id every job is new");
    const std::string& until = args.text("--unique-until");
    if (args.has("--unique-until") && !args.has("--unique-for"))
        return give_up(kUsage, "--unique-until needs --unique-for DURATION");
    if (args.has("--unique-until") && until != "start" && until != "success")
        return give_up(kUsage,
                       "--unique-until: '" + printable(until) + "' is neither start nor success");
    const std::string& durability = args.text("--durability");
    if (args.has("--durability") && !durability_of(durability))
        return give_up(kUsage, "--durability: '" + printable(durability) +
                                   "' is not fsync, everysec or memory");
    return {};
}

Answer<> add_number(const Args& args, const SaidField& field, JsonWriter& request) {
    const auto number = args.number(field.said.option, field.least, field.most);
    if (!number) return tl::unexpected(number.error());
    request.field(field.name, **number);
    return {};
}

Answer<> add_duration(const Args& args, const SaidField& field, JsonWriter& request) {
    const std::string option(field.said.option);
    const auto duration = args.duration_ms(option);
    if (!duration) return tl::unexpected(duration.error());
    if (**duration == 0 && field.said.form == WordForm::positive)
        return give_up(kUsage, option + ": must be longer than 0");
    request.field(field.name, **duration);
    return {};
}

Answer<> add_time(const Args& args, const SaidField& field, JsonWriter& request) {
    const auto at = args.time_ms(field.said.option);
    if (!at) return tl::unexpected(at.error());
    request.field(field.name, format_rfc3339(**at));
    return {};
}

Answer<> add_names(const Args& args, const SaidField& field, JsonWriter& request) {
    const std::string option(field.said.option);
    for (const auto& name : args.all(option))
        if (auto good = check_name(option + ":", name); !good) return good;
    if (field.said.form == WordForm::names)
        request.field(field.name, args.all(option));
    else
        request.field(field.name, args.text(option));
    return {};
}

// Requires: the option was given.
Answer<> add_option(const Args& args, const SaidField& field, JsonWriter& request) {
    switch (field.said.form) {
        case WordForm::by_hand:
            break;
        case WordForm::text:
            request.field(field.name, args.text(field.said.option));
            break;
        case WordForm::name:
        case WordForm::names:
            return add_names(args, field, request);
        case WordForm::number:
            return add_number(args, field, request);
        case WordForm::duration:
        case WordForm::positive:
            return add_duration(args, field, request);
        case WordForm::time:
            return add_time(args, field, request);
        case WordForm::flag:
            request.field(field.name, true);
            break;
    }
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
                   "a name has 1 to 255 of the characters A-Z a-z 0-9 . _ -");
}

Answer<> add_job_options(const Args& args, JsonWriter& request) {
    if (auto good = check_together(args); !good) return good;
    for (const auto& field : kSaidFields) {
        if (field.said.option.empty() || !args.has(field.said.option)) continue;
        if (auto good = add_option(args, field, request); !good) return good;
    }
    // Of this call alone: should its answer be lost, the repeat is not one more run.
    if (args.has("--again") && !args.has("--idempotency-key"))
        request.field("idempotency_key", new_jid());
    return add_trace(args, request);
}

}  // namespace jobq::cli
