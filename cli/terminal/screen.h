// Screen: the whole terminal, for as long as one lives: alternate screen, keys as they are typed,
// and the signals a terminal sends. Used by `top`.
//
// Whatever ends it, its destructor or a crash, the terminal is as it was. It never waits for a
// terminal that takes no bytes (^S, a stuck connection) but where a signal can end that.
#pragma once

#include <termios.h>

#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/base/failure.h"

namespace jobq::cli {

// stdout is a terminal that understands escape sequences.
bool has_screen();

class Screen {
  public:
    struct Size {
        size_t columns = 80, rows = 24;
    };

    // What came from the terminal.
    struct Input {
        std::string keys;
        bool redraw = false;  // another size, or back from ^Z
        bool gone = false;    // the terminal has hung up
    };

    // Before the InterruptScope of its user: what this blocks must stay so inside of poll_until().
    Screen();
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    // Takes the screen over.
    Answer<> enter();
    void leave();

    // Readable when read() has something.
    int input_fd() const { return epoll_; }

    Input read();
    Size size() const;
    // One frame in one piece. False when it could not be written: interrupted, or nobody there.
    bool write(std::string_view frame) const;

  private:
    void stop_until_continued();
    bool write_until(std::string_view bytes, int64_t deadline_ms) const;

    sigset_t blocked_{}, before_{};
    int signals_ = -1, epoll_ = -1, out_ = -1;
    bool keyboard_ = false;  // stdin is a terminal
    bool entered_ = false;
    termios cooked_{};
};

}  // namespace jobq::cli
