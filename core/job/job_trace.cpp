#include "core/job/job_trace.h"

#include <sodium.h>

#include <algorithm>

namespace jobq {
namespace {

// BLAKE2b. All zeros is no id.
template <size_t N>
std::array<uint8_t, N> digest_of(const std::string& text) {
    std::array<unsigned char, crypto_generichash_BYTES_MIN> whole{};
    static_assert(N <= crypto_generichash_BYTES_MIN);
    crypto_generichash(whole.data(), whole.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr,
                       0);
    std::array<uint8_t, N> id{};
    std::copy_n(whole.begin(), N, id.begin());
    if (std::all_of(id.begin(), id.end(), [](uint8_t b) { return b == 0; })) id[N - 1] = 1;
    return id;
}

// A jid may be used again, when the job that had it is forgotten.
std::string identity(const Job& job) {
    return job.jid + " " + std::to_string(job.created_ms);
}

}  // namespace

SpanId span_id_of(const Job& job, JobSpan which, int attempt, int64_t started_ms) {
    std::string text = identity(job);
    for (int64_t number : {int64_t(which), int64_t(attempt), started_ms})
        text.append(1, ' ').append(std::to_string(number));
    return digest_of<8>(text);
}

std::optional<TraceContext> given_trace(const Job& job) {
    return read_traceparent(job.traceparent);
}

TraceId own_trace(const Job& job) {
    return digest_of<16>(identity(job));
}

// The last 7 bytes are the random ones, by the second level of W3C Trace Context.
bool keeps_trace(const TraceId& trace, double ratio) {
    uint64_t number = 0;
    for (size_t i = 9; i < trace.size(); ++i)
        number = number << 8 | trace[i];
    return double(number >> 3) < ratio * 0x1.0p53;  // what a double holds exactly
}

}  // namespace jobq
