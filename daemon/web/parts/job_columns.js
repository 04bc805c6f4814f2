// The columns of a list of jobs, by their state.
import { duration } from "../format.js";
import { html } from "../html.js";
import { href } from "../route.js";
import { Ago, Elapsed } from "./time.js";

function lastError(job) {
    const last = job.errors?.at(-1);
    return last ? [last.error_type, last.message].filter(Boolean).join(": ") : "";
}

// Why it is where it is, or what it was given.
function Remark({ job }) {
    const error = lastError(job);
    const waits = job.note?.startsWith("it waits in queue"); // as every ready job does
    const text = error || (job.state === "ready" && !waits && job.note) || job.args_preview || "";
    return html`<span class=${"clip-line " + (error ? "bad-text" : "mono")} title=${text}>${error && html`<span class="off-screen">Error: </span>`}${text}${!error && job.args_cut ? "…" : ""}</span>`;
}

const WHEN = {
    ready: ["Enqueued", (job) => html`<${Ago} ms=${job.created_at} />`],
    running: ["Runs for", (job) => html`<${Elapsed} since=${job.started_at} />`],
    scheduled: ["Runs", (job) => html`<${Ago} ms=${job.run_at} />`],
    retrying: ["Next attempt", (job) => html`<${Ago} ms=${job.next_at} />`],
    dead: ["Died", (job) => html`<${Ago} ms=${job.finished_at} />`],
};
const OVER = ["Ended", (job) => html`<${Ago} ms=${job.finished_at} />`];

export function jobColumns({ state, rows, chosen, toggle, all, mayChange }) {
    const [when, cell] = WHEN[state] ?? OVER;
    const everyone = rows.length > 0 && rows.every(({ jid }) => chosen.has(jid));
    const box = {
        key: "box", width: "34px",
        title: html`<input type="checkbox" aria-label="Select all jobs of this page" checked=${everyone} onChange=${(event) => all(event.target.checked)} />`,
        cell: ({ jid }) => html`<input type="checkbox" aria-label=${`Select ${jid}`} checked=${chosen.has(jid)}
            onClick=${(event) => event.stopPropagation()} onChange=${() => toggle(jid)} />`,
    };
    const last = state === "running"
        ? { key: "worker", title: "Worker", width: "170px", cell: (job) => html`<span class="mono clip-line">${job.worker ?? ""}</span>` }
        : { key: "attempts", title: "Attempts", width: "80px", number: true,
            cell: (job) => (job.attempt ?? job.attempts) + (job.max_attempts ? ` of ${job.max_attempts}` : "") };
    return [
        ...(mayChange ? [box] : []),
        { key: "jid", title: "Job", width: "240px", cell: ({ jid }) => html`<a class="mono clip-line" href=${href(["job", jid])}>${jid}</a>` },
        { key: "type", title: "Type", width: "150px", cell: (job) => html`<span class="mono clip-line">${job.type}</span>` },
        { key: "queue", title: "Queue", width: "110px", cell: (job) => html`<span class="clip-line">${job.queue}</span>` },
        { key: "when", title: when, width: "118px", cell },
        last,
        ...(state === "succeeded" ? [{ key: "took", title: "Took", width: "90px", number: true, cell: (job) => duration(job.duration_ms) }] : []),
        { key: "remark", title: state === "succeeded" ? "" : "Remark", cell: (job) => html`<${Remark} job=${job} />` },
    ];
}
