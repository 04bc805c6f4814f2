// The rules of this repository, each a function from the tree to what breaks it. tidy_test.cpp runs
// them all on the tree; planted_test.cpp shows that each finds what it should.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/tidy/layers.h"
#include "tests/tidy/tree.h"

namespace jobq::tidy {

// sizes.cpp
Findings check_file_lengths(const Tree& tree);
Findings check_function_lengths(const Tree& tree);
// layers.cpp
Findings check_layers(const Tree& tree, const Layers& layers);
// That no row leads back to itself.
Findings check_circles(const Layers& layers);
// Of each folder the symbols of its library.
Findings check_symbols(const std::map<std::string, Symbols>& folders, const Layers& layers);
Findings check_libraries(const Tree& tree);
// classes.cpp
// `allowed`: how many public functions a class may have that has more than others may.
Findings check_public_functions(const Tree& tree, const std::map<std::string, size_t>& allowed);
// Classes and headers of one name in two places.
Findings check_names(const Tree& tree, const std::set<std::string>& allowed);
// coroutines.cpp
Findings check_coroutines(const Tree& tree);
// dead.cpp
Findings check_dead_files(const Tree& tree);
// lua.cpp
Findings check_lua(const Tree& tree);
// docs.cpp
Findings check_verbs_documented(const Tree& tree);
Findings check_errors_documented(const Tree& tree);
Findings check_keys_documented(const Tree& tree, const std::vector<std::string>& keys);
// words.cpp
Findings check_words(const Tree& tree);
Findings check_header_comments(const Tree& tree);
// phrases.cpp
Findings check_phrases(const Tree& tree);

}  // namespace jobq::tidy
