// Where the programs of the fault runs are; see tests/support/paths.h.
#pragma once

namespace jobq::chaos {

extern const char* const kWitnessJob;
extern const char* const kFloodWorker;
extern const char* const kClockShim;
extern const char* const kShortShim;

}  // namespace jobq::chaos
