// cli/top_state, cli/top_layout and cli/columns: rates, widths, and what each size of screen shows.
#include <catch2/catch.hpp>

#include "cli/terminal/columns.h"
#include "cli/top/top_layout.h"
#include "core/base/text.h"

using namespace jobq;
using namespace jobq::cli;

namespace {

std::string plain(std::string_view text, Colour) {
    return std::string(text);
}

std::vector<std::string> texts(const std::vector<Line>& lines, size_t columns) {
    std::vector<std::string> all;
    for (const auto& line : lines)
        all.push_back(to_text(line, columns, plain));
    return all;
}

bool any_has(const std::vector<std::string>& lines, std::string_view part) {
    for (const auto& line : lines)
        if (line.find(part) != std::string::npos) return true;
    return false;
}

const std::string kStats = R"({"now":"2026-11-22T10:00:00Z","version":"9.9","uptime_s":61,
    "connections":2,"memory_bytes":2097152,"jobs":{"ready":7,"running":2,"scheduled":3,
    "retrying":4,"blocked":0,"dead":5,"enqueued":100,"succeeded":50,"processed":60,
    "failed_attempts":10},"queues":[{"name":"mail","size":3,"paused":true,"latency_ms":1500},
    {"name":"\u001b[31mred","size":4,"paused":false,"latency_ms":20}],
    "pools":[{"name":"p","kind":"exec","slots":10,"busy":2,"queues":["mail","b"]}],
    "redis":{"state":"ready"},"storage":{"state":"full","text":"no room","durability":"always",
    "free_bytes":1024,"memory_bytes":2048,"memory_limit_bytes":0}})";
const std::string kWorkers = R"({"workers":[{"wid":"pool-p","kind":"pool","jobs":[]},
    {"wid":"w-1","kind":"remote","hostname":"h","pid":7,"state":"quiet","slots":4,
    "jobs":[{"jid":"j1","type":"email"},{"jid":"j2","type":"email"}]}]})";

TopSnapshot snapshot(int64_t at_ms = 1'000) {
    return read_snapshot(JsonView(kStats), JsonView(kWorkers), at_ms);
}

TopView view() {
    TopView all;
    all.address = "unix:/s";
    all.snapshot = snapshot();
    return all;
}

// With so many queues and workers.
TopView crowded(size_t queues, size_t workers) {
    TopView all = view();
    for (size_t i = 0; i < queues; ++i)
        all.snapshot->queues.push_back({"q" + std::to_string(i), int64_t(i), 0, false});
    for (size_t i = 0; i < workers; ++i)
        all.snapshot->workers.push_back(
            {"w" + std::to_string(i), "remote", "running", "h:1", "", 0, 1});
    return all;
}

}  // namespace

TEST_CASE("top: text is as wide as the terminal shows it") {
    CHECK(columns_of("abc") == 3);
    CHECK(columns_of("é€") == 2);
    CHECK(columns_of("漢字") == 4);
    CHECK(columns_of("e\u0301") == 1);
    CHECK(fit("漢字", 3) == "漢");
    CHECK(fit("e\u0301x", 1) == "e\u0301");
    CHECK(fit("abc", 0).empty());
    CHECK(cell("ab", 4) == "ab  ");
    CHECK(cell("abcdef", 4) == "abc…");
    CHECK(cell("漢字字", 4) == "漢… ");
    CHECK(cell("ab", 0).empty());
    CHECK(right_cell("12", 4) == "  12");
    CHECK(right_cell("12345", 4) == "123…");
}

