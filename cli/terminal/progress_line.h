// ProgressLine: one line on the terminal, written over again and again; nothing elsewhere or with
// --quiet. It is gone when its owner is.
#pragma once

#include <string>
#include <string_view>

#include "cli/terminal/output.h"

namespace jobq::cli {

class ProgressLine {
  public:
    explicit ProgressLine(Output& out)
        : out_(out), wanted_(out.talks_to_terminal() && !out.quiet()) {}

    ~ProgressLine() { clear(); }

    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    bool wanted() const { return wanted_; }

    void show(std::string_view words) {
        if (!wanted_) return;
        out_.flush();
        out_.raw_error("\r\033[K" + std::string(words));
        shown_ = true;
    }

    // Leaves it standing.
    void keep() {
        if (shown_) out_.raw_error("\n");
        shown_ = false;
    }

    void clear() {
        if (shown_) out_.raw_error("\r\033[K");
        shown_ = false;
    }

  private:
    Output& out_;
    bool wanted_, shown_ = false;
};

}  // namespace jobq::cli
