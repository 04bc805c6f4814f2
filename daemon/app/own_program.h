// The file that this process runs, also when a newer one has taken its place.
#pragma once

#include <string>

namespace jobq {

std::string own_program();

}  // namespace jobq
