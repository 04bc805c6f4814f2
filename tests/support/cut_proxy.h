// CutProxy: between clients and jobqd, on a Unix socket of its own. It passes every request and
// throws some answers away, with their connection, a moment after they came: by then what was asked
// for may be over. For tests that a repeat is one job.
#pragma once

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace jobq::test {

class CutProxy {
  public:
    // One of `one_in` answers is cut, `hold_ms` after it came.
    CutProxy(std::string listen_path, std::string target_path, uint64_t seed, int one_in,
             int hold_ms);
    ~CutProxy();
    CutProxy(const CutProxy&) = delete;

    const std::string& path() const { return path_; }

    int cuts() const { return cuts_; }

  private:
    struct Pair {
        int client = -1, server = -1;
        int answers = 0;
    };

    void serve();
    void accept_one();
    bool pass_request(const Pair& pair);
    bool pass_answer(Pair& pair);

    const std::string path_, target_;
    std::mt19937_64 random_;
    const int one_in_, hold_ms_;
    int listener_ = -1;
    std::vector<Pair> pairs_;
    std::atomic<bool> stop_ = false;
    std::atomic<int> cuts_ = 0;
    std::thread thread_;
};

}  // namespace jobq::test
