// A bracket matcher with a little knowledge: which brace opens a block, which a value.
#include "tests/tidy/syntax.h"

#include <algorithm>
#include <array>

namespace jobq::tidy {
namespace {

bool is_word(char c) {
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '_';
}

bool is_name(std::string_view token) {
    return !token.empty() && is_word(token[0]);
}

template <size_t N>
bool one_of(std::string_view token, const std::array<std::string_view, N>& words) {
    return std::find(words.begin(), words.end(), token) != words.end();
}

constexpr std::array<std::string_view, 6> kControl{"if", "for", "while", "switch", "catch", "do"};
constexpr std::array<std::string_view, 6> kScope{"namespace", "class", "struct",
                                                 "union",     "enum",  "extern"};
constexpr std::array<std::string_view, 3> kCoroutine{"co_await", "co_return", "co_yield"};
// Before `{`: a block follows, whatever came earlier.
constexpr std::array<std::string_view, 9> kBeforeBlock{"{",  "}",   ";",     ")",       "else",
                                                       "do", "try", "const", "noexcept"};
constexpr std::array<std::string_view, 3> kAfterHead{"override", "final", "mutable"};

class Parser {
  public:
    explicit Parser(std::string_view code) : tokens_(tokenize(code)) { frames_.push_back(Frame{}); }

    Syntax run() {
        for (at_ = 0; at_ < tokens_.size(); ++at_)
            step(tokens_[at_]);
        return std::move(syntax_);
    }

  private:
    struct Frame {
        Statement statement;
        std::vector<char> brackets;  // open ( [ and value braces of the statement
        size_t block = SIZE_MAX;     // in syntax_.blocks; the root has none
        bool lambda = false;
        bool in_catch = false;
    };

    Frame& top() { return frames_.back(); }

    std::string_view before() const { return at_ == 0 ? "" : tokens_[at_ - 1].text; }

    std::string_view after() const { return at_ + 1 < tokens_.size() ? tokens_[at_ + 1].text : ""; }

    void step(const Token& token) {
        std::string_view text = token.text;
        if (text == "{") return open_brace(token);
        if (text == "}") return close_brace(token);
        Frame& frame = top();
        bool else_if = text == "if" && frame.statement.tokens.size() == 1 && before() == "else";
        if (else_if) frame.statement.tokens.clear();
        frame.statement.tokens.push_back(token);
        if (text == "?") frame.statement.has_question = true;
        if (one_of(text, kCoroutine)) mark_coroutine();
        if (text == "[" && opens_lambda()) frame.statement.has_lambda = true;
        if (text == "(" || text == "[") frame.brackets.push_back(text[0]);
        if ((text == ")" || text == "]") && !frame.brackets.empty()) frame.brackets.pop_back();
        if (!frame.brackets.empty()) return;
        bool label =
            text == ":" && (frame.statement.has("case") || frame.statement.has("default") ||
                            frame.statement.tokens.size() == 2);
        bool head_done =
            text == ")" && one_of(frame.statement.tokens[0].text, kControl) && after() != "{";
        if (text == ";" || label || head_done) finish_statement();
    }

    // `[` that does not index: after a name, `)` or `]` it would.
    bool opens_lambda() const {
        std::string_view previous = before();
        if (previous == "return" || previous == "co_return" || previous == "co_await") return true;
        if (after() == "[" || previous == "[") return false;  // an attribute
        return !is_name(previous) && previous != ")" && previous != "]" && previous != "auto";
    }

    void mark_coroutine() {
        if (top().block != SIZE_MAX) owner().is_coroutine = true;
    }

    // The function or lambda whose body we are in.
    Block& owner() {
        for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
            if (frame->block == SIZE_MAX) break;
            Block& block = syntax_.blocks[frame->block];
            if (block.kind == Block::Kind::function || block.kind == Block::Kind::lambda)
                return block;
        }
        return syntax_.blocks[top().block];
    }

    void finish_statement() {
        Frame& frame = top();
        frame.statement.in_catch = frame.in_catch;
        if (!frame.statement.tokens.empty())
            syntax_.statements.push_back(std::move(frame.statement));
        frame.statement = Statement{};
        frame.brackets.clear();
    }

    // The lambda whose body the brace at hand opens: the last introducer of the statement, when
    // only its parameters and specifiers stand between.
    size_t lambda_at() const {
        const auto& tokens = frames_.back().statement.tokens;
        size_t depth = 0;
        for (size_t i = tokens.size(); i-- > 0;) {
            std::string_view text = tokens[i].text;
            if (text == ")" || text == "]") ++depth;
            if (text == "(" || text == "[") {
                if (depth == 0) return SIZE_MAX;
                --depth;
            }
            if (depth > 0) continue;
            if (text == "[") {
                std::string_view previous = i == 0 ? "" : tokens[i - 1].text;
                bool keyword = previous == "return" || previous == "co_return";
                bool indexes =
                    !keyword && (is_name(previous) || previous == ")" || previous == "]");
                bool attribute = tokens[i + 1].text == "[";
                return indexes || attribute ? SIZE_MAX : i;
            }
            if (text == "=" || text == "," || text == ";") return SIZE_MAX;
        }
        return SIZE_MAX;
    }

