// A profile in pprof's own form, https://github.com/google/pprof/blob/main/proto/profile.proto:
// what `go tool pprof`, speedscope, Parca and Pyroscope read. Written by `jobq profile` with the
// names of functions, and by jobqd for /debug/pprof without: there the addresses are of the files
// of `mappings`, whose build ids say which files these are. Pure.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/profile/raw_profile.h"

namespace jobq {

struct PprofAbout {
    int64_t taken_ms = 0;                          // Unix time at the end
    int64_t duration_ms = 0;                       // 0: all since the start of the process
    std::map<std::string, std::string> build_ids;  // hex, by the path of a mapped file
    // The function at an address; empty: addresses alone.
    std::function<std::string(uint64_t address)> name;
};

// The bytes of a Profile message, not compressed. CPU: the values of a sample are "samples/count"
// and "cpu/nanoseconds"; heap: "inuse_space/bytes".
std::string to_pprof(const RawProfile& profile, const PprofAbout& about);

}  // namespace jobq
