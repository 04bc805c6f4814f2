// The jobs of a PUSHB line, each accepted or refused by itself; see job_wire.h.
#include "core/base/text.h"
#include "core/json/document.h"
#include "core/json/fields.h"
#include "core/json/scan.h"
#include "core/json/view.h"
#include "core/protocol/job_wire.h"

namespace jobq {
namespace {

constexpr std::string_view kBadJson = "invalid JSON: ";  // as parse_push() says it

tl::unexpected<Error> bad_json(const Error& error) {
    return fail(error.code, std::string(kBadJson) + error.text);
}

// An array of jobs with `null` in the place of each that is nested too deeply, so that it refuses
// itself alone; those are noted as refused.
std::string without_deep_jobs(std::string_view array, BulkPush& bulk) {
    std::string rest = "[";
    size_t end = 1;
    scan::walk(array, [&](std::string_view, std::string_view job) {
        const auto at = size_t(job.data() - array.data());
        rest.append(array.substr(end, at - end));
        end = at + job.size();
        const auto good = check_json(job, limits::kJsonDepth + 2);
        const bool deep = !good && good.error().code == ErrorCode::too_large;
        if (deep)
            bulk.refused.emplace_back(JsonView(job)["jid"].text(),
                                      std::string(kBadJson) + good.error().text);
        rest += deep ? std::string_view("null") : job;
        return true;
    });
    rest.append(array.substr(end));
    return rest;
}

}  // namespace

Result<BulkPush> parse_push_bulk(std::string_view json, int64_t now_ms) {
    BulkPush bulk;
    std::string mended;
    auto checked = check_json(json, limits::kJsonDepth + 2);
    if (!checked && checked.error().code == ErrorCode::bad_data) {
        mended = without_lone_surrogates(std::string(json));
        json = mended;
        checked = check_json(json, limits::kJsonDepth + 2);
    }
    std::string shallow;
    if (!checked && checked.error().code == ErrorCode::too_large && trim(json)[0] == '[') {
        shallow = without_deep_jobs(trim(json), bulk);
        json = shallow;
        checked = check_json(json, limits::kJsonDepth + 2);
    }
    if (!checked) return bad_json(checked.error());
    const std::string_view array = trim(json);
    if (array[0] != '[')
        return fail(ErrorCode::bad_data, "invalid JSON: an array of jobs is required");
    for (const auto& element : json_array(array)) {
        if (element.is_null() && !bulk.refused.empty()) continue;  // one of the deep ones
        auto job = parse_push(element.raw, now_ms);
        if (job) {
            bulk.jobs.push_back(std::move(*job));
            continue;
        }
        if (job.error().text.starts_with(kBadJson)) return tl::unexpected<Error>(job.error());
        auto object = JsonFields::parse(element.raw, true);
        auto jid = object->string("jid");
        bulk.refused.emplace_back(jid ? jid->value_or("") : "", job.error().text);
    }
    return bulk;
}

}  // namespace jobq
