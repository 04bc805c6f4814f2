// Guesses: wrong passwords are counted by the address they come from; once they are many, none from
// there is looked at for a while, so that trying them all takes for ever. Asked by sessions and by
// the HTTP API before they compare.
#pragma once

#include <cstdint>
#include <memory>
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

    // One that was refused unseen waits so long for its answer, and holds a connection meanwhile:
    // who tries thousands gets few answers. Only so many wait, of one address and of all; more are
    // let go at once.
    static constexpr int64_t kWaitMs = 2'000;
    static constexpr int kWaitingOfOne = 64, kWaitingOfAll = 512;

    // It waits until what is returned is dropped. Null: too many wait already.
    std::shared_ptr<const void> hold(std::string_view peer);
    // A connection from there need not even be heard: it would be refused unseen, and as many wait
    // as may.
    bool is_full(std::string_view peer, int64_t now_ms);

  private:
    struct Place {
        int64_t full_at_ms = 0;  // monotonic: when nothing of it will be left
    };

    Place& place_of(std::string_view peer, int64_t now_ms);

    std::unordered_map<std::string, Place> places_;

    struct Waiting {
        std::unordered_map<std::string, int> of;
        int all = 0;
    };

    std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
};

// For the log, when was_wrong() says so.
void note_guessing(std::string_view peer);

}  // namespace jobq
