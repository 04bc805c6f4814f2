// The one writer of JSON: commas, escapes, and text that is not UTF-8.
#include "core/json/writer.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace jobq;

TEST_CASE("json writer: what is written is JSON, with its commas") {
    JsonWriter json;
    json.begin_object().field("a", 1).field("b", true).field("c", "x\"y\n").key("d");
    json.begin_array().number(-1).text("").begin_object().end_object().end_array();
    json.field("e", std::vector<std::string>{"p", "q"}).field("f", size_t(3));
    json.raw("g", "[1, 2]").field("h", std::vector<std::string>{}).end_object();
    const std::string text = json.take();
    CHECK(text == R"({"a":1,"b":true,"c":"x\"y\n","d":[-1,"",{}],"e":["p","q"],"f":3,)"
                  R"("g":[1, 2],"h":[]})");
    CHECK(nlohmann::json::accept(text));
}

TEST_CASE("json writer: one object that grows") {
    auto object = JsonWriter::object();
    CHECK(object.empty());
    CHECK(object.done() == "{}");
    object.field("a\x01", "\xff");
    CHECK_FALSE(object.empty());
    CHECK(object.done() == "{\"a\\u0001\":\"\xef\xbf\xbd\"}");
    auto copy = object;
    CHECK(copy.field("b", false).done() == "{\"a\\u0001\":\"\xef\xbf\xbd\",\"b\":false}");
    CHECK(object.done() == "{\"a\\u0001\":\"\xef\xbf\xbd\"}");
}
