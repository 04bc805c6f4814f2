#include "core/base/error.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace jobq {
namespace {

using enum ErrorCode;

// Exit statuses are those of product.md section 6, listed in jobq(1); a test walks both.
constexpr std::array kTable{
    ErrorInfo{invalid, "INVALID", 400, 2, false, true, "the request can't be meant as it stands"},
    ErrorInfo{bad_data, "BAD_DATA", 422, 65, false, true, "the payload is not acceptable JSON"},
    ErrorInfo{too_large, "TOO_LARGE", 413, 65, false, true, "over a size or depth limit"},
    ErrorInfo{not_found, "NOT_FOUND", 404, 3, false, true, "there is no such thing"},
    ErrorInfo{duplicate, "DUPLICATE", 409, 4, false, true, "the id or key is taken by another job"},
    ErrorInfo{not_unique, "NOTUNIQUE", 409, 4, false, true, "a job like it holds the unique lock"},
    ErrorInfo{conflict, "CONFLICT", 409, 4, false, true, "the job's state does not allow it"},
    ErrorInfo{lease_lost, "LEASE_LOST", 409, 4, false, true,
              "the lease token is not the current one"},
    ErrorInfo{unauthorized, "UNAUTHORIZED", 401, 77, false, false, "no valid credential"},
    ErrorInfo{forbidden, "FORBIDDEN", 403, 77, false, false, "not permitted here"},
    ErrorInfo{busy, "BUSY", 429, 75, true, false, "refused for now; try again"},
    ErrorInfo{storage_full, "STORAGE_FULL", 507, 75, true, false, "no space left to keep it"},
    ErrorInfo{unavailable, "UNAVAILABLE", 503, 69, true, false, "the store or the daemon is away"},
    ErrorInfo{unknown, "UNKNOWN", 503, 75, true, false, "the link was cut: it may have been done"},
    ErrorInfo{timeout, "TIMEOUT", 504, 124, true, false, "the wait ended first"},
    ErrorInfo{cancelled, "CANCELLED", 503, 75, true, false, "given up because the daemon stops"},
    ErrorInfo{corrupt, "CORRUPT", 500, 70, false, false, "stored data can't be read"},
    ErrorInfo{config, "CONFIG", 500, 78, false, false, "the configuration has errors"},
    ErrorInfo{internal, "INTERNAL", 500, 70, false, false, "a bug in jobq"},
};
static_assert(kTable.size() == size_t(internal) + 1);

}  // namespace

std::span<const ErrorInfo> error_table() {
    return kTable;
}

const ErrorInfo& info(ErrorCode code) {
    return kTable[size_t(code)];
}

ErrorCode error_code_from_name(std::string_view name) {
    std::string upper(name);
    for (char& c : upper)
        c = char(std::toupper(static_cast<unsigned char>(c)));
    for (const auto& row : kTable)
        if (row.name == upper) return row.code;
    return internal;
}

void check_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "jobq: invariant broken: %s at %s:%d\n", condition, file, line);
    std::abort();
}

}  // namespace jobq
