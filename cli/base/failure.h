// Failure: why a verb of jobq ends with something else than 0, and the exit status it ends with.
//
// Every part of cli/ returns Answer<T>; main() prints the failure and exits. An Error of core turns
// into a Failure by the one table of core/base/error.h. exit_table() lists every status a person
// may meet; jobq(1) prints the same list and a test compares them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.h"

namespace jobq::cli {

// The statuses that belong to no ErrorCode.
inline constexpr int kDone = 0;
inline constexpr int kJobFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNotFound = 3;
inline constexpr int kBadData = 65;
inline constexpr int kNoInput = 66;
inline constexpr int kNoDaemon = 69;
inline constexpr int kTryAgain = 75;
inline constexpr int kTimedOut = 124;
inline constexpr int kInterrupted = 130;

struct Failure {
    int status = kJobFailed;
    std::string text;  // a whole sentence without a full stop; "" when all was said already
    std::string hint;  // what to do next; may have several lines; "" for none

    Failure(int exit_status, std::string sentence, std::string next = {})
        : status(exit_status), text(std::move(sentence)), hint(std::move(next)) {}

    Failure(Error error)  // NOLINT(google-explicit-constructor): each Error has a place here
        : status(info(error.code).exit_status), text(std::move(error.text)) {}
};

template <class T = void>
using Answer = tl::expected<T, Failure>;

inline tl::unexpected<Failure> give_up(int status, std::string text, std::string hint = {}) {
    return tl::unexpected<Failure>(Failure(status, std::move(text), std::move(hint)));
}

struct ExitRow {
    int status;
    std::string_view meaning;
};

// Ascending by status.
std::span<const ExitRow> exit_table();

}  // namespace jobq::cli
