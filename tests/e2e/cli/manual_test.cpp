// jobq(1) against the program, both ways: verbs, options, exit statuses, environment. The source of
// the page is read as mdoc lines; `jobq help` is the truth.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "core/base/error.h"
#include "tests/support/live/cli_kit.h"
#include "tests/support/paths.h"

namespace jobq::test {
namespace {

const std::string kPage = std::string(kSourceDir) + "/man/jobq.1";

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

std::string help(const std::string& topic) {
    CliCall call;
    call.args = {"help"};
    std::istringstream words(topic);
    for (std::string word; words >> word;)
        call.args.push_back(word);
    const Ran ran = run_cli(call);
    REQUIRE(ran.status == 0);
    return ran.out;
}

// "-p, --payload FILE|-|JSON" of each option under `title` in the output of help.
std::set<std::string> help_options(const std::string& text, const std::string& title) {
    std::set<std::string> options;
    bool inside = false;
    for (const auto& line : lines_of(text)) {
        if (line == title) {
            inside = true;
        } else if (inside && line.empty()) {
            break;
        } else if (inside) {
            std::smatch found;
            if (std::regex_search(line, found, std::regex("^ *((-., )?--[a-z-]+( [^ a-z][^ ]*)?)")))
                options.insert(found[1]);
        }
    }
    return options;
}

// The same of the page's list items: ".It Fl p , Fl -payload Ar FILE|-|JSON".
std::string option_of(const std::string& item) {
    std::istringstream in(item);
    std::string text, word;
    bool flag = false;
    for (in >> word; in >> word;) {
        if (word == "Fl") {
            flag = true;
        } else if (word == "Ar") {
            text += " ";
        } else if (word == ",") {
            text += ", ";
        } else {
            text += (flag ? "-" : "") + word;
            flag = false;
        }
    }
    return text;
}

struct Page {
    std::map<std::string, std::set<std::string>> options;  // by verb; "" for every verb's
    std::map<std::string, std::string> usage;
    std::set<std::string> statuses;
};

Page read_page(const std::set<std::string>& verbs) {
    Page page;
    std::string verb;
    std::string section;
    for (const auto& line : lines_of(read_file(kPage))) {
        if (line.starts_with(".Sh ")) section = line.substr(4), verb.clear();
        if (line.starts_with(".Ss ")) {
            const std::string title = line.substr(4);
            verb.clear();
            for (const auto& known : verbs)
                if ((title == known || title.starts_with(known + " ")) &&
                    known.size() > verb.size())
                    verb = known;
            INFO("section of no verb: " << title);
            REQUIRE(!verb.empty());
            page.usage[verb] = title.substr(std::min(title.size(), verb.size() + 1));
            page.options[verb];
        }
        if (line.starts_with(".It Fl ") && (section == "VERBS" || section == "DESCRIPTION"))
            page.options[verb].insert(option_of(line));
        if (line.starts_with(".It ") && section == "EXIT STATUS")
            page.statuses.insert(line.substr(4));
    }
    return page;
}

std::set<std::string> verbs_of_help() {
    std::set<std::string> verbs;
    bool inside = false;
    for (const auto& line : lines_of(help(""))) {
        if (line.starts_with("Usage:")) inside = true;
        if (line.starts_with("Options")) break;
        std::smatch found;
        if (inside && std::regex_search(line, found, std::regex("^  ([a-z-]+( [a-z]+)?)  ")))
            verbs.insert(found[1]);
    }
    return verbs;
}

}  // namespace

TEST_CASE("jobq(1) and jobq help name the same verbs with the same arguments and options") {
    const auto verbs = verbs_of_help();
    CHECK(verbs.size() >= 25);
    const Page page = read_page(verbs);
    std::set<std::string> documented;
    for (const auto& [verb, usage] : page.usage)
        documented.insert(verb);
    CHECK(documented == verbs);
    for (const auto& verb : verbs) {
        const std::string text = help(verb);
        INFO(verb);
        CHECK(page.options.at(verb) == help_options(text, "Options:"));
        CHECK(page.options.at("") == help_options(text, "Options of every verb:"));
        const std::string usage = page.usage.at(verb);
        CHECK(contains(text, "Usage: jobq " + verb +
                                 (page.options.at(verb).empty() ? "" : " [OPTIONS]") +
                                 (usage.empty() ? "" : " " + usage) + "\n"));
    }
}

TEST_CASE("jobq(1), jobq help exit and the table of errors agree on the exit statuses") {
    const Page page = read_page(verbs_of_help());
    std::set<std::string> printed;
    for (const auto& line : lines_of(help("exit"))) {
        std::smatch found;
        if (std::regex_search(line, found, std::regex("^  ([0-9]+) +[a-z]")))
            printed.insert(found[1]);
    }
    CHECK(page.statuses == printed);
    for (const auto& row : error_table()) {
        INFO(row.name);
        CHECK(printed.contains(std::to_string(row.exit_status)));
    }
    for (const char* status : {"0", "1", "2", "66", "124", "130"})
        CHECK(printed.contains(status));
}

TEST_CASE("every variable that the command line reads is in jobq(1)") {
    const std::string page = read_file(kPage);
    std::set<std::string> names;
    const std::regex read("(?:getenv|environment)\\(\"([A-Z_]+)\"\\)");
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(std::string(kSourceDir) + "/cli")) {
        if (!file.is_regular_file()) continue;
        const std::string text = read_file(file.path());
        for (std::sregex_iterator found(text.begin(), text.end(), read), end; found != end; ++found)
            names.insert((*found)[1]);
    }
    CHECK(names.contains("JOBQ_URL"));
    for (const auto& name : names) {
        INFO(name);
        CHECK(contains(page, name));
    }
}

TEST_CASE("jobq(1) is clean mdoc") {
    CliCall call;
    call.program = "/usr/bin/mandoc";
    call.args = {"-T", "lint", "-W", "warning", kPage};
    const Ran ran = run_cli(call);
    INFO(ran.out << ran.err);
    CHECK(ran.status == 0);
}

}  // namespace jobq::test
