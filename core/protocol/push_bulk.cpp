// The jobs of a PUSHB line, each accepted or refused by itself; see job_wire.h.
#include <set>

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

constexpr int kJobDepth = limits::kJsonDepth + 2;  // the job, its args, and a payload in them
constexpr int kArrayDepth = kJobDepth + 1;

// An array of jobs with `null` in the place of each that is nested too deeply, so that it refuses
// itself alone; those are noted as refused, and their numbers in `deep`.
std::string without_deep_jobs(std::string_view array, BulkPush& bulk, std::set<size_t>& deep) {
    std::string rest = "[";
    size_t end = 1, number = 0;
    scan::walk(array, [&](std::string_view, std::string_view job) {
        const auto at = size_t(job.data() - array.data());
        rest.append(array.substr(end, at - end));
        end = at + job.size();
        const auto good = check_json(job, kJobDepth);
        const bool is_deep = !good && good.error().code == ErrorCode::too_large;
        if (is_deep) {
            deep.insert(number);
            bulk.refused.emplace_back(JsonView(job)["jid"].text(),
                                      std::string(kBadJson) + good.error().text);
        }
        rest += is_deep ? std::string_view("null") : job;
        ++number;
        return true;
    });
    rest.append(array.substr(end));
    return rest;
}

}  // namespace

Result<BulkPush> parse_push_bulk(std::string_view json, int64_t now_ms) {
    BulkPush bulk;
    std::string mended;
    auto checked = check_json(json, kArrayDepth);
    if (!checked) {
        mended = without_lone_surrogates(std::string(json));
        json = mended;
        checked = check_json(json, kArrayDepth);
    }
    std::string shallow;
    std::set<size_t> deep;
    if (!checked && checked.error().code == ErrorCode::too_large && trim(json)[0] == '[') {
        shallow = without_deep_jobs(trim(json), bulk, deep);
        json = shallow;
        checked = check_json(json, kArrayDepth);
    }
    if (!checked) return bad_json(checked.error());
    const std::string_view array = trim(json);
    if (array[0] != '[')
        return fail(ErrorCode::bad_data, "invalid JSON: an array of jobs is required");
    size_t number = 0;
    for (const auto& element : json_array(array)) {
        if (deep.contains(number++)) continue;
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
