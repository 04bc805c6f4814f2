// Directories that another user could exchange are refused. Those of other users need root to be
// made: without it that half is left out, with words.
#include "core/base/own_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/temp_dir.h"

using namespace jobq;
using Catch::Contains;
using jobq::test::TempDir;

namespace {

constexpr uid_t kOther = 54322;

bool is_root() {
    if (geteuid() == 0) return true;
    WARN("not root: directories of other users are not tried");
    return false;
}

std::string made(const std::string& path, mode_t mode) {
    REQUIRE(mkdir(path.c_str(), 0700) == 0);
    REQUIRE(chmod(path.c_str(), mode) == 0);
    return path;
}

void give_away(const std::string& path) {
    REQUIRE(lchown(path.c_str(), kOther, kOther) == 0);
}

}  // namespace

TEST_CASE("a directory of our own in a sticky one is good, and its path has no links") {
    TempDir dir;
    made(dir / "sticky", 01777);
    auto own = own_dir(dir / "sticky/own");
    REQUIRE(own);
    CHECK(own->path == dir / "sticky/own");
    CHECK(own->doubt.empty());

    struct stat info {};

    REQUIRE(stat(own->path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0700);
    std::filesystem::create_directory_symlink(own->path, dir / "link");
    auto linked = own_dir(dir / "link");
    REQUIRE(linked);
    CHECK(linked->path == own->path);
}

TEST_CASE("a directory that others can write to is refused as ours, whatever the mode") {
    TempDir dir;
    for (mode_t mode : {0777, 01777, 0722, 0770}) {
        CAPTURE(mode);
        const std::string path = dir / ("m" + std::to_string(mode));
        auto own = own_dir(made(path, mode));
        REQUIRE_FALSE(own);
        CHECK_THAT(own.error().text, Contains("chmod 700 " + path));
    }
}

TEST_CASE("a parent that others can write to without protection is told") {
    TempDir dir;
    made(dir / "open", 0777);
    made(dir / "open/a", 0700);
    auto own = own_dir(dir / "open/a/own");
    REQUIRE(own);
    CHECK_THAT(own->doubt, Contains("other users can write to " + (dir / "open")));
}

TEST_CASE("what is no directory, or is not there, is refused with its path") {
    TempDir dir;
    dir.write("file", "");
    for (const auto& path : {dir / "file", dir / "file/x", dir / "none/x"}) {
        auto own = own_dir(path);
        REQUIRE_FALSE(own);
        CHECK_THAT(own.error().text, Contains(path));
    }
}

TEST_CASE("another user's directory, parent or link is refused") {
    if (!is_root()) return;
    TempDir dir;
    made(dir / "his", 0700);
    made(dir / "his/ours", 0700);
    give_away(dir / "his");
    made(dir / "ours", 0700);
    std::filesystem::create_directory_symlink(dir / "ours", dir / "link");
    give_away(dir / "link");
    for (const auto& path : {dir / "his", dir / "his/ours", dir / "link", dir / "link/new"}) {
        CAPTURE(path);
        for (auto own : {own_dir(path), safe_dir(path, false)}) {
            if (own) FAIL("taken: " << own->path);
            if (own.error().code == ErrorCode::not_found) continue;  // link/new, not made
            CHECK_THAT(own.error().text, Contains("54322"));
        }
    }
    made(dir / "shared", 0777);
    give_away(dir / "shared");
    made(dir / "shared/entry", 0700);
    CHECK_FALSE(own_dir(dir / "shared/entry"));
}
