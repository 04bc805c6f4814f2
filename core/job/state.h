// States and outcomes: closed sets with their names. The names are what the store keeps, the wire
// carries and people read.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace jobq {

// Where a job is. The first six are live: its envelope is stored, its jid taken.
enum class State : uint8_t {
    scheduled,  // waits for its run_at
    blocked,    // waits for other jobs
    ready,      // in its queue
    running,    // leased
    retrying,   // failed, waits for its next attempt
    dead,       // gave up; kept for a person
    succeeded,
    cancelled,
    expired,
    count_
};

inline constexpr std::array<std::string_view, size_t(State::count_)> kStateNames{
    "scheduled", "blocked",   "ready",     "running", "retrying",
    "dead",      "succeeded", "cancelled", "expired"};

constexpr std::string_view name(State state) {
    return kStateNames[size_t(state)];
}

constexpr std::optional<State> state_from_name(std::string_view text) {
    for (size_t i = 0; i < kStateNames.size(); ++i)
        if (kStateNames[i] == text) return State(i);
    return std::nullopt;
}

// A state no move leads out of; what is left is a record until its retention ends.
constexpr bool is_final(State state) {
    return state == State::succeeded || state == State::cancelled || state == State::expired;
}

// How one attempt ended, as the one who ran it reports it.
enum class Outcome : uint8_t {
    success,
    failure,    // the handler said no: a failed attempt
    dead,       // the handler said: never again
    crash,      // a signal, out of memory, the worker died, the lease was lost
    timeout,    // stopped by its time limit: a failed attempt
    cancelled,  // stopped by a cancel
    released,   // handed back unfinished on a stop: spends no attempt
    snooze,     // the handler asks to run later: spends no attempt
    count_
};

inline constexpr std::array<std::string_view, size_t(Outcome::count_)> kOutcomeNames{
    "success", "failure", "dead", "crash", "timeout", "cancelled", "released", "snooze"};

constexpr std::string_view name(Outcome outcome) {
    return kOutcomeNames[size_t(outcome)];
}

constexpr std::optional<Outcome> outcome_from_name(std::string_view text) {
    for (size_t i = 0; i < kOutcomeNames.size(); ++i)
        if (kOutcomeNames[i] == text) return Outcome(i);
    return std::nullopt;
}

}  // namespace jobq
