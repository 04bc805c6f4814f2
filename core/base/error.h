// Errors of jobq: one closed list, one table.
//
// Everything that can fail returns Result<T>. The code is for programs, the text for people. The
// table in error.cpp maps each code to its wire name, HTTP status, exit status, whether a repeat
// can help and whether it is final; the CLI, the protocol, the HTTP API and jobq(1) all read it.
// Exceptions of libraries are caught in the .cpp that calls the library and turned into one of
// these.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace jobq {

enum class ErrorCode : uint8_t {
    invalid,       // a request or a value that can't be meant
    bad_data,      // a payload that is not JSON, too deep, not UTF-8
    too_large,     // over a limit of limits.h
    not_found,     // no such job, queue, file
    duplicate,     // the jid or key is taken by another job
    not_unique,    // a job like it holds the unique lock
    conflict,      // the state does not allow it
    lease_lost,    // the lease token is not the current one
    unauthorized,  // no or a wrong credential
    forbidden,     // a credential that does not reach so far, or switched off by the config
    busy,          // refused for now: limit, quota, memory, stopping
    storage_full,  // refused for now: no space left to keep it
    unavailable,   // the store (Redis) or the daemon can't be reached
    unknown,       // the link was cut after sending: it may or may not have been done
    timeout,       // a wait ended before the thing happened
    cancelled,     // a wait was given up because its owner stops
    corrupt,       // stored data that can't be read
    config,        // the configuration has errors
    internal,      // a bug
};

struct ErrorInfo {
    ErrorCode code;
    std::string_view name;  // wire and JSON name, upper case on the wire: "LEASE_LOST"
    int http_status;
    int exit_status;
    bool retryable;  // whoever asked may ask again and have it
    bool final;      // decided: what was asked is refused for good, whoever offers it again
    std::string_view meaning;  // one line for jobq-protocol(7)
};

// One row for each ErrorCode, in the order of the enum.
std::span<const ErrorInfo> error_table();
const ErrorInfo& info(ErrorCode code);

// Whether what must not be lost (the end of an attempt, a lease that goes back) may be given up
// after this answer. An error that is not known to be final never is: it is offered again.
inline bool is_final(ErrorCode code) {
    return info(code).final;
}

// The code whose name is `name` (any case); nullopt-like: internal when there is none.
ErrorCode error_code_from_name(std::string_view name);

struct Error {
    ErrorCode code = ErrorCode::internal;
    std::string text;  // a whole sentence without a full stop; names the thing
};

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string text) {
    return tl::unexpected<Error>(Error{code, std::move(text)});
}

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace jobq

// An invariant that holds or the program ends: never for input, never with side effects.
#define JOBQ_CHECK(condition) \
    ((condition) ? void(0) : ::jobq::check_failed(#condition, __FILE__, __LINE__))
