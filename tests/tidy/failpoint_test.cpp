// Bugs on purpose stay where they belong: each is planted by tests/chaos, and an ordinary build
// holds none.
#include <catch2/catch.hpp>
#include <regex>
#include <set>

#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"
#include "tests/tidy/tree.h"

namespace jobq::tidy {
namespace {

std::set<std::string> failpoints(const Tree& tree) {
    std::set<std::string> names;
    const std::regex use("JOBQ_FAILPOINT\\((\\w+)\\)");
    for (const auto& file : tree) {
        if ((!file.in("core/") && !file.in("daemon/")) || file.ends("/failpoint.h")) continue;
        for (std::sregex_iterator at(file.text.begin(), file.text.end(), use), end; at != end; ++at)
            names.insert((*at)[1]);
    }
    return names;
}

}  // namespace

TEST_CASE("every failpoint is planted by chaos_planted", "[tidy]") {
    const Tree tree = read_tree(test::kSourceDir);
    const SourceFile* planted = find_file(tree, "tests/chaos/planted.cpp");
    REQUIRE(planted);
    const auto names = failpoints(tree);
    CHECK(names.size() >= 12);
    for (const auto& name : names) {
        INFO(name);
        CHECK(planted->text.find("{\"" + name + "\", ") != std::string::npos);
    }
}

#ifndef JOBQ_FAILPOINTS
TEST_CASE("no failpoint is in jobqd", "[tidy]") {
    const std::string program = test::read_file(test::kJobqdProgram);
    REQUIRE(program.size() > 1'000'000);
    for (const auto& name : failpoints(read_tree(test::kSourceDir))) {
        INFO(name);
        CHECK(program.find(name) == std::string::npos);
    }
}
#endif

}  // namespace jobq::tidy
