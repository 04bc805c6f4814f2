// Terminal: a program in a pseudo-terminal of its own, for tests that type and look at the screen.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <map>
#include <string>
#include <vector>

namespace jobq::test {

class Terminal {
  public:
    // Runs args[0] with these arguments and variables alone.
    Terminal(std::vector<std::string> args, const std::map<std::string, std::string>& env,
             unsigned short columns = 100, unsigned short rows = 30);
    // Kills the program when it still runs.
    ~Terminal();
    Terminal(const Terminal&) = delete;

    void type(const std::string& keys) const;
    void resize(unsigned short columns, unsigned short rows) const;
    void signal(int number) const;
    // The other end of the line is gone.
    void hang_up();

    // Reads until a whole frame holds `part`; false when none came in time.
    bool shows(const std::string& part, int limit_ms = 10'000);
    // The same for what is no frame.
    bool writes(const std::string& part, int limit_ms = 10'000);
    // The same until a frame has so many lines.
    bool shows_rows(size_t rows, int limit_ms = 10'000);
    // The lines of the last whole frame, without escape codes.
    std::vector<std::string> screen() const;
    // Bytes that wait to be read, after so many milliseconds.
    size_t unread_after(int ms) const;
    // Until the end of the program, reading what it writes or not; its exit status, 128 + signal;
    // -1 when it went on.
    int wait(int limit_ms = 10'000, bool reads = true);

    // All it wrote.
    const std::string& output() const { return output_; }

    // How the terminal is set up now, and was before the program started.
    termios settings() const;

    const termios& settings_before() const { return before_; }

  private:
    // False at the end, or when nothing came by then (monotonic milliseconds).
    bool read_some(int64_t deadline_ms);
    std::string last_frame() const;

    pid_t pid_ = -1;
    int master_ = -1, slave_ = -1;
    std::string output_;
    termios before_{};
};

// Without CSI sequences.
std::string without_escapes(const std::string& text);

}  // namespace jobq::test
