// The examples of the README and the manual, run against the programs as built.
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <set>

#include "core/base/text.h"
#include "daemon/http/routes.h"
#include "tests/docs/dev_daemon.h"
#include "tests/docs/program.h"
#include "tests/support/paths.h"

using namespace jobq;
using test::DevDaemon;

namespace {

const std::string kRoot = test::kSourceDir;

// Lines that start with "$ " between ```console and ```.
std::vector<std::string> console_commands(const std::string& markdown) {
    std::vector<std::string> commands;
    bool console = false;
    for (auto line : split(markdown, '\n')) {
        if (line.starts_with("```")) console = line == "```console";
        if (console && line.starts_with("$ ")) commands.emplace_back(line.substr(2));
    }
    return commands;
}

std::string conversation(const std::string& page) {
    size_t at = page.find(".Bd -literal", page.find(".Sh EXAMPLES"));
    size_t from = page.find('\n', at) + 1;
    return page.substr(from, page.find(".Ed\n", from) - from);
}

// A client that sends lines and reads replies, with a limit on each.
class Wire {
  public:
    explicit Wire(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        timeval limit{10, 0};
        setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(connect(fd_, generic, sizeof address) == 0);
    }

    ~Wire() { close(fd_); }

    Wire(const Wire&) = delete;

    void send(const std::string& line) {
        std::string bytes = line + "\r\n";
        REQUIRE(write(fd_, bytes.data(), bytes.size()) == ssize_t(bytes.size()));
    }

    // One reply; of a bulk string its content.
    std::string reply() {
        std::string line = read_line();
        return line.starts_with('$') && line != "$-1" ? read_line() : line;
    }

  private:
    std::string read_line() {
        std::string line;
        for (char c = 0; !line.ends_with("\r\n"); line += c)
            REQUIRE(read(fd_, &c, 1) == 1);
        return line.substr(0, line.size() - 2);
    }

    int fd_;
};

// `pattern` with "..." for any text.
bool matches(std::string_view text, std::string_view pattern) {
    size_t dots = pattern.find("...");
    if (dots == pattern.npos) return text == pattern;
    if (!text.starts_with(pattern.substr(0, dots))) return false;
    pattern.remove_prefix(dots + 3);
    for (size_t at = dots; at <= text.size(); ++at)
        if (matches(text.substr(at), pattern)) return true;
    return false;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

}  // namespace

TEST_CASE("docs: every command of the README works", "[docs]") {
    DevDaemon daemon;
    auto commands = console_commands(test::read_file(kRoot + "/README.md"));

    CHECK(commands.size() > 8);
    for (const auto& command : commands) {
        auto end = test::run_program({"sh", "-c", "cd '" + kRoot + "' && " + command}, "",
                                     daemon.environment());
        INFO(command << "\n" << end.out << end.err);
        CHECK(end.status == 0);
        CHECK(end.out.size() + end.err.size() > 0);
    }
    CHECK(test::run_program({"sh", "-c", "ls " + daemon.state_dir() + "/outbox"}, "", {}).out !=
          "");
}

TEST_CASE("docs: the conversation of jobq-protocol(7) goes as it says", "[docs]") {
    DevDaemon daemon;
    Wire wire(daemon.socket());
    size_t replies = 0;

    std::string lines = conversation(test::read_file(kRoot + "/man/jobq-protocol.7"));
    for (auto line : split(lines, '\n')) {
        if (line.empty()) continue;
        if (!line.starts_with("< ")) {
            wire.send(std::string(line));
            continue;
        }
        std::string got = wire.reply(), expected(line.substr(2));
        INFO("expected " << expected << "\n     got " << got);
        CHECK(matches(got, expected));
        ++replies;
    }

    CHECK(replies >= 8);
}

TEST_CASE("docs: the commands of jobq-http(7) answer as it says", "[docs]") {
    DevDaemon daemon({"--http", "127.0.0.1:0"});
    const std::string ready = test::read_file(daemon.state_dir() + "/jobqd.ready");
    const std::string key = "\"http\":\"";
    const size_t at = ready.find(key) + key.size();
    const std::string address = ready.substr(at, ready.find('"', at) - at);
    std::string lines = conversation(test::read_file(kRoot + "/man/jobq-http.7"));
    size_t commands = 0;
    std::vector<std::string_view> out;
    std::string text;

    for (auto line : split(lines, '\n')) {
        if (line.empty()) continue;
        if (line.starts_with("$ ")) {
            CHECK(out.empty());
            std::string command = replaced(std::string(line.substr(2)), "127.0.0.1:7420", address);
            auto end = test::run_program({"sh", "-c", command}, "", daemon.environment());
            INFO(command << "\n" << end.out << end.err);
            CHECK(end.status == 0);
            text = end.out;
            out = split(text, '\n');
            std::erase(out, "");
            ++commands;
            continue;
        }
        REQUIRE(!out.empty());
        INFO("expected " << line << "\n     got " << out.front());
        CHECK(matches(out.front(), line));
        out.erase(out.begin());
    }

    CHECK(commands >= 12);
}

TEST_CASE("docs: jobq-http(7) has every address, and no others", "[docs]") {
    const std::string page = test::read_file(kRoot + "/man/jobq-http.7");
    std::set<std::string> in_page, in_program;
    for (auto line : split(page, '\n')) {
        auto words = split(line, ' ');
        if (words.size() > 4 && words[0] == ".It" && words[2] == "Ta" && words[3].starts_with("/"))
            in_page.insert(std::string(words[1]) + " " + std::string(words[3]));
    }
    for (const Route& route : routes())
        in_program.insert(std::string(route.method) + " " + std::string(route.path));

    CHECK(in_page == in_program);
}
