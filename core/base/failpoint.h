// JOBQ_FAILPOINT(name): true where a build with -D JOBQ_FAILPOINTS=ON is to break a promise on
// purpose, so that the judge of tests/chaos can prove that it would see such a bug. In any other
// build it is the word `false`: nothing of it, not even the name, is in the program.
//
// The variable JOBQ_FAILPOINT says which one and how often: "name@5" is every fifth time. All
// names, and the finding each must lead to, are in tests/chaos/planted.cpp.
#pragma once

#ifdef JOBQ_FAILPOINTS

#include <string_view>

namespace jobq {

bool failpoint(std::string_view name);

}  // namespace jobq

#define JOBQ_FAILPOINT(name) ::jobq::failpoint(#name)

#else

#define JOBQ_FAILPOINT(name) false

#endif
