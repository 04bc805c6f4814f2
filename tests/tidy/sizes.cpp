// Small files and functions: one noun a file, a function on a screen.
#include "tests/tidy/checks.h"
#include "tests/tidy/syntax.h"

namespace jobq::tidy {
namespace {

constexpr size_t kFileLines = 400, kTestLines = 600, kLuaLines = 90;
constexpr size_t kFunctionLines = 70;
constexpr size_t kTestCaseLines = 120;  // its tables and texts included

size_t line_limit(const SourceFile& file) {
    if (file.ends(".lua")) return kLuaLines;
    if (!file.is_cpp() && !file.is_js()) return 0;
    return file.in("tests/") ? kTestLines : kFileLines;
}

std::string too_long(std::string_view what, size_t lines, size_t limit) {
    return std::string(what) + " has " + std::to_string(lines) + " lines; the limit is " +
           std::to_string(limit);
}

}  // namespace

Findings check_file_lengths(const Tree& tree) {
    Findings findings;
    for (const auto& file : tree) {
        size_t limit = line_limit(file), lines = count_lines(file.text);
        if (limit && lines > limit)
            findings.push_back({file.path, 0, too_long("it", lines, limit)});
    }
    return findings;
}

Findings check_function_lengths(const Tree& tree) {
    Findings findings;
    for (const auto& file : tree) {
        if (!file.is_cpp()) continue;
        std::string code = code_only(file.text);
        for (const auto& block : parse(code).blocks) {
            if (block.kind != Block::Kind::function) continue;
            bool test_case = block.head.tokens[0].text.ends_with("TEST_CASE");
            size_t limit = test_case ? kTestCaseLines : kFunctionLines;
            size_t lines = block.last_line - block.first_line + 1;
            if (block.last_line && lines > limit)
                findings.push_back(
                    {file.path, block.first_line, too_long("a function", lines, limit)});
        }
    }
    return findings;
}

}  // namespace jobq::tidy
