// Hint: what the daemons of one store tell each other, read. In words on the channel of hints:
//
//   QUEUE JOBS TYPE   jobs of that type are ready there; QUEUE alone: something is
//   !cancel JID...    these jobs are to be cancelled      !end JID...   these have ended
//                     (an empty one: the schedule may have more)
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jobq {

struct Hint {
    enum class Kind : uint8_t { schedule, queue, jobs };

    Kind kind = Kind::schedule;
    std::string queue, type{};  // type "": not known
    int count = 1;
    std::vector<std::string> jids{};
    bool cancels = false;  // those jobs

    bool operator==(const Hint&) const = default;
};

// Never fails: from whoever it may come, at worst somebody looks in vain.
Hint read_hint(std::string_view text);

}  // namespace jobq
