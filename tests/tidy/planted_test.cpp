// Each rule finds what it is for, and leaves alone what only looks like it.
#include <catch2/catch.hpp>

#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"
#include "tests/tidy/checks.h"
#include "tests/tidy/syntax.h"

using namespace jobq;
using namespace jobq::tidy;

namespace {

std::string lines(const Findings& findings) {
    std::string text;
    for (const auto& finding : findings)
        text += finding.to_string() + "\n";
    return text;
}

std::string coroutine_findings(const std::string& code) {
    return lines(check_coroutines({{"daemon/work/x.cpp", code}}));
}

bool finds(const std::string& code, std::string_view what) {
    return coroutine_findings(code).find(what) != std::string::npos;
}

std::string repeated(const std::string& text, size_t times) {
    std::string result;
    for (size_t i = 0; i < times; ++i)
        result += text;
    return result;
}

}  // namespace

TEST_CASE("planted: statements with co_await that g++ 12 miscompiles", "[tidy]") {
    CHECK(finds("task<> f() {\n  co_await g([x] { return x; });\n}\n",
                "daemon/work/x.cpp:2: a lambda"));
    CHECK(finds("task<> f() { co_await g([&](int a) -> int { return a; }); }", "a lambda"));
    CHECK(finds("task<> f() { auto r = ok ? co_await g() : 1; }", "?:"));
    CHECK(finds("task<> f() { co_await g(ok ? 1 : 2); }", "?:"));
    CHECK(finds("task<> f() { co_await g(Args{.a = s}); }", "{...}"));
    CHECK(finds("task<> f() { co_await g({\"HSET\", id}); }", "{...}"));
    CHECK(finds("task<> f() { Args a{.a = co_await g()}; }", "{...}"));
    CHECK(finds("task<> f() { co_await g(std::vector<S>{a, b}); }", "{...}"));
    CHECK(finds("task<> f() {\n  if (auto r = co_await g(ok ? 1 : 2); r) {\n  }\n}\n",
                "x.cpp:2: ?:"));
    CHECK(finds("task<> f() { REQUIRE(co_await g()); }", "a macro"));
    CHECK(finds("task<> f() { try { x(); } catch (int) { co_await g(); } }", "catch"));
    CHECK(finds("#define TRY(x) \\\n    co_await x\n", "x.cpp:1: co_await in a macro"));
}

