// The parts of Storage on figures that are made up: when the disk is full and when it has healed,
// what is refused on the way, when the append-only file is rewritten, and Redis's memory limit.
#include <catch2/catch.hpp>
#include <filesystem>

#include "daemon/redis/aof_rewrite.h"
#include "daemon/redis/disk_guard.h"
#include "daemon/redis/memory_guard.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_reactor.h"

using namespace jobq;
using namespace jobq::test;

namespace {

constexpr int64_t kKiB = 1 << 10, kMiB = 1 << 20;

// A disk of 80 MiB, of which the guard's file takes none: the figures are the test's.
struct Disk {
    Disk() {
        DiskGuard::Settings settings;
        settings.dir = dir.path();
        settings.reserve_file = dir / "reserve";
        settings.reserve_bytes = kMiB;
        settings.measure = [this](const std::string&) { return space; };
        guard = std::make_unique<DiskGuard>(reactor, std::move(settings));
    }

    bool refused(ScriptKind kind, size_t bytes = 100) {
        auto error = guard->refuse(kind, bytes);
        if (!error && kind == ScriptKind::adds) guard->answered(bytes);
        return error.has_value();
    }

    bool has_reserve() const { return std::filesystem::exists(dir / "reserve"); }

    TestReactor reactor;
    TempDir dir;
    std::optional<DiskSpace> space = DiskSpace{80 * kMiB, 40 * kMiB};
    std::unique_ptr<DiskGuard> guard;
};

}  // namespace

TEST_CASE("a disk that fills takes no jobs, then starts none, then writes nothing, and heals") {
    Disk disk;
    CHECK(std::filesystem::file_size(disk.dir / "reserve") == kMiB);
    CHECK_FALSE(disk.refused(ScriptKind::adds));
    disk.space->free = kMiB - 1;
    disk.guard->look();
    CHECK(disk.guard->full());
    CHECK(disk.refused(ScriptKind::adds));
    CHECK_FALSE(disk.refused(ScriptKind::takes));
    CHECK(disk.has_reserve());
    disk.space->free = kMiB / 2 - 1;  // somebody else's doing: now the reserve goes
    CHECK(disk.refused(ScriptKind::takes));
    CHECK_FALSE(disk.has_reserve());
    disk.space->free = 64 * kKiB - 1;
    CHECK(disk.refused(ScriptKind::moves));
    CHECK_FALSE(disk.refused(ScriptKind::reads));
    CHECK(disk.guard->text() == "the disk of " + disk.dir.path() +
                                    " is full (64 KiB free, but 1.5 MiB are required); free some "
                                    "space there, and jobqd continues by itself");
    disk.space->free = 2 * kMiB;  // not with room for the reserve as well
    CHECK(disk.refused(ScriptKind::adds));
    CHECK_FALSE(disk.refused(ScriptKind::takes));
    disk.space->free = 3 * kMiB;
    CHECK_FALSE(disk.refused(ScriptKind::adds));
    CHECK(disk.has_reserve());
    CHECK_FALSE(disk.guard->full());
}

TEST_CASE("a job that has no room is refused, small ones behind it until there is a margin") {
    Disk disk;
    disk.space->free = 2 * kMiB;
    disk.reactor.advance(5);  // a figure is good for so long
    CHECK(disk.refused(ScriptKind::adds, kMiB));
    CHECK(disk.refused(ScriptKind::adds, 100));
    disk.space->free = 2 * kMiB + 700 * kKiB;
    CHECK_FALSE(disk.refused(ScriptKind::adds, kMiB));
}

TEST_CASE("jobs on their way count, and having to wait for them is not a full disk") {
    Disk disk;
    disk.space->free = 4 * kMiB;
    disk.reactor.advance(5);
    CHECK_FALSE(disk.guard->refuse(ScriptKind::adds, size_t(kMiB)));
    CHECK(disk.guard->refuse(ScriptKind::adds, size_t(kMiB)));
    CHECK_FALSE(disk.guard->full());
    disk.guard->answered(size_t(kMiB));
    CHECK_FALSE(disk.refused(ScriptKind::adds, size_t(kMiB)));
}

TEST_CASE("what Redis says of its disk counts more than the figures, for two seconds") {
    Disk disk;
    disk.guard->redis_hit_the_end();
    CHECK(disk.refused(ScriptKind::adds));
    CHECK_FALSE(disk.has_reserve());
    CHECK(disk.guard->text().find("check for a quota") != std::string::npos);
    disk.reactor.advance(2'000);
    CHECK_FALSE(disk.refused(ScriptKind::adds));
    CHECK(disk.has_reserve());
}

TEST_CASE("a file system that does not say how full it is refuses nothing") {
    Disk disk;
    disk.space.reset();
    disk.reactor.advance(10);
    CHECK_FALSE(disk.refused(ScriptKind::adds));
}

TEST_CASE("the append-only file is rewritten when it has doubled and there is room") {
    RewriteCase now;
    now.file = {100 * kMiB, 255 * kMiB};
    now.data_bytes = 120 * kMiB;
    now.free_bytes = 200 * kMiB;
    now.leave_bytes = 32 * kMiB;
    CHECK_FALSE(wants_rewrite(now));
    now.file.all = 256 * kMiB;
    CHECK(wants_rewrite(now));
    CHECK(has_room_for_rewrite(now));
    now.file.base = 200 * kMiB;
    CHECK_FALSE(wants_rewrite(now));
    now.free_bytes = 160 * kMiB;
    CHECK_FALSE(has_room_for_rewrite(now));
    now.disk_full = true;
    CHECK(wants_rewrite(now));  // half of it is over
    now.data_bytes = 250 * kMiB;
    CHECK_FALSE(wants_rewrite(now));
}

TEST_CASE("new jobs are refused at nine tenths of Redis's memory limit, until it is below 85 %") {
    auto info = [](int64_t used, int64_t limit) {
        return "# Memory\r\nused_memory:" + std::to_string(used) +
               "\r\nused_memory_startup:1000\r\nmaxmemory:" + std::to_string(limit) +
               "\r\nmaxmemory_policy:noeviction\r\nmem_not_counted_for_evict:500\r\n";
    };
    MemoryGuard guard;
    CHECK_FALSE(parse_info_memory("# Server\r\nredis_version:7.0.15\r\n"));
    guard.take(*parse_info_memory(info(100'500, 0)));
    CHECK_FALSE(guard.refuse(1 << 20));  // no limit
    auto memory = parse_info_memory(info(89'500, 100'000));
    CHECK(memory->used == 89'000);
    CHECK(memory->data == 88'500);
    guard.take(*memory);
    CHECK_FALSE(guard.refuse(500));
    CHECK(guard.refuse(500));  // by its own count
    CHECK_FALSE(guard.full());
    guard.take(*parse_info_memory(info(90'500, 100'000)));
    CHECK(guard.full());
    guard.take(*parse_info_memory(info(85'501, 100'000)));
    CHECK(guard.refuse(1)->code == ErrorCode::storage_full);
    guard.take(*parse_info_memory(info(85'499, 100'000)));
    CHECK_FALSE(guard.refuse(1));
}