    bool opens_block() const {
        const Frame& frame = frames_.back();
        if (!frame.brackets.empty()) return false;
        if (frame.statement.tokens.empty()) return true;
        for (const auto& token : frame.statement.tokens)
            if (one_of(token.text, kScope)) return true;
        if (one_of(before(), kBeforeBlock) || one_of(before(), kAfterHead)) return true;
        return has_trailing_return(frame.statement);
    }

    // "auto f() -> int", but not "return p->x".
    static bool has_trailing_return(const Statement& statement) {
        const auto& tokens = statement.tokens;
        for (size_t i = 1; i < tokens.size(); ++i)
            if (tokens[i].text == "->" && one_of(tokens[i - 1].text, kBeforeBlock))
                return tokens[0].text != "return" && !statement.has("=");
        return false;
    }

    void open_brace(const Token& token) {
        size_t lambda = lambda_at();
        if (lambda != SIZE_MAX) return open_lambda(token, lambda);
        if (opens_block()) return open_block(token);
        Frame& frame = top();
        frame.brackets.push_back('{');
        frame.statement.tokens.push_back(token);
        if (after() != "}") frame.statement.has_filled_braces = true;
    }

    void open_lambda(const Token& token, size_t introducer) {
        const auto& tokens = top().statement.tokens;
        Block block;
        block.kind = Block::Kind::lambda;
        block.captures = tokens[introducer + 1].text != "]";
        block.first_line = token.line;
        block.head = top().statement;
        push(block, top().in_catch, true);
    }

    void open_block(const Token& token) {
        Statement head = top().statement;
        Block block;
        std::string_view first = head.tokens.empty() ? "" : head.tokens[0].text;
        bool scope = false;
        for (const auto& word : kScope)
            scope = scope || (head.has(word) && !head.has("("));
        if (one_of(first, kControl) || first == "else" || first == "try" || first.empty())
            block.kind = Block::Kind::control;
        else if (!scope && head.has("("))
            block.kind = Block::Kind::function;
        block.head = head;
        block.first_line = head.tokens.empty() ? token.line : head.line();
        bool in_catch = first == "catch" || (top().in_catch && block.kind == Block::Kind::control);
        finish_statement();
        push(block, in_catch, false);
    }

    void push(const Block& block, bool in_catch, bool lambda) {
        syntax_.blocks.push_back(block);
        Frame frame;
        frame.block = syntax_.blocks.size() - 1;
        frame.in_catch = in_catch;
        frame.lambda = lambda;
        frames_.push_back(std::move(frame));
    }

    void close_brace(const Token& token) {
        Frame& frame = top();
        auto brace = std::find(frame.brackets.rbegin(), frame.brackets.rend(), '{');
        if (brace != frame.brackets.rend()) {
            frame.brackets.erase(brace.base() - 1, frame.brackets.end());
            frame.statement.tokens.push_back(token);
            return;
        }
        finish_statement();
        if (frames_.size() == 1) return;
        syntax_.blocks[frame.block].last_line = token.line;
        bool lambda = frame.lambda;
        frames_.pop_back();
        if (lambda) top().statement.tokens.push_back(token);
    }

    std::vector<Token> tokens_;
    size_t at_ = 0;
    std::vector<Frame> frames_;
    Syntax syntax_;
};

}  // namespace

bool Statement::has(std::string_view word) const {
    for (const auto& token : tokens)
        if (token.text == word) return true;
    return false;
}

std::vector<Token> tokenize(std::string_view code) {
    std::vector<Token> tokens;
    size_t line = 1;
    for (size_t i = 0; i < code.size();) {
        if (code[i] == '\n') ++line;
        if (code[i] == ' ' || code[i] == '\n' || code[i] == '\t') {
            ++i;
            continue;
        }
        size_t end = i + 1;
        if (is_word(code[i]))
            while (end < code.size() && is_word(code[end]))
                ++end;
        else if (code.substr(i, 2) == "->" || code.substr(i, 2) == "::")
            end = i + 2;
        tokens.push_back({code.substr(i, end - i), line});
        i = end;
    }
    return tokens;
}

Syntax parse(std::string_view code) {
    return Parser(code).run();
}

}  // namespace jobq::tidy
