#include "daemon/runner/room_watch.h"

#include <utility>

#include "core/base/limits.h"

namespace jobq {
namespace {

constexpr int64_t kRoomAnswerMs = 15'000;  // beyond the wait
constexpr int64_t kRoomWaitMs = 10'000;
constexpr int64_t kLookAtHeldMs = 500;  // after jobs that are held up
// Beyond what jobqd grants to who follows: it is away, or nobody there knows the job.
constexpr int64_t kHeldMostMs = limits::kOutputHoldMs + 5'000;

}  // namespace

RoomWatch::RoomWatch(Hub& hub, RunTable& runs, OnRooms on_rooms)
    : hub_(hub), runs_(runs), on_rooms_(std::move(on_rooms)), client_(hub.reactor, hub.dial) {}

// Who follows may be slow, and jobqd may be away; the job goes on all the same, in time.
void RoomWatch::end_long_holds() {
    const int64_t now = hub_.reactor.now_ms();
    runs_.each([&](JobRun& run) {
        if (!run.output.full()) {
            run.held_since_ms = 0;
        } else if (run.held_since_ms == 0) {
            run.held_since_ms = now;
        } else if (now - run.held_since_ms >= kHeldMostMs) {
            run.output.set_room(OutputRoom::kNobody);
            run.read_output(true);
        }
    });
}

task<void> RoomWatch::loop() {
    while (!hub_.closing) {
        end_long_holds();
        bool blocked = false, full = false;
        runs_.each([&](const JobRun& run) {
            blocked = blocked || run.output.is_blocked();
            full = full || run.output.full();
        });
        if (!blocked) {
            auto wait = hub_.changed.wait(full ? kLookAtHeldMs : -1);
            co_await wait;
            continue;
        }
        bool fine = hub_.online;
        if (fine && !client_.connected()) {
            auto connected = co_await client_.connect();
            fine = connected.has_value();
        }
        if (fine) {
            OutputRequest request;
            request.wait_ms = kRoomWaitMs;
            auto line = request_line("OUTPUT", write(request));
            auto answer = co_await client_.call(std::move(line), kRoomWaitMs + kRoomAnswerMs);
            auto rooms = answer.and_then(read_output_rooms);
            fine = rooms.has_value();
            if (fine) on_rooms_(*rooms);
        }
        if (fine) {
            delay_.reset();
        } else {
            co_await hub_.back_off(&delay_);
        }
    }
    client_.close();
}

}  // namespace jobq
