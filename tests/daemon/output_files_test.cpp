// Output in files: what is written is read again, in order, once; limits, the quota, and files of
// earlier leases and of damaged disks.
#include "daemon/broker/output_files.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace jobq::test {
namespace {

constexpr auto kOut = OutputStream::out, kErr = OutputStream::err;
constexpr int64_t kMuch = 1 << 30;
const OutputFiles::Key kKey{"job-0001", 1};

std::string all(const OutputFiles& files, const OutputFiles::Key& key = kKey) {
    std::string text;
    auto reader = files.read(key);
    while (reader) {
        auto piece = reader->next();
        if (!piece) break;
        text += (piece->stream == kOut ? "o" : "e") + std::to_string(piece->offset) + ":" +
                piece->bytes + "|";
    }
    return text;
}

}  // namespace

TEST_CASE("pieces in a file are read as they were written, and a resend changes nothing") {
    const TempDir dir;
    OutputFiles files(dir / "output");
    CHECK_FALSE(files.read(kKey));
    const std::string bytes("a\0\n\xff", 4);
    files.add(kKey, "t", {kOut, 0, 1'000, bytes}, kMuch, kMuch);
    files.add(kKey, "t", {kErr, 0, 1'100, "warn"}, kMuch, kMuch);
    files.add(kKey, "t", {kOut, 0, 1'000, bytes + "b"}, kMuch, kMuch);
    CHECK(all(files) == "o0:" + bytes + "|e0:warn|o4:b|");
    CHECK(files.stdout_of(kKey) == bytes + "b");
    SECTION("another jobqd goes on with it, for the same lease") {
        OutputFiles later(dir / "output");
        CHECK(later.bytes() == files.bytes());
        later.add(kKey, "t", {kOut, 3, 1'200, bytes.substr(3) + "bc"}, kMuch, kMuch);
        CHECK(later.stdout_of(kKey) == bytes + "bc");
    }
    SECTION("and begins anew for another one") {
        OutputFiles later(dir / "output");
        later.add(kKey, "other", {kOut, 0, 1'200, "new"}, kMuch, kMuch);
        CHECK(all(later) == "o0:new|");
    }
    SECTION("also in the same jobqd, whether or not it was closed") {
        if (GENERATE(true, false)) files.close(kKey);
        files.add(kKey, "other", {kOut, 0, 1'200, "ne"}, kMuch, kMuch);
        files.add(kKey, "other", {kOut, 2, 1'200, "w"}, kMuch, kMuch);
        CHECK(all(files) == "o0:ne|o2:w|");
        CHECK(files.bytes() == OutputFiles(dir / "output").bytes());
    }
    SECTION("a long piece is read like any other") {
        const std::string more(200 << 10, 'x');
        files.add(kKey, "t", {kOut, 5, 1'200, more}, kMuch, kMuch);
        CHECK(files.stdout_of(kKey) == bytes + "b" + more);
        OutputFiles later(dir / "output");
        later.add(kKey, "t", {kOut, 5 + (200 << 10), 1'300, "end"}, kMuch, kMuch);
        CHECK(later.stdout_of(kKey) == bytes + "b" + more + "end");
    }
    SECTION("what is left out is missing") {
        files.add(kKey, "t", {kOut, 10, 1'200, "later"}, kMuch, kMuch);
        CHECK(files.stdout_of(kKey) == bytes + "b");
    }
    SECTION("it can be removed") {
        files.remove(kKey);
        CHECK(files.bytes() == 0);
        CHECK(files.keys().empty());
        CHECK(std::filesystem::is_empty(dir / "output"));
    }
}

TEST_CASE("a file has at most so much of each stream, and all of them at most the quota") {
    const TempDir dir;
    OutputFiles files(dir / "output");
    files.add(kKey, "t", {kOut, 0, 0, "0123456789"}, 4, kMuch);
    files.add(kKey, "t", {kErr, 0, 0, "0123456789"}, 4, kMuch);
    CHECK(all(files) == "o0:0123|e0:0123|");
    const OutputFiles::Key other{"job-0002", 3};
    files.add(other, "t", {kOut, 0, 0, std::string(1'000, 'x')}, kMuch, 500);
    files.add(other, "t", {kOut, 1'000, 0, "y"}, kMuch, 500);
    CHECK_FALSE(files.read(other));  // not a file without output
    CHECK(files.bytes() <= 500);
    OutputFiles off("");
    off.add(kKey, "t", {kOut, 0, 0, "x"}, kMuch, kMuch);
    CHECK_FALSE(off.read(kKey));
}

TEST_CASE("jids that are no file names have files of their own") {
    const TempDir dir;
    OutputFiles files(dir / "output");
    for (const char* jid : {"../../etc/passwd", "a/b", "a.1", "=61", "\xff\n", ".", "a"})
        files.add({jid, 2}, "t", {kOut, 0, 0, jid}, kMuch, kMuch);
    OutputFiles again(dir / "output");
    CHECK(again.keys().size() == 7);
    for (const auto& key : again.keys())
        CHECK(again.stdout_of(key) == key.jid);
    CHECK_FALSE(std::filesystem::exists(dir / "etc"));
    files.add({std::string(128, '/'), 1}, "t", {kOut, 0, 0, "x"}, kMuch, kMuch);
    CHECK(files.stdout_of({std::string(128, '/'), 1}).empty());
}

TEST_CASE("what is torn at the end of a file is cut off, and damage is no output") {
    const TempDir dir;
    {
        OutputFiles files(dir / "output");
        files.add(kKey, "t", {kOut, 0, 0, "whole"}, kMuch, kMuch);
        files.add(kKey, "t", {kOut, 5, 0, "torn"}, kMuch, kMuch);
    }
    const std::string path = dir / "output/job-0001.1";
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 2);
    OutputFiles files(dir / "output");
    CHECK(files.stdout_of(kKey) == "whole");
    files.add(kKey, "t", {kOut, 5, 0, "torn"}, kMuch, kMuch);
    CHECK(files.stdout_of(kKey) == "wholetorn");
    std::ofstream(path) << "t\n" << std::string(100, '\xff');
    CHECK(all(files).empty());
}

}  // namespace jobq::test
