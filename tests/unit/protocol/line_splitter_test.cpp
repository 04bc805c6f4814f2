// LineSplitter: the same lines however the bytes are cut, and limits that hold to the byte.
#include "core/protocol/line_splitter.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace jobq;

namespace {

using Next = LineSplitter::Next;

// The lines of `bytes` that come `piece` at a time.
std::vector<std::string> lines_of(const std::string& bytes, size_t piece, LineLimits limits = {}) {
    std::string buffer;
    LineSplitter splitter(buffer, limits);
    std::vector<std::string> lines;
    for (size_t at = 0; at < bytes.size(); at += piece) {
        buffer += bytes.substr(at, piece);
        std::string_view line;
        Next next;
        while ((next = splitter.next(line)) == Next::line)
            lines.emplace_back(line);
        if (next == Next::too_long) {
            lines.emplace_back("<too long>");
            return lines;
        }
        splitter.compact();
    }
    return lines;
}

}  // namespace

TEST_CASE("line splitter: pieces of any size give the same lines") {
    const std::string bytes = "INFO\r\nPUSH {\"a\":1}\n\n\r\nACK x\r\r\nEND";
    const std::vector<std::string> lines{"INFO", "PUSH {\"a\":1}", "", "", "ACK x\r"};
    for (size_t piece = 1; piece <= bytes.size(); ++piece) {
        INFO(piece);
        CHECK(lines_of(bytes, piece) == lines);
    }
}

TEST_CASE("line splitter: a line may have its limit and no byte more, with either end") {
    const LineLimits limits{10, 20};

    struct Row {
        std::string start;
        size_t limit;
    };

    const std::vector<Row> rows{{"PUSH ", 10},        {"PUSHB ", 20}, {"JOBQ ENQUEUE ", 10},
                                {"pushb ", 10},       {"XYZ ", 10},   {"", 10},
                                {"JOBQ FINISH ", 10}, {"PUSHB", 10}};
    for (const auto& row : rows) {
        if (row.start.size() > row.limit) continue;
        const std::string most = row.start + std::string(row.limit - row.start.size(), 'x');
        for (const char* end : {"\n", "\r\n"}) {
            for (size_t piece : {size_t(1), size_t(64)}) {
                INFO(row.start << " in pieces of " << piece);
                CHECK(lines_of(most + end, piece, limits) == std::vector{most});
                CHECK(lines_of(most + "x" + end, piece, limits) ==
                      std::vector<std::string>{"<too long>"});
            }
        }
    }
}

TEST_CASE("line splitter: what has no end is refused once it is over the limit, not before") {
    std::string buffer(10, 'x'), more = "x";
    LineSplitter splitter(buffer, {10, 20});
    std::string_view line;
    CHECK(splitter.next(line) == Next::more);
    buffer += "\r";  // of an end that may follow
    CHECK(splitter.next(line) == Next::more);
    CHECK(buffer.size() <= splitter.room());
    buffer += "x";
    CHECK(splitter.next(line) == Next::too_long);
    CHECK(splitter.next(line) == Next::too_long);
}

TEST_CASE("line splitter: a prefix takes only a whole line that begins with it") {
    std::string buffer = "ACK 1\nACK";
    LineSplitter splitter(buffer);
    std::string_view line;
    CHECK(!splitter.next_with("FAIL", line));
    REQUIRE(splitter.next_with("ACK", line));
    CHECK(line == "ACK 1");
    CHECK(!splitter.next_with("ACK", line));
    splitter.compact();
    CHECK(buffer == "ACK");
    buffer += " 2\n";
    REQUIRE(splitter.next_with("ACK", line));
    CHECK(line == "ACK 2");
}

TEST_CASE("line splitter: a prefix takes lines until another comes, which stays") {
    std::string buffer = "PUSH 1\nPUSH 2\nACK 3\nPUSH 4\n";
    LineSplitter splitter(buffer);
    std::string_view line;
    REQUIRE(splitter.next_with("PUSH ", line));
    CHECK(line == "PUSH 1");
    REQUIRE(splitter.next_with("PUSH ", line));
    CHECK(line == "PUSH 2");
    CHECK(!splitter.next_with("PUSH ", line));
    REQUIRE(splitter.next(line) == Next::line);
    CHECK(line == "ACK 3");
    REQUIRE(splitter.next_with("PUSH ", line));
    CHECK(line == "PUSH 4");
}
