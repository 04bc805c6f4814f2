// Guesses: wrong passwords are counted by the address they come from; once they are many, none from
// there is looked at for a while, so that trying them all takes for ever. Asked by sessions and by
// the HTTP API before they compare.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace jobq {

class Guesses {
  public:
    static constexpr int kBurst = 20;            // so many at once
    static constexpr int64_t kRefillMs = 1'000;  // then one in so long
    static constexpr size_t kAddresses = 10'000;

    // `peer` is "HOST:PORT", as Stream::peer_address() has it. False: a password that comes from
    // there now is refused unseen, a right one too, else the time of the answer would tell.
    bool may_try(std::string_view peer, int64_t now_ms);
    // True when no more may be tried for now.
    bool was_wrong(std::string_view peer, int64_t now_ms);

  private:
    struct Place {
        int64_t full_at_ms = 0;  // monotonic: when nothing of it will be left
    };

    Place& place_of(std::string_view peer, int64_t now_ms);

    std::unordered_map<std::string, Place> places_;
};

// For the log, when was_wrong() says so.
void note_guessing(std::string_view peer);

}  // namespace jobq
