// What is kept of a job's output: its order as text, as pieces with true offsets, and stored.
#include "core/job/kept_output.h"

#include <catch2/catch.hpp>

#include "core/job/codec.h"

namespace jobq::test {
namespace {

constexpr auto kOut = OutputStream::out, kErr = OutputStream::err;

// "e0:text@5 ..."
std::string shown(const std::vector<OutputPiece>& pieces) {
    std::string all;
    for (const auto& piece : pieces) {
        if (!all.empty()) all += " ";
        all += piece.stream == kOut ? "o" : "e";
        all += std::to_string(piece.offset) + ":" + piece.bytes + "@" + std::to_string(piece.at_ms);
    }
    return all;
}

}  // namespace

TEST_CASE("output: an order is read as it was written") {
    const std::vector<OutputMark> marks{
        {kErr, 12, 1'700'000'000'000}, {kOut, 3, 1'700'000'000'000}, {kErr, 1, 1'700'000'000'250}};
    CHECK(write_order(marks) == "1700000000000,e12,o3,e1+250");
    CHECK(read_order(write_order(marks)) == marks);
    CHECK(write_order({}).empty());
}

TEST_CASE("output: of an order that is damaged what can be read is taken") {
    CHECK(read_order("").empty());
    CHECK(read_order("x,e1").empty());
    CHECK(read_order("5,e1,q2,e3").size() == 1);
    for (const char* bad : {"5,e", "5,e-1", "5,e1+-2", "5,e1+x", "5,,", "5,e99999999999999999999",
                            "9223372036854775807,e1+1"}) {
        INFO(bad);
        CHECK(read_order(bad).empty());
    }
}

TEST_CASE("output: pieces come in the order of time, and tell what was left out by their offsets") {
    Output output{"warn", "onetwo", {}, {3, 100}, "7,o2,e4+1,o4+1"};
    CHECK(shown(in_order(output)) == "o0:on@7 e0:warn@8 o2:e@9 o103:two@9");
    output.order.clear();
    CHECK(shown(in_order(output)) == "e0:warn@0 o0:one@0 o103:two@0");
    // An order that speaks of more, or of less, than there is.
    output.order = "7,o999999,e1";
    CHECK(shown(in_order(output)) == "o0:one@7 o103:two@7 e0:w@7 e1:arn@7");
    CHECK(in_order({}).empty());
}

TEST_CASE("output: the stored form has all of it, and that of earlier versions is read") {
    const std::string bytes("\0\n\xff", 3);
    const std::vector<Output> all{{"log", ""},
                                  {"", "out"},
                                  {bytes, bytes},
                                  {"log", "out", {1, 2}, {}, ""},
                                  {"log", "out", {}, {1, 2}, "5,e3,o3"},
                                  {"log", "", {}, {}, "5,e3,o3"},
                                  {"", "", {}, {0, 7}, ""}};
    for (const auto& output : all) {
        const std::string stored = encode_output(output);
        INFO(stored);
        CHECK(decode_output(stored) == output);
    }
    CHECK(encode_output({}).empty());
    CHECK(decode_output("3\nlogout") == Output{"log", "out"});
    for (const char* odd : {"no number\n", "3 cut=1,2,3\nlog", "9\nlog", "-1\nlog",
                            "3 cut=1,2,3,x\nlog", "3 cut=1,2,3,4,5\nlog"}) {
        INFO(odd);
        CHECK(decode_output(odd) == Output{odd, ""});
    }
}

}  // namespace jobq::test
