#include "core/base/stdio.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace jobq {

void open_stdio(ClosedStdio as) {
    for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
        int flags = O_RDWR;
        if (as == ClosedStdio::fails && fd == STDIN_FILENO) flags = O_WRONLY;
        if (as == ClosedStdio::fails && fd == STDOUT_FILENO) flags = O_RDONLY;
        // The lowest free number: this one, since those below exist by now.
        int opened = ::open("/dev/null", flags);
        if (opened < 0) opened = ::open("/", O_RDONLY | O_DIRECTORY);  // a bare chroot
        if (opened != fd) std::abort();
    }
}

}  // namespace jobq
