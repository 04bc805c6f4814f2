// jobq-architecture(7) has a line for every file of the programs, and for no other.
#include <catch2/catch.hpp>
#include <filesystem>
#include <regex>
#include <set>

#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
namespace fs = std::filesystem;

namespace {

const fs::path kRoot = test::kSourceDir;

// "core/base/text" for text.h and text.cpp; scripts and other files with their ending.
std::set<std::string> in_tree() {
    std::set<std::string> files;
    for (const char* folder : {"core", "daemon", "cli"}) {
        for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
            if (!entry.is_regular_file()) continue;
            fs::path path = fs::relative(entry.path(), kRoot);
            bool cpp = path.extension() == ".h" || path.extension() == ".cpp";
            files.insert(cpp ? path.replace_extension().string() : path.string());
        }
    }
    return files;
}

// The entries ".It Pa NAME" below each ".Ss FOLDER".
std::set<std::string> in_page() {
    std::string page = test::read_file((kRoot / "man/jobq-architecture.7").string());
    std::set<std::string> files;
    std::string folder;
    std::regex line("\n\\.(Ss|It Pa) (\\S+)");
    for (std::sregex_iterator at(page.begin(), page.end(), line), end; at != end; ++at) {
        if ((*at)[1] == "Ss")
            folder = (*at)[2];
        else
            files.insert(folder + "/" + (*at)[2].str());
    }
    return files;
}

std::string lines_only_in(const std::set<std::string>& a, const std::set<std::string>& b) {
    std::string text;
    for (const auto& name : a)
        if (b.count(name) == 0) text += name + "\n";
    return text;
}

}  // namespace

TEST_CASE("docs: the file table of jobq-architecture(7) is the tree", "[docs]") {
    auto tree = in_tree(), page = in_page();

    CHECK(page.size() > 100);
    INFO("files without a line in the page");
    CHECK(lines_only_in(tree, page) == "");
    INFO("lines of the page without a file");
    CHECK(lines_only_in(page, tree) == "");
}
