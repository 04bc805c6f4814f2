#include "tests/chaos/paths.h"

namespace jobq::chaos {

const char* const kWitnessJob = WITNESS_JOB_BIN;
const char* const kFloodWorker = FLOOD_WORKER_BIN;
const char* const kClockShim = CLOCK_SHIM;
const char* const kShortShim = SHORT_SHIM;

}  // namespace jobq::chaos
