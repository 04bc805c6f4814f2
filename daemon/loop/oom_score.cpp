#include "daemon/loop/oom_score.h"

#include <fcntl.h>
#include <unistd.h>

namespace jobq {
namespace {

// Of the process that opened it: a fork has its own, and must not write to its parent's.
struct Own {
    int fd = -1;
    pid_t pid = 0;
};

int own_score() {
    static Own own;
    if (own.pid == getpid()) return own.fd;
    if (own.fd >= 0) close(own.fd);
    own = {open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC), getpid()};
    return own.fd;
}

bool write_score(const std::string& text) {
    return pwrite(own_score(), text.data(), text.size(), 0) == ssize_t(text.size());
}

}  // namespace

void open_oom_score() {
    own_score();
}

RaisedOomScore::RaisedOomScore(std::optional<int> score) {
    char before[16];
    const ssize_t size = score ? pread(own_score(), before, sizeof before, 0) : 0;
    if (size > 0 && write_score(std::to_string(*score))) before_.assign(before, size_t(size));
}

RaisedOomScore::~RaisedOomScore() {
    if (!before_.empty()) write_score(before_);
}

}  // namespace jobq
