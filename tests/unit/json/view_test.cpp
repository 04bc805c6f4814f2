// A look into JSON text that nobody has checked: what is there is found, and nothing is read
// outside.
#include "core/json/view.h"

#include <catch2/catch.hpp>

#include "core/base/rng.h"
#include "core/json/scan.h"

using namespace jobq;

TEST_CASE("json view: members, elements and values as they stand") {
    const JsonView view(R"(  {"a" : {"x":[1, "]}", -2]}, "b\u0062":"\"\ud83d\ude00", "n":null} )");
    CHECK(view["a"].raw() == R"({"x":[1, "]}", -2]})");
    CHECK(view["a"]["x"].items().size() == 3);
    CHECK(view["a"]["x"].items()[1].text() == "]}");
    CHECK(view["a"]["x"].items()[2].number() == -2);
    CHECK(view["bb"].text() == "\"\xf0\x9f\x98\x80");
    CHECK(view["n"].text().empty());
    CHECK(view["n"].exists());
    CHECK_FALSE(view["m"].exists());
    CHECK_FALSE(view["a"]["x"]["y"].exists());
    CHECK(view.members().size() == 3);
    CHECK(view["a"].number(7) == 7);
    CHECK_FALSE(view["bb"].maybe_number());
    CHECK(JsonView("true").flag());
}

TEST_CASE("json view: escapes of every kind, also broken ones") {
    const std::pair<std::string, std::string> rows[] = {
        {R"(a\"\\\/\b\f\n\r\tz)", "a\"\\/\b\f\n\r\tz"},
        {R"(\u0041\u00e9\u20ac)", "A\xc3\xa9\xe2\x82\xac"},
        {R"(\ud83d\ude00)", "\xf0\x9f\x98\x80"},
        {R"(\ud83d)", "\xef\xbf\xbd"},
        {R"(\ude00x)", "\xef\xbf\xbdx"},
        {R"(\u12)",
         "\xef\xbf\xbd"
         "12"},
        {"\\", "\\"},
    };
    for (const auto& [inner, text] : rows) {
        CAPTURE(inner);
        CHECK(scan::unescaped(inner) == text);
    }
}

TEST_CASE("json scan: where a string or another value ends") {
    const std::pair<std::string, size_t> rows[] = {
        {R"("",1)", 2},
        {R"("ab",1)", 4},
        {R"("a\"b",1)", 6},
        {R"("\\",1)", 4},
        {R"("\\\"",1)", 6},
        {R"("\\\\",1)", 6},
        {R"("\"\"\"",1)", 8},
        {R"("\u0022",1)", 8},
        {R"("open)", 5},
        {R"("open\")", 7},
        {R"("open\)", 6},
        {R"(")", 1},
        {R"({"}":"]"},1)", 9},
        {R"([[{"\"":[]}]],1)", 13},
        {"-1.5e3 ,", 6},
        {"null]", 4},
        {"[1", 2},
        {",", 0},
        {"", 0},
    };
    for (const auto& [text, end] : rows) {
        CAPTURE(text);
        CHECK(scan::value_end(text, 0) == end);
    }
}

TEST_CASE("json view: text that is cut anywhere, or any bytes, is never read outside") {
    const std::string whole = R"({"a":[1,{"b":"c\u00e9\"d"}],"e":-1.5e3,"f":[[[]]],"g":true})";
    const std::string letters = "{}[]\",:\\u0 1a";
    Rng rng(7);
    for (size_t round = 0; round < 2'000; ++round) {
        std::string text = whole.substr(0, round % whole.size());
        if (round >= whole.size())
            for (auto& c : text)
                if (rng.below(4) == 0) c = letters[rng.below(letters.size())];
        const std::string exact(text);  // its end is the end of an allocation
        const JsonView view(exact);
        for (const auto& [name, member] : view.members())
            (void)member.text();
        for (const auto& item : view.items())
            (void)item.members();
        CHECK(scan::value_end(exact, 0) <= exact.size());
        CHECK(view["a"].raw().size() <= exact.size());
    }
}
