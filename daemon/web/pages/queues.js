// Queues: how much waits where and how long; pause, resume, clear.
import { send } from "../api.js";
import { curl, jobq } from "../command.js";
import { count, duration } from "../format.js";
import { html, useState } from "../html.js";
import { useLive, useMayChange } from "../live.js";
import { confirm } from "../parts/confirm.js";
import { Empty } from "../parts/empty.js";
import { say } from "../parts/notice.js";
import { Page } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { href } from "../route.js";
import { setQuery } from "../router.js";

const path = (name, what) => `/api/v1/queues/${encodeURIComponent(name)}/${what}`;

const ACTIONS = {
    pause: { title: "Pause", text: (name) => `No more jobs of “${name}” start. Running jobs finish, and new jobs are accepted.`, done: "is paused" },
    resume: { title: "Resume", text: (name) => `Jobs of “${name}” start again.`, done: "is resumed" },
    clear: { title: "Clear", text: (name, size) => `${count(size)} ready jobs of “${name}” are removed for good.`, done: "is cleared" },
};

async function act(what, { name, size }) {
    const { title, text, done } = ACTIONS[what];
    const yes = await confirm({
        title: `${title} ${name}?`, text: text(name, size), action: title, danger: what === "clear", typed: what === "clear" ? name : "",
        jobq: jobq("queue", what, name), curl: curl("POST", path(name, what)),
    });
    if (!yes) return;
    try {
        await send("POST", path(name, what));
        say(`Queue ${name} ${done}.`);
    } catch (error) {
        say(`Queue ${name}: ${error.message}`, "bad");
    }
}

export function Queues({ query }) {
    const { sample } = useLive();
    const mayChange = useMayChange();
    const [sort, setSort] = useState({ key: "latency", down: true });
    const wanted = (query.name ?? "").toLowerCase();
    const rows = (sample?.queues ?? []).filter(({ name }) => name.toLowerCase().includes(wanted));
    const columns = [
        { key: "name", title: "Queue", sort: ({ name }) => name, cell: ({ name }) => html`<a class="mono" href=${href("jobs", { state: "ready", queue: name })}>${name}</a>` },
        { key: "size", title: "Ready", width: "120px", number: true, sort: ({ size }) => size, cell: ({ size }) => count(size) },
        { key: "latency", title: "Next job waits", width: "150px", number: true, sort: ({ latency_ms: ms }) => ms, cell: ({ latency_ms: ms }) => duration(ms) },
        { key: "state", title: "State", width: "100px", cell: ({ paused }) => (paused ? html`<span class="tag warn">paused</span>` : html`<span class="faint">open</span>`) },
        { key: "do", title: "", width: "190px", cell: (queue) => mayChange && html`<span class="row-actions">
            <button type="button" aria-label=${`${queue.paused ? "Resume" : "Pause"} ${queue.name}`} onClick=${() => act(queue.paused ? "resume" : "pause", queue)}>${queue.paused ? "Resume" : "Pause"}</button>
            <button type="button" class="danger" aria-label=${`Clear ${queue.name}`} onClick=${() => act("clear", queue)}>Clear</button></span>` },
    ];
    const order = (key) => setSort({ key, down: sort.key === key ? !sort.down : key !== "name" });
    const empty = sample && (wanted
        ? html`<${Empty} title="No queue name contains this text" />`
        : html`<${Empty} title="No queues yet" command="jobq enqueue echo --payload '{}'">The first job creates a queue.<//>`);
    const hidden = sample && sample.queues_total > sample.queues.length;
    return html`<${Page} title="Queues" note=${sample && `${count(sample.queues_total)} in all`} jobq=${jobq("queue", "list")} curl=${curl("GET", "/api/v1/queues")}>
        <div class="tools"><label>Name <input type="search" data-search value=${query.name ?? ""} placeholder="part of the name"
            onInput=${(event) => setQuery({ name: event.target.value }, { replace: true })} /></label>
            ${hidden && html`<span class="faint">The ${count(sample.queues.length)} queues whose next job has waited longest. \`jobq queue list\` lists all.</span>`}</div>
        <${Table} caption="Queues" columns=${columns} rows=${rows} rowKey=${({ name }) => name} empty=${empty} sort=${sort} onSort=${order} />
    <//>`;
}
