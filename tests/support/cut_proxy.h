// CutProxy: between clients and jobqd, on a Unix socket of its own. It passes every request and
// throws some answers away, with their connection, a moment after they came: by then what was asked
// for may be over. For tests that a repeat is one job.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>

#include "tests/support/relay.h"

namespace jobq::test {

class CutProxy {
  public:
    // One of `one_in` answers is cut, `hold_ms` after it came.
    CutProxy(std::string listen_path, std::string target_path, uint64_t seed, int one_in,
             int hold_ms);
    CutProxy(const CutProxy&) = delete;

    const std::string& path() const { return relay_.path(); }

    // Cuts no more.
    void be_good() { good_ = true; }

    int cuts() const { return cuts_; }

  private:
    class Way;

    // Of the relay's thread.
    bool cuts_this();

    std::mt19937_64 random_;
    const int one_in_, hold_ms_;
    std::atomic<bool> good_ = false;
    std::atomic<int> cuts_ = 0;
    Relay relay_;
};

}  // namespace jobq::test
