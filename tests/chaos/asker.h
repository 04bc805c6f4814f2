// Asker: asks jobqd for something through proxies that cut answers, by every door there is (a line,
// HTTP, jobq), again and again until it is told. How often it asked is counted.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tests/chaos/rig.h"
#include "tests/support/cut_proxy.h"

namespace jobq::chaos {

enum class Door : uint8_t { line, jobq, http };

struct Told {
    std::string text;  // the reply, the body, what jobq printed and said
    int status = 0;    // of HTTP or of jobq
    int calls = 0;
};

class Asker {
  public:
    Asker(const test::LiveDaemon& daemon, uint64_t seed);
    Asker(const Asker&) = delete;

    Told line(const std::string& words, const std::string& hello = R"({"v":2,"jobq":1})");
    Told http(const std::string& method, const std::string& target, const std::string& body = "",
              const std::vector<std::string>& headers = {});
    // Once more while jobq says that it may have been done or that nobody is there.
    Told jobq(const std::vector<std::string>& args, const std::string& input = "");
    // Once: for what jobq repeats by itself.
    Told jobq_alone(const std::vector<std::string>& args, const std::string& input = "");

    // The verbs of the lines so far: "PUSH", "JOBQ ENQUEUE".
    const std::set<std::string>& verbs() const { return verbs_; }

    int cuts() const { return wire_.cuts() + http_.cuts(); }

  private:
    test::TempDir dir_;
    test::CutProxy wire_, http_;
    std::set<std::string> verbs_;
};

}  // namespace jobq::chaos
