// The rules, on the repository itself. What is found is printed one a line, as compilers do.
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>

#include "core/config/config.h"
#include "tests/support/paths.h"
#include "tests/tidy/checks.h"

using namespace jobq;
using namespace jobq::tidy;

namespace {

const Tree& tree() {
    static const Tree files = read_tree(test::kSourceDir);
    return files;
}

const Layers& layers() {
    static const Layers table(find_file(tree(), "core/layers.txt")->text);
    return table;
}

std::string output_of(const std::string& command) {
    std::string text;
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    char buffer[65536];
    while (size_t size = fread(buffer, 1, sizeof buffer, pipe.get()))
        text.append(buffer, size);
    return text;
}

std::string lines(const Findings& findings) {
    std::string text;
    for (const auto& finding : findings)
        text += finding.to_string() + "\n";
    return text;
}

}  // namespace

TEST_CASE("tidy: the tree was read", "[tidy]") {
    CHECK(tree().size() > 100);
    CHECK(find_file(tree(), "core/base/error.h"));
    CHECK(find_file(tree(), "CMakeLists.txt"));
}

TEST_CASE("tidy: files are short", "[tidy]") {
    CHECK(lines(check_file_lengths(tree())) == "");
}

TEST_CASE("tidy: functions are short", "[tidy]") {
    CHECK(lines(check_function_lengths(tree())) == "");
}

TEST_CASE("tidy: folders include only what is below them", "[tidy]") {
    CHECK(lines(check_circles(layers())) == "");
    CHECK(lines(check_layers(tree(), layers())) == "");
}

TEST_CASE("tidy: the library of a folder calls only those that its row names", "[tidy]") {
    std::map<std::string, Symbols> folders;
    std::ifstream list(JOBQ_LAYERS_LIST);  // as CMake made them
    for (std::string folder, archive; list >> folder >> archive;)
        folders[folder] = symbols_of(output_of("nm -g -P " + archive));
    CHECK(folders.size() > 15);
    for (const auto& [folder, symbols] : folders) {
        INFO(folder);
        CHECK(symbols.defined.size() > 0);
    }
    CHECK(folders["daemon/http"].wanted.size() > 100);
    CHECK(lines(check_symbols(folders, layers())) == "");
}

TEST_CASE("tidy: libraries are known to few files", "[tidy]") {
    CHECK(lines(check_libraries(tree())) == "");
}

// Each class that shows more than its share, with its reason. The list may only shrink.
TEST_CASE("tidy: classes show few functions", "[tidy]") {
    CHECK(lines(check_public_functions(
              tree(), {
                          // Visitors of a table: a function for each form of a field.
                          {"FieldReader", 16},
                          {"KeyLister", 17},
                          {"Loader", 17},
                          {"Visitor", 16},
                          // Stands in front of a whole store.
                          {"AroundStore", 30},
                          // The whole of one connection, and of one Redis of our own.
                          {"PrivateRedis", 16},
                          {"Stream", 18},
                          {"HttpServer::Impl", 25},
                          {"Session", 22},
                          {"Broker", 27},
                      })) == "");
}

// What has two meanings still. The list may only shrink.
TEST_CASE("tidy: a name means one class and one header", "[tidy]") {
    CHECK(lines(check_names(tree(), {"Output", "handlers.h", "link.h"})) == "");
}

TEST_CASE("tidy: coroutines keep to the rules that g++ 12 needs", "[tidy]") {
    CHECK(lines(check_coroutines(tree())) == "");
}

TEST_CASE("tidy: every header, script and test is used", "[tidy]") {
    CHECK(lines(check_dead_files(tree())) == "");
}

TEST_CASE("tidy: the heads of scripts agree with their bodies", "[tidy]") {
    CHECK(lines(check_lua(tree())) == "");
}

TEST_CASE("tidy: every verb is in the manual", "[tidy]") {
    CHECK(lines(check_verbs_documented(tree())) == "");
}

TEST_CASE("tidy: every error is in the manual", "[tidy]") {
    CHECK(lines(check_errors_documented(tree())) == "");
}

TEST_CASE("tidy: every configuration key is in the manual and the sample", "[tidy]") {
    CHECK(lines(check_keys_documented(tree(), config_keys())) == "");
}

TEST_CASE("tidy: no notes to self, no paths of one machine", "[tidy]") {
    CHECK(lines(check_words(tree())) == "");
}

TEST_CASE("tidy: what people read has no phrase of the list", "[tidy]") {
    CHECK(lines(check_phrases(tree())) == "");
}

TEST_CASE("tidy: every source says what it is", "[tidy]") {
    CHECK(lines(check_header_comments(tree())) == "");
}
