// The verb `profile tasks`: the coroutines of the daemon that wait, where, and how long.
#include <algorithm>
#include <map>

#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "cli/terminal/show.h"

namespace jobq::cli {
namespace {

// "wait daemon/work/waiters.cpp:25 < fetch daemon/work/broker.cpp:193"
std::string stack_words(JsonView task) {
    std::string words;
    for (const JsonView frame : task["stack"].items())
        words += std::string(words.empty() ? "" : " < ") + frame["function"].text() + " " +
                 frame["file"].text() + ":" + frame["line"].text();
    return printable(words);
}

// Equal ones in one row, those that have waited longest first.
struct Row {
    std::string waits_for, stack;
    int64_t count = 0, longest_ms = 0;
};

std::vector<Row> rows_of(const std::vector<JsonView>& tasks) {
    std::map<std::string, Row> by_stack;
    for (const JsonView task : tasks) {
        Row& row = by_stack[task["waits_for"].text() + " " + stack_words(task)];
        row.waits_for = printable(task["waits_for"].text());
        row.stack = stack_words(task);
        row.longest_ms = std::max(row.longest_ms, task["waiting_ms"].number());
        ++row.count;
    }
    std::vector<Row> rows;
    for (auto& [key, row] : by_stack)
        rows.push_back(std::move(row));
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return a.longest_ms > b.longest_ms; });
    return rows;
}

Answer<int> run_tasks(Invocation& invocation) {
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const auto reply = client->call("PROFILE", "{\"kind\":\"tasks\"}");
    if (!reply) return tl::unexpected(Failure(reply.error()));
    Output& out = invocation.out;
    const auto tasks = JsonView(*reply)["tasks"].items();
    if (!out.is_text()) {
        Records records(out);
        for (const JsonView task : tasks)
            records.add(task.raw());
        records.end();
        return kDone;
    }
    if (out.on_terminal())
        out.line(out.paint("TASKS  FOR      LONGEST  WHERE, AND WHO WAITS FOR IT", Colour::faint));
    for (const Row& row : rows_of(tasks))
        out.line(padded(std::to_string(row.count), 7) + padded(row.waits_for, 9) +
                 padded(rounded(row.longest_ms), 9) + row.stack);
    return kDone;
}

}  // namespace

const Verb kProfileTasks{
    .name = "profile tasks",
    .usage = "",
    .summary = "Show which of the daemon's tasks wait, where, and for how long",
    .examples = "jobq profile tasks\njobq profile tasks -o jsonl",
    .options = {},
    .more = {},
    .run = run_tasks};

}  // namespace jobq::cli
