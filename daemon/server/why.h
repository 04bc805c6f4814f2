// Why a job does not run: from what is known of it, its queue and its workers to the one thing that
// it waits for, with a code that programs may rely on. Pure: facts in, reason out. Shown by STATUS,
// LIST and HTTP, and by `jobq why`; the codes stand in jobq(1).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/store/store.h"

namespace jobq {

enum class WhyCode : uint8_t {
    damaged,
    delayed,
    retrying,
    dead,
    running,
    cancel_requested,
    worker_gone,
    queue_paused,
    storage_full,
    queue_limit,
    no_worker,
    worker_limit,
    behind,
    no_slot,
    next,
    finished,
};

struct WhyInfo {
    WhyCode code;
    std::string_view name;  // stable
    std::string_view help;
};

inline constexpr std::array kWhyCodes{
    WhyInfo{WhyCode::damaged, "damaged", "its record in Redis is damaged"},
    WhyInfo{WhyCode::delayed, "delayed", "its time has not come"},
    WhyInfo{WhyCode::retrying, "retrying", "it failed, and its next attempt has a time"},
    WhyInfo{WhyCode::dead, "dead", "it has no attempts left, or was given up"},
    WhyInfo{WhyCode::running, "running", "it runs"},
    WhyInfo{WhyCode::cancel_requested, "cancel_requested", "it runs and is being cancelled"},
    WhyInfo{WhyCode::worker_gone, "worker_gone", "the worker that runs it is gone, or unknown"},
    WhyInfo{WhyCode::queue_paused, "queue_paused", "its queue is paused"},
    WhyInfo{WhyCode::storage_full, "storage_full", "the storage is full, so no job is started"},
    WhyInfo{WhyCode::queue_limit, "queue_limit", "its queue has as many running jobs as it may"},
    WhyInfo{WhyCode::no_worker, "no_worker", "nothing runs that type from that queue"},
    WhyInfo{WhyCode::worker_limit, "worker_limit",
            "workers have as many running jobs of its queue as they may"},
    WhyInfo{WhyCode::behind, "behind", "other jobs of its queue come first"},
    WhyInfo{WhyCode::no_slot, "no_slot", "it is the first in line, and every worker is busy"},
    WhyInfo{WhyCode::next, "next", "a worker is about to take it"},
    WhyInfo{WhyCode::finished, "finished", "it succeeded, was cancelled, or expired"},
};

constexpr std::string_view name(WhyCode code) {
    return kWhyCodes[size_t(code)].name;
}

// What the reason follows from, beside the job.
struct WhyFacts {
    int64_t now_ms = 0;                  // wall clock
    bool paused = false;                 // its queue
    std::string stopped{};               // why no job is started at all; "": they are
    Throttle limit{};                    // of its queue
    std::optional<PlaceInLine> place{};  // not looked at: nothing
    std::string no_handler{};            // why nothing runs it; "": something does
    std::string holder{};                // of a running one: what to do about its worker
    bool awaited = false;                // a worker that can run it waits for its queue
};

struct Why {
    WhyCode code = WhyCode::next;
    std::string text;  // a sentence, with what to do about it; "": state and times say it all
};

Why why_of(const JobView& view, const WhyFacts& facts);

}  // namespace jobq
