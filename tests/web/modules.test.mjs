// The dashboard's pure modules: addresses, numbers, commands, the submit form, the history.
import assert from "node:assert/strict";
import { test } from "node:test";
import { curl, jobq, quoted } from "../../daemon/web/command.js";
import { ago, bytes, count, duration, rate, short } from "../../daemon/web/format.js";
import { append, columnsOf, emptyHistory, historyOf, KEPT, lastOf } from "../../daemon/web/history.js";
import { href, parseHash } from "../../daemon/web/route.js";
import { filterOf, listCommands, retryDeadCommand } from "../../daemon/web/parts/filter.js";
import { bodyOf, durationMs, wordsOf } from "../../daemon/web/submit.js";

test("an address goes to its parts and back, whatever stands in it", () => {
    for (const queue of ["mail", "a b", "50%", "x&y=z", "ä/ö", "<b>", "#"]) {
        const { path, query } = parseHash(href(["jobs", queue], { state: "dead", queue, text: "" }));
        assert.deepEqual(path, ["jobs", queue]);
        assert.deepEqual(query, { state: "dead", queue });
    }
    assert.deepEqual(parseHash(""), { path: [], query: {} });
    assert.deepEqual(parseHash("#/a%zz").path, ["a%zz"]);
});

test("numbers, sizes and times", () => {
    assert.equal(count(12431), "12,431");
    assert.equal(count(undefined), "–");
    assert.equal(short(12431), "12.4k");
    assert.equal(short(999_960), "1.0M");
    assert.equal(rate(0.44), "0.4");
    assert.equal(bytes(1536), "1.5 KiB");
    assert.equal(duration(59_949), "59.9 s");
    assert.equal(duration(75_000), "1m 15s");
    assert.equal(duration(90_000_000), "1d 1h");
    assert.equal(ago(0, 3_000), "3.0 s ago");
    assert.equal(ago(60_000, 0), "in 1m 0s");
});

test("commands are quoted for the shell", () => {
    assert.equal(quoted("it's"), "'it'\\''s'");
    assert.equal(quoted(""), "''");
    assert.equal(jobq("enqueue", "a b", "--queue", "", "--payload", "$(id)"), "jobq enqueue 'a b' --payload '$(id)'");
    assert.equal(curl("POST", "/x", { a: "'" }, "http://h"), `curl -sS -H 'Content-Type: application/json' -d '{"a":"'\\''"}' http://h/x`);
    assert.equal(curl("DELETE", "/x", undefined, "http://h"), "curl -sS -X DELETE http://h/x");
});

test("a list and a retry of the dead are the same commands in a terminal", () => {
    const filter = { queue: "q", type: "a b", tag: "t", error: "it's", text: "$x", since: "2026-01-01T00:00:00.000Z" };
    const rest = "--queue q --type 'a b' --tag t --error 'it'\\''s' --text '$x'";
    for (const since of ["99999999d", "9".repeat(400) + "d", "soon"])
        assert.match(filterOf({ since }, 0).wrong, /neither an age/);
    assert.equal(listCommands("dead", filter, { since: "1h" }, 50).jobq, `jobq list --state dead ${rest} --since 1h --limit 50`);
    assert.equal(retryDeadCommand(filter, 20), `jobq retry-dead ${rest} --since 2026-01-01T00:00:00.000Z --rate 20/s`);
    assert.equal(retryDeadCommand({}, 0), "jobq retry-dead --all");
    assert.equal(retryDeadCommand({ tag: "t" }, 0), "jobq retry-dead --tag t");
});

test("the submit form: what is typed becomes a request, or a word about its field", () => {
    assert.equal(bodyOf({}).field, "type");
    assert.equal(bodyOf({ type: "a", payload: "{" }).field, "payload");
    assert.equal(bodyOf({ type: "a", priority: "high" }).field, "priority");
    assert.equal(bodyOf({ type: "a", in: "soon" }).field, "in");
    for (const age of ["99999999d", "9".repeat(400) + "d"])
        assert.equal(bodyOf({ type: "a", in: age }).field, "in");
    const { body } = bodyOf({ type: " a ", payload: '{"n":12345678901234567890}', in: "1h30m", tags: "x  y", priority: "9" });
    assert.equal(body, '{"type":"a","payload":{"n":12345678901234567890},"priority":9,"delay_ms":5400000,"tags":["x","y"]}');
    assert.equal(durationMs("1h30m"), 5_400_000);
    assert.equal(durationMs("1.5s"), 1_500);
    assert.equal(durationMs("5 m"), null);
    assert.equal(jobq(...wordsOf({ type: "a", payload: "{}", tags: "x y" })), "jobq enqueue a --payload '{}' --tag x --tag y");
});

test("the history is bounded, in order, and tells columns by name", () => {
    const history = historyOf(["a", "b"], [[1_000, 1, null], [2_000, 2, 5]]);
    append(history, [2_000, 9, 9]); // again
    append(history, [3_000, 3]);
    assert.deepEqual(columnsOf(history, ["b", "a", "none"]), [[1, 2, 3], [null, 5, null], [1, 2, 3], [null, null, null]]);
    assert.equal(lastOf(history, "a"), 3);
    for (let i = 0; i < 2 * KEPT; ++i) append(history, [10_000 + i * 1_000, i, i]);
    assert.equal(history.times.length, KEPT);
    assert.equal(history.columns[0].length, KEPT);
    assert.equal(emptyHistory(["a"]).columns.length, 1);
});
