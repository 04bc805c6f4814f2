// RawProfile: what the profilers of jobqd write, gperftools' CPU profile and jemalloc's heap
// profile, as addresses, values and the map of the process they are from. Read by `jobq profile`,
// which names the functions, and by jobqd for /debug/pprof. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace jobq {

// What Linux adds to the path of a file that was replaced or removed is cut: the file of that name
// now may be the same build.
std::string plain_path(std::string_view path);

struct Mapping {
    uint64_t start = 0, end = 0, offset = 0;
    std::string path;
};

struct RawStack {
    std::vector<uint64_t> addresses;  // innermost first
    double value = 0;                 // samples, or bytes
};

struct RawProfile {
    bool heap = false;
    int64_t period_us = 0;  // between two samples of CPU time
    std::vector<RawStack> stacks;
    std::vector<Mapping> map;
};

// Where in the code the i-th address of a stack is: all but where a CPU sample was taken are return
// addresses, one past their call.
uint64_t call_address(const RawProfile& profile, const RawStack& stack, size_t i);

// `format` is what jobqd calls it. `corrupt` when the bytes are not of that form.
Result<RawProfile> parse_profile(std::string_view format, std::string_view bytes);

}  // namespace jobq
