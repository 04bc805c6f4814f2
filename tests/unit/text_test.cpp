// core/base/text: globs, UTF-8, JSON escapes, nearest words, what may be printed.
#include "core/base/text.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/base/rng.h"

using namespace jobq;
using Views = std::vector<std::string_view>;

TEST_CASE("trim takes white space off both ends") {
    CHECK(trim("  a b\t\r\n") == "a b");
    CHECK(trim("a") == "a");
    CHECK(trim(" \n ") == "");
    CHECK(trim("") == "");
}

TEST_CASE("split keeps empty parts") {
    CHECK(split("a,b", ',') == Views{"a", "b"});
    CHECK(split("", ',') == Views{""});
    CHECK(split(",a,", ',') == Views{"", "a", ""});
}

TEST_CASE("parse_int takes digits in range and nothing else") {
    CHECK(parse_int("0") == 0);
    CHECK(parse_int("-12") == -12);
    CHECK(parse_int("9223372036854775807") == INT64_MAX);
    CHECK(parse_int("-9223372036854775808") == INT64_MIN);
    for (const char* bad : {"", "-", "+1", " 1", "1 ", "1x", "0x1", "9223372036854775808", "1.0"}) {
        INFO(bad);
        CHECK(parse_int(bad) == std::nullopt);
    }
}

TEST_CASE("is_utf8 takes well-formed text of every length") {
    CHECK(is_utf8(""));
    CHECK(is_utf8("plain ASCII, longer than a word of eight bytes"));
    CHECK(is_utf8("caf\xC3\xA9"));
    CHECK(is_utf8("\xE2\x82\xAC"));
    CHECK(is_utf8("\xF0\x9F\x98\x80"));
    CHECK(is_utf8("\xED\x9F\xBF\xEE\x80\x80"));  // either side of the surrogates
    CHECK(is_utf8("\xF4\x8F\xBF\xBF"));          // U+10FFFF
    CHECK(is_utf8(std::string_view("\0", 1)));
}

TEST_CASE("is_utf8 refuses overlong forms, surrogates, values too high and cut characters") {
    for (const char* bad : {"\x80",
                            "\xBF",
                            "\xC0\x80",
                            "\xC1\xBF",
                            "\xE0\x80\x80",
                            "\xE0\x9F\xBF",
                            "\xED\xA0\x80",
                            "\xED\xBF\xBF",
                            "\xF0\x80\x80\x80",
                            "\xF0\x8F\xBF\xBF",
                            "\xF4\x90\x80\x80",
                            "\xF5\x80\x80\x80",
                            "\xFE",
                            "\xFF",
                            "\xC3",
                            "\xE2\x82",
                            "\xF0\x9F\x98",
                            "\xE2\x28\xA1",
                            "12345678\xC3",
                            "1234567\xFF"}) {
        INFO(hex(bad));
        CHECK_FALSE(is_utf8(bad));
    }
}

TEST_CASE("is_utf8 finds one bad byte at every place of a long text") {
    std::string text(40, 'a');
    for (size_t i = 0; i < text.size(); ++i) {
        text[i] = '\xFF';
        CHECK_FALSE(is_utf8(text));
        text[i] = 'a';
    }
    CHECK(is_utf8(text));
}

TEST_CASE("utf8_prefix never cuts a character") {
    CHECK(utf8_prefix("abc", 5) == "abc");
    CHECK(utf8_prefix("abc", 2) == "ab");
    CHECK(utf8_prefix("a\xE2\x82\xAC", 3) == "a");
    CHECK(utf8_prefix("a\xE2\x82\xAC", 4) == "a\xE2\x82\xAC");
    CHECK(utf8_prefix("\xF0\x9F\x98\x80", 3) == "");
    CHECK(utf8_prefix("abc", 0) == "");
    // Tail bytes without a head are no character: cut where asked.
    CHECK(utf8_prefix("\x80\x80\x80\x80\x80\x80", 5).size() == 5);
}