TEST_CASE("top: rates are differences over the time between two answers") {
    const TopSnapshot before = snapshot(1'000);
    TopSnapshot after = snapshot(3'000);
    after.jobs.enqueued += 10;
    after.jobs.processed += 8;
    after.jobs.succeeded += 6;
    after.jobs.failed_attempts += 2;
    const auto rates = rates_between(before, after);
    REQUIRE(rates);
    CHECK(rates->enqueued == 5);
    CHECK(rates->finished == 4);
    CHECK(rates->succeeded == 3);
    CHECK(rates->failed == 1);
    CHECK_FALSE(rates_between(before, snapshot(1'000)));  // no time between
    CHECK_FALSE(rates_between(after, snapshot(4'000)));   // counts that fell: another store
    CHECK(rate_words(0) == "0/s");
    CHECK(rate_words(0.25) == "0.2/s");
    CHECK(rate_words(9.96) == "10/s");
    CHECK(rate_words(12345.6) == "12346/s");
    CHECK(bytes_words(512) == "512 B");
    CHECK(bytes_words(1536) == "1.5 KiB");
    CHECK(bytes_words(int64_t(20) << 30) == "20 GiB");
}

TEST_CASE("top: an answer is read whole, and odd or missing parts do no harm") {
    const TopSnapshot read = snapshot();
    CHECK(read.workers.size() == 1);  // not the pool
    CHECK(read.workers[0].jobs == "email j1, email j2");
    CHECK(read.queues[1].name == "red");  // no escape sequences
    CHECK(read.pools[0].queues == "mail, b");
    for (const char* odd : {"", "{}", "[]", "null", R"({"queues":{},"jobs":[],"pools":1})"}) {
        TopView empty;
        empty.snapshot = read_snapshot(JsonView(odd), JsonView(odd), 0);
        CHECK(empty.snapshot->queues.empty());
        CHECK(lay_out_screen(empty, 80, 24).size() == 24);
    }
}

TEST_CASE("top: queues are sorted by size, latency or name") {
    std::vector<TopQueue> queues{{"b", 1, 50, false}, {"a", 1, 10, false}, {"c", 9, 20, false}};
    const auto names = [&queues](QueueOrder order) {
        sort_queues(queues, order);
        return queues[0].name + queues[1].name + queues[2].name;
    };
    CHECK(names(QueueOrder::size) == "cab");
    CHECK(names(QueueOrder::latency) == "bca");
    CHECK(names(QueueOrder::name) == "abc");
    QueueOrder order = QueueOrder::size;
    for (int i = 0; i < 3; ++i)
        order = next_order(order);
    CHECK(order == QueueOrder::size);
}

TEST_CASE("top: rows are shared evenly between the tables") {
    CHECK(share_rows(10, {3, 3}) == std::vector<size_t>{3, 3});
    CHECK(share_rows(10, {20, 2, 20}) == std::vector<size_t>{4, 2, 4});
    CHECK(share_rows(5, {9, 9}) == std::vector<size_t>{3, 2});
    CHECK(share_rows(0, {9}) == std::vector<size_t>{0});
    CHECK(share_rows(9, {}).empty());
}

TEST_CASE("top: every size of screen is filled exactly and overrun nowhere") {
    TopView all = crowded(40, 40);
    all.snapshot->queues.push_back({"漢字漢字漢字漢字漢字漢字漢字漢字漢字", 1, 1, true});
    all.trouble = "gone";
    for (size_t rows = 0; rows < 60; ++rows)
        for (const size_t columns : {1, 2, 7, 20, 79, 80, 81, 200}) {
            const auto lines = texts(lay_out_screen(all, columns, rows), columns);
            REQUIRE(lines.size() == rows);
            for (const auto& line : lines) {
                REQUIRE(columns_of(line) <= columns);
                REQUIRE(is_utf8(line));
            }
            if (rows > 0)
                REQUIRE(lines.back().starts_with(std::string("q quit").substr(0, columns)));
        }
}

TEST_CASE("top: what is left out is counted") {
    const auto lines = texts(lay_out_screen(crowded(40, 0), 100, 24), 100);
    CHECK(any_has(lines, " more"));
    CHECK(any_has(lines, "POOL"));
    CHECK(any_has(lines, "w-1 "));
    const auto tall = texts(lay_out_screen(crowded(40, 0), 100, 80), 100);
    CHECK_FALSE(any_has(tall, " more"));
}

TEST_CASE("top: the words say all that a colour does") {
    TopView all = view();
    auto lines = texts(lay_out_screen(all, 120, 30), 120);
    CHECK(any_has(lines, "jobqd 9.9, up 1m, 2 connections, 2.0 MiB, at unix:/s"));
    CHECK(any_has(lines, "Redis ready, 2.0 KiB, durability always, storage full, 1.0 KiB free"));
    CHECK(any_has(lines, "no room"));
    CHECK(any_has(lines, "7 ready, 2 running, 3 scheduled, 4 retrying, 5 dead"));
    CHECK(any_has(lines, "known after the second answer"));
    CHECK(any_has(lines, "  paused"));
    CHECK(any_has(lines, "2/10"));
    CHECK(any_has(lines, "quiet"));
    CHECK(any_has(lines, "sorted by size"));
    all.rates = TopRates{5, 4, 3, 1};
    all.paused = true;
    all.trouble = "the connection was lost";
    all.trouble_ms = 61'500;
    lines = texts(lay_out_screen(all, 120, 30), 120);
    CHECK(any_has(lines, "PAUSED, p resumes"));
    CHECK(any_has(lines, "NO FIGURES for 1m: the connection was lost; retrying"));
    CHECK(any_has(lines, "5.0/s enqueued, 4.0/s finished, 3.0/s succeeded, 1.0/s failed"));
    const auto waiting = texts(lay_out_screen(TopView{}, 80, 5), 80);
    CHECK(any_has(waiting, "Waiting"));
}

TEST_CASE("top: a frame is one synchronized update, colours around what was cut") {
    const auto paint = [](std::string_view text, Colour colour) {
        return colour == Colour::plain ? std::string(text) : "<" + std::string(text) + ">";
    };
    const std::vector<Line> lines{{{"ab"}, {"cdef", Colour::bad}, {"gh"}}, {}};
    CHECK(to_text(lines[0], 4, paint) == "ab<cd>");
    CHECK(to_text(lines[0], 2, paint) == "ab");
    CHECK(to_frame(lines, 4, paint) == "\033[?2026h\033[H\033[2Kab<cd>\r\n\033[2K\033[?2026l");
}
