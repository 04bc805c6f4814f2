// RedisFilter: between jobqd and a real Redis, on a Unix socket of its own. It lets a chosen script
// be answered with an error of Redis, as often as is asked; everything else goes through. What was
// refused Redis has not done.
//
// Redis itself says the error: the command is swapped for one that does so, and the order of the
// answers stays.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temp_dir.h"

namespace jobq::test {

class RedisFilter {
  public:
    explicit RedisFilter(std::string target_path);
    ~RedisFilter();
    RedisFilter(const RedisFilter&) = delete;

    const std::string& path() const { return path_; }

    // Those scripts, of core/store/lua, get this answer from now on, and so does a DEL, by which
    // jobqd asks whether anything is written; none: every script that is not for reading alone.
    void refuse(std::string error, std::set<std::string> scripts = {});
    void pass();
    // New connections go there from now on; those there are stay where they are.
    void move_to(std::string target_path);

    int refused() const;   // commands, since the last refuse()
    int accepted() const;  // connections, ever

  private:
    struct Pair {
        int client = -1, server = -1;
        std::string in;  // of the client, not a whole command yet
    };

    void serve();
    void accept_one();
    bool from_client(Pair& pair);
    std::string filtered(const std::vector<std::string>& words, const std::string& raw);

    TempDir dir_;
    const std::string path_;
    mutable std::mutex mutex_;
    std::string target_, error_;
    std::set<std::string> refused_shas_;
    int refused_ = 0, accepted_ = 0;
    bool stop_ = false;
    int listener_ = -1;
    std::vector<Pair> pairs_;
    std::thread thread_;
};

}  // namespace jobq::test
