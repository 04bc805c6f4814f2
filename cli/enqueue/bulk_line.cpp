#include "cli/enqueue/bulk_line.h"

#include <algorithm>
#include <vector>

#include "cli/base/interrupt.h"
#include "cli/base/payload_check.h"
#include "cli/enqueue/submit.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/job/job_fields.h"
#include "core/json/view.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

// How a member of the line becomes a member of the request.
enum class Form : uint8_t { as_is, duration, time, one_tag };

struct Member {
    std::string_view name;  // in the line
    std::string_view wire;  // in the request
    Form form;
};

constexpr Form form_of(WordForm form) {
    switch (form) {
        case WordForm::duration:
        case WordForm::positive:
            return Form::duration;
        case WordForm::time:
            return Form::time;
        case WordForm::names:
            return Form::one_tag;
        default:
            return Form::as_is;
    }
}

const Member* find_in(const std::vector<Member>& members, std::string_view name) {
    const auto found = std::find_if(members.begin(), members.end(),
                                    [name](const Member& member) { return member.name == name; });
    return found == members.end() ? nullptr : &*found;
}

// What JOBQ ENQUEUE knows, by its names, and by those that take the words of the command line. A
// time may be such words under both.
const std::vector<Member>& members() {
    static const std::vector<Member> all = [] {
        std::vector<Member> made;
        for (const auto& field : kSaidFields)
            if (!field.said.alias.empty())
                made.push_back({field.said.alias, field.name, form_of(field.said.form)});
        for (const auto& field : kSaidFields) {
            const bool time = field.said.form == WordForm::time;
            if (!find_in(made, field.name))
                made.push_back({field.name, field.name, time ? Form::time : Form::as_is});
        }
        return made;
    }();
    return all;
}

tl::unexpected<Error> unknown_member(const std::string& key) {
    std::vector<std::string_view> names;
    for (const auto& member : members())
        names.push_back(member.name);
    const std::string_view best = nearest(key, names);
    return fail(ErrorCode::invalid,
                "a job has no member \"" + printable(utf8_prefix(key, 60)) + "\"" +
                    (best.empty() ? "" : "; did you mean \"" + std::string(best) + "\"?"));
}

Result<std::string> converted(const Member& member, JsonView value) {
    if (member.form == Form::as_is) return std::string(value.raw());
    if (!value.is_string())
        return fail(ErrorCode::invalid, "\"" + std::string(member.name) + "\" must be a string");
    if (member.form == Form::one_tag) return "[" + std::string(value.raw()) + "]";
    const bool time = member.form == Form::time;
    const auto ms = time ? parse_time_ms(value.text(), wall_ms()) : parse_duration_ms(value.text());
    if (!ms)
        return fail(ErrorCode::invalid, "\"" + std::string(member.name) + "\": " + ms.error().text);
    return time ? json_quoted(format_rfc3339(*ms)) : std::to_string(*ms);
}

// Adds the members of `object` to the request; `seen` has the wire names so far.
Result<> add_members(JsonView object, JsonWriter& request, std::vector<std::string_view>& seen) {
    for (const auto& [key, value] : object.members()) {
        const Member* member = find_in(members(), key);
        if (member == nullptr) return unknown_member(key);
        if (std::find(seen.begin(), seen.end(), member->wire) != seen.end())
            return fail(ErrorCode::invalid, "\"" + key + "\" repeats a member that is already set");
        const auto json = converted(*member, value);
        if (!json) return tl::unexpected(json.error());
        request.raw(member->wire, *json);
        seen.push_back(member->wire);
    }
    return {};
}

bool contains(const std::vector<std::string_view>& seen, std::string_view name) {
    return std::find(seen.begin(), seen.end(), name) != seen.end();
}

}  // namespace

Result<BulkLine> parse_bulk_line(std::string_view line, const std::string& type,
                                 const std::string& defaults) {
    PayloadLimits most{.what = "the line", .one_line = true};
    if (type.empty()) {
        // The payload is inside: jobqd measures it alone.
        most.bytes = limits::kLineBytes;
        most.depth += 2;
    }
    if (const auto good = check_payload(line, most); !good) return tl::unexpected(good.error());
    const JsonView value(line);
    BulkLine made;
    auto request = JsonWriter::object();
    std::vector<std::string_view> seen;
    if (!type.empty()) {
        request.field("type", type).raw("payload", value.raw());
    } else {
        if (!value.is_object())
            return fail(ErrorCode::bad_data,
                        "the line is not a JSON object; if the lines are payloads, name the type: "
                        "jobq enqueue TYPE --jsonl");
        const auto added = add_members(value, request, seen);
        if (!added) return tl::unexpected(added.error());
        if (!contains(seen, "type")) return fail(ErrorCode::invalid, "the line has no \"type\"");
        const JsonView jid = value["jid"].exists() ? value["jid"] : value["id"];
        made.jid = jid.text();
    }
    const bool has_time = contains(seen, "delay_ms") || contains(seen, "run_at");
    for (const auto& [key, json] : JsonView(defaults).members()) {
        const bool time = key == "delay_ms" || key == "run_at";
        if (!contains(seen, key) && !(time && has_time)) request.raw(key, json.raw());
    }
    // Of this line alone: should its answer be lost, the repeat is not one more run.
    if (value["again"].raw() == "true" && type.empty() && !contains(seen, "idempotency_key"))
        request.field("idempotency_key", new_jid());
    if (!contains(seen, "jid")) {
        made.jid = new_jid();
        request.field("jid", made.jid);
    }
    made.request = request.done();
    return made;
}

}  // namespace jobq::cli
