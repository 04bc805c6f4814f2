// The one stream of this tab, GET /api/v1/live: a sample a second, the same for all who look.
// useLive() draws anew with each. It is closed while the tab is hidden or paused, and comes back by
// itself with a delay that grows; its state is always visible (parts/status.js).
import { below } from "./api.js";
import { useEffect, useState } from "./html.js";
import { append, emptyHistory, historyOf } from "./history.js";

const SILENT_MS = 8_000; // the stream sends once a second
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];

const live = {
    state: "connecting", // "live" | "lost" | "paused" | "hidden"
    about: null, // {version, read_only, ...}: said at the start of each stream
    sample: null,
    history: emptyHistory(),
    lostAt: 0,
    ahead: 0, // the clock of jobqd before that of this browser, in ms
};
const listeners = new Set();
let source = null;
let watch = 0;
let retry = 0;
let tries = 0;
let paused = false;

// Of less the way here and the second between samples can be the reason.
const SAME_CLOCK_MS = 2_000;

// What time it is at jobqd: times in its answers are by its clock.
export const serverNow = () => Date.now() + live.ahead;

function tell() {
    for (const listener of listeners) listener();
}

function close() {
    source?.close();
    source = null;
    clearTimeout(watch);
    clearTimeout(retry);
}

function lost() {
    close();
    if (live.state !== "lost") live.lostAt = serverNow();
    live.state = "lost";
    const pause = RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)];
    retry = setTimeout(open, pause * (0.75 + Math.random() / 2));
    tell();
}

function expectMore() {
    clearTimeout(watch);
    watch = setTimeout(lost, SILENT_MS);
}

function open() {
    close();
    source = new EventSource(below("/api/v1/live"));
    source.onerror = lost;
    source.addEventListener("history", (event) => {
        const { names, rows, ...about } = JSON.parse(event.data);
        live.about = about;
        live.history = historyOf(names, rows);
        expectMore();
        tell();
    });
    source.addEventListener("sample", (event) => {
        live.sample = JSON.parse(event.data);
        const ahead = live.sample.row[0] - Date.now();
        live.ahead = Math.abs(ahead) < SAME_CLOCK_MS ? 0 : ahead;
        append(live.history, live.sample.row);
        live.state = "live";
        tries = 0;
        expectMore();
        tell();
    });
    expectMore();
}

function settle() {
    const wanted = !paused && !document.hidden;
    if (wanted && (source || live.state === "lost")) return;
    if (wanted) {
        live.state = "connecting";
        open();
    } else {
        close();
        live.state = paused ? "paused" : "hidden";
    }
    tell();
}

export function startLive() {
    document.addEventListener("visibilitychange", settle);
    settle();
}

export function setPaused(on) {
    paused = on;
    settle();
}

export function isPaused() {
    return paused;
}

// At once, not only after the delay.
export function reconnect() {
    tries = 0;
    open();
}

export function useLive() {
    const [, draw] = useState(0);
    useEffect(() => {
        const listener = () => draw((n) => n + 1);
        listeners.add(listener);
        return () => listeners.delete(listener);
    }, []);
    return live;
}

// Whether buttons that change something are shown. Not before the stream has said so.
export function useMayChange() {
    const { about } = useLive();
    return about !== null && !about.read_only;
}
