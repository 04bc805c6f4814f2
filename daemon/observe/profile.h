// Profiles of this process, taken on request: where CPU time goes (gperftools), where memory was
// allocated (jemalloc, when jobqd was started with it). Costs nothing until one is started.
//
// Both profilers belong to the whole process, so its owner takes one at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace jobq {

class Profile {
  public:
    // `dir`: where the profiler may write its file, which is removed again. `forbidden` or
    // `conflict` with what to do when this process can't be profiled so.
    static Result<std::unique_ptr<Profile>> start_cpu(const std::string& dir);
    static Result<std::unique_ptr<Profile>> start_heap(const std::string& dir);

    // One that was not finished is dropped.
    virtual ~Profile() = default;

    // The form of its bytes: "gperftools-cpu", "jemalloc-heap".
    virtual const char* format() const = 0;

    // False when it tells of the whole life of the process already, so there is nothing to wait
    // for.
    virtual bool takes_time() const { return true; }

    // Ends it: its bytes.
    virtual Result<std::string> finish() = 0;
};

// A file of code mapped into this process, with what tells one build of it from another.
struct Module {
    std::string path, build_id;  // hex; "" when it has none
};

std::vector<Module> loaded_modules();

}  // namespace jobq
