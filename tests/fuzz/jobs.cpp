// libFuzzer target: jobs from the wire into the store's form and back. The first byte chooses PUSH,
// PUSHB or JOBQ ENQUEUE. What is accepted keeps every bit of it, and what is shown of it to workers
// and to MUTATE's globs is JSON on one line.
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/job/codec.h"
#include "core/json/document.h"
#include "core/json/fields.h"
#include "core/protocol/job_wire.h"

namespace {

constexpr int64_t kNow = 1'795'000'000'000;

bool is_json_line(std::string_view text) {
    return nlohmann::json::accept(text) && text.find_first_of("\r\n") == text.npos;
}

void check(const jobq::Job& job) {
    JOBQ_CHECK(jobq::validate(job).has_value());
    jobq::Job stored_job = job;
    stored_job.ties = nullptr;  // kept apart from the envelope
    // Of the request, not of the job.
    stored_job.reuse = jobq::Reuse::plain;
    stored_job.may_be_known = false;
    for (bool has_record : {false, true}) {
        auto again = jobq::decode_job(job.jid, jobq::encode_job(job, has_record));
        JOBQ_CHECK(again.has_value() && *again == stored_job);
    }
    jobq::JobRecord none, failed;
    failed.attempts = 1;
    failed.first_failed_ms = kNow;
    failed.errors.emplace_back().message = job.type;
    for (const auto& record : {none, failed}) {
        std::string shown = jobq::faktory_job(job, record, kNow);
        JOBQ_CHECK(is_json_line(shown));
        JOBQ_CHECK(shown.find("\"args\":") != shown.npos);
        std::string stored = jobq::faktory_payload(job, record, kNow);
        JOBQ_CHECK(is_json_line(stored));
        JOBQ_CHECK(stored.find_first_of("<>&") == stored.npos);
    }
    std::string compact = jobq::go_json(job.args);
    JOBQ_CHECK(is_json_line(compact) && compact.size() > 1);
    // Stable from the second time on: -0e3 is written as -0, which is the integer 0.
    std::string again = jobq::go_json(compact);
    JOBQ_CHECK(jobq::go_json(again) == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] % 3 == 0) {
        auto job = jobq::parse_push(text, kNow);
        if (job) check(*job);
        if (!job) JOBQ_CHECK(!job.error().text.empty());
    } else if (data[0] % 3 == 1) {
        auto bulk = jobq::parse_push_bulk(text, kNow);
        if (!bulk) return 0;
        for (const auto& job : bulk->jobs)
            check(job);
        for (const auto& [jid, why] : bulk->refused)
            JOBQ_CHECK(!why.empty());
    } else {
        auto request = jobq::parse_enqueue(text, kNow, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        if (request) check(request->job);
    }
    return 0;
}
