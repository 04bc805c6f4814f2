// MeanProxy: between clients and jobqd, on a Unix socket of its own, and no good at it: it is slow,
// passes bytes one by one, swallows them, and cuts connections in the middle of a line.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>

#include "tests/support/relay.h"

namespace jobq::chaos {

class MeanProxy {
  public:
    MeanProxy(std::string listen_path, std::string target_path, uint64_t seed);
    MeanProxy(const MeanProxy&) = delete;

    const std::string& path() const { return relay_.path(); }

    // Good from now on.
    void be_good() { good_ = true; }

    int tricks() const { return tricks_; }

  private:
    class Way;

    std::mt19937_64 random_;  // of the relay's thread
    std::atomic<bool> good_ = false;
    std::atomic<int> tricks_ = 0;
    test::Relay relay_;
};

}  // namespace jobq::chaos
