// What the runner keeps of a job's output, and how it is handed on: whole, in order, within bounds.
#include "daemon/runner/job_output.h"

#include <catch2/catch.hpp>

#include "core/base/limits.h"

namespace jobq::test {
namespace {

constexpr auto kOut = OutputStream::out, kErr = OutputStream::err;

TypeSpec keeps(size_t head, size_t tail) {
    TypeSpec type;
    type.output_head_bytes = head;
    type.output_tail_bytes = tail;
    return type;
}

// "o0:text e0:text"
std::string shown(const std::vector<OutputPiece>& pieces) {
    std::string all;
    for (const auto& piece : pieces) {
        if (!all.empty()) all += " ";
        all += piece.stream == kOut ? "o" : "e";
        all += std::to_string(piece.offset) + ":" + piece.bytes;
    }
    return all;
}

std::string bytes_of(const std::vector<OutputPiece>& pieces) {
    std::string all;
    for (const auto& piece : pieces)
        all += piece.bytes;
    return all;
}

}  // namespace

TEST_CASE("a capture keeps head and tail of a long output, and where the rest was") {
    for (size_t step : {1U, 2U, 3U, 7U, 100U}) {
        Capture capture(4, 5);
        std::string all;
        for (int i = 0; all.size() < 1'000; ++i)
            all += std::to_string(i);
        for (size_t at = 0; at < all.size(); at += step)
            capture.append(std::string_view(all).substr(at, step));
        CAPTURE(step);
        const auto kept = capture.kept();
        CHECK(kept.bytes == all.substr(0, 4) + all.substr(all.size() - 5));
        CHECK(kept.cut == LeftOut{4, int64_t(all.size()) - 9});
        CHECK(capture.kept_between(0, capture.total()) == 9);
        CHECK(capture.kept_between(2, 100) == 2);
        CHECK(capture.kept_between(100, capture.total() - 1) == 4);
        CHECK(capture.kept_between(100, 200) == 0);
    }
    Capture whole(4, 4);
    whole.append("abcdef");
    whole.append("gh");
    CHECK(whole.kept().bytes == "abcdefgh");
    CHECK_FALSE(whole.kept().cut);
    Capture head_only(4, 0);
    head_only.append("abcdef");
    CHECK(head_only.kept().cut == LeftOut{4, 2});
}

TEST_CASE("the cut in a capture never halves a character") {
    Capture capture(4, 4);
    capture.append(
        "ab\xe2\x82\xac"
        "cd\xe2\x82\xac"
        "yz");  // abEcdEyz with euro signs
    CHECK(capture.kept().bytes == "abyz");
    CHECK(capture.kept().cut == LeftOut{2, 8});
}

TEST_CASE("a job's output is kept in the order of time") {
    JobOutput output(keeps(100, 100));
    output.append(kOut, "one ", 1'000);
    output.append(kErr, "oops ", 1'100);
    output.append(kOut, "two ", 1'200);
    output.append(kOut, "three", 1'201);
    const Output kept = output.kept();
    CHECK(kept.out == "one two three");
    CHECK(kept.err == "oops ");
    CHECK(shown(in_order(kept)) == "o0:one  e0:oops  o4:two three");
    CHECK(kept.order == "1000,o4,e5+100,o9+100");
    // The job's own times say when.
    JobOutput single(keeps(100, 100));
    single.append(kOut, "one", 1'000);
    CHECK(single.kept().order.empty());
}

TEST_CASE("the order of a long output is that of what is kept, in bounded memory") {
    JobOutput output(keeps(64, 64));
    output.set_room(OutputRoom::kNobody);
    for (int i = 0; i < 100'000; ++i)
        output.append(i % 2 == 0 ? kOut : kErr, std::to_string(i) + "\n", 1'000 + 20 * i);
    const Output kept = output.kept();
    CHECK(kept.order.size() < 20'000);
    const auto pieces = in_order(kept);
    REQUIRE(pieces.size() > 10);
    CHECK(pieces.front().bytes == "0\n");
    CHECK(pieces.back().bytes == "99999\n");
    CHECK(pieces.back().at_ms == 1'000 + 20 * 99'999);
    for (const auto& piece : {pieces.front(), pieces.back()})
        CHECK((piece.stream == kOut) == (std::stoi(piece.bytes) % 2 == 0));
    CHECK(output.take(1 << 20).size() < 3'000);
}

TEST_CASE("pieces add up to the whole within the room there is, and again after a rewind") {
    JobOutput output(keeps(1'000, 1'000));
    std::string all;
    for (int i = 0; i < 100; ++i) {
        all += std::to_string(i) + " ";
        output.append(kOut, std::to_string(i) + " ", 100 * i);
    }
    output.set_room(1'000);
    std::string got = bytes_of(output.take(1 << 20));
    CHECK(got.size() < all.size());
    CHECK(output.is_blocked());
    CHECK(output.take(1 << 20).empty());
    SECTION("what arrived is not given again") {
        output.arrived();
        output.set_room(1 << 20);
        CHECK(got + bytes_of(output.take(1 << 20)) == all);
        output.arrived();
        CHECK(output.take(1 << 20).empty());
    }
    SECTION("what did not is") {
        output.rewind();
        output.set_room(1 << 20);
        CHECK(bytes_of(output.take(1 << 20)) == all);
    }
    SECTION("to another jobqd all is given that is still there") {
        output.arrived();
        output.rewind();
        output.rewind();
        output.set_room(1 << 20);
        CHECK(bytes_of(output.take(1 << 20)) == all);
    }
    SECTION("at the end, too") {
        CHECK(bytes_of(output.take_rest()) == all);
    }
}

TEST_CASE("output waits at the window while somebody may follow, and loses its oldest if not") {
    JobOutput output(keeps(100, 100));
    CHECK_FALSE(output.full());
    const std::string block(64 << 10, 'x');
    for (int i = 0; i < 4; ++i)
        output.append(kOut, block, 100 * i);
    CHECK(output.full());
    SECTION("all of it is there for who follows") {
        output.set_room(1 << 20);
        CHECK(output.full());
        CHECK(bytes_of(output.take(1 << 20)).size() == 4 * block.size());
        CHECK_FALSE(output.full());
    }
    SECTION("nobody does") {
        output.set_room(OutputRoom::kNobody);
        CHECK_FALSE(output.full());
        output.append(kOut, "end", 1'000);
        const auto pieces = output.take(1 << 20);
        REQUIRE_FALSE(pieces.empty());
        CHECK(pieces.front().offset > 0);
        CHECK(pieces.back().end() == int64_t(4 * block.size()) + 3);
    }
}

TEST_CASE("the shape of JSON is told from brackets and strings") {
    const auto closed = [](const std::string& text) {
        bool all = true;
        for (size_t step : {size_t(1), size_t(3), text.size() + 1}) {
            JsonShape shape;
            for (size_t at = 0; at < text.size(); at += step)
                shape.add(std::string_view(text).substr(at, step));
            all = all && shape.is_closed();
        }
        return all;
    };
    for (const char* text : {"{}", " [1,2]\n", R"({"a":"}\"]","b":[{}]})", "[\"\\\\\"]"})
        CHECK(closed(text));
    for (const char* text : {"", "1", "\"a\"", "[1", "[1]x", "{} {}", "[info] x", R"(["])", "x[]"})
        CHECK_FALSE(closed(text));
}

}  // namespace jobq::test
