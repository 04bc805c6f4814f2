// The manual pages: well-formed, refer to pages that exist, and give examples that work.
#include <catch2/catch.hpp>
#include <filesystem>
#include <regex>
#include <set>

#include "core/base/text.h"
#include "core/config/config.h"
#include "core/protocol/verbs.h"
#include "tests/docs/program.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
namespace fs = std::filesystem;

namespace {

const fs::path kRoot = test::kSourceDir;

std::vector<fs::path> pages() {
    std::vector<fs::path> result;
    for (const auto& entry : fs::directory_iterator(kRoot / "man"))
        result.push_back(entry.path());
    return result;
}

std::set<std::string> all_matches(const std::string& text, const std::string& pattern) {
    std::set<std::string> found;
    std::regex regex(pattern);
    for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at)
        found.insert((*at)[1].str() + "." + (*at)[2].str());
    return found;
}

// The text between .Bd -literal and .Ed that follows `start`, as a reader sees it.
std::string literal_block(const std::string& page, const std::string& start) {
    size_t at = page.find(".Bd -literal", page.find(start));
    size_t from = page.find('\n', at) + 1;
    return page.substr(from, page.find(".Ed\n", from) - from);
}

}  // namespace

TEST_CASE("docs: manual pages are well-formed", "[docs]") {
    for (const auto& page : pages()) {
        auto end =
            test::run_program({"mandoc", "-T", "lint", "-W", "warning", page.string()}, "", {});
        INFO(end.out << end.err);
        CHECK(end.status == 0);
    }
}

TEST_CASE("docs: jobq-faktory(7) has a row for each of Faktory's verbs", "[docs]") {
    std::string page = test::read_file((kRoot / "man/jobq-faktory.7").string());
    std::string rows = page.substr(page.find(".Ss Verbs"));
    rows = rows.substr(0, rows.find(".Ss Features"));
    size_t verbs = 0;
    for (const auto& verb : kVerbs) {
        if (verb.jobq()) continue;
        ++verbs;
        INFO(verb.name);
        CHECK(rows.find("\n.It " + std::string(verb.name) + " Ta ") != rows.npos);
    }
    size_t found = 0;
    for (size_t at = 0; (at = rows.find("\n.It ", at)) != rows.npos; ++at)
        ++found;
    CHECK(found == verbs);
}

TEST_CASE("docs: pages refer to pages that exist", "[docs]") {
    std::set<std::string> there;
    for (const auto& page : pages())
        there.insert(page.filename().string());
    for (const auto& page : pages()) {
        std::string text = test::read_file(page.string());
        for (const auto& name : all_matches(text, "\\.Xr (jobq[a-z.-]*) ([0-9])")) {
            INFO(page << " refers to " << name);
            CHECK(there.count(name) == 1);
        }
    }
}

TEST_CASE("docs: comments refer to pages that exist", "[docs]") {
    for (const char* folder : {"core", "daemon", "cli", "tests", "config"}) {
        for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
            if (!entry.is_regular_file()) continue;
            std::string text = test::read_file(entry.path().string());
            for (const auto& name :
                 all_matches(text, "(jobqd?(?:-[a-z]+|\\.toml)?)\\(([0-9])\\)")) {
                INFO(entry.path() << " refers to " << name);
                CHECK(fs::exists(kRoot / "man" / name));
            }
        }
    }
}

TEST_CASE("docs: the example of jobqd.toml(5) is a valid configuration", "[docs]") {
    std::string page = test::read_file((kRoot / "man/jobqd.toml.5").string());

    Loaded loaded = load_config_text("EXAMPLES", literal_block(page, ".Sh EXAMPLES"));

    for (const auto& error : loaded.errors)
        FAIL_CHECK(error.to_string());
    CHECK(loaded.config.types.size() == 2);
}

TEST_CASE("docs: the configuration in the README is valid", "[docs]") {
    std::string readme = test::read_file((kRoot / "README.md").string());
    size_t from = readme.find("```toml\n") + 8;

    Loaded loaded =
        load_config_text("README", readme.substr(from, readme.find("```", from) - from));

    for (const auto& error : loaded.errors)
        FAIL_CHECK(error.to_string());
    CHECK(loaded.config.types.size() == 1);
    CHECK(loaded.config.pools.size() == 1);
}

TEST_CASE("docs: jobqd(8) has the options of jobqd --help, and no others", "[docs]") {
    auto help = test::run_program({test::kJobqdProgram, "--help"}, "", {});
    REQUIRE(help.status == 0);
    std::string page = test::read_file((kRoot / "man/jobqd.8").string());
    std::set<std::string> in_help, in_page;
    std::regex option("\n +(?:-[a-z],)?(--[a-z-]+)"), item("\n\\.It Fl -([a-z-]+)");
    for (std::sregex_iterator at(help.out.begin(), help.out.end(), option), end; at != end; ++at)
        in_help.insert((*at)[1]);
    for (std::sregex_iterator at(page.begin(), page.end(), item), end; at != end; ++at)
        in_page.insert("--" + (*at)[1].str());

    CHECK(in_help.size() > 10);
    CHECK(in_help == in_page);
}

TEST_CASE("docs: the manual and the README name every command of ./start", "[docs]") {
    auto usage = test::run_program({(kRoot / "start").string(), "--help"}, "", {});
    std::string readme = test::read_file((kRoot / "README.md").string());

    CHECK(usage.status == 0);
    CHECK(usage.out.find("usage: ./start [--yes] [--check] [demo|build|test|prepare]") == 0);
    CHECK(readme.find("./start          #") < readme.find("## "));
    CHECK(readme.find("./start test") < readme.find("## "));
    CHECK(readme.find("./start --check") != std::string::npos);
}
