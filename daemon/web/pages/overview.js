// Overview: is it well, how fast is it, what waits, what fails. All of it from the one stream.
import { jobq, curl } from "../command.js";
import { count, duration, plural, rate } from "../format.js";
import { lastOf } from "../history.js";
import { html } from "../html.js";
import { useLive } from "../live.js";
import { Chart } from "../parts/chart.js";
import { Empty } from "../parts/empty.js";
import { Page, Panel } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { href } from "../route.js";

const STATES = [["ready", "Ready"], ["running", "Running"], ["scheduled", "Scheduled"], ["retrying", "Retrying"], ["dead", "Dead"]];
const SHOWN = 8;

// Whatever keeps jobs from running, in words; the worst first.
export function troubles(sample) {
    if (!sample) return [];
    const found = [];
    if (sample.redis.state !== "ready") found.push(["bad", `Redis is ${sample.redis.state}. No jobs can be enqueued or started until it is back.`]);
    if (sample.storage.state === "refused") found.push(["bad", `Redis refuses writes: ${sample.storage.text}`]);
    if (sample.storage.state === "full") found.push(["bad", sample.storage.text || "The storage is full. New jobs are refused."]);
    if (sample.state !== "ready") found.push(["warn", `jobqd is ${sample.state}.`]);
    const paused = sample.queues.filter((queue) => queue.paused && queue.size > 0);
    if (paused.length) found.push(["warn", `Paused queues with waiting jobs: ${paused.slice(0, 5).map(({ name }) => name).join(", ")}.`]);
    if (sample.workers.count === 0 && sample.pools.length === 0 && sample.jobs.ready > 0) found.push(["warn", "Jobs are ready, but no worker is connected to run them."]);
    if (sample.sample_age_ms > 10_000) found.push(["warn", `These figures are ${duration(sample.sample_age_ms)} old, because the store does not answer.`]);
    return found;
}

function Tiles({ sample, history }) {
    const figures = [
        ["Enqueued", rate(lastOf(history, "enqueued")), "a second"],
        ["Succeeded", rate(lastOf(history, "succeeded")), "a second"],
        ["Failed", rate(lastOf(history, "failed")), "a second"],
        ["Next job waits", duration(lastOf(history, "latency")), "slowest queue"],
    ];
    return html`<div class="tiles">
        ${figures.map(([title, value, note]) => html`<div class="tile" key=${title}><span class="faint">${title}</span><b>${value}</b><span class="faint">${note}</span></div>`)}
        ${STATES.map(([state, title]) => html`<a class="tile" key=${state} href=${href("jobs", { state })}>
            <span class="faint">${title}</span><b class=${state === "dead" && sample?.jobs.dead ? "bad" : ""}>${count(sample?.jobs[state])}</b><span class="faint">jobs</span></a>`)}
    </div>`;
}

function Queues({ sample }) {
    const columns = [
        { key: "name", title: "Queue", cell: ({ name }) => html`<a class="mono" href=${href("jobs", { state: "ready", queue: name })}>${name}</a>` },
        { key: "size", title: "Ready", width: "90px", number: true, cell: ({ size }) => count(size) },
        { key: "latency", title: "Next waits", width: "110px", number: true, cell: ({ latency_ms: ms }) => duration(ms) },
        { key: "state", title: "", width: "84px", cell: ({ paused }) => paused && html`<span class="tag warn">paused</span>` },
    ];
    const empty = sample && html`<${Empty} title="No queues yet" command="jobq enqueue echo --payload '{}'">The first job creates a queue.<//>`;
    return html`<${Panel} title="Queues" note=${sample && html`slowest first · <a href=${href("queues")}>all ${count(sample.queues_total)}</a>`}>
        <${Table} caption="The slowest queues" columns=${columns} rows=${sample?.queues.slice(0, SHOWN) ?? []} rowKey=${({ name }) => name} empty=${empty} /><//>`;
}

