#include "daemon/server/guesses.h"

#include <arpa/inet.h>

#include <algorithm>

#include "daemon/observe/log.h"

namespace jobq {
namespace {

// Of IPv6 the network: who has one address there has 2^64 of them.
std::string key_of(std::string_view peer) {
    std::string host(peer.substr(0, peer.rfind(':')));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (const size_t zone = host.find('%'); zone != std::string::npos) host.resize(zone);
    in6_addr six{};
    if (inet_pton(AF_INET6, host.c_str(), &six) != 1) return host;
    constexpr size_t kNetworkBytes = 8;
    if (IN6_IS_ADDR_V4MAPPED(&six)) return host;
    const auto* bytes = reinterpret_cast<const char*>(&six);
    return "6" + std::string(bytes, kNetworkBytes);
}

}  // namespace

Guesses::Place& Guesses::place_of(std::string_view peer, int64_t now_ms) {
    std::string key = key_of(peer);
    if (places_.size() >= kAddresses && !places_.contains(key)) {
        std::erase_if(places_,
                      [&](const auto& entry) { return entry.second.full_at_ms <= now_ms; });
        // So many at once are one attacker.
        if (places_.size() >= kAddresses) key.clear();
    }
    return places_[key];
}

bool Guesses::may_try(std::string_view peer, int64_t now_ms) {
    const auto found = places_.find(key_of(peer));
    const auto crowd = places_.find("");
    int64_t owed = found == places_.end() ? 0 : found->second.full_at_ms - now_ms;
    if (found == places_.end() && places_.size() >= kAddresses && crowd != places_.end())
        owed = crowd->second.full_at_ms - now_ms;
    return owed <= (kBurst - 1) * kRefillMs;
}

bool Guesses::was_wrong(std::string_view peer, int64_t now_ms) {
    Place& place = place_of(peer, now_ms);
    place.full_at_ms = std::max(place.full_at_ms, now_ms) + kRefillMs;
    return place.full_at_ms - now_ms > (kBurst - 1) * kRefillMs;
}

std::shared_ptr<const void> Guesses::hold(std::string_view peer) {
    std::string key = key_of(peer);
    auto found = waiting_->of.find(key);
    const int its = found == waiting_->of.end() ? 0 : found->second;
    if (its >= kWaitingOfOne || waiting_->all >= kWaitingOfAll) return nullptr;
    ++waiting_->of[key];
    ++waiting_->all;
    // Its end may come after ours.
    auto let_go = [waiting = waiting_, key](const char* mark) {
        delete mark;
        --waiting->all;
        if (auto one = waiting->of.find(key); --one->second == 0) waiting->of.erase(one);
    };
    return std::shared_ptr<const char>(new char, let_go);
}

bool Guesses::is_full(std::string_view peer, int64_t now_ms) {
    if (waiting_->all == 0) return false;
    auto found = waiting_->of.find(key_of(peer));
    const bool full = waiting_->all >= kWaitingOfAll ||
                      (found != waiting_->of.end() && found->second >= kWaitingOfOne);
    return full && !may_try(peer, now_ms);
}

void note_guessing(std::string_view peer) {
    log(LogLevel::warn, "auth.guessing",
        "too many wrong passwords came from this address; passwords from it are ignored for a "
        "moment",
        {{"peer", std::string(peer)}});
}

}  // namespace jobq
