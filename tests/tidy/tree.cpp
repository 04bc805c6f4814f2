// Reading the tree, and taking comments and literals out of C++.
#include "tests/tidy/tree.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "tests/support/temp_dir.h"

namespace jobq::tidy {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 8> kFolders{"core", "daemon",      "cli",   "config",
                                                   "man",  "completions", "tests", "packaging"};

bool is_text(std::string_view content) {
    return content.find('\0') == std::string_view::npos;
}

void add_file(Tree& tree, const fs::path& root, const fs::path& path) {
    std::string text = test::read_file(path.string());
    if (is_text(text)) tree.push_back({fs::relative(path, root).string(), std::move(text)});
}

// Blanks text[from, to) but for line ends.
void blank(std::string& text, size_t from, size_t to) {
    for (size_t i = from; i < std::min(to, text.size()); ++i)
        if (text[i] != '\n') text[i] = ' ';
}

bool is_word(char c) {
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '_';
}

// End of the string or character literal that opens at `at`, past its closing quote.
size_t literal_end(const std::string& text, size_t at) {
    char quote = text[at];
    for (size_t i = at + 1; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == quote || text[i] == '\n')
            return i + 1;
    }
    return text.size();
}

// R"tag( at `at`, the quote: end past )tag".
size_t raw_end(const std::string& text, size_t at) {
    size_t open = text.find('(', at);
    if (open == std::string::npos) return text.size();
    std::string close = ")" + text.substr(at + 1, open - at - 1) + "\"";
    size_t end = text.find(close, open);
    return end == std::string::npos ? text.size() : end + close.size();
}

}  // namespace

std::string Finding::to_string() const {
    return path + (line ? ":" + std::to_string(line) : "") + ": " + text;
}

Tree read_tree(const std::string& root) {
    Tree tree;
    for (auto folder : kFolders) {
        fs::path start = fs::path(root) / folder;
        if (!fs::exists(start)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(start))
            if (entry.is_regular_file()) add_file(tree, root, entry.path());
    }
    for (const auto& entry : fs::directory_iterator(root))
        if (entry.is_regular_file()) add_file(tree, root, entry.path());
    auto by_path = [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; };
    std::sort(tree.begin(), tree.end(), by_path);
    return tree;
}

const SourceFile* find_file(const Tree& tree, std::string_view path) {
    for (const auto& file : tree)
        if (file.path == path) return &file;
    return nullptr;
}

size_t count_lines(std::string_view text) {
    return size_t(std::count(text.begin(), text.end(), '\n'));
}

std::string code_only(std::string_view cpp) {
    std::string text(cpp);
    for (size_t i = 0; i < text.size();) {
        size_t end = i + 1;
        if (text.compare(i, 2, "//") == 0) {
            end = std::min(text.find('\n', i), text.size());
            blank(text, i, end);
        } else if (text.compare(i, 2, "/*") == 0) {
            end = std::min(text.find("*/", i), text.size() - 2) + 2;
            blank(text, i, end);
        } else if (text[i] == '"') {
            bool raw = i > 0 && text[i - 1] == 'R';
            end = raw ? raw_end(text, i) : literal_end(text, i);
            blank(text, i + 1, end - 1);
        } else if (text[i] == '\'' && !(i > 0 && is_word(text[i - 1]))) {  // 1'000 is a number
            end = literal_end(text, i);
            blank(text, i + 1, end - 1);
        }
        i = end;
    }
    return text;
}

}  // namespace jobq::tidy