TEST_CASE("planted: statements with co_await that are right", "[tidy]") {
    CHECK(coroutine_findings(R"(
task<int> f(std::string text, Store& store, Stop stop) {
    auto by = [&](int a) { return a ? 1 : 2; };
    Args args{.a = 1, .b = by(3)};
    auto r = co_await store.g(std::move(args), {}, text[3]);
    if (co_await h() && r) return r ? 1 : 2;
    else if (co_await h()) x = ok ? A{1} : A{2};
    for (int i = 0; i < 3; ++i) co_await i_();
    while (co_await next()) {
        switch (r) {
            case 1: co_await g(); break;
            default: y = z ? 1 : 2;
        }
    }
    // co_await g(ok ? 1 : 2);
    log("co_await g({1, 2}) ? 1 : 2");
    auto s = R"x(co_await f({1})x";
    co_return 1'000;
}
Foo::Foo(int a) : a_{a}, b_(a ? 1 : 2) {
}
[[nodiscard]] task<int> g() {
    co_return co_await f("a", store, stop);
}
)") == "");
}

TEST_CASE("planted: parameters that dangle in a coroutine", "[tidy]") {
    CHECK(finds("task<> f(int a, std::string_view name) { co_await g(); }", "string_view"));
    CHECK(finds("task<> f(std::span<const int> ids) { co_return; }", "span"));
    CHECK(finds("task<> A::f(const std::string& name) const { co_return; }", "const&"));
    CHECK(finds("auto f = [](std::string_view a) -> task<> { co_return; };", "string_view"));
    CHECK(coroutine_findings("task<> f(const int a, Store& s, std::string b) { co_return; }") ==
          "");
    CHECK(coroutine_findings("void f(std::string_view name) { spawn(g(name)); }") == "");
}

TEST_CASE("planted: lambdas that capture and are coroutines", "[tidy]") {
    CHECK(finds("void f() { spawn([this]() -> task<> { co_await g(); }()); }", "captures"));
    CHECK(finds("void f() { auto l = [&] { co_return; }; }", "captures"));
    CHECK(coroutine_findings("void f() { auto l = [] { co_return; }; }") == "");
    CHECK(coroutine_findings("task<> f() { auto l = [&] { return 1; }; co_await g(l); }") == "");
}

TEST_CASE("planted: long files and functions", "[tidy]") {
    CHECK(lines(check_file_lengths({{"core/a.cpp", repeated("int x;\n", 401)},
                                    {"tests/unit/a.cpp", repeated("int x;\n", 600)},
                                    {"core/store/lua/job/a.lua", repeated("x()\n", 91)},
                                    {"README.md", repeated("x\n", 5000)}})) ==
          "core/a.cpp: it has 401 lines; the limit is 400\n"
          "core/store/lua/job/a.lua: it has 91 lines; the limit is 90\n");
    auto with_lines = [](size_t n) {
        return "namespace a {\nstruct S {\nint f(int x) {\n" + repeated("g();\n", n) + "}\n};\n}\n";
    };
    CHECK(check_function_lengths({{"core/a.cpp", with_lines(68)}}).empty());
    CHECK(lines(check_function_lengths({{"core/a.cpp", with_lines(69)}})) ==
          "core/a.cpp:3: a function has 71 lines; the limit is 70\n");
    CHECK(check_function_lengths({{"core/a.h", "enum class E {\n" + repeated("a,\n", 99) + "};\n"}})
              .empty());
}

TEST_CASE("planted: includes against the layers", "[tidy]") {
    const Layers layers(test::read_file(std::string(test::kSourceDir) + "/core/layers.txt"));
    auto findings = [&](const std::string& path, const std::string& include) {
        return lines(check_layers({{path, "// x\n#include \"" + include + "\"\n"}}, layers));
    };
    CHECK(findings("core/base/a.h", "core/job/job.h") ==
          "core/base/a.h:2: core/base may not include core/job/job.h\n");
    CHECK(findings("core/job/a.cpp", "core/store/store.h") != "");
    CHECK(findings("core/store/a.cpp", "daemon/loop/stream.h") != "");
    CHECK(findings("core/store/a.cpp", "core/store/redis/redis_store.h") != "");
    CHECK(findings("cli/a.cpp", "core/store/store.h") != "");
    CHECK(findings("cli/a.cpp", "daemon/app/app.h") != "");
    CHECK(findings("daemon/server/a.cpp", "daemon/redis/link.h") != "");
    CHECK(findings("daemon/server/a.cpp", "core/store/redis/redis_store.h") != "");
    CHECK(findings("daemon/redis/a.cpp", "core/store/store.h") != "");
    CHECK(findings("daemon/redis/a.cpp", "core/store/storage_gate.h") == "");
    CHECK(findings("core/policy/a.cpp", "core/config/visit.h") != "");
    CHECK(findings("core/store/a.cpp", "core/job/job.h") == "");
    CHECK(findings("daemon/http/api/a.cpp", "daemon/http/routes.h") == "");
    CHECK(findings("daemon/app/app.cpp", "daemon/redis/link.h") == "");
    CHECK(findings("tests/daemon/a.cpp", "core/store/redis/redis_store.h") == "");
    CHECK(lines(check_layers({{"config/a.cpp", "// x\n"}}, layers)) ==
          "config/a.cpp: no layer: C++ belongs in core, daemon, cli or tests\n");
}

TEST_CASE("planted: a row that leads back to itself", "[tidy]") {
    CHECK(lines(check_circles(Layers("core/a:\ncore/b: core/a\ncore/c: core/*\n"))) == "");
    CHECK(lines(check_circles(Layers("core/a: core/c\ncore/b: core/a\n core/x/y.h\ncore/c: core/b\n"
                                     "core/d: core/c\n"))) ==
          "core/layers.txt: core/a leads back to itself\n"
          "core/layers.txt: core/b leads back to itself\n"
          "core/layers.txt: core/c leads back to itself\n"
          "core/layers.txt: core/d leads back to itself\n");
}

TEST_CASE("planted: calls against the layers", "[tidy]") {
    const Layers layers("core/low:\ncore/high: core/low\ncore/beside: core/low/only.h\n");
    const auto findings = [&](const std::string& low, const std::string& beside) {
        return lines(
            check_symbols({{"core/low", symbols_of("low T 0 1\n" + low)},
                           {"core/high", symbols_of("a.o:\nhigh T 0 1\nlow U\nboth W 0 1\n")},
                           {"core/beside", symbols_of("beside T 0 1\n" + beside)}},
                          layers));
    };
    CHECK(findings("malloc U\nboth W 0 1\n", "low U\n") == "");
    CHECK(findings("own T 0 1\nb.o:\nown U\n", "both U\nboth V 0 1\n") == "");
    CHECK(findings("high U\n", "") == "core/low: it uses high of core/high\n");
    CHECK(findings("", "high U\n") == "core/beside: it uses high of core/high\n");
    CHECK(findings("beside w\n", "") == "core/low: it uses beside of core/beside\n");
}

TEST_CASE("planted: classes that show much", "[tidy]") {
    std::string functions;
    for (char c = 'a'; c < 'a' + 15; ++c)
        functions += std::string("task<Result<>> ") + c + "(std::function<void(int)> f) const;\n";
    const auto findings = [&](const std::string& more) {
        const std::string text =
            "// x\nclass A final : public B {\n  public:\n" + functions + more + "};\n";
        return lines(check_public_functions({{"core/a.h", text}}, {}));
    };
    const std::string many = "core/a.h:2: A has 16 public functions; the limit is 15\n";
    CHECK(findings("void p();\n") == many);
    CHECK(findings("[[nodiscard]] bool p() const { return q_ == \"(\"; }\n") == many);
    CHECK(findings("template <class T>\nvoid p(T t) {\n  f([t] { g(); });\n}\n") == many);
    CHECK(findings("virtual void p() = 0;\n") == many);
    CHECK(findings("static std::vector<int> p(int x = g());\n") == many);
    for (const char* good :
         {"void a(int);\n", "A(int x) : x_(x), y_{1, f()} {}\n~A();\nA(const A&) = delete;\n",
          "bool operator==(const A&) const = default;\n", "std::function<void(int)> on_{};\n",
          "int x = f();\nstatic constexpr int kB{3};\nusing F = void (*)(int);\nfriend void "
          "f(int);\n",
          " private:\nvoid p();\nint q() { return 1; }\n",
          "struct In {\n  void p();\n  void q();\n};\n",
          "enum class E : uint8_t { p, q };\nint x_ = 0, y_ = 0;\n"}) {
        INFO(good);
        CHECK(findings(good) == "");
    }
    CHECK(lines(check_public_functions(
              {{"core/a.h",
                "struct A {\n" + functions + "void p();\n};\nstruct B {\nvoid f();\n};\n"}},
              {{"A", 17}, {"B", 1}, {"C", 16}})) ==
          "core/a.h:1: A has 16 public functions: lower its exception to that\n"
          "tests/tidy/tidy_test.cpp: B needs no exception\n"
          "tests/tidy/tidy_test.cpp: C needs no exception\n");
}

TEST_CASE("planted: names that mean two things", "[tidy]") {
    const Tree tree{
        {"core/a/link.h", "class A;\nclass Link {\n  struct Part {\n    int x;\n  };\n};\n"},
        {"core/b/other.h", "struct Link {\n  struct Part {\n    int x;\n  };\n};\n"},
        {"cli/link.h", "class A : public B<int> {\n};\nenum class E { a };\n"},
        {"cli/other.cpp", "struct A {\n};\n"},
        {"cli/c.h", "template <class A>\nclass C {\n};\ntemplate <>\nclass C<int> {\n};\n"},
        {"tests/unit/link.h", "class A {\n};\n"}};
    CHECK(lines(check_names(tree, {})) ==
          "core/a/link.h: Link has another home too\n"
          "core/b/other.h: Link has another home too\n"
          "cli/link.h: link.h has another home too\n"
          "core/a/link.h: link.h has another home too\n");
    CHECK(lines(check_names(tree, {"Link", "link.h", "A"})) ==
          "tests/tidy/tidy_test.cpp: A needs no exception\n");
}

TEST_CASE("planted: libraries where they may not be", "[tidy]") {
    auto findings = [](const std::string& path, const std::string& header) {
        return lines(check_libraries({{path, "// x\n#include <" + header + ">\n"}}));
    };
    CHECK(findings("daemon/server/a.cpp", "uv.h") ==
          "daemon/server/a.cpp:2: may not include <uv.h>\n");
    CHECK(findings("daemon/loop/a.cpp", "uv.h") == "");
    CHECK(findings("daemon/loop/a.h", "uv.h") ==
          "daemon/loop/a.h:2: <uv.h> is slow to read: only in a .cpp\n");
    CHECK(findings("daemon/loop/a.cpp", "hiredis/read.h") != "");
    CHECK(findings("core/store/a.cpp", "spdlog/spdlog.h") != "");
    CHECK(findings("core/config/check.cpp", "toml++/toml.h") != "");
    Tree four;
    for (const char* name : {"a", "b", "c", "d"})
        four.push_back({std::string("cli/") + name + ".cpp", "#include <CLI/CLI.hpp>\n"});
    CHECK(check_libraries(four).size() == 4);
    four.pop_back();
    CHECK(check_libraries(four).empty());
}

TEST_CASE("planted: files that nothing uses", "[tidy]") {
    CHECK(lines(check_dead_files({
              {"core/a.h", ""},
              {"core/a.cpp", "#include \"core/a.h\"\n"},
              {"core/b.h", ""},
              {"core/c.cpp", "#include \"core/b.h\"\n"},
              {"core/store/lua/job/x.lua", ""},
              {"core/store/lua/job/y.lua", "--@include lib1\n"},
              {"core/store/lua/lib/lib1.lua", ""},
              {"core/store/lua/lib/lib2.lua", ""},
              {"core/store/lua/job/y_z.lua", ""},
              {"core/store/y.cpp", "run(scripts::y_z)"},
              {"core/store/link/answer_form.cpp", "{&scripts::x, {}}"},
              {"tests/CMakeLists.txt", "jobq_tests(unit 60)\n"},
              {"daemon/web/app.js", "import \"./parts/a.js\";"},
              {"daemon/web/parts/a.js", ""},
              {"daemon/web/parts/b.js", ""},
              {"tests/unit/t.cpp", "TEST_CASE(\"one; two\") {}\nTEST_CASE(\"three\") {}\n"},
              {"tests/lost/t.cpp", ""},
          })) ==
          "core/a.h: nothing but its own .cpp includes this header\n"
          "core/store/lua/job/x.lua: no one calls this script\n"
          "core/store/lua/job/y.lua: no one calls this script\n"
          "core/store/lua/lib/lib2.lua: no one includes this script\n"
          "daemon/web/parts/b.js: no module imports this one\n"
          "tests/unit/t.cpp: a ';' in a test's name, or a '-' before it: ctest would not run it\n"
          "tests/lost/t.cpp: tests/CMakeLists.txt does not build tests/lost\n");
}

TEST_CASE("planted: scripts whose head is wrong", "[tidy]") {
    auto findings = [](const std::string& head, const std::string& body) {
        return lines(check_lua({{"core/store/lua/job/a.lua", head + body}}));
    };
    std::string head =
        "#!lua\n-- a: does it.\n-- KIND: adds\n-- KEYS: prefix\n-- ARGV: x y\n-- RETURNS: 0\n";

    CHECK(findings(head, "f(KEYS[1] .. ARGV[1] .. ARGV[2])") == "");
    CHECK(findings(head, "f(KEYS[1] .. ARGV[1] .. ARGV[3])") ==
          "core/store/lua/job/a.lua: it uses ARGV[3], its head names 2\n");
    CHECK(findings(head, "f(KEYS[1] .. ARGV[1])") ==
          "core/store/lua/job/a.lua: its head names 2 ARGV, it uses 1\n");
    CHECK(findings(head, "f(KEYS[1] .. KEYS[2] .. ARGV[2])") ==
          "core/store/lua/job/a.lua: it uses KEYS[2], its head names 1\n");
    CHECK(findings("#!lua\n-- KIND: adds\n-- KEYS: prefix\n-- ARGV: id...\n",
                   "f(KEYS[1], unpack(ARGV))") ==
          "core/store/lua/job/a.lua: its head does not say what it does: -- a: ...\n"
          "core/store/lua/job/a.lua: its head has no line RETURNS\n");
}

TEST_CASE("planted: scripts of another kind than their flags and folder", "[tidy]") {
    auto findings = [](const std::string& flags, const std::string& kind,
                       const std::string& folder = "job") {
        return lines(check_lua({{"core/store/lua/" + folder + "/a.lua",
                                 flags + "\n-- a: does it.\n" + kind +
                                     "-- KEYS: prefix\n-- ARGV:\n-- RETURNS: 0\nf(KEYS[1])"}}));
    };
    const std::string adds = "#!lua", moves = "#!lua flags=allow-oom",
                      reads = "#!lua flags=no-writes,allow-oom";
    CHECK(findings(adds, "-- KIND: adds\n") == "");
    CHECK(findings(moves, "-- KIND: moves\n") == "");
    CHECK(findings(moves, "-- KIND: moves\n", "doctor") == "");
    CHECK(findings(moves, "-- KIND: takes\n") == "");
    CHECK(findings(reads, "-- KIND: reads\n", "look") == "");
    for (const char* kind : {"", "-- KIND:\n", "-- KIND: fetches\n"})
        CHECK(findings(adds, kind) ==
              "core/store/lua/job/a.lua: its head has no KIND: reads, moves, takes or adds\n");
    CHECK(findings(moves, "-- KIND: adds\n") ==
          "core/store/lua/job/a.lua:1: a script that adds starts with #!lua\n");
    CHECK(findings(adds, "-- KIND: takes\n") ==
          "core/store/lua/job/a.lua:1: a script that takes starts with #!lua flags=allow-oom\n");
    CHECK(findings(moves, "-- KIND: reads\n", "look") ==
          "core/store/lua/look/a.lua:1: a script that reads starts with #!lua "
          "flags=no-writes,allow-oom\n");
    CHECK(findings(reads, "-- KIND: moves\n") != "");
    CHECK(findings(reads, "-- KIND: reads\n") ==
          "core/store/lua/job/a.lua: what reads stands in core/store/lua/look, no other does\n");
    CHECK(findings(moves, "-- KIND: moves\n", "look") ==
          "core/store/lua/look/a.lua: what reads stands in core/store/lua/look, no other does\n");
}

TEST_CASE("planted: a manual that lacks verbs, errors and keys, or has others", "[tidy]") {
    Tree tree{
        {"man/jobq-protocol.7", ".It Ic PUSH\n.It Ic SHOVE\n.It Ic JOBQ STATUS\n"},
        {"man/jobqd.toml.5", ".It Ic a.b\n.It Ic c\n"},
        {"config/jobqd.toml", "#x = 1\n[a]\nb = 1 # why\n#[type.email.backoff]\n#base = 2\n"}};

    std::string verbs = lines(check_verbs_documented(tree));
    CHECK(verbs.find("no \".It Ic FETCH\"") != std::string::npos);
    CHECK(verbs.find("no \".It Ic JOBQ TAKE\"") != std::string::npos);
    CHECK(verbs.find("no line \".It JOBQ TAKE Ta work Ta 1 MiB Ta opted in Ta no Ta ") !=
          std::string::npos);
    CHECK(verbs.find("SHOVE is not a verb") != std::string::npos);
    CHECK(verbs.find("PUSH\"") == std::string::npos);
    CHECK(lines(check_errors_documented(tree)).find(".It LEASE_LOST Ta 409 Ta 4 Ta no Ta ") !=
          std::string::npos);
    CHECK(lines(check_keys_documented(tree, {"a.b", "type.NAME.backoff.base", "d"})) ==
          "man/jobqd.toml.5: no \".It Ic type.NAME.backoff.base\"\n"
          "man/jobqd.toml.5: no \".It Ic d\"\n"
          "config/jobqd.toml: it does not show d\n"
          "man/jobqd.toml.5: c is not a key\n"
          "config/jobqd.toml: x is not a key\n");
    CHECK(lines(check_verbs_documented({})) == "man/jobq-protocol.7: it is not there\n");
}

TEST_CASE("planted: notes to self, paths, files that do not introduce themselves", "[tidy]") {
    std::string note = std::string("// TO") + "DO: later\n";
    CHECK(lines(check_words({{"a.md", "x\n" + note}})) ==
          std::string("a.md:2: TO") + "DO: do it, or open an issue\n");
    CHECK(check_words({{"start", std::string("cd /ho") + "me/someone\n"}}).size() == 1);
    CHECK(check_header_comments({{"core/a.h", "#pragma once\n"}}).size() == 1);
    CHECK(check_header_comments({{"core/a.cpp", "int a;\n"}}).size() == 1);
    CHECK(check_header_comments({{"daemon/web/a.js", "let a;\n"}}).size() == 1);
    CHECK(check_header_comments({{"core/a.cpp", "int a;\n"}, {"core/a.h", "// A.\n"}}).empty());
    CHECK(check_words({{"a.cpp", std::string("#include \"daemon/wo") + "rk/a.h\"\n"}}).empty());
    CHECK(check_header_comments({{"core/a.h", "// A.\n#pragma once\n"}}).empty());
}

TEST_CASE("planted: phrases that no native writer uses", "[tidy]") {
    CHECK(
        lines(check_phrases({
            {"man/x.1", ".\\\" Who reads this comment may.\nIt works.\nWho waits is told of it.\n"},
            {"cli/a.cpp", "// is wanted\nf(\"a number is\"\n  \" wanted\", \"redis.mended\");\n"},
            {"tests/unit/a.cpp", "f(\"is wanted\");\n"},
        })) ==
        "man/x.1:3: \"is told of\": receives, is notified\n"
        "man/x.1:3: \"Who\": you, or the noun\n"
        "cli/a.cpp:2: \"is wanted\": is required\n");
    for (const char* bad :
         {"a value that can't be meant", "leave the id away", "The lease is over.", "jobs are over",
          "Who reads slowly is sent fewer.", "a job that is not over", "kept for so long",
          "a worker of before", "jobs are brought in", "what a crash left is mended",
          "Debian 12 or the like", "it goes on until it is stopped", "jobqd stops: try again",
          "it counts anew", "refused for want of room"}) {
        INFO(bad);
        CHECK_FALSE(check_phrases({{"README.md", bad}}).empty());
    }
    for (const char* good :
         {"Who may connect?", "over the limit", "HTTP over TCP", "jobs left in the queue",
          "the event redis.mended", "It is no longer used.", "recommended", "is over the limit"}) {
        INFO(good);
        CHECK(lines(check_phrases({{"README.md", good}})) == "");
    }
}

TEST_CASE("planted: comments and literals are not code", "[tidy]") {
    CHECK(code_only("a /* b\n c */ d // e\nf") == "a     \n      d     \nf");
    CHECK(code_only("f(\"a\\\"b\", 'c', 1'000)") == "f(\"    \", ' ', 1'000)");
    CHECK(code_only("x = R\"y(a\"b)y\" + 1") == "x = R\"       \" + 1");
}
