// MeanProxy: between clients and jobqd, on a Unix socket of its own, and no good at it: it is slow,
// passes bytes one by one, swallows them, and cuts connections in the middle of a line.
#pragma once

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace jobq::chaos {

class MeanProxy {
  public:
    MeanProxy(std::string listen_path, std::string target_path, uint64_t seed);
    ~MeanProxy();
    MeanProxy(const MeanProxy&) = delete;

    const std::string& path() const { return path_; }

    // Good from now on.
    void be_good() { good_ = true; }

    int tricks() const { return tricks_; }

  private:
    struct Pair {
        int client = -1, server = -1;
        bool swallows = false;
    };

    void serve();
    void accept_one();
    // False when the pair is over.
    bool carry(Pair& pair, int from, int to);

    const std::string path_, target_;
    std::mt19937_64 random_;
    int listener_ = -1;
    std::vector<Pair> pairs_;
    std::atomic<bool> good_ = false, stop_ = false;
    std::atomic<int> tricks_ = 0;
    std::thread thread_;
};

}  // namespace jobq::chaos
