// The dashboard in a real browser: every page and action, light and dark, with JOBQ_WEB_JOBS jobs
// waiting. Times are printed, not judged.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, launch, openTab, seriousFindings, settled, shoot, startDaemon } from "./kit.mjs";

const SEEDED = Number(process.env.JOBQ_WEB_JOBS ?? 1_000_000);
const CONFIG = `
[type.hello]
run = ["sh", "-c", "echo first line; sleep 2; echo last line"]
[type.long]
run = ["sleep", "600"]
[type.broken]
run = ["sh", "-c", "echo the disk is on fire >&2; exit 3"]
[type.broken.backoff]
base = "1h"
max = "2h"
[pool.threads]
kind = "thread"
queues = ["default"]
slots = 4
[pool.commands]
kind = "exec"
queues = ["commands"]
slots = 8
`;

let daemon, browser;

before(async () => {
    daemon = await startDaemon(CONFIG);
    browser = await launch();
    const began = Date.now();
    daemon.jobq("loadgen", "--mode", "push", "--jobs", String(SEEDED), "--batch", "1000", "--type", "seeded", "--queue", "seeded");
    console.log(`# ${SEEDED} jobs seeded in ${Date.now() - began} ms`);
    for (let i = 0; i < 60; ++i) await daemon.enqueue({ type: "broken", queue: "commands", max_attempts: 1, tags: [`n${i % 3}`] });
    await daemon.enqueue({ type: "broken", queue: "commands", max_attempts: 5 });
    await daemon.enqueue({ type: "later", queue: "default", run_at: new Date(Date.now() + 3_600_000).toISOString() });
    await eventually(async () => (await daemon.get("/api/v1/stats")).dead === 60, 60_000);
});

after(async () => {
    await browser?.close();
    await daemon?.stop();
});

async function open(hash, options) {
    const page = await openTab(browser, options);
    await page.goto(`${daemon.origin}/#/${hash}`);
    await page.locator("main h1").waitFor();
    await page.locator(".state.live").waitFor();
    return page;
}

async function close(page) {
    assert.deepEqual(page.faults, []);
    await page.context().close();
}

const stateOf = async (jid) => (await daemon.get(`/api/v1/jobs/${jid}`)).state;
const confirmed = (page, name) => page.locator("dialog").getByRole("button", { name, exact: true }).click();

test("every page, light and dark: no fault, nothing serious for axe", async () => {
    const dead = (await daemon.get("/api/v1/dead?limit=25")).jobs[0].jid;
    const pages = ["", "jobs?state=ready", "jobs?state=dead", "jobs?state=retrying", "jobs?state=scheduled", "job/" + dead, "dead", "queues",
        "workers", "cron", "operations", "submit", "health", "nowhere"];
    for (const colorScheme of ["light", "dark"]) {
        const page = await open("", { colorScheme });
        for (const hash of pages) {
            await page.goto(`${daemon.origin}/#/${hash}`);
            await page.locator("main h1").waitFor();
            await settled(page);
            assert.deepEqual(await seriousFindings(page), [], `${hash} ${colorScheme}`);
            await shoot(page, `${hash.replace(/[^a-z]+/g, "-").slice(0, 20) || "overview"}-${colorScheme}`);
        }
        await close(page);
    }
});

test("first data and a list page beside many jobs", async () => {
    const page = await openTab(browser);
    let began = Date.now();
    await page.goto(daemon.origin + "/");
    await page.getByRole("link", { name: /Ready/ }).locator("b").filter({ hasText: /\d/ }).waitFor();
    console.log(`# first data after ${Date.now() - began} ms`);
    const tile = await page.getByRole("link", { name: /Ready/ }).locator("b").innerText();
    assert.equal(Number(tile.replaceAll(",", "")), SEEDED);
    began = Date.now();
    await page.goto(`${daemon.origin}/#/jobs?state=ready`);
    await page.locator("tbody tr").nth(49).waitFor();
    console.log(`# a list page after ${Date.now() - began} ms`);
    const first = await page.locator("tbody a").first().innerText();
    began = Date.now();
    await page.getByRole("button", { name: "Next page" }).click();
    await page.waitForFunction((old) => document.querySelector("tbody a").innerText !== old, first);
    console.log(`# the next page after ${Date.now() - began} ms`);
    assert.match(page.url(), /cursor=/);
    await page.getByRole("button", { name: "Back" }).click();
    await page.waitForFunction((old) => document.querySelector("tbody a").innerText === old, first);
    began = Date.now();
    await page.goto(`${daemon.origin}/#/jobs?state=ready&type=nobody`);
    await page.getByText("checked").waitFor();
    console.log(`# a filter without a match after ${Date.now() - began} ms`);
    await close(page);
});

