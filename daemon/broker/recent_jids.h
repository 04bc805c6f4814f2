// RecentJids: which jids were given to this jobqd in the last minute or so, in little memory: it
// says yes of some that were not, and then the store is asked in vain. Of plain Faktory clients
// nothing else tells a repeat from a new job at once, as a script can't look through all that is
// over for each job. Asked by Intake.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace jobq {

class RecentJids {
  public:
    // Whether it may have been seen before; it has been seen now.
    bool see(std::string_view jid, int64_t now_ms);

    // For a while all may have been seen: by the jobqd before this one.
    void doubt_until(int64_t until_ms) { doubt_until_ms_ = until_ms; }

    // A job that ended without leaving a record.
    void dropped(const std::string& jid, uint32_t content, int64_t now_ms);
    // Whether that very job was dropped just now.
    bool was_dropped(const std::string& jid, uint32_t content, int64_t now_ms) const;

    bool none_dropped() const { return drops_.empty(); }

  private:
    struct Drop {
        uint32_t content = 0;
        int64_t at_ms = 0;
    };

    void turn(int64_t now_ms);

    // Bits of the present interval and of the one before; empty until used.
    std::array<std::vector<uint64_t>, 2> seen_;
    int64_t since_ms_ = 0, doubt_until_ms_ = 0;
    std::unordered_map<std::string, Drop> drops_;
    std::deque<std::string> drops_in_order_;
};

}  // namespace jobq
