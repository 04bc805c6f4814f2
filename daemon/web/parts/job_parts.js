// The parts of the page of one job: payload, result, timeline, attempts. All of it is text of
// somebody's: shown as such, and cut where it is long.
import { getText } from "../api.js";
import { bytes, duration, utc } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { CopyText } from "./copy.js";
import { Panel } from "./page.js";

const SHOWN = 64 << 10;

function pretty(value) {
    const text = JSON.stringify(value, null, 2);
    return text.length <= 4 * SHOWN ? text : JSON.stringify(value);
}

const base = (jid) => `/api/v1/jobs/${encodeURIComponent(jid)}`;

// Numbers beyond 2^53 would change if they went through the browser's JSON: then as they came.
export const hasLongNumber = (text) => /[0-9]{16}/.test(text);

export function Payload({ job }) {
    if (job.args_bytes === undefined)
        return html`<${Panel} title="Payload"><p class="text faint">The payload of a finished job is not kept.</p><//>`;
    const whole = job.args !== undefined;
    const exact = !whole || hasLongNumber(job.args_preview);
    const text = exact ? job.args_preview : pretty(job.args);
    const cut = exact && job.args_cut;
    return html`<${Panel} title="Payload" note=${html`${bytes(job.args_bytes)} <a href=${base(job.jid) + "/payload"} download=${job.jid + ".json"}>download</a>`}>
        <pre class="text" tabindex="0" aria-label="Payload">${text}${cut ? "\n… cut off here; download it to see everything" : ""}</pre>
    <//>`;
}

export function JobResult({ job }) {
    const [result, setResult] = useState(null);
    useEffect(() => {
        if (!job.has_result || job.state !== "succeeded") return undefined;
        const abort = new AbortController();
        getText(base(job.jid) + "/result", undefined, SHOWN, abort.signal).then(
            setResult, (error) => abort.signal.aborted || setResult({ text: error.message, failed: true }));
        return () => abort.abort();
    }, [job.jid, job.state, job.has_result]);
    if (job.state !== "succeeded") return null;
    let text = "The job returned nothing.";
    if (job.has_result && !result) text = "…";
    if (result) text = result.text;
    if (result && !result.cut && !result.failed) {
        const { result: value, text: plain, b64, left_out, left_out_at } = JSON.parse(result.text);
        if (b64 !== undefined) text = "The result is not text; download it.";
        else text = value === undefined ? plain : hasLongNumber(result.text) ? result.text : pretty(value);
        if (left_out) text += `\n… ${left_out} bytes left out at ${left_out_at}`;
    }
    return html`<${Panel} title="Result" note=${job.has_result && html`<a href=${base(job.jid) + "/result?format=raw"} download=${job.jid + "-result"}>download</a>`}>
        <pre class=${"text" + (result ? "" : " faint")} tabindex="0" aria-label="Result">${text}${result?.cut ? "\n… cut off here; download it to see everything" : ""}</pre>
    <//>`;
}

// What happened to it, oldest first: [{at, text, kind}].
export function eventsOf(job) {
    const events = [{ at: job.created_at, text: "enqueued" }];
    if (job.run_at && job.run_at !== job.created_at) events.push({ at: job.run_at, text: "scheduled for" });
    for (const one of job.errors) {
        if (one.started_at) events.push({ at: one.started_at, text: `attempt ${one.attempt} began${one.worker ? " on " + one.worker : ""}` });
        if (one.ended_at) events.push({ at: one.ended_at, kind: "bad",
            text: `attempt ${one.attempt}: ${one.outcome}` + (one.started_at ? ` after ${duration(Date.parse(one.ended_at) - Date.parse(one.started_at))}` : "") });
    }
    if (job.next_at) events.push({ at: job.next_at, text: "next attempt" });
    if (job.started_at) events.push({ at: job.started_at, text: `${job.attempt ? `attempt ${job.attempt}` : "last attempt"} began${job.worker ? " on " + job.worker : ""}` });
    if (job.finished_at) events.push({ at: job.finished_at, text: job.state, kind: job.state === "succeeded" ? "good" : "bad" });
    return events.filter(({ at }) => at).sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

export function Timeline({ job }) {
    return html`<${Panel} title="Timeline"><ol class="timeline">
        ${eventsOf(job).map(({ at, text, kind }, i) => html`<li key=${i} class=${kind ?? ""}><time class="mono" dateTime=${at}>${utc(Date.parse(at))}</time> <span>${text}</span></li>`)}
    </ol><//>`;
}

export function Attempts({ errors }) {
    if (errors.length === 0) return null;
    return html`<${Panel} title="Errors" note=${`of ${errors.length === 1 ? "one attempt" : errors.length + " attempts"}, newest first`}>
        ${[...errors].reverse().map((one) => html`<div class="attempt" key=${one.attempt + (one.ended_at ?? "")}>
            <div><span class="faint">attempt ${one.attempt}, ${one.outcome}</span> <b class="bad">${one.error_type}</b>
                ${one.exit_code !== undefined && html` <span class="tag">exit ${one.exit_code}</span>`}
                ${one.signal !== undefined && html` <span class="tag">signal ${one.signal}</span>`}</div>
            ${one.message && html`<pre>${one.message}</pre>`}
            ${one.backtrace && html`<details><summary>Backtrace</summary><pre>${Array.isArray(one.backtrace) ? one.backtrace.join("\n") : one.backtrace}</pre>
                <${CopyText} text=${Array.isArray(one.backtrace) ? one.backtrace.join("\n") : one.backtrace} what="backtrace" /></details>`}
        </div>`)}
    <//>`;
}