TEST_CASE("to_utf8 replaces what is no character and keeps the rest") {
    CHECK(to_utf8("caf\xC3\xA9") == "caf\xC3\xA9");
    CHECK(to_utf8("a\xFF"
                  "b") ==
          "a\xEF\xBF\xBD"
          "b");
    Rng rng(1);
    for (int i = 0; i < 2000; ++i) {
        std::string bytes;
        for (uint64_t n = rng.below(20); n > 0; --n)
            bytes += char(rng.next());
        CHECK(is_utf8(to_utf8(bytes)));
        CHECK(is_utf8(utf8_prefix(to_utf8(bytes), 7)));
    }
}

TEST_CASE("a quoted text is read back as itself by a JSON parser") {
    CHECK(json_quoted("a\"b\\c\n\t\x01/") == R"("a\"b\\c\n\t\u0001/")");
    Rng rng(2);
    for (int i = 0; i < 2000; ++i) {
        std::string text;
        for (uint64_t n = rng.below(30); n > 0; --n)
            text += char(rng.below(128));
        text += "\xE2\x82\xAC";
        CHECK(nlohmann::json::parse(json_quoted(text)).get<std::string>() == text);
    }
}

TEST_CASE("hex writes two lower-case digits a byte") {
    CHECK(hex(std::string_view("\x00\xFF\x1a", 3)) == "00ff1a");
}

TEST_CASE("a glob matches as Redis matches") {
    struct Row {
        const char *pattern, *text;
        bool same;
    };

    auto row = GENERATE(values<Row>({
        {"*", "", true},
        {"*", "anything", true},
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"h?llo", "hello", true},
        {"h?llo", "hllo", false},
        {"h*llo", "heeeello", true},
        {"h*llo", "hello!", false},
        {"h[ae]llo", "hallo", true},
        {"h[ae]llo", "hillo", false},
        {"h[^e]llo", "hallo", true},
        {"h[^e]llo", "hello", false},
        {"h[a-c]llo", "hbllo", true},
        {"h[c-a]llo", "hbllo", true},
        {"h[a-c]llo", "hdllo", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"[\\]]", "]", true},
        {"a\\", "a\\", true},
        {"[abc", "b", true},
        {"**a**", "xax", true},
        {"*a*b", "aXbXab", true},
        {"*a*b", "aXbXaX", false},
        {"a*", "ba", false},
        {"[", "[", false},
        {"email.*", "email.send", true},
        {"EMAIL", "email", false},
        {"?", "", false},
        {"*?", "", false},
    }));
    INFO(row.pattern << " on " << row.text);
    CHECK(glob_match(row.pattern, row.text) == row.same);
}

TEST_CASE("a glob of many stars does not take for ever") {
    std::string pattern, text(2000, 'a');
    for (int i = 0; i < 50; ++i)
        pattern += "*a";
    CHECK_FALSE(glob_match(pattern + "*b", text));
    CHECK(glob_match(pattern + "*", text));
}

TEST_CASE("nearest finds the word that was meant, or none") {
    Views verbs{"enqueue", "status", "list", "cancel", "retry", "retry-dead", "rm"};
    CHECK(nearest("enqeue", verbs) == "enqueue");
    CHECK(nearest("statsu", verbs) == "status");
    CHECK(nearest("lst", verbs) == "list");
    CHECK(nearest("lsit", {"wait", "list"}) == "list");
    CHECK(nearest("retrydead", verbs) == "retry-dead");
    CHECK(nearest("frobnicate", verbs) == "");
    CHECK(nearest("x", verbs) == "");
    CHECK(nearest("list", {}) == "");
}

TEST_CASE("printable drops control characters and terminal sequences") {
    CHECK(printable("plain \xE2\x82\xAC") == "plain \xE2\x82\xAC");
    CHECK(printable("a\x1b[31;1mred\x1b[0m b") == "ared b");
    CHECK(printable("a\x1b]0;title\x07z") == "az");
    CHECK(printable("a\x1b]8;;http://x\x1b\\z") == "az");
    CHECK(printable("a\nb\tc\rd") == "a b c d");
    CHECK(printable("a\x01\x7f"
                    "b") == "ab");
    CHECK(printable("a\xC2\x9B"
                    "b") == "ab");  // CSI as one character
    CHECK(printable("a\x1b") == "a");
    CHECK(printable("a\xFF") == "a\xEF\xBF\xBD");
}
