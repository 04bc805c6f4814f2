#include "core/base/error.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace jobq {
namespace {

using enum ErrorCode;

// Exit statuses are those of product.md section 6, listed in jobq(1); a test walks both.
constexpr std::array kErrors{
    ErrorInfo{invalid, "INVALID", 400, 2, false, true, "the request is invalid"},
    ErrorInfo{bad_data, "BAD_DATA", 422, 65, false, true, "the payload is not valid JSON"},
    ErrorInfo{too_large, "TOO_LARGE", 413, 65, false, true,
              "the data exceeds a size or depth limit"},
    ErrorInfo{not_found, "NOT_FOUND", 404, 3, false, true,
              "the job, queue or other object does not exist"},
    ErrorInfo{duplicate, "DUPLICATE", 409, 4, false, true, "another job has this id or key"},
    ErrorInfo{not_unique, "NOTUNIQUE", 409, 4, false, true, "an equal job holds the unique lock"},
    ErrorInfo{conflict, "CONFLICT", 409, 4, false, true,
              "the state of the job does not allow the request"},
    ErrorInfo{lease_lost, "LEASE_LOST", 409, 4, false, true, "the lease token is no longer valid"},
    ErrorInfo{unauthorized, "UNAUTHORIZED", 401, 77, false, false, "no valid credential"},
    ErrorInfo{forbidden, "FORBIDDEN", 403, 77, false, false, "the request is not permitted"},
    ErrorInfo{busy, "BUSY", 429, 75, true, false, "refused temporarily; try again"},
    ErrorInfo{storage_full, "STORAGE_FULL", 507, 75, true, false,
              "there is no space left to store it"},
    ErrorInfo{unavailable, "UNAVAILABLE", 503, 69, true, false,
              "the store or the daemon is unavailable"},
    ErrorInfo{unknown, "UNKNOWN", 503, 75, true, false,
              "the connection was lost: the request may have been carried out"},
    ErrorInfo{timeout, "TIMEOUT", 504, 124, true, false, "the time limit expired"},
    ErrorInfo{cancelled, "CANCELLED", 503, 75, true, false,
              "abandoned because the daemon is shutting down"},
    ErrorInfo{corrupt, "CORRUPT", 500, 70, false, false, "stored data can't be read"},
    ErrorInfo{config, "CONFIG", 500, 78, false, false, "the configuration has errors"},
    ErrorInfo{internal, "INTERNAL", 500, 70, false, false, "a bug in jobq"},
};
static_assert(kErrors.size() == size_t(internal) + 1);

}  // namespace

std::span<const ErrorInfo> error_table() {
    return kErrors;
}

const ErrorInfo& info(ErrorCode code) {
    return kErrors[size_t(code)];
}

ErrorCode error_code_from_name(std::string_view name) {
    std::string upper(name);
    for (char& c : upper)
        c = char(std::toupper(static_cast<unsigned char>(c)));
    for (const auto& row : kErrors)
        if (row.name == upper) return row.code;
    return internal;
}

void check_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "jobq: invariant broken: %s at %s:%d\n", condition, file, line);
    std::abort();
}

}  // namespace jobq
