// The table of verbs, and the lines that it limits.
#include "core/protocol/verbs.h"

#include <catch2/catch.hpp>
#include <set>

#include "core/protocol/line_splitter.h"

using namespace jobq;

namespace {

using Next = LineSplitter::Next;

std::string start_of(const VerbInfo& verb) {
    return (verb.jobq() ? "JOBQ " : "") + std::string(verb.name) + " ";
}

}  // namespace

TEST_CASE("verbs: each is found by its name, in its namespace alone") {
    std::set<std::pair<std::string_view, bool>> names;
    for (const auto& verb : kVerbs) {
        INFO(verb.name);
        CHECK(find_verb(verb.name, verb.jobq()) == &verb);
        CHECK(names.emplace(verb.name, verb.jobq()).second);
        CHECK(!verb.help.empty());
        CHECK((verb.bare.empty() || !verb.jobq()));
        CHECK(!(verb.has(kStores) && verb.has(kAtShutdown)));
    }
    CHECK(find_verb("ENQUEUE", false) == nullptr);
    CHECK(find_verb("PUSH", true) == nullptr);
    CHECK(find_verb("push", false) == nullptr);
    CHECK(find_verb("", false) == nullptr);
}

TEST_CASE("verbs: what changes a store takes more than the right to read") {
    for (const auto& verb : kVerbs) {
        INFO(verb.name);
        if (verb.has(kStores)) CHECK(verb.scope != Scope::read);
        if (verb.scope == Scope::none)
            CHECK((verb.name == "HELLO" || verb.name == "END" || verb.name == "JOBQ" ||
                   verb.name == "PING"));
    }
}

TEST_CASE("line_splitter: the verb's row says how long its line may be") {
    for (const auto& verb : kVerbs) {
        INFO(verb.name);
        const size_t limit = verb.has(kBulkLine) ? 64 : 32;
        for (size_t size : {limit, limit + 1}) {
            std::string buffer = start_of(verb);
            buffer.resize(size, 'x');
            LineSplitter lines(buffer, {32, 64});
            std::string_view line;
            CHECK(lines.limit() == limit);
            CHECK(lines.next(line) == Next::more);  // the byte over may be the CR of its end
            buffer += "\r\n";
            CHECK(lines.next(line) == (size == limit ? Next::line : Next::too_long));
            if (size == limit) CHECK(line.size() == limit);
        }
    }
}

TEST_CASE("line_splitter: no other beginning makes a line a long one") {
    for (const std::string start : {"", " ", "JOBQ ", "JOBQ  DONE ", "JOBQ PUSHB ", "DONE ",
                                    "pushb ", "PUSHB", "PUSHB\t", "XPUSHB ", "JOBQ JOBQ DONE "}) {
        INFO(start);
        std::string buffer = start;
        buffer.resize(34, 'x');
        LineSplitter lines(buffer, {32, 64});
        std::string_view line;
        CHECK(lines.limit() == 32);
        CHECK(lines.next(line) == Next::too_long);
    }
}
