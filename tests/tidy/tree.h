// The repository as text, and what the checks of this folder find in it. Each check is a function
// from a Tree to findings, so that planted_test.cpp can try it on a tree made of a few lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jobq::tidy {

struct SourceFile {
    std::string path;  // from the root: "core/base/text.h"
    std::string text;

    bool in(std::string_view folder) const { return path.starts_with(folder); }

    bool ends(std::string_view suffix) const { return path.ends_with(suffix); }

    bool is_cpp() const { return ends(".cpp") || ends(".h"); }

    bool is_js() const { return ends(".js") || ends(".mjs"); }
};

using Tree = std::vector<SourceFile>;

struct Finding {
    std::string path;
    size_t line = 0;  // 0: the file as a whole
    std::string text;

    std::string to_string() const;
};

using Findings = std::vector<Finding>;

// Every text file of the repository but build directories.
Tree read_tree(const std::string& root);
const SourceFile* find_file(const Tree& tree, std::string_view path);
size_t count_lines(std::string_view text);
// The C++ text with comments blanked out, and strings and character literals emptied; lines stay.
// Raw strings included.
std::string code_only(std::string_view cpp);

}  // namespace jobq::tidy
