// libFuzzer target: everything that reads bytes from a client or from the store and must answer any
// of them with a value or an Error. The first byte chooses the reader.
#include <string_view>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/job/codec.h"
#include "core/json/document.h"
#include "core/json/fields.h"
#include "core/protocol/job_wire.h"

namespace {

constexpr int64_t kNow = 1'795'000'000'000;

// What was accepted must survive being written and read again.
void read_job(std::string_view text, bool faktory) {
    jobq::Job job;
    if (faktory) {
        auto parsed = jobq::parse_push(text, kNow);
        if (!parsed) return;
        job = *parsed;
    } else {
        auto parsed = jobq::parse_enqueue(text, kNow, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        if (!parsed) return;
        job = parsed->job;
    }
    auto again = jobq::decode_job(job.jid, jobq::encode_job(job, false));
    JOBQ_CHECK(again.has_value() && *again == job);
    jobq::JobRecord none;
    JOBQ_CHECK(jobq::check_json(jobq::faktory_job(job, none, kNow), jobq::limits::kJsonDepth + 2)
                   .has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 8) {
        case 0:
            read_job(text, true);
            break;
        case 1:
            read_job(text, false);
            break;
        case 2:
            (void)jobq::json_object(text).has_value();
            break;
        case 3:
            (void)jobq::decode_job("fuzzed-jid", text).has_value();
            break;
        case 4:
            (void)jobq::decode_record(text).has_value();
            break;
        case 5:
            (void)jobq::decode_final(text).has_value();
            break;
        case 6:
            (void)jobq::parse_rfc3339_ms(text).has_value();
            break;
        default:
            (void)jobq::glob_match(text.substr(0, text.size() / 2), text.substr(text.size() / 2));
    }
    return 0;
}
