// Listeners: who may connect, whose socket file it is, and what happens when descriptors run out.
#include "daemon/loop/listener.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/daemon/on_loop.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using namespace jobq::test;

namespace {

Endpoint unix_at(const std::string& path) {
    return *parse_endpoint("unix:" + path);
}

using Streams = std::vector<std::unique_ptr<Stream>>;

Listener::OnConnect keep_in(Streams& streams) {
    return [&streams](std::unique_ptr<Stream> stream) { streams.push_back(std::move(stream)); };
}

mode_t mode_of(const std::string& path) {
    struct stat file {};

    REQUIRE(::lstat(path.c_str(), &file) == 0);
    return file.st_mode & 07777;
}

}  // namespace

TEST_CASE("the socket file is 0660 whatever the umask, and gone after close") {
    UvReactor reactor;
    TempDir dir;
    Streams streams;
    mode_t before = ::umask(GENERATE(mode_t(0), mode_t(077), mode_t(022)));
    auto listener = Listener::listen(reactor, unix_at(dir / "s"), keep_in(streams));
    mode_t kept = ::umask(before);
    REQUIRE(listener);
    CHECK((kept == 0 || kept == 077 || kept == 022));  // the process's own umask is put back
    CHECK(mode_of(dir / "s") == 0660);
    (*listener)->close();
    CHECK_FALSE(std::filesystem::exists(dir / "s"));
}

