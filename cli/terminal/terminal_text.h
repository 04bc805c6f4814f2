// What somebody else wrote, for a terminal: it may colour itself, and do nothing else to it.
#pragma once

#include <string>
#include <string_view>

namespace jobq::cli {

// Line ends, tabs, carriage returns and colours (SGR) stay; other control characters and escape
// sequences go, and characters that turn the direction of text.
std::string for_terminal(std::string_view text);

}  // namespace jobq::cli
