// Whole JSON texts: what is one, where it stops being one, and its normal forms.
#include "core/json/document.h"

#include <catch2/catch.hpp>

#include "core/json/place.h"

using namespace jobq;

namespace {

std::string nested(int depth) {
    return std::string(size_t(depth), '[') + std::string(size_t(depth), ']');
}

}  // namespace

TEST_CASE("json document: the depth of JSON is limited, its numbers are not") {
    CHECK(check_json(nested(limits::kJsonDepth)));
    const auto deep = check_json(nested(limits::kJsonDepth + 1));
    REQUIRE_FALSE(deep);
    CHECK(deep.error().code == ErrorCode::too_large);
    const std::string big = "123456789012345678901234567890";
    for (const std::string& text : {" " + big + " ", "-" + big, "{\"a\":[" + big + "]}",
                                    std::string("18446744073709551616"), std::string("1e300")}) {
        CAPTURE(text);
        CHECK(check_json(text));
    }
    CHECK_FALSE(check_json(std::string(size_t(limits::kJsonDepth), '[') + "[" + big + "]" +
                           std::string(size_t(limits::kJsonDepth), ']')));
}

TEST_CASE("json document: what is no JSON is refused, with the place for people") {
    using namespace std::string_literals;

    struct Row {
        std::string text, place;  // "": the parsers disagree on where
    };

    const Row rows[] = {
        {"", "line 1, column 1"},
        {"1 2", "line 1, column 3"},
        {"{\"a\":}", "line 1, column 6"},
        {"{\n  \"a\": 1,\n  \"b\" 2\n}\n", "line 3, column 7"},
        {"[1,]", "line 1, column 4"},
        {"{}\0{}"s, "line 1, column 3"},
        {"1\0"s, "line 1, column 2"},
        {"[1", "line 1, column 3"},
        {"nul", "line 1, column 4"},
        {"'a'", "line 1, column 1"},
        {"\"\xff\"", "line 1, column 2"},
        {"\"\\x\"", "line 1, column 3"},
        {"\"a\nb\"", ""},
        {"01", "line 1, column 2"},
        {"1e999", ""},
        {"\"\\ud800\"", ""},
        {"1234567890123456789012\0"s, ""},
        {std::string(1'000'000, '['), ""},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text.substr(0, 40));
        CHECK_FALSE(check_json(row.text));
        const auto trouble = json_trouble(row.text, limits::kJsonDepth);
        if (row.place.empty()) continue;
        REQUIRE(trouble);
        CHECK(json_place(row.text, trouble->byte, false) == row.place);
        CHECK_FALSE(trouble->why.empty());
    }
    CHECK(json_trouble(nested(5), 4)->too_deep);
    CHECK_FALSE(json_trouble(nested(4), 4));
    CHECK(json_place("ab\ncd", 5, true) == "column 2");
}

TEST_CASE("json document: as Go writes it") {
    const std::pair<std::string, std::string> rows[] = {
        {" { \"b\" : 1, \"a\" : [ 1.50, 1e2, null, true ] } ",
         R"({"a":[1.5,100,null,true],"b":1})"},
        {R"({"a":1,"a":2})", R"({"a":2})"},
        {"12345678901234567890123", "1.2345678901234568e+22"},
        {"1e-7", "1e-7"},
        {R"("\u20ac\n")", "\"\xe2\x82\xac\\n\""},
        {"no json", "no json"},
    };
    for (const auto& [text, form] : rows) {
        CAPTURE(text);
        CHECK(go_json(text) == form);
    }
    CHECK(compact_json(" [ 1 , \"a b\" ]\n") == "[1,\"a b\"]");
    CHECK(compact_json("\"open ") == "\"open ");
}

TEST_CASE("json document: one form for all texts that mean the same") {
    const std::pair<std::string, std::string> rows[] = {
        {" [ {\"b\":1.0, \"a\":\"\\u0041\\/\"} , 1e2 ] ", R"([{"a":"A/","b":1},100])"},
        {R"({"a":1,"a":[]})", R"({"a":[]})"},
        {"[-0,-0.0,0.50,1E400]", "[0,0,0.5,1E400]"},
        {"12345678901234567890123", "12345678901234567890123"},
        {R"(["\u20ac",null,true,"",{}])", "[\"\xe2\x82\xac\",null,true,\"\",{}]"},
    };
    for (const auto& [text, form] : rows) {
        CAPTURE(text);
        CHECK(canonical_json(text) == form);
        CHECK(canonical_json(form) == form);
    }
}

TEST_CASE("json document: halves of surrogate pairs are replaced, pairs are not") {
    CHECK(without_lone_surrogates(R"(["\ud83d\ude00"])") == R"(["\ud83d\ude00"])");
    CHECK(without_lone_surrogates(R"(["\uD83D","\ude00\ud83dx"])") ==
          R"(["\ufffd","\ufffd\ufffdx"])");
    CHECK(without_lone_surrogates(R"(["\\ud83d"])") == R"(["\\ud83d"])");
    CHECK(without_lone_surrogates(R"("\ud8)") == R"("\ud8)");
}
