#include "tests/support/paths.h"

namespace jobq::test {

const char* const kJobqProgram = JOBQ_BIN;
const char* const kJobqdProgram = JOBQD_BIN;
const char* const kSourceDir = JOBQ_SOURCE_DIR;

}  // namespace jobq::test