function Pools({ sample }) {
    const columns = [
        { key: "name", title: "Pool", cell: ({ name, kind }) => html`<span class="mono">${name}</span> <span class="faint">${kind}</span>` },
        { key: "queues", title: "Queues", cell: ({ queues }) => html`<span class="mono" title=${queues.join(" ")}>${queues.join(" ")}</span>` },
        { key: "busy", title: "Busy", width: "170px", cell: ({ busy, slots, name }) => html`<span class="use">
            <meter min="0" max=${Math.max(slots, 1)} value=${busy} aria-label=${`busy slots of ${name}`}></meter>${count(busy)} of ${count(slots)}</span>` },
    ];
    const empty = sample && html`<${Empty} title="No pools" command="jobq work --queue default -- ./job.sh">Jobs run in workers that connect to jobqd. To run jobs in jobqd itself, configure pools in jobqd.toml.<//>`;
    return html`<${Panel} title="Pools" note=${sample && `${plural(sample.workers.count, "worker")} connected`}>
        <${Table} caption="Pools and their slots" columns=${columns} rows=${sample?.pools ?? []} rowKey=${({ name }) => name} empty=${empty} /><//>`;
}

function Failures({ sample }) {
    const columns = [
        { key: "type", title: "Type", cell: ({ type }) => html`<span class="mono">${type}</span>` },
        { key: "attempts", title: "Failed attempts", width: "120px", number: true, cell: ({ attempts }) => count(attempts) },
        { key: "died", title: "Died", width: "80px", number: true, cell: ({ died, type }) => html`<a href=${href("jobs", { state: "dead", type, newest: "true" })}>${count(died)}</a>` },
    ];
    const empty = sample && html`<${Empty} title="No failures">since jobqd started.<//>`;
    return html`<${Panel} title="Errors by type" note="since the start">
        <${Table} caption="Failures by type" columns=${columns} rows=${sample?.failures.slice(0, SHOWN) ?? []} rowKey=${({ type }) => type} empty=${empty} /><//>`;
}

const RATES = [
    { name: "enqueued", title: "enqueued", colour: "--one" },
    { name: "succeeded", title: "succeeded", colour: "--two" },
    { name: "failed", title: "failed", colour: "--three" }];
const TIMES = [
    { name: "wait_p50", title: "wait p50", colour: "--one" },
    { name: "wait_p99", title: "wait p99", colour: "--four" },
    { name: "run_p50", title: "run p50", colour: "--two" },
    { name: "run_p99", title: "run p99", colour: "--three" }];
const BACKLOG = [
    { name: "ready", title: "ready", colour: "--one" },
    { name: "running", title: "running", colour: "--two" }];
const REDIS = [{ name: "redis", title: "round trip p50", colour: "--one" }];

export function Overview() {
    const { sample, history } = useLive();
    return html`<${Page} title="Overview" note="the last ten minutes" jobq=${jobq("stats")} curl=${curl("GET", "/api/v1/stats")}>
        <div class="troubles" role="status">${troubles(sample).map(([kind, text]) => html`<p key=${text} class=${"trouble " + kind}><b>${kind === "bad" ? "Trouble" : "Note"}</b> ${text}</p>`)}</div>
        <${Tiles} sample=${sample} history=${history} />
        <div class="panels">
            <${Panel} title="Jobs a second"><${Chart} title="Jobs a second" lines=${RATES} format=${rate} /><//>
            <${Panel} title="Wait and run time"><${Chart} title="Wait and run time" lines=${TIMES} format=${duration} /><//>
            <${Panel} title="Backlog"><${Chart} title="Backlog" lines=${BACKLOG} format=${count} /><//>
            <${Panel} title="Redis" note=${sample && `${sample.redis.state}, ${sample.storage.durability}`}><${Chart} title="Redis round trip" lines=${REDIS} format=${duration} /><//>
            <${Queues} sample=${sample} />
            <${Pools} sample=${sample} />
            <${Failures} sample=${sample} />
        </div>
    <//>`;
}
