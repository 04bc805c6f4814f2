// The append-only file of a real Redis, cut short, filled with zeros and damaged in the middle:
// what is mended, what is kept of it, and what is left to a person.
#include "daemon/redis/aof_tail.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "core/base/text.h"
#include "daemon/redis/link.h"
#include "daemon/redis/private_redis.h"
#include "tests/daemon/on_loop.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using namespace jobq::test;

namespace {

namespace fs = std::filesystem;

struct Mended {
    Error error;
    std::string text;
    int64_t length = -1;  // of the list
};

// Starts a private Redis on `dir`, calls `use` and reads the list's length.
Mended start(const std::string& dir, int pushes) {
    UvReactor reactor;
    PrivateRedis::Settings settings;
    settings.state_dir = dir;
    auto redis = PrivateRedis::prepare(reactor, settings);
    REQUIRE(redis);
    Mended mended;
    (*redis)->on_mended([&](const std::string& text) { mended.text += text; });
    auto started = on_loop(reactor, (*redis)->start(10'000));
    if (started) {
        UvRedisLink::Settings to;
        to.address = (*redis)->address();
        UvRedisLink link(reactor, std::move(to));
        link.start();
        for (int n = 0; n < pushes; ++n) {
            Command push("EVAL",
                         std::string_view("redis.call('SET', KEYS[1]..':last', ARGV[1]) "
                                          "return redis.call('RPUSH', KEYS[1], ARGV[1])"),
                         1, std::string_view("jobq:{t}:l"), n);
            REQUIRE(on_loop(reactor, link.call(std::move(push))));
        }
        Command length("LLEN", std::string_view("jobq:{t}:l"));
        mended.length = on_loop(reactor, link.call(std::move(length)))->integer;
        on_loop(reactor, link.stop());
    } else {
        mended.error = started.error();
    }
    on_loop(reactor, (*redis)->stop());
    return mended;
}

std::string file_in(const std::string& dir) {
    return dir + "/redis/appendonlydir/appendonly.aof.1.incr.aof";
}

std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::vector<std::string> cuts_in(const std::string& dir) {
    std::vector<std::string> cuts;
    for (const auto& entry : fs::directory_iterator(dir + "/redis"))
        if (entry.path().filename().string().starts_with("cut-")) cuts.push_back(entry.path());
    return cuts;
}

}  // namespace

TEST_CASE("a torn end is cut off, said, and kept, all before it is there") {
    TempDir temp;
    std::string dir = temp / "s";
    REQUIRE(start(dir, 50).length == 50);
    const std::string whole = bytes_of(file_in(dir));
    CHECK(scan_aof(file_in(dir))->end == AofScan::End::whole);
    const size_t torn = GENERATE(1u, 7u, 20u, 60u);  // the last also in the transaction's middle
    const bool zeros = GENERATE(false, true);
    INFO(torn << " bytes, zeros " << zeros);
    std::string damaged = whole.substr(0, whole.size() - torn);
    if (zeros) damaged += std::string(512, '\0');
    write_bytes(file_in(dir), damaged);
    Mended mended = start(dir, 0);
    INFO(mended.error.text);
    CHECK(mended.length == 49);
    CHECK(mended.text.find("were an incomplete record") != std::string::npos);
    auto cuts = cuts_in(dir);
    REQUIRE(cuts.size() == 1);
    CHECK(mended.text.find(cuts[0]) != std::string::npos);
    const std::string left = whole.substr(0, damaged.size() - fs::file_size(cuts[0]));
    CHECK(left + bytes_of(cuts[0]) == damaged);
    CHECK(start(dir, 0).text.empty());  // once
}

TEST_CASE("512 zeros behind the last record are cut off, and nothing is lost") {
    TempDir temp;
    std::string dir = temp / "s";
    REQUIRE(start(dir, 50).length == 50);
    write_bytes(file_in(dir), bytes_of(file_in(dir)) + std::string(512, '\0'));
    Mended mended = start(dir, 0);
    CHECK(mended.length == 50);
    CHECK(mended.text.find("the last 512 bytes") != std::string::npos);
}

TEST_CASE("damage before the end is left to a person, with the command") {
    TempDir temp;
    std::string dir = temp / "s";
    REQUIRE(start(dir, 50).length == 50);
    std::string bytes = bytes_of(file_in(dir));
    // A length that becomes larger than the rest of the file is what Redis takes for a torn end.
    const std::string wrong = GENERATE("\r\n$9999\r\n", "\r\n$!\r\n", "\r\n&4\r\n");
    size_t at = bytes.find("\r\n$", bytes.size() / 2);
    size_t end = bytes.find("\r\n", at + 2);
    bytes.replace(at, end + 2 - at, wrong);
    write_bytes(file_in(dir), bytes);
    Mended mended = start(dir, 0);
    CHECK(mended.error.code == ErrorCode::corrupt);
    CHECK(info(mended.error.code).exit_status == 70);
    CHECK(bytes_of(file_in(dir)) == bytes);
    CHECK(cuts_in(dir).empty());
    size_t command = mended.error.text.find("redis-check-aof --fix");
    REQUIRE(command != std::string::npos);
    std::string repair = "echo y | " + mended.error.text.substr(command) + " >/dev/null 2>&1";
    REQUIRE(std::system(repair.c_str()) == 0);
    mended = start(dir, 0);
    CHECK(mended.length > 5);
    CHECK(mended.length < 50);
}

TEST_CASE("a record that jobq never wrote is not dropped without a word") {
    TempDir temp;
    std::string dir = temp / "s";
    REQUIRE(start(dir, 50).length == 50);
    std::string bytes = bytes_of(file_in(dir));
    // One bit each: a key that is not jobq's, a name that is none. Also in the last record.
    const auto [from, to] =
        GENERATE(std::pair{"jobq:{t}:l\r", "kobq:{t}:l\r"}, std::pair{"RPUSH", "RPUS\xc8"});
    const bool last = GENERATE(false, true);
    const size_t at = last ? bytes.rfind(from) : bytes.find(from, bytes.size() / 2);
    bytes.replace(at, std::string(from).size(), to);
    write_bytes(file_in(dir), bytes);
    Mended mended = start(dir, 0);
    INFO(mended.error.text);
    CHECK(mended.error.code == ErrorCode::corrupt);
    CHECK(bytes_of(file_in(dir)) == bytes);
    const size_t command = mended.error.text.find("truncate -s ");
    REQUIRE(command != std::string::npos);
    REQUIRE(std::system(mended.error.text.substr(command).c_str()) == 0);
    mended = start(dir, 0);
    CHECK(mended.error.text == "");
    CHECK(mended.length == (last ? 49 : mended.length));
    CHECK(mended.length > 5);
}

TEST_CASE("a manifest that makes Redis forget its file, or miss it, is refused") {
    TempDir temp;
    std::string dir = temp / "s";
    REQUIRE(start(dir, 50).length == 50);
    const std::string file = dir + "/redis/appendonlydir/appendonly.aof.manifest";
    std::string text = bytes_of(file);
    const auto [from, to] =
        GENERATE(std::pair{" type i", " type h"}, std::pair{" type b", " type c"},
                 std::pair{".incr.", ".incs."});
    text.replace(text.find(from), std::string(from).size(), to);
    write_bytes(file, text);
    const Mended mended = start(dir, 0);
    INFO(mended.error.text);
    CHECK(mended.error.code == ErrorCode::corrupt);
    CHECK(mended.error.text.find("correct the manifest") != std::string::npos);
    CHECK(fs::exists(file_in(dir)));
}

TEST_CASE("a damaged base file, or a command of another name, is refused with the way out") {
    TempDir temp;
    std::string dir = temp / "s";
    REQUIRE(start(dir, 50).length == 50);
    std::string file = file_in(dir);
    const int part = GENERATE(0, 1, 2);  // of a base its middle, or its first byte
    if (part > 0) file.replace(file.find(".incr.aof"), 9, ".base.rdb");
    std::string bytes = bytes_of(file);
    bytes[part == 0 ? bytes.find("SELECT") : part == 1 ? bytes.size() / 2 : 0] ^= 4;
    write_bytes(file, bytes);
    const Mended mended = start(dir, 0);
    INFO(mended.error.text);
    CHECK(mended.error.code == ErrorCode::corrupt);
    const std::string redis = dir + "/redis";
    CHECK(mended.error.text.find("continue without these data: mv " + redis + " " + redis +
                                 ".damaged") != std::string::npos);
}

TEST_CASE("a large record, and output that looks like a record, are read by their lengths") {
    TempDir temp;
    std::string hostile = "*1\r\n$4\r\nPING\r\n", big(3 << 20, 'b');
    auto record = [](const std::string& value) {
        return "*3\r\n$3\r\nSET\r\n$6\r\njobq:k\r\n$" + std::to_string(value.size()) + "\r\n" +
               value + "\r\n";
    };
    std::string file = temp.write("aof", record(big) + record(hostile) + record("x"));
    CHECK(scan_aof(file)->end == AofScan::End::whole);
    write_bytes(file, record(big) + record("x") + "*1\r\n$5\r\nMULTI\r\n" + record("y"));
    auto scan = scan_aof(file);
    CHECK(scan->end == AofScan::End::torn);  // its EXEC never came
    CHECK(scan->good == int64_t(record(big).size() + record("x").size()));
    write_bytes(file, record("x") + record(big).substr(0, 2 << 20));
    CHECK(scan_aof(file)->end == AofScan::End::torn);
    write_bytes(file, "");
    CHECK(scan_aof(file)->end == AofScan::End::whole);
    CHECK(scan_aof(temp / "none").error().code == ErrorCode::config);
}

TEST_CASE("the state directory of a newer jobqd is refused, with the way out") {
    TempDir temp;
    std::string dir = temp / "s";
    start(dir, 0);
    CHECK(bytes_of(dir + "/format") == "1\n");
    write_bytes(dir + "/format", "2\n");
    UvReactor reactor;
    PrivateRedis::Settings settings;
    settings.state_dir = dir;
    auto redis = PrivateRedis::prepare(reactor, settings);
    REQUIRE_FALSE(redis);
    CHECK(redis.error().code == ErrorCode::config);
    CHECK(redis.error().text ==
          "can't use the state directory " + dir +
              ": a newer jobqd wrote it (format 2, but this one supports only up to 1); install "
              "that version again, or use another state_dir");
}
