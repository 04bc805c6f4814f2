// What looking costs: p99 of enqueueing at a steady rate with nobody looking, with three readers of the
// stream the dashboard draws from, and with three tabs of a browser; the last two with a scrape of
// /metrics each second besides. jobqd, its Redis and the load have one processor to themselves in all three,
// the lookers another: what a browser draws is not in the figure, as if it ran on another machine, but for
// what two processors share. "elsewhere" tells how much that is: the same tabs, of an idle jobqd beside.
// JOBQ_BENCH_SHARED=1 lets all of them share all processors.
//   JOBQ_WEB_MODULES=build/dev/web-tests JOBQ_CHROMIUM=/usr/bin/chromium \
//   JOBQD=build/release/jobqd JOBQ=build/release/jobq node tests/bench/dashboard.mjs [ROUNDS] [RATE]
// prints a line a round, in which the kinds take turns of a few seconds, then medians, their ratio to nobody
// looking, and jobqd's own processor time.
// With TMPDIR=/dev/shm the log is in memory and the disk's moods are out of it.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { launch, openTab, startDaemon } from "../web/kit.mjs";

const SECONDS = 3;
const KINDS = ["nobody", "streams", "tabs", "elsewhere"];
const CONFIG = '[pool.threads]\nkind = "thread"\nqueues = ["default"]\nslots = 4\n';
const shared = Boolean(process.env.JOBQ_BENCH_SHARED);

// The other process. A browser with three tabs is there all the time; each line of standard input says
// what to look at from now on, and is answered by one when it is looked at.
async function look(origin, idleOrigin) {
    const browser = await launch();
    const pages = [];
    for (let i = 0; i < 3; ++i) pages.push(await openTab(browser));
    let end = () => {};
    for await (const kind of createInterface({ input: process.stdin })) {
        end();
        const stop = new AbortController();
        const at = { tabs: origin, elsewhere: idleOrigin }[kind];
        for (const page of pages) {
            await page.goto(at ? at + "/" : "about:blank");
            if (at) await page.locator(".state.live").waitFor();
        }
        for (let i = 0; kind === "streams" && i < 3; ++i) {
            const { body } = await fetch(origin + "/api/v1/live", { signal: stop.signal });
            (async () => { for await (const _ of body); })().catch(() => {});
        }
        const scrapes = kind !== "nobody"
            && setInterval(() => fetch((at ?? origin) + "/metrics").then((answer) => answer.text()), 1_000);
        end = () => {
            stop.abort();
            clearInterval(scrapes);
        };
        console.log("looking");
    }
    end();
    await browser.close();
}

// A function that has those in the other process look as KIND says.
function startLookers(origin, idleOrigin) {
    const words = [fileURLToPath(import.meta.url), "--look", origin, idleOrigin];
    const [program, ...args] = [...(shared ? [] : ["taskset", "-c", "0"]), process.execPath, ...words];
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(child, "exit");
    return {
        look: async (kind) => {
            child.stdin.write(kind + "\n");
            await Promise.race([once(child.stdout, "data"), ended.then(() => { throw new Error("the lookers ended"); })]);
            await new Promise((done) => setTimeout(done, 500)); // the page's start is not what is measured
        },
        stop: () => {
            child.stdin.end();
            return ended;
        },
    };
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

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => sorted(values)[values.length >> 1];

// What is started from here from now on runs on this processor.
function pin(processor) {
    if (!shared) execFileSync("taskset", ["-cp", String(processor), String(process.pid)]);
}

async function compare(rounds, rate) {
    pin(0);
    const idle = await startDaemon(CONFIG);
    pin(1);
    const daemon = await startDaemon(CONFIG);
    const lookers = startLookers(daemon.origin, idle.origin);
    const p99 = Object.fromEntries(KINDS.map((kind) => [kind, []]));
    const cpu = Object.fromEntries(KINDS.map((kind) => [kind, []]));
    try {
        await load(daemon, rate); // warm
        for (let i = 0; i < rounds; ++i) {
            for (const kind of KINDS) {
                await lookers.look(kind);
                const before = await cpuSeconds(daemon);
                p99[kind].push(await load(daemon, rate));
                cpu[kind].push((await cpuSeconds(daemon) - before) / SECONDS * 1_000);
            }
            console.log(`round ${i + 1}: ` + KINDS.map((kind) => `${kind} ${p99[kind].at(-1)} us`).join(", "));
        }
        for (const kind of KINDS) {
            const ratios = sorted(p99[kind].map((value, i) => value / p99.nobody[i]));
            console.log(`${kind}: median p99 ${median(p99[kind])} us, ratio ${(median(p99[kind]) / median(p99.nobody)).toFixed(3)}; `
                + `by round median ${median(ratios).toFixed(3)}, quartiles ${ratios[ratios.length >> 2].toFixed(3)} `
                + `${ratios[(ratios.length * 3) >> 2].toFixed(3)}; jobqd ${median(cpu[kind]).toFixed(0)} ms of processor a second`);
        }
    } finally {
        await lookers.stop();
        await daemon.stop();
        await idle.stop();
    }
}

if (process.argv[2] === "--look") await look(process.argv[3], process.argv[4]);
else await compare(Number(process.argv[2] ?? 25), process.argv[3] ?? "2000");
