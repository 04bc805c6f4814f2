// The dashboard below another path, as a proxy has it, and what it says while Redis does not answer.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { launch, openTab, settled, startDaemon } from "./kit.mjs";

let daemon, browser;

before(async () => {
    daemon = await startDaemon('[listen]\nhttp_base_path = "/jobq"\n[pool.threads]\nkind = "thread"\n');
    browser = await launch();
});

after(async () => {
    await browser?.close();
    await daemon?.stop();
});

test("every link of the dashboard is below its path, and an outage of Redis is shown", async () => {
    const page = await openTab(browser);
    const refused = [];
    page.on("response", (response) => response.status() >= 400 && refused.push(response.url()));
    await page.goto(daemon.origin + "/jobq");
    await page.waitForSelector(".state.live");
    assert.equal(page.url().split("#")[0], daemon.origin + "/jobq/");
    await daemon.enqueue({ type: "noop" });
    for (const view of ["jobs", "queues", "dead", "workers", "operations", "health"]) {
        await page.goto(daemon.origin + "/jobq/#/" + view);
        await settled(page);
    }
    assert.deepEqual(refused, []);
    assert.deepEqual(page.faults, []);
    const { pid } = await daemon.get("/api/v1/ping");
    const redis = execFileSync("pgrep", ["-P", String(pid), "redis"], { encoding: "utf8" }).trim();
    process.kill(Number(redis), "SIGSTOP");
    try {
        await page.waitForSelector(".state.away", { timeout: 30_000 });
    } finally {
        process.kill(Number(redis), "SIGCONT");
    }
    await page.waitForSelector(".state.live", { timeout: 30_000 });
});
