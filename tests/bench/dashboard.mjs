// What looking costs: p99 of enqueueing at a steady rate with nobody looking, with three readers of the
// stream the dashboard draws from, and with three tabs of a browser; the last two with a scrape of
// /metrics each second besides. jobqd, its Redis and the load have one processor to themselves in all three,
// the lookers another: what a browser draws is not in the figure, as if it ran on another machine, but for
// what two processors share. "elsewhere" tells how much that is: the same tabs, of an idle jobqd beside.
// JOBQ_BENCH_SHARED=1 lets all of them share all processors.
//   JOBQ_WEB_MODULES=build/dev/web-tests JOBQ_CHROMIUM=/usr/bin/chromium \
//   JOBQD=build/release/jobqd JOBQ=build/release/jobq node tests/bench/dashboard.mjs [ROUNDS] [RATE]
// prints a line a round, then medians, their ratio to nobody looking, and jobqd's own processor time.
// With TMPDIR=/dev/shm the log is in memory and the disk's moods are out of it.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { launch, openTab, startDaemon } from "../web/kit.mjs";

const SECONDS = 6;
const CONFIG = '[pool.threads]\nkind = "thread"\nqueues = ["default"]\nslots = 4\n';
const shared = Boolean(process.env.JOBQ_BENCH_SHARED);

// The other process: looks at ORIGIN until its standard input ends.
async function look(kind, origin) {
    const stop = new AbortController();
    let close = () => stop.abort();
    if (kind !== "streams") {
        const browser = await launch();
        for (let i = 0; i < 3; ++i) {
            const page = await openTab(browser);
            await page.goto(origin + "/");
            await page.locator(".state.live").waitFor();
        }
        close = () => browser.close();
    } else {
        for (let i = 0; i < 3; ++i) {
            const { body } = await fetch(origin + "/api/v1/live", { signal: stop.signal });
            (async () => { for await (const _ of body); })().catch(() => {});
        }
    }
    const scrapes = setInterval(() => fetch(origin + "/metrics").then((answer) => answer.text()), 1_000);
    console.log("looking");
    process.stdin.resume();
    await once(process.stdin, "end");
    clearInterval(scrapes);
    await close();
}

// Runs `work` beside lookers of this kind.
async function beside(kind, origin, work) {
    if (kind === "nobody") return work();
    const words = [fileURLToPath(import.meta.url), "--look", kind, origin];
    const [program, ...args] = [...(shared ? [] : ["taskset", "-c", "0"]), process.execPath, ...words];
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(child, "exit");
    await Promise.race([once(child.stdout, "data"), ended.then(() => { throw new Error("the lookers ended"); })]);
    try {
        return await work();
    } finally {
        child.stdin.end();
        await ended;
    }
}

function load(daemon, rate) {
    return new Promise((resolve, reject) => {
        const child = spawn(process.env.JOBQ, ["loadgen", "--mode", "push", "--rate", rate, "--duration", `${SECONDS}s`, "-o", "json"],
            { env: { ...process.env, JOBQ_URL: daemon.url }, stdio: ["ignore", "pipe", "inherit"] });
        let text = "";
        child.stdout.on("data", (bytes) => (text += bytes));
        child.on("close", (status) => (status === 0 ? resolve(JSON.parse(text).latency_us.ack.p99)
            : reject(new Error(`loadgen ended with ${status}`))));
    });
}

async function cpuSeconds(daemon) {
    const text = await (await fetch(daemon.origin + "/metrics")).text();
    return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)[1]);
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

// What is started from here from now on runs on this processor.
function pin(processor) {
    if (!shared) execFileSync("taskset", ["-cp", String(processor), String(process.pid)]);
}

async function compare(rounds, rate) {
    pin(0);
    const idle = await startDaemon(CONFIG);
    pin(1);
    const daemon = await startDaemon(CONFIG);
    const kinds = { nobody: [], streams: [], tabs: [], elsewhere: [] };
    const cpu = { nobody: [], streams: [], tabs: [], elsewhere: [] };
    try {
        await load(daemon, rate); // warm
        for (let i = 0; i < rounds; ++i) {
            for (const kind of Object.keys(kinds)) {
                await beside(kind, (kind === "elsewhere" ? idle : daemon).origin, async () => {
                    const before = await cpuSeconds(daemon);
                    kinds[kind].push(await load(daemon, rate));
                    cpu[kind].push((await cpuSeconds(daemon) - before) / SECONDS * 1_000);
                });
            }
            console.log(`round ${i + 1}: ` + Object.keys(kinds).map((kind) => `${kind} ${kinds[kind].at(-1)} us`).join(", "));
        }
        for (const kind of Object.keys(kinds)) {
            console.log(`${kind}: median p99 ${median(kinds[kind])} us, ratio ${(median(kinds[kind]) / median(kinds.nobody)).toFixed(3)}; `
                + `jobqd ${median(cpu[kind]).toFixed(0)} ms of processor a second`);
        }
    } finally {
        await daemon.stop();
        await idle.stop();
    }
}

if (process.argv[2] === "--look") await look(process.argv[3], process.argv[4]);
else await compare(Number(process.argv[2] ?? 7), process.argv[3] ?? "2000");
