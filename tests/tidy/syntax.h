// As much C++ as the rules need: tokens, blocks and statements. No types, no macros; good enough
// for the style of this repository, and planted_test.cpp shows what it must see.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jobq::tidy {

struct Token {
    std::string_view text;
    size_t line = 0;
};

// One statement, or the head of a block: "if (x)", "int f(int a)". What stands in the blocks it
// opens is not part of it; a lambda is seen by its introducer.
struct Statement {
    std::vector<Token> tokens;
    bool has_lambda = false;
    bool has_question = false;
    bool has_filled_braces = false;
    bool in_catch = false;

    bool has(std::string_view word) const;

    size_t line() const { return tokens.empty() ? 0 : tokens.front().line; }
};

struct Block {
    enum class Kind { function, lambda, control, scope };

    Kind kind = Kind::scope;
    Statement head;
    size_t first_line = 0, last_line = 0;
    bool is_coroutine = false;  // has co_await, co_return or co_yield of its own
    bool captures = false;      // of a lambda
};

struct Syntax {
    std::vector<Statement> statements;  // and heads
    std::vector<Block> blocks;
};

std::vector<Token> tokenize(std::string_view code);
// `code`: as code_only() leaves it, without preprocessor lines.
Syntax parse(std::string_view code);

}  // namespace jobq::tidy
