// See top_layout.h. A table's first row is its heading; what does not fit is counted in its last.
#include "cli/top/top_layout.h"

#include <algorithm>
#include <cstdio>

#include "cli/terminal/columns.h"
#include "cli/terminal/show.h"

namespace jobq::cli {
namespace {

constexpr size_t kLabel = 9;  // columns of "storage  "

Line labelled(std::string_view label, Line rest) {
    rest.insert(rest.begin(), TextSpan{cell(label, kLabel), Colour::faint});
    return rest;
}

TextSpan state_span(std::string text, bool good) {
    return {std::move(text), good ? Colour::plain : Colour::bad};
}

Line title(const TopView& view) {
    Line line;
    if (const auto& snapshot = view.snapshot)
        line.push_back({"jobqd " + snapshot->version + ", up " + uptime_words(snapshot->uptime_s) +
                        ", " + std::to_string(snapshot->connections) +
                        (snapshot->connections == 1 ? " connection, " : " connections, ") +
                        bytes_words(snapshot->memory_bytes) + ", "});
    else
        line.push_back({"jobqd "});
    line.push_back({"at " + printable(view.address)});
    if (view.paused) line.push_back({"  PAUSED, p resumes", Colour::busy});
    return line;
}

Line trouble(const TopView& view) {
    return {{"NO FIGURES", Colour::bad},
            {" for " + rounded(view.trouble_ms / 1000 * 1000) + ": " + printable(view.trouble) +
             "; retrying" + (view.snapshot ? "; the last figures are below" : "")}};
}

Line store_line(const TopSnapshot& snapshot) {
    Line line{{"Redis "}, state_span(snapshot.redis, snapshot.redis == "ready")};
    std::string more;
    if (snapshot.store_bytes > 0) more += ", " + bytes_words(snapshot.store_bytes);
    if (snapshot.store_limit_bytes > 0) more += " of " + bytes_words(snapshot.store_limit_bytes);
    if (!snapshot.durability.empty()) more += ", durability " + snapshot.durability;
    line.push_back({more});
    if (snapshot.storage.empty()) return labelled("store", line);
    line.push_back({", storage "});
    line.push_back(state_span(snapshot.storage, snapshot.storage == "normal"));
    if (snapshot.free_bytes) line.push_back({", " + bytes_words(*snapshot.free_bytes) + " free"});
    return labelled("store", line);
}

Line jobs_line(const TopJobs& jobs) {
    Line line{{std::to_string(jobs.ready) + " ready, "},
              {std::to_string(jobs.running) + " running, "},
              {std::to_string(jobs.scheduled) + " scheduled, " + std::to_string(jobs.retrying) +
               " retrying, "}};
    if (jobs.blocked > 0) line.push_back({std::to_string(jobs.blocked) + " blocked, "});
    line.push_back(state_span(std::to_string(jobs.dead) + " dead", jobs.dead == 0));
    return labelled("jobs", line);
}

Line rates_line(const TopView& view) {
    if (!view.rates) return labelled("rates", {{"known after the second answer"}});
    const TopRates& rates = *view.rates;
    return labelled("rates",
                    {{rate_words(rates.enqueued) + " enqueued, " + rate_words(rates.finished) +
                      " finished, " + rate_words(rates.succeeded) + " succeeded, "},
                     state_span(rate_words(rates.failed) + " failed", rates.failed == 0)});
}

std::vector<Line> head(const TopView& view) {
    std::vector<Line> lines{title(view)};
    if (!view.trouble.empty()) lines.push_back(trouble(view));
    if (!view.snapshot) {
        lines.push_back({{"Waiting for the first answer."}});
        return lines;
    }
    const TopSnapshot& snapshot = *view.snapshot;
    lines.push_back(store_line(snapshot));
    if (!snapshot.storage_text.empty())
        lines.push_back(labelled("storage", {{snapshot.storage_text, Colour::bad}}));
    if (!snapshot.note.empty()) lines.push_back(labelled("repaired", {{snapshot.note}}));
    if (snapshot.watchdog_woke > 0)
        lines.push_back(labelled(
            "watchdog",
            {{"woke workers " + std::to_string(snapshot.watchdog_woke) + " times: see the log"}}));
    lines.push_back(jobs_line(snapshot.jobs));
    lines.push_back(rates_line(view));
    return lines;
}

std::vector<Line> queue_rows(const TopView& view) {
    auto queues = view.snapshot->queues;
    if (queues.empty()) return {};
    sort_queues(queues, view.order);
    std::vector<Line> lines{
        {{cell("QUEUE", 25) + right_cell("READY", 10) + right_cell("LATENCY", 9) +
              "  STATE    sorted by " + std::string(order_name(view.order)),
          Colour::faint}}};
    for (const auto& queue : queues) {
        lines.push_back({{cell(queue.name, 24) + " " + right_cell(std::to_string(queue.size), 10) +
                          right_cell(rounded(queue.latency_ms), 9) + "  "},
                         queue.paused ? TextSpan{"paused", Colour::busy} : TextSpan{"running"}});
    }
    return lines;
}

std::string busy_words(int64_t busy, int64_t slots) {
    return slots > 0 ? std::to_string(busy) + "/" + std::to_string(slots) : std::to_string(busy);
}

std::vector<Line> pool_rows(const TopSnapshot& snapshot) {
    if (snapshot.pools.empty()) return {};
    std::vector<Line> lines{
        {{cell("POOL", 25) + right_cell("BUSY", 10) + "  KIND    QUEUES", Colour::faint}}};
    for (const auto& pool : snapshot.pools) {
        const bool full = pool.slots > 0 && pool.busy >= pool.slots;
        lines.push_back({{cell(pool.name, 24) + " "},
                         {right_cell(busy_words(pool.busy, pool.slots), 10),
                          full ? Colour::busy : Colour::plain},
                         {"  " + cell(pool.kind, 7) + " " + pool.queues}});
    }
    return lines;
}

std::vector<Line> worker_rows(const TopSnapshot& snapshot) {
    if (snapshot.workers.empty()) return {};
    std::vector<Line> lines{{{cell("WORKER", 25) + right_cell("BUSY", 10) + "  KIND    " +
                                  cell("STATE", 10) + cell("HOST:PID", 21) + "JOBS",
                              Colour::faint}}};
    for (const auto& worker : snapshot.workers)
        lines.push_back(
            {{cell(worker.wid, 24) + " " + right_cell(busy_words(worker.busy, worker.slots), 10) +
              "  " + cell(worker.kind, 7) + " "},
             {cell(worker.state, 9), worker.state == "running" ? Colour::plain : Colour::busy},
             {" " + cell(worker.host, 20) + " " + worker.jobs}});
    return lines;
}

std::vector<std::vector<Line>> tables(const TopView& view) {
    std::vector<std::vector<Line>> all;
    if (!view.snapshot) return all;
    for (auto&& table : {queue_rows(view), pool_rows(*view.snapshot), worker_rows(*view.snapshot)})
        if (!table.empty()) all.push_back(table);
    return all;
}

// The table with at most `rows` lines; the last one says how many are left out.
void append_cut(std::vector<Line>& to, const std::vector<Line>& table, size_t rows) {
    if (rows >= table.size()) {
        to.insert(to.end(), table.begin(), table.end());
    } else if (rows >= 2) {
        to.insert(to.end(), table.begin(), table.begin() + std::ptrdiff_t(rows - 1));
        to.push_back(
            {{"... " + std::to_string(table.size() - (rows - 1)) + " more", Colour::faint}});
    } else if (rows == 1) {
        to.push_back(table.front());
    }
}

Line keys(const TopView& view) {
    return {{"q quit   p " + std::string(view.paused ? "resume" : "pause") +
                 "   s sort queues by " + std::string(order_name(next_order(view.order))),
             Colour::faint}};
}

}  // namespace

std::vector<size_t> share_rows(size_t rows, const std::vector<size_t>& wants) {
    std::vector<size_t> gives(wants.size(), 0);
    // A row at a time to who has least and wants more: the first of them when several do.
    for (; rows > 0; --rows) {
        size_t best = wants.size();
        for (size_t i = 0; i < wants.size(); ++i)
            if (gives[i] < wants[i] && (best == wants.size() || gives[i] < gives[best])) best = i;
        if (best == wants.size()) break;
        ++gives[best];
    }
    return gives;
}

std::vector<Line> lay_out_screen(const TopView& view, size_t columns, size_t rows) {
    if (rows == 0 || columns == 0) return {};
    auto lines = head(view);
    const auto all = tables(view);
    const size_t fixed = lines.size() + all.size() + 1;  // an empty line before each, and the keys
    std::vector<size_t> wants;
    for (const auto& table : all)
        wants.push_back(table.size());
    const auto gives = share_rows(rows > fixed ? rows - fixed : 0, wants);
    for (size_t i = 0; i < all.size(); ++i) {
        if (gives[i] == 0) continue;
        lines.push_back({});
        append_cut(lines, all[i], gives[i]);
    }
    lines.resize(rows - 1);
    lines.push_back(keys(view));
    return lines;
}

std::vector<Line> lay_out_plain(const TopView& view) {
    auto lines = head(view);
    if (view.snapshot && !view.snapshot->now.empty())
        lines.insert(lines.begin() + 1, labelled("time", {{view.snapshot->now}}));
    for (const auto& table : tables(view))
        lines.insert(lines.end(), table.begin(), table.end());
    return lines;
}

std::string to_text(const Line& line, size_t columns, const Paint& paint) {
    std::string text;
    for (const auto& span : line) {
        const std::string_view part = fit(span.text, columns);
        if (!part.empty()) text += paint(part, span.colour);
        if (part.size() < span.text.size()) break;
        columns -= columns_of(part);
    }
    return text;
}

std::string to_frame(const std::vector<Line>& lines, size_t columns, const Paint& paint) {
    std::string frame = "\033[?2026h\033[H";
    for (size_t i = 0; i < lines.size(); ++i) {
        if (i > 0) frame += "\r\n";
        // Before the text: behind a line of full width it would take the last character.
        frame += "\033[2K" + to_text(lines[i], columns, paint);
    }
    return frame + "\033[?2026l";
}

std::string rate_words(double per_second) {
    char text[40];
    std::snprintf(text, sizeof text, per_second > 0 && per_second < 9.95 ? "%.1f/s" : "%.0f/s",
                  per_second);
    return text;
}

std::string bytes_words(int64_t bytes) {
    constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = double(bytes);
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit)
        value /= 1024;
    char text[40];
    std::snprintf(text, sizeof text, unit > 0 && value < 9.95 ? "%.1f %s" : "%.0f %s", value,
                  kUnits[unit]);
    return text;
}

}  // namespace jobq::cli