TEST_CASE("a Unix peer is known by its credentials") {
    UvReactor reactor;
    TempDir dir;
    Streams streams;
    auto listener = Listener::listen(reactor, unix_at(dir / "s"), keep_in(streams));
    auto client = on_loop(reactor, Stream::connect(reactor, unix_at(dir / "s"), 1'000));
    REQUIRE(client);
    REQUIRE(on_loop(reactor, until(reactor, [&] { return streams.size() == 1; })));
    CHECK(streams[0]->is_unix());
    CHECK(streams[0]->peer().pid == ::getpid());
    CHECK(streams[0]->peer().uid == int64_t(::geteuid()));
}

TEST_CASE("a live server's socket is refused, a dead one's is replaced") {
    UvReactor reactor;
    TempDir dir;
    Streams streams;
    std::string path = dir / "s";
    {
        auto first = Listener::listen(reactor, unix_at(path), keep_in(streams));
        REQUIRE(first);
        auto second = Listener::listen(reactor, unix_at(path), keep_in(streams));
        REQUIRE_FALSE(second);
        CHECK(second.error().code == ErrorCode::conflict);
        CHECK_THAT(second.error().text, Catch::Contains(path));
        // As a SIGKILL leaves it: the file stays, nobody listens.
        std::filesystem::rename(path, path + ".kept");
    }
    std::filesystem::rename(path + ".kept", path);
    auto third = Listener::listen(reactor, unix_at(path), keep_in(streams));
    REQUIRE(third);
    CHECK(on_loop(reactor, Stream::connect(reactor, unix_at(path), 1'000)));
}

TEST_CASE("what is not a socket is left alone") {
    UvReactor reactor;
    TempDir dir;
    Streams streams;
    std::string path = dir / "s";
    SECTION("a file") {
        dir.write("s", "precious");
    }
    SECTION("a link, even to a dead socket") {
        std::filesystem::create_symlink(dir / "elsewhere", path);
    }
    SECTION("a fifo") {
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    }
    auto listener = Listener::listen(reactor, unix_at(path), keep_in(streams));
    REQUIRE_FALSE(listener);
    CHECK(listener.error().code == ErrorCode::conflict);
    CHECK(std::filesystem::symlink_status(path).type() != std::filesystem::file_type::not_found);
}

TEST_CASE("close leaves a socket alone that someone else put there meanwhile") {
    UvReactor reactor;
    TempDir dir;
    Streams streams;
    std::string path = dir / "s";
    auto first = Listener::listen(reactor, unix_at(path), keep_in(streams));
    std::filesystem::remove(path);
    auto second = Listener::listen(reactor, unix_at(path), keep_in(streams));
    REQUIRE(second);
    (*first)->close();
    CHECK(on_loop(reactor, Stream::connect(reactor, unix_at(path), 1'000)));
}

TEST_CASE("places where it can't listen are named") {
    UvReactor reactor;
    TempDir dir;
    Streams streams;
    Endpoint too_long;
    too_long.unix_path = dir / std::string(120, 'x');
    auto refused = Listener::listen(reactor, too_long, keep_in(streams));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid);

    auto missing = Listener::listen(reactor, unix_at(dir / "no/such/dir/s"), keep_in(streams));
    REQUIRE_FALSE(missing);
    CHECK_THAT(missing.error().text, Catch::Contains("no/such/dir/s"));

    auto first = Listener::listen(reactor, *parse_listen("127.0.0.1:0"), keep_in(streams));
    REQUIRE(first);
    CHECK((*first)->endpoint().port > 0);
    auto taken = Listener::listen(reactor, (*first)->endpoint(), keep_in(streams));
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == ErrorCode::conflict);
}

TEST_CASE("a socket that listens already can be taken over") {
    UvReactor reactor;
    TempDir dir;
    Streams streams;
    auto first = Listener::listen(reactor, *parse_listen("127.0.0.1:0"), keep_in(streams));
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(::listen(fd, 10) == 0);  // the kernel picks a port
    auto adopted = Listener::adopt(reactor, fd, keep_in(streams));
    REQUIRE(adopted);
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    Endpoint endpoint = (*adopted)->endpoint();
    endpoint.host = "127.0.0.1";
    CHECK(on_loop(reactor, Stream::connect(reactor, endpoint, 1'000)));

    int plain = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_FALSE(Listener::adopt(reactor, plain, keep_in(streams)));
    ::close(plain);
}

TEST_CASE("out of descriptors it refuses connections, says so once, and comes back") {
    UvReactor reactor;
    TempDir dir;
    Streams streams;
    std::vector<std::string> troubles;
    auto listener = Listener::listen(reactor, unix_at(dir / "s"), keep_in(streams));
    REQUIRE(listener);
    (*listener)->on_trouble([&](std::string text) { troubles.push_back(std::move(text)); });

    // Two clients connect while the process has no descriptor left but the listener's reserve.
    auto one = on_loop(reactor, Stream::connect(reactor, unix_at(dir / "s"), 1'000));
    auto settled = [&] { return streams.size() == 1; };
    REQUIRE(on_loop(reactor, until(reactor, settled)));
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    int clients[2];
    for (int& fd : clients)
        fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int highest = ::dup(clients[1]);
    ::close(highest);
    rlimit tight = before;
    tight.rlim_cur = rlim_t(highest);
    std::vector<int> fillers;  // holes below the limit
    // No assertion until descriptors are back: UBSan's own checks need one, and fail without.
    const bool tightened = ::setrlimit(RLIMIT_NOFILE, &tight) == 0;
    for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0;
         fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC))
        fillers.push_back(fd);

    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    (dir / "s").copy(name.sun_path, sizeof name.sun_path - 1);
    int connected = 0;
    for (int fd : clients)
        connected += ::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0;
    auto refused = [&] {
        char byte;
        return ::recv(clients[0], &byte, 1, MSG_DONTWAIT) == 0 &&
               ::recv(clients[1], &byte, 1, MSG_DONTWAIT) == 0;
    };
    bool both_refused = on_loop(reactor, until(reactor, refused));
    ::setrlimit(RLIMIT_NOFILE, &before);
    for (int fd : fillers)
        ::close(fd);
    for (int fd : clients)
        ::close(fd);
    REQUIRE(tightened);
    CHECK(connected == 2);
    CHECK(both_refused);
    REQUIRE(troubles.size() == 1);
    CHECK_THAT(troubles[0], Catch::Contains("Too many open files"));

    CHECK(on_loop(reactor, Stream::connect(reactor, unix_at(dir / "s"), 1'000)));
    CHECK(on_loop(reactor, until(reactor, [&] { return streams.size() == 2; })));
}