test("a job is submitted, followed while it runs, and shown to its end", async () => {
    const page = await open("submit");
    await page.getByRole("button", { name: "Enqueue" }).click();
    await page.getByText("A job needs a type").waitFor();
    await page.getByLabel("Type", { exact: true }).fill("hello");
    await page.getByLabel("Payload, JSON").fill("{oops");
    await page.getByRole("button", { name: "Enqueue" }).click();
    await page.getByText("This is not JSON").waitFor();
    await page.getByLabel("Payload, JSON").fill('{"big": 12345678901234567890}');
    await page.getByLabel("Queue", { exact: true }).fill("commands");
    await page.getByRole("button", { name: "Enqueue" }).click();
    await page.getByRole("status").getByRole("link").click();
    await page.getByText("first line").first().waitFor();
    await page.getByText("12345678901234567890").first().waitFor(); // not rounded by the browser
    await page.getByText("last line").first().waitFor();
    await page.getByText("succeeded").first().waitFor();
    await close(page);
});

test("one job: cancelled while it runs", async () => {
    const jid = await daemon.enqueue({ type: "long", queue: "commands" });
    await eventually(async () => (await stateOf(jid)) === "running");
    const page = await open("job/" + jid);
    await page.locator(".facts div").filter({ hasText: "Attempts" }).getByText(/^1( of \d+)?$/).waitFor();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.locator("dialog button[type=submit]").click();
    await eventually(async () => (await stateOf(jid)) === "cancelled");
    await page.getByText("cancelled").first().waitFor();
    await close(page);
});

test("one job: retried when dead, removed, and gone", async () => {
    const jid = await daemon.enqueue({ type: "fail", payload: "gone wrong", max_attempts: 1 });
    await eventually(async () => (await stateOf(jid)) === "dead");
    const page = await open("job/" + jid);
    await page.getByText("gone wrong").first().waitFor();
    const { failed_attempts: before } = await daemon.get("/api/v1/stats");
    await page.getByRole("button", { name: "Retry now" }).click();
    await eventually(async () => (await daemon.get("/api/v1/stats")).failed_attempts === before + 1);
    await eventually(async () => (await stateOf(jid)) === "dead");
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.locator("dialog button[type=submit]").click();
    await page.getByText("Job " + jid + " does not exist").waitFor();
    // The browser itself notes the 404 that the page asked for.
    page.faults = page.faults.filter((fault) => !/status of 404/.test(fault));
    await close(page);
});

test("a list by keyboard: down, choose, open", async () => {
    const page = await open("jobs?state=ready&limit=25");
    await page.locator("tbody tr").nth(24).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.getByRole("button", { name: "Remove 1 chosen" }).waitFor();
    assert.equal(await page.locator("tbody tr").nth(1).locator("input").isChecked(), true);
    const second = await page.locator("tbody a").nth(1).innerText();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Job", level: 1 }).waitFor();
    assert.match(page.url(), new RegExp("job/" + second));
    await close(page);
});

test("an operation is slow when it is told to be, and stopped on the way", async () => {
    for (let i = 0; i < 30; ++i) await daemon.enqueue({ type: "fail", payload: i, max_attempts: 1, tags: ["slow"] });
    await eventually(async () => (await daemon.get("/api/v1/jobs?state=dead&tag=slow&limit=50")).jobs.length === 30);
    const page = await open("jobs?state=dead&tag=slow");
    await page.getByLabel("Rate").selectOption("1");
    await page.getByRole("button", { name: /Requeue all/ }).click();
    await page.locator("dialog button[type=submit]").click();
    await page.locator("progress").first().waitFor();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    const stopped = await eventually(async () => {
        const [last] = (await daemon.get("/api/v1/operations")).operations.filter(({ rate }) => rate === 1);
        return last && last.state !== "running" && last;
    });
    assert.ok(stopped.done < 30, `${stopped.done} were retried`);
    await daemon.ask("POST", "/api/v1/operations", { action: "remove", filter: { state: "dead", tag: "slow" } });
    await eventually(async () => (await daemon.get("/api/v1/jobs?state=dead&tag=slow&limit=50")).jobs.length === 0);
    await close(page);
});

test("jobs that are chosen are acted on; all that match are an operation", async () => {
    const page = await open("jobs?state=dead&tag=n1");
    await page.locator("tbody tr").nth(19).waitFor();
    assert.equal(await page.locator("tbody tr").count(), 20);
    await page.locator("tbody tr input[type=checkbox]").first().check();
    await page.getByRole("button", { name: /Remove \d* ?chosen/ }).click();
    await page.locator("dialog button[type=submit]").click();
    await eventually(async () => (await daemon.get("/api/v1/stats")).dead === 59);
    await page.getByRole("button", { name: /Remove all/ }).click();
    await page.locator("dialog").getByText(/n1/).first().waitFor();
    await page.locator("dialog button[type=submit]").click();
    await eventually(async () => (await daemon.get("/api/v1/stats")).dead === 40);
    await page.goto(`${daemon.origin}/#/operations`);
    await page.getByText(/finished|done/i).first().waitFor();
    await close(page);
});

