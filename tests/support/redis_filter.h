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
#include <utility>
#include <vector>

#include "tests/support/relay.h"
#include "tests/support/temp_dir.h"

namespace jobq::test {

class RedisFilter {
  public:
    explicit RedisFilter(std::string target_path);
    RedisFilter(const RedisFilter&) = delete;

    const std::string& path() const { return relay_.path(); }

    // Those scripts, of core/store/lua, get this answer from now on, and so does a DEL, by which
    // jobqd asks whether anything is written; none: every script that is not for reading alone.
    void refuse(std::string error, std::set<std::string> scripts = {});
    void pass();

    // New connections go there from now on; those there are stay where they are.
    void move_to(std::string target_path) { relay_.move_to(std::move(target_path)); }

    int refused() const;  // commands, since the last refuse()

    int accepted() const { return relay_.accepted(); }  // connections, ever

  private:
    class Way;

    // Of the relay's thread.
    std::string filtered(const std::vector<std::string>& words, const std::string& raw);

    TempDir dir_;
    mutable std::mutex mutex_;
    std::string error_;
    std::set<std::string> refused_shas_;
    int refused_ = 0;
    Relay relay_;
};

}  // namespace jobq::test
