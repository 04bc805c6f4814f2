// jobq-guarantees(7) names only tests and chaos scenarios that there are, and each promise names
// one.
#include <catch2/catch.hpp>
#include <filesystem>
#include <regex>

#include "core/base/text.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
namespace fs = std::filesystem;

namespace {

const fs::path kRoot = test::kSourceDir;

std::string page() {
    return test::read_file((kRoot / "man/jobq-guarantees.7").string());
}

// The sources of tests/chaos, where each scenario is a row that begins with its name.
std::string chaos_sources() {
    std::string text;
    for (const auto& entry : fs::directory_iterator(kRoot / "tests/chaos"))
        if (entry.path().extension() == ".cpp") text += test::read_file(entry.path().string());
    return text;
}

}  // namespace

TEST_CASE("docs: jobq-guarantees(7) names tests and scenarios that there are", "[docs]") {
    const std::string scenarios = chaos_sources();
    int files = 0, names = 0;
    for (auto line : split(page(), '\n')) {
        const std::string text(line);
        std::smatch found;
        if (std::regex_search(text, found, std::regex("^\\.Pa (tests/\\S+)"))) {
            ++files;
            INFO(text);
            CHECK(fs::exists(kRoot / found[1].str()));
        }
        if (text.rfind(".Cm ", 0) != 0) continue;
        for (auto word : split(std::string_view(text).substr(4), ' ')) {
            if (word.empty() || word == "," || word == ";" || word == ".") continue;
            ++names;
            INFO("scenario " << word);
            CHECK(scenarios.find("{\"" + std::string(word) + "\",") != std::string::npos);
        }
    }
    CHECK(files > 20);
    CHECK(names > 10);
}

TEST_CASE("docs: each promise of jobq-guarantees(7) names what holds it", "[docs]") {
    const std::string text = page();
    const std::regex entry("\n\\.It ([SL][0-9]+) ");
    int promises = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), entry), end; at != end; ++at) {
        ++promises;
        const size_t begin = size_t(at->position()) + 1;
        const size_t next = text.find("\n.It ", begin), last = text.find("\n.El", begin);
        const std::string body = text.substr(begin, std::min(next, last) - begin);
        INFO((*at)[1].str());
        CHECK((body.find(".Cm ") != body.npos || body.find(".Pa tests/") != body.npos ||
               body.find("Every scenario") != body.npos));
    }
    CHECK(promises >= 18);
}
