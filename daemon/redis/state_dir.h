// StateDir: jobqd's own directory, and the two locks that keep a second writer out. Two Redis
// servers on one directory destroy each other's data without a word, and Redis itself takes no
// lock.
//
//   STATE_DIR/format      how its files are to be read: a number; newer than ours is refused
//   STATE_DIR/lock        held by jobqd alone; the other's pid is in it
//   STATE_DIR/redis.lock  held by jobqd and inherited by its Redis (and by what that forks), so it
//                         stays locked while a Redis lives whose jobqd was killed
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"

namespace jobq {

class StateDir {
  public:
    static constexpr int kFormat = 1;

    // Makes it (0700) when it is not there. Errors: conflict: another jobqd has it; config: it
    // can't be made or written to, others can write to it, or a newer jobqd wrote it.
    static Result<StateDir> open(const std::string& path);
    StateDir(StateDir&& other) noexcept;
    StateDir& operator=(StateDir&&) = delete;
    ~StateDir();

    const std::string& path() const { return path_; }  // absolute

    std::string redis_dir() const { return path_ + "/redis"; }

    // To be inherited by Redis.
    int redis_lock_fd() const { return redis_lock_; }

    // False while a Redis of a jobqd that is gone still lives.
    bool try_redis_lock();
    // Those who hold it, found in /proc: left over from a jobqd of ours, nothing else opens it.
    std::vector<int> redis_lock_holders() const;

  private:
    StateDir() = default;

    std::string path_;
    int lock_ = -1, redis_lock_ = -1;
};

}  // namespace jobq
