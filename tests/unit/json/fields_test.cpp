// Members of JSON objects, as they stand in the text.
#include "core/json/fields.h"

#include <catch2/catch.hpp>

using namespace jobq;

TEST_CASE("json_fields: values are spans of the text, byte for byte") {
    const std::string text = R"( {"a" : {"x": [1, "]}", {"y":"\"}"}]} , "b":12345678901234567890123,
        "c":"\u20ac\\", "d":null,"e":true,"f":1.50,"":[]} )";
    auto object = JsonFields::parse(text);
    REQUIRE(object);
    CHECK(object->find("a")->raw == R"({"x": [1, "]}", {"y":"\"}"}]})");
    CHECK(object->find("b")->raw == "12345678901234567890123");
    CHECK_FALSE(json_integer(*object->find("b")));
    CHECK(json_string(object->find("c")->raw) == "\xe2\x82\xac\\");
    CHECK(object->find("d") == nullptr);
    CHECK(object->find("e")->kind == JsonField::Kind::boolean);
    CHECK(object->find("f")->raw == "1.50");
    CHECK(object->find("f")->kind == JsonField::Kind::number);
    CHECK(json_array(object->find("")->raw).empty());
}

TEST_CASE("json_fields: the last of a repeated name counts, case only where it is asked for") {
    auto object = JsonFields::parse(R"({"a":1,"A":2,"a":3})");
    CHECK(*object->integer("a") == 3);
    CHECK(*object->integer("A") == 2);
    auto folded = JsonFields::parse(R"({"a":1,"A":2})", true);
    CHECK(*folded->integer("a") == 2);
}

TEST_CASE("json_fields: a value of another kind is named") {
    auto object = JsonFields::parse(R"({"n":1,"s":"x","l":["a",1],"big":9223372036854775808})");
    for (const Error& error :
         {object->string("n").error(), object->strings("l").error(), object->integer("s").error(),
          object->boolean("n").error(), object->integer("big").error()}) {
        CHECK(error.code == ErrorCode::bad_data);
        CHECK_THAT(error.text, Catch::Contains("must be"));
    }
    CHECK_FALSE(JsonFields::parse("[]"));
    CHECK_FALSE(JsonFields::parse("{\"a\":1}x"));
}
