// Workers: who is connected, what each runs and for how long; quiet and stop.
import { send, useApi } from "../api.js";
import { curl, jobq } from "../command.js";
import { count, plural } from "../format.js";
import { html } from "../html.js";
import { serverNow, useMayChange } from "../live.js";
import { confirm } from "../parts/confirm.js";
import { Empty, Failed } from "../parts/empty.js";
import { say } from "../parts/notice.js";
import { Page } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { Ago, Elapsed } from "../parts/time.js";
import { href } from "../route.js";
import { setQuery } from "../router.js";

const PATH = "/api/v1/workers";
const JOBS_SHOWN = 200;
const ACTIONS = {
    quiet: { title: "Quiet", text: "The worker takes no more jobs and finishes the running ones. To undo this, restart the worker." },
    stop: { title: "Stop", text: "The worker takes no more jobs, finishes running jobs as far as it can, and exits. Jobs that it gives back run elsewhere." },
};

async function act(what, { wid }, reload) {
    const { title, text } = ACTIONS[what];
    const path = `${PATH}/${encodeURIComponent(wid)}/${what}`;
    const yes = await confirm({ title: `${title} ${wid}?`, text, action: title, danger: what === "stop",
        jobq: jobq("workers", what, wid), curl: curl("POST", path) });
    if (!yes) return;
    try {
        await send("POST", path);
        say(`Worker ${wid} received the signal ${what}.`);
    } catch (error) {
        say(`Worker ${wid}: ${error.message}`, "bad");
    }
    reload();
}

function Running({ rows }) {
    const columns = [
        { key: "jid", title: "Job", width: "230px", cell: ({ jid }) => html`<a class="mono" href=${href(["job", jid])}>${jid}</a>` },
        { key: "type", title: "Type", cell: ({ type }) => html`<span class="mono">${type}</span>` },
        { key: "queue", title: "Queue", width: "150px", cell: ({ queue }) => html`<span class="mono">${queue}</span>` },
        { key: "attempt", title: "Attempt", width: "80px", number: true, cell: ({ attempt }) => count(attempt) },
        { key: "elapsed", title: "Runs for", width: "100px", number: true, cell: (job) => html`<${Elapsed} since=${job.started_at} />` },
        { key: "worker", title: "Worker", width: "210px", cell: ({ wid }) => html`<span class="mono" title=${wid}>${wid}</span>` },
    ];
    const shown = rows.slice(0, JOBS_SHOWN);
    return html`<h2>Running jobs</h2>
        <${Table} caption="Running jobs" columns=${columns} rows=${shown} rowKey=${({ jid }) => jid}
            empty=${html`<${Empty} title="No running jobs" />`} />
        ${rows.length > JOBS_SHOWN && html`<p class="faint">The ${JOBS_SHOWN} longest-running of ${count(rows.length)} jobs. <a href=${href("jobs", { state: "running" })}>Show all</a></p>`}`;
}

export function Workers({ query }) {
    const { data, error, reload } = useApi(PATH, undefined, { everyMs: 2_000 });
    const mayChange = useMayChange();
    const wanted = (query.name ?? "").toLowerCase();
    const workers = (data?.workers ?? []).filter(({ wid, hostname }) => `${wid} ${hostname}`.toLowerCase().includes(wanted));
    const running = workers.flatMap(({ wid, jobs }) => jobs.map((job) => ({ ...job, wid })))
        .sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
    const columns = [
        { key: "wid", title: "Worker", cell: ({ wid }) => html`<span class="mono" title=${wid}>${wid}</span>` },
        { key: "kind", title: "Kind", width: "84px", cell: ({ kind }) => kind },
        { key: "host", title: "Host", width: "150px", cell: ({ hostname, pid }) => hostname && html`${hostname} <span class="faint">${pid || ""}</span>` },
        { key: "state", title: "State", width: "100px", cell: ({ state }) => html`<span class=${"tag " + (state === "running" ? "" : "warn")}>${state}</span>` },
        { key: "busy", title: "Busy", width: "90px", number: true, cell: ({ jobs, slots }) => (slots ? `${count(jobs.length)} of ${count(slots)}` : count(jobs.length)) },
        { key: "beat", title: "Heartbeat", width: "100px", cell: ({ beat_ago_ms: ms }) => html`<${Ago} ms=${serverNow() - ms} />` },
        { key: "since", title: "Connected", width: "110px", cell: (worker) => html`<${Ago} ms=${worker.connected_at} />` },
        { key: "do", title: "", width: "140px", cell: (worker) => mayChange && worker.kind !== "pool" && html`<span class="row-actions">
            <button type="button" aria-label=${`Quiet ${worker.wid}`} onClick=${() => act("quiet", worker, reload)}>Quiet</button>
            <button type="button" class="danger" aria-label=${`Stop ${worker.wid}`} onClick=${() => act("stop", worker, reload)}>Stop</button></span>` },
    ];
    const empty = data && (wanted
        ? html`<${Empty} title="No worker name or host contains this text" />`
        : html`<${Empty} title="No worker is connected" command="jobq work --queue default -- ./job.sh">Start a worker, or configure pools in jobqd.toml. Workers of any Faktory client library can connect too.<//>`);
    return html`<${Page} title="Workers" note=${data && plural(data.workers.length, "worker")} jobq=${jobq("workers", "list")} curl=${curl("GET", PATH)}>
        ${error && html`<${Failed} error=${error} retry=${reload} />`}
        <div class="tools"><label>Name or host <input type="search" data-search value=${query.name ?? ""}
            onInput=${(event) => setQuery({ name: event.target.value }, { replace: true })} /></label></div>
        <${Table} caption="Workers" columns=${columns} rows=${workers} rowKey=${({ wid }) => wid} empty=${empty} />
        <${Running} rows=${running} />
    <//>`;
}
