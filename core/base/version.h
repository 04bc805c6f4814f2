// The version of jobq: of the project in CMakeLists.txt. Compiled into one file alone, so that a
// new one does not compile all others anew.
#pragma once

#include <string_view>

namespace jobq {

// "0.1.0"; it ends with a NUL.
std::string_view version();

}  // namespace jobq
