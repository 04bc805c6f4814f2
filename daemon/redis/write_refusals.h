// WriteRefusals: whether Redis, which answers, refuses to write, and why: it is a replica, has too
// few of them, does not permit it, can't write to its disk. Kept by script, since a user may be
// permitted some. Part of Storage, which asks now and then whether it is over.
//
// Out of memory is not here: then jobs end as ever, and just new ones are refused.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/store/storage_gate.h"

namespace jobq {

class WriteRefusals {
  public:
    // What a script of whatever kind came to.
    void take(const ScriptAnswer& answer, int64_t now_ms);
    // Redis was asked to write something else, and did.
    void written(int64_t now_ms);

    bool any() const { return !by_script_.empty(); }

    // Of the newest; "" when there is none.
    const std::string& reason() const { return reason_; }

    const std::string& text() const { return text_; }

    // A script that is not permitted says nothing of others, nor do others of it: without being
    // refused again it counts for so long.
    static constexpr int64_t kNotPermittedMs = 5'000;

  private:
    struct Refusal {
        bool not_permitted = false;
        int64_t at_ms = 0;
    };

    void over();

    std::map<std::string, Refusal, std::less<>> by_script_;
    std::string reason_, text_;
};

}  // namespace jobq
