// The only file with nlohmann's parser, for simdjson does not say where a text stops being JSON. It
// is the SAX one, which is iterative and checks UTF-8; a tree of user data is never built.
#include "core/json/place.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/text.h"

namespace jobq {
namespace {

struct Checker : nlohmann::json_sax<nlohmann::json> {
    explicit Checker(int depth_limit) : most(depth_limit) {}

    int most;
    int depth = 0;
    bool too_deep = false;
    size_t error_at = 0;  // 1-based byte the parser stopped at
    std::string why;

    bool enter() {
        too_deep = ++depth > most;
        return !too_deep;
    }

    bool null() override { return true; }

    bool boolean(bool) override { return true; }

    bool number_integer(number_integer_t) override { return true; }

    bool number_unsigned(number_unsigned_t) override { return true; }

    bool number_float(number_float_t, const string_t&) override { return true; }

    bool string(string_t&) override { return true; }

    bool binary(binary_t&) override { return true; }

    bool start_object(std::size_t) override { return enter(); }

    bool key(string_t&) override { return true; }

    bool end_object() override { return --depth >= 0; }

    bool start_array(std::size_t) override { return enter(); }

    bool end_array() override { return --depth >= 0; }

    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::json::exception& error) override {
        error_at = position;
        why = error.what();
        return false;
    }
};

// "... while parsing value - unexpected end of input; expected ..." without the parser's own terms.
std::string plain_reason(const std::string& what) {
    const size_t dash = what.find(" - ");
    if (dash == std::string::npos) {
        const size_t bracket = what.find("] ");
        return bracket == std::string::npos ? what : what.substr(bracket + 2);
    }
    std::string reason = what.substr(dash + 3);
    const size_t last = reason.find("; last read:");
    const size_t expected = reason.find("; expected");
    if (last != std::string::npos) {
        const std::string tail = expected == std::string::npos ? "" : reason.substr(expected);
        reason = reason.substr(0, last) + tail;
    }
    return printable(reason);
}

}  // namespace

std::optional<JsonTrouble> json_trouble(std::string_view text, int max_depth) {
    Checker checker(max_depth);
    bool good = false;
    try {
        good = nlohmann::json::sax_parse(text.begin(), text.end(), &checker);
    } catch (const nlohmann::json::exception& error) {
        checker.why = error.what();
    }
    JsonTrouble trouble;
    // The parser takes a NUL for the end; what follows would be lost.
    if (const size_t nul = text.find('\0'); good && nul != std::string_view::npos) {
        trouble.byte = nul + 1;
        trouble.why = "a NUL byte";
        return trouble;
    }
    if (good) return std::nullopt;
    trouble.too_deep = checker.too_deep;
    trouble.byte = checker.error_at;
    if (!checker.too_deep) trouble.why = plain_reason(checker.why);
    return trouble;
}

std::string json_place(std::string_view text, size_t byte, bool one_line) {
    const std::string_view before = text.substr(0, std::min(byte > 0 ? byte - 1 : 0, text.size()));
    const auto lines = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t start = before.rfind('\n');
    const size_t column =
        start == std::string_view::npos ? before.size() + 1 : before.size() - start;
    if (one_line) return "column " + std::to_string(column);
    return "line " + std::to_string(lines) + ", column " + std::to_string(column);
}

}  // namespace jobq
