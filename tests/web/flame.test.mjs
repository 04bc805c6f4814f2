// The flame graph of `jobq profile`, opened as a file in a browser: zoom, search, reset.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually, launch, startDaemon } from "./kit.mjs";

test("a flame graph zooms and is searched", async () => {
    const daemon = await startDaemon('[pool.threads]\nkind = "thread"\nqueues = ["default"]\nslots = 4\n');
    const dir = mkdtempSync(join(tmpdir(), "jobq-web-"));
    const browser = await launch();
    try {
        const load = daemon.load("--duration", "6s");
        await eventually(() => JSON.parse(daemon.jobq("stats", "-o", "json")).jobs.enqueued > 0);
        const svg = join(dir, "flame.svg");
        daemon.jobq("profile", "cpu", "--seconds", "2", "-o", svg);
        await load;
        const page = await browser.newPage();
        const faults = [];
        page.on("pageerror", (error) => faults.push(String(error)));
        let answer = "UvReactor::run$";
        page.on("dialog", (dialog) => dialog.accept(answer));
        await page.goto("file://" + svg);
        const share = async () => Number(/([\d.]+) %$/.exec(await page.locator("#found").textContent())[1]);
        await page.keyboard.press("/");
        assert.ok((await page.locator(".hit").count()) > 0);
        assert.ok((await share()) > 10 && (await share()) <= 100.1);
        await page.locator("#ask").click();
        assert.equal(await page.locator(".hit").count(), 0);
        answer = "(["; // no regular expression: the text itself
        await page.locator("#ask").click();
        assert.equal(await share(), 0);
        await page.keyboard.press("Escape");
        const shown = () => page.locator("g.box").evaluateAll((boxes) => boxes.filter(({ style }) => style.display !== "none").length);
        const all = await shown();
        await page.locator("g.box").last().dispatchEvent("click");
        assert.ok((await shown()) < all);
        await page.locator("g.box").first().dispatchEvent("click");
        assert.equal(await shown(), all);
        assert.deepEqual(faults, []);
    } finally {
        await browser.close();
        await daemon.stop();
        rmSync(dir, { recursive: true, force: true });
    }
});
