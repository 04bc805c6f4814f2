// main() of sim_tests. Besides Catch2's own options:
//   sim_tests --seed N            one run with its trace
//   sim_tests --seeds FROM..TO    many, with a line for each that fails and one at the end
// Chance comes from the seed alone: what asks the system for random bytes gets them from there too.
#define CATCH_CONFIG_RUNNER
#include <sys/types.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <iostream>

#include "core/base/text.h"
#include "tests/sim/sweep.h"

int main(int argc, char** argv) {
    using namespace jobq;
    std::string option = argc == 3 ? argv[1] : "";
    std::string value = argc == 3 ? argv[2] : "";
    if (option == "--seed") return sim::show(uint64_t(parse_int(value).value_or(1))) ? 0 : 1;
    size_t dots = value.find("..");
    if (option == "--seeds" && dots != value.npos) {
        auto from = parse_int(value.substr(0, dots)), to = parse_int(value.substr(dots + 2));
        if (from && to) {
            sim::Sum sum = sim::sweep(uint64_t(*from), uint64_t(*to), sim::Mistake::none);
            std::cout << sum.text() << std::endl;
            return sum.failed.empty() ? 0 : 1;
        }
    }
    return Catch::Session().run(argc, argv);
}
