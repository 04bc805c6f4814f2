// The coroutine rules: g++ 12 miscompiles what they forbid (double frees), or the language leaves a
// dangling reference.
#include <algorithm>
#include <array>

#include "tests/tidy/checks.h"
#include "tests/tidy/syntax.h"

namespace jobq::tidy {
namespace {

// What may be taken by const&: a Script, for all of them are in a table of the program, and a bool,
// which would be taken by value were it not a flag that its owner goes on to change.
constexpr std::array<std::string_view, 2> kMayBeShared{"Script", "bool"};

// Preprocessor lines blanked; one that defines a macro with co_await is a finding.
std::string without_directives(const SourceFile& file, std::string code, Findings& findings) {
    size_t line = 1;
    for (size_t at = 0; at < code.size(); ++line) {
        size_t end = std::min(code.find('\n', at), code.size());
        size_t text = code.find_first_not_of(" \t", at);
        if (text < end && code[text] == '#') {
            while (end < code.size() && code[end - 1] == '\\')
                end = std::min(code.find('\n', end + 1), code.size());
            std::string_view directive = std::string_view(code).substr(at, end - at);
            if (directive.find("co_await") != std::string_view::npos)
                findings.push_back({file.path, line, "co_await in a macro"});
            for (size_t i = at; i < end; ++i) {
                if (code[i] == '\n')
                    ++line;
                else
                    code[i] = ' ';
            }
        }
        at = end + 1;
    }
    return code;
}

bool is_macro_name(std::string_view text) {
    bool upper = text.size() > 2;
    for (char c : text)
        upper = upper && (('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '_');
    return upper;
}

// co_await among the arguments of FOO(...).
bool in_macro_call(const Statement& statement) {
    std::vector<bool> macro;
    const auto& tokens = statement.tokens;
    for (size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i].text == "(") macro.push_back(i > 0 && is_macro_name(tokens[i - 1].text));
        if (tokens[i].text == ")" && !macro.empty()) macro.pop_back();
        if (tokens[i].text == "co_await" &&
            std::find(macro.begin(), macro.end(), true) != macro.end())
            return true;
    }
    return false;
}

void check_statement(const SourceFile& file, const Statement& statement, Findings& findings) {
    if (!statement.has("co_await")) return;
    auto found = [&](const char* what) {
        findings.push_back({file.path, statement.line(),
                            std::string(what) + " in a statement with co_await: name the value on "
                                                "the line above"});
    };
    if (statement.has_lambda) found("a lambda");
    if (statement.has_question) found("?:");
    if (statement.has_filled_braces) found("{...}");
    if (in_macro_call(statement)) found("a macro around it");
    if (statement.in_catch)
        findings.push_back({file.path, statement.line(), "co_await in a catch block"});
}

// The tokens between the parentheses of the parameter list: of a function its first, of a lambda
// the one after its introducer.
std::vector<Token> parameters(const Block& block) {
    const auto& tokens = block.head.tokens;
    size_t open = tokens.size();
    if (block.kind == Block::Kind::lambda) {
        for (size_t i = tokens.size(); i-- > 0;)
            if (tokens[i].text == "]") {
                open = i + 1;
                break;
            }
    } else {
        for (size_t i = 0; i < tokens.size() && open == tokens.size(); ++i)
            if (tokens[i].text == "(") open = i;
    }
    std::vector<Token> result;
    size_t depth = 0;
    for (size_t i = open; i < tokens.size(); ++i) {
        if (tokens[i].text == ")" && --depth == 0) break;
        if (depth > 0) result.push_back(tokens[i]);
        if (tokens[i].text == "(") ++depth;
    }
    return result;
}

void check_coroutine(const SourceFile& file, const Block& block, Findings& findings) {
    bool is_const = false;
    for (const auto& token : parameters(block)) {
        if (token.text == ",") is_const = false;
        if (token.text == "const") is_const = true;
        if (token.text == "string_view" || token.text == "span")
            findings.push_back({file.path, token.line,
                                "a coroutine with a parameter of type " + std::string(token.text) +
                                    ": what it shows may be gone after a wait; take a value"});
        if (std::find(kMayBeShared.begin(), kMayBeShared.end(), token.text) != kMayBeShared.end())
            is_const = false;
        if (token.text == "&" && is_const)
            findings.push_back({file.path, token.line,
                                "a coroutine with a const& parameter, which may be a temporary: "
                                "take a value"});
    }
    if (block.kind == Block::Kind::lambda && block.captures)
        findings.push_back({file.path, block.first_line,
                            "a lambda that captures and is a coroutine: its captures die with the "
                            "lambda; make it a function"});
}

}  // namespace

Findings check_coroutines(const Tree& tree) {
    Findings findings;
    for (const auto& file : tree) {
        if (!file.is_cpp()) continue;
        std::string code = without_directives(file, code_only(file.text), findings);
        if (code.find("co_") == std::string::npos) continue;
        Syntax syntax = parse(code);
        for (const auto& statement : syntax.statements)
            check_statement(file, statement, findings);
        for (const auto& block : syntax.blocks)
            if (block.is_coroutine) check_coroutine(file, block, findings);
    }
    return findings;
}

}  // namespace jobq::tidy
