// run_program(): a program with its input, output and environment, for the tests of what the
// documents and the shipped handlers say.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace jobq::test {

struct ProgramEnd {
    int status = -1;  // exit status, 128 + signal, or -1 when it had to be killed at the limit
    std::string out, err;
};

// Runs argv (a bare name is looked up in PATH) with this environment and no other, but for
// PATH when it names none.
ProgramEnd run_program(const std::vector<std::string>& argv, const std::string& input,
                       const std::map<std::string, std::string>& environment,
                       std::chrono::seconds limit = std::chrono::seconds(20));

}  // namespace jobq::test
