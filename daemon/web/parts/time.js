// Times that move on by themselves: <${Ago} ms=${...}/> and <${Elapsed} since=${...}/>, both of
// milliseconds since 1970, by the clock of jobqd. Relative, with UTC on hover; one clock ticks for
// all of them.
import { html, useEffect, useState } from "../html.js";
import { ago, duration, utc } from "../format.js";
import { serverNow } from "../live.js";

const clocks = new Set();
let timer = 0;

export function useNow() {
    const [now, setNow] = useState(serverNow());
    useEffect(() => {
        clocks.add(setNow);
        timer ||= setInterval(() => {
            const time = serverNow();
            for (const set of clocks) set(time);
        }, 1_000);
        return () => {
            clocks.delete(setNow);
            if (clocks.size) return;
            clearInterval(timer);
            timer = 0;
        };
    }, []);
    return now;
}

const inMs = (time) => (typeof time === "string" ? Date.parse(time) : time);

// ms: a number, or a time as jobqd writes it (RFC 3339).
export function Ago({ ms }) {
    const now = useNow();
    const time = inMs(ms);
    if (!time) return html`<span class="faint">–</span>`;
    return html`<time dateTime=${new Date(time).toISOString()} title=${utc(time)}>${ago(time, now)}</time>`;
}

export function Elapsed({ since }) {
    const now = useNow();
    const time = inMs(since);
    if (!time) return html`<span class="faint">–</span>`;
    return html`<time title=${"since " + utc(time)}>${duration(Math.max(0, now - time))}</time>`;
}