test("the dead are grouped by their error, and requeued", async () => {
    const page = await open("dead");
    await page.getByText("the disk is on fire").first().waitFor().catch(() => page.getByText("exit").first().waitFor());
    const before = (await daemon.get("/api/v1/stats")).failed_attempts;
    await page.getByRole("button", { name: "Requeue", exact: true }).first().click();
    await page.locator("dialog button[type=submit]").click();
    // They run, fail and are dead again: each once.
    await eventually(async () => (await daemon.get("/api/v1/stats")).failed_attempts === before + 40, 30_000);
    await eventually(async () => (await daemon.get("/api/v1/stats")).dead === 40);
    await close(page);
});

test("queues: pause, resume, and clear only with the name typed", async () => {
    await daemon.ask("POST", "/api/v1/jobs", { type: "nobody", queue: "mail" });
    const page = await open("queues?name=mail");
    const paused = async () => (await daemon.get("/api/v1/queues")).queues.find(({ name }) => name === "mail").paused;
    await page.getByRole("button", { name: "Pause mail" }).click();
    await confirmed(page, "Pause");
    await eventually(paused);
    await page.getByRole("button", { name: "Resume mail" }).click();
    await confirmed(page, "Resume");
    await eventually(async () => !(await paused()));
    await page.getByRole("button", { name: "Clear mail" }).click();
    const clear = page.locator("dialog").getByRole("button", { name: "Clear", exact: true });
    assert.equal(await clear.isDisabled(), true);
    await page.locator("dialog input").fill("mail");
    await clear.click();
    await eventually(async () => (await daemon.get("/api/v1/queues")).queues.every(({ name, size }) => name !== "mail" || size === 0));
    await close(page);
});

test("workers are shown with what they run, and told to be quiet", async () => {
    const jid = await daemon.enqueue({ type: "long", queue: "commands" });
    await eventually(async () => (await stateOf(jid)) === "running");
    const page = await open("workers");
    await page.getByRole("link", { name: jid }).waitFor();
    const runner = (await daemon.get("/api/v1/workers")).workers.find(({ kind }) => kind === "runner").wid;
    await page.getByRole("button", { name: "Quiet " + runner }).click();
    await confirmed(page, "Quiet");
    const state = async () => (await daemon.get("/api/v1/workers")).workers.find(({ wid }) => wid === runner)?.state;
    await eventually(async () => (await state()) === "quiet");
    await page.getByRole("button", { name: "Stop " + runner }).click();
    await confirmed(page, "Stop");
    await eventually(async () => (await state()) !== "quiet");
    await close(page);
});

test("keyboard, help, pause, a lost connection and theme", async () => {
    const page = await open("");
    await page.keyboard.press("g");
    await page.keyboard.press("q");
    await page.getByRole("heading", { name: "Queues", level: 1 }).waitFor();
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.type), "search");
    await page.keyboard.press("Escape");
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("?");
    await page.locator("dialog[open]").waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Pause", exact: true }).first().click();
    await page.locator(".state.paused").waitFor();
    await page.locator("h1").click();
    await page.keyboard.press("p");
    await page.locator(".state.live").waitFor();
    await page.getByTitle("Colours").selectOption("dark");
    await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
    await close(page);
});

// Until the stream has given so many samples, the first at once.
async function samples(count) {
    const stop = new AbortController();
    let text = "";
    const { body } = await fetch(daemon.origin + "/api/v1/live", { signal: stop.signal });
    for await (const bytes of body) {
        text += Buffer.from(bytes).toString();
        if (text.split("event: sample").length > count) break;
    }
    stop.abort();
}

// A page stays open all day, often on the machine that runs the jobs: an animation without an end costs
// four times what the samples do.
test("a page that is only looked at draws once for a sample, and nothing between", async () => {
    const load = daemon.load("--mode", "push", "--rate", "200", "--duration", "7s", "--no-check");
    const page = await open("");
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    const layouts = async () => (await session.send("Performance.getMetrics")).metrics.find(({ name }) => name === "LayoutCount").value;
    await settled(page);
    const before = await layouts();
    await samples(5);
    const drawn = (await layouts()) - before;
    assert.ok(drawn >= 3 && drawn <= 7, `${drawn} layouts for about 5 samples`);
    assert.deepEqual(await page.evaluate(() => document.getAnimations().map(({ animationName: name }) => name ?? "")), []);
    await close(page);
    await load;
});
