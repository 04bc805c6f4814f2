// Where this build's programs and sources are. Defined in a file of their own: the only one whose
// compilation differs between two clones.
#pragma once

namespace jobq::test {

extern const char* const kJobqProgram;
extern const char* const kJobqdProgram;
extern const char* const kSourceDir;

}  // namespace jobq::test
