// The examples of the README and the manual, run against the programs as built.
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "core/base/text.h"
#include "tests/docs/dev_daemon.h"
#include "tests/docs/program.h"

using namespace jobq;
using test::DevDaemon;

namespace {

const std::string kRoot = JOBQ_SOURCE_DIR;

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
bool matches(const std::string& text, const std::string& pattern) {
    size_t dots = pattern.find("...");
    if (dots == std::string::npos) return text == pattern;
    return text.starts_with(pattern.substr(0, dots)) && text.ends_with(pattern.substr(dots + 3));
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
