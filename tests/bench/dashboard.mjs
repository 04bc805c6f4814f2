// What looking costs: latency of enqueueing at a steady rate with nobody looking, and looked at, in
// turns: by three readers of what the dashboard reads, and a scrape of /metrics each second. With
// LOOKERS=tabs the three are tabs of a browser on this machine, whose own work is then in the figure.
// Run it as
//   JOBQ_WEB_MODULES=build/dev/web-tests JOBQ_CHROMIUM=/usr/bin/chromium \
//   JOBQD=build/release/jobqd JOBQ=build/release/jobq node tests/bench/dashboard.mjs [ROUNDS] [RATE]
// and it prints a line a round, then the medians and their ratio.
import { spawn } from "node:child_process";
import { launch, openTab, startDaemon } from "../web/kit.mjs";

const rounds = Number(process.argv[2] ?? 7), rate = process.argv[3] ?? "2000";
const CONFIG = '[pool.threads]\nkind = "thread"\nqueues = ["default"]\nslots = 4\n';

const daemon = await startDaemon(CONFIG);

// Not blocking: the tabs are driven from this process.
function load() {
    return new Promise((resolve, reject) => {
        const child = spawn(process.env.JOBQ, ["loadgen", "--mode", "push", "--rate", rate, "--duration", "6s", "-o", "json"],
            { env: { ...process.env, JOBQ_URL: daemon.url }, stdio: ["ignore", "pipe", "inherit"] });
        let text = "";
        child.stdout.on("data", (bytes) => (text += bytes));
        child.on("exit", (status) => (status === 0 ? resolve(JSON.parse(text)) : reject(new Error(`loadgen ended with ${status}`))));
    });
}

async function openTabs() {
    const browser = await launch();
    for (let i = 0; i < 3; ++i) {
        const page = await openTab(browser);
        await page.goto(daemon.origin + "/");
        await page.locator(".state.live").waitFor();
    }
    return () => browser.close();
}

async function openStreams() {
    const stop = new AbortController();
    for (let i = 0; i < 3; ++i) {
        const { body } = await fetch(daemon.origin + "/api/v1/live", { signal: stop.signal });
        (async () => { for await (const _ of body); })().catch(() => {});
    }
    return () => stop.abort();
}

async function withLookers(work) {
    const close = await (process.env.LOOKERS === "tabs" ? openTabs() : openStreams());
    const scrapes = setInterval(() => fetch(daemon.origin + "/metrics").then((answer) => answer.text()), 1_000);
    try {
        return await work();
    } finally {
        clearInterval(scrapes);
        await close();
    }
}

const p99 = (result) => result.latency_us.ack.p99;
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const without = [], beside = [];
try {
    await load(); // warm
    for (let i = 0; i < rounds; ++i) {
        without.push(p99(await load()));
        beside.push(p99(await withLookers(load)));
        console.log(`round ${i + 1}: p99 ${without.at(-1)} us alone, ${beside.at(-1)} us looked at`);
    }
    console.log(`median p99: ${median(without)} us alone, ${median(beside)} us looked at, ratio ${(median(beside) / median(without)).toFixed(3)}`);
} finally {
    await daemon.stop();
}
