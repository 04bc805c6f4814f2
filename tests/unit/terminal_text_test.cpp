// What a job or a name may do to the terminal of who looks at it: colours, and nothing else.
#include "cli/terminal/terminal_text.h"

#include <catch2/catch.hpp>

#include "cli/terminal/output.h"
#include "core/base/text.h"

using jobq::printable;
using jobq::cli::for_terminal;
using jobq::cli::padded;

TEST_CASE("text for a terminal keeps colours and line ends and loses all other control") {
    const std::pair<const char*, const char*> rows[] = {
        {"plain\n\tä€😀\r", "plain\n\tä€😀\r"},
        {"\x1b[31;1mred\x1b[0m", "\x1b[31;1mred\x1b[0m"},
        {"\x1b[2J\x1b[Hx", "[2J[Hx"},
        {"\x1b]0;title\x07x", "]0;titlex"},
        {"\x1b]52;c;cm0=\x1b\\", "]52;c;cm0=\\"},
        {"\xc2\x9b"
         "31mx",
         "31mx"},
        {"a\x08\x7f\x05z", "az"},
        {"\x1b[31", "[31"},
        {"user\u202Egpj.exe\u2066\u200F\u061C", "usergpj.exe"},
    };
    for (const auto& [given, wanted] : rows)
        CHECK(for_terminal(given) == wanted);
}

TEST_CASE("printable text has no character that turns or breaks the line") {
    CHECK(printable("a\u202Eb\u2028c\u2029d\u2069e\u061Cf\u200Eg") == "ab c defg");
    CHECK(printable("ä€😀 שלום") == "ä€😀 שלום");
}

TEST_CASE("a column of a table is as wide for every script") {
    CHECK(padded("mail", 6) == "mail  ");
    CHECK(padded("größe", 6) == "größe ");
    CHECK(padded("日本", 6) == "日本  ");
    CHECK(padded("e\u0301", 3) == "e\u0301  ");
    CHECK(padded("too long", 3) == "too long ");
}
