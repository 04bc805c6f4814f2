// What the tests of the dashboard share: a jobqd of their own, its API, a browser, axe.
import { spawn, execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

// The packages stand in the build tree, not beside this file.
const require = createRequire(join(process.env.JOBQ_WEB_MODULES, "package.json"));
export const { chromium } = require("playwright-core");
const axe = require("axe-core");

export async function eventually(what, limitMs = 15_000) {
    const end = Date.now() + limitMs;
    for (;;) {
        const value = await what();
        if (value) return value;
        if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
        await new Promise((wake) => setTimeout(wake, 50));
    }
}

// A jobqd with HTTP on a free port of 127.0.0.1; stop() ends it and removes what it left.
export async function startDaemon(config) {
    const dir = mkdtempSync(join(tmpdir(), "jobq-web-"));
    writeFileSync(join(dir, "c.toml"), config);
    // To a file: a pipe that nobody reads for a while would stop jobqd.
    const logPath = join(dir, "log"), log = openSync(logPath, "w");
    const child = spawn(process.env.JOBQD, ["--config", join(dir, "c.toml"), "--state-dir", join(dir, "s"),
        "--unix", join(dir, "sock"), "--http", "127.0.0.1:0"], { stdio: ["ignore", log, log] });
    closeSync(log);
    const ended = new Promise((resolve) => child.on("exit", resolve));
    const ready = join(dir, "s", "jobqd.ready");
    await eventually(() => {
        if (child.exitCode !== null) throw new Error("jobqd ended: " + readFileSync(logPath, "utf8"));
        return existsSync(ready);
    });
    const origin = "http://" + /"http":"([^"]+)"/.exec(readFileSync(ready, "utf8"))[1];
    const ask = async (method, path, body) => {
        const options = { method, signal: AbortSignal.timeout(60_000) };
        if (body !== undefined) Object.assign(options, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
        const response = await fetch(origin + path, options);
        return { status: response.status, json: await response.json() };
    };
    const env = { ...process.env, JOBQ_URL: "unix:" + join(dir, "sock") };
    return {
        origin, ask, url: "unix:" + join(dir, "sock"),
        get: async (path) => (await ask("GET", path)).json,
        enqueue: async (job) => {
            const { status, json } = await ask("POST", "/api/v1/jobs", job);
            if (status !== 201) throw new Error(`not enqueued: ${JSON.stringify(json)}`);
            return json.job_id;
        },
        jobq: (...words) => execFileSync(process.env.JOBQ, words, { encoding: "utf8", timeout: 300_000,
            env }),
        // `jobq loadgen`, beside what goes on here; ended when it is awaited.
        load: (...words) => new Promise((resolve, reject) => spawn(process.env.JOBQ, ["loadgen", ...words], { env, stdio: "ignore", timeout: 120_000 })
            .on("exit", (status) => (status === 0 ? resolve() : reject(new Error(`loadgen ended with ${status}`))))),
        stop: async () => {
            child.kill("SIGTERM");
            const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
            await ended;
            clearTimeout(timer);
            rmSync(dir, { recursive: true, force: true });
        },
    };
}

export function launch() {
    return chromium.launch({ executablePath: process.env.JOBQ_CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

// A tab in which every fault of a script is kept: `faults` must stay empty.
export async function openTab(browser, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
    const page = await context.newPage();
    page.faults = [];
    page.asked = new Set();
    page.on("request", (request) => !request.url().endsWith("/api/v1/live") && page.asked.add(request));
    for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => page.asked.delete(request));
    page.on("pageerror", (error) => page.faults.push(String(error)));
    page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
    page.on("dialog", (dialog) => {
        page.faults.push("a dialog: " + dialog.message());
        dialog.dismiss();
    });
    return page;
}

// Until what the page asks for is answered, and drawn: streams, which have no end, aside.
export async function settled(page) {
    const frame = () => page.evaluate(() => new Promise((next) => requestAnimationFrame(() => setTimeout(next))));
    await frame();
    await frame();
    await eventually(() => page.asked.size === 0);
    await frame();
}

// What axe finds that is serious or worse.
export async function seriousFindings(page) {
    await page.evaluate(axe.source + "; undefined");
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, any }) => html.slice(0, 160) + " " + (any[0]?.message ?? "")).join(" | ")}`);
}

export async function shoot(page, name) {
    const folder = process.env.JOBQ_WEB_SHOTS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, name + ".png") });
}
