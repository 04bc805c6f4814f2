// Health: whether jobs can be enqueued, how Redis and its disk are, and this process.
import { useApi } from "../api.js";
import { curl, jobq } from "../command.js";
import { bytes, count, duration } from "../format.js";
import { html } from "../html.js";
import { useLive } from "../live.js";
import { Chart } from "../parts/chart.js";
import { Failed } from "../parts/empty.js";
import { Page, Panel } from "../parts/page.js";
import { Ago } from "../parts/time.js";

function Facts({ rows }) {
    return html`<dl class="pairs">${rows.filter(([, value]) => value !== "" && value !== undefined)
        .map(([name, value]) => html`<dt key=${name}>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

const REDIS = [{ name: "redis", title: "round trip p50", colour: "--one" }];

export function Health() {
    const { sample } = useLive();
    const { data: ping, error, reload } = useApi("/api/v1/ping", undefined, { everyMs: 5_000 });
    const redis = sample?.redis, storage = sample?.storage, process = sample?.process;
    const ready = sample?.state === "ready" && redis?.state === "ready" && storage?.state !== "full" && storage?.state !== "refused";
    return html`<${Page} title="Health" note=${sample && html`<span class=${"tag " + (ready ? "good" : "bad")}>${ready ? "ready" : "not ready"}</span>`}
        jobq=${jobq("doctor")} curl=${curl("GET", "/readyz")}>
        ${error && html`<${Failed} error=${error} retry=${reload} />`}
        <div class="panels">
            <${Panel} title="jobqd"><${Facts} rows=${[
                ["State", sample?.state], ["Version", ping?.version], ["Process", ping?.pid],
                ["Started", process && html`<${Ago} ms=${process.started_at} />`],
                ["Unix socket", ping?.unix], ["TCP", ping?.tcp], ["HTTP", ping?.http], ["State directory", ping?.state_dir],
                ["Memory", process && bytes(process.resident_bytes)],
                ["Descriptors", process && `${count(process.descriptors)} of ${count(process.descriptors_limit)}`],
                ["CPU time", process && duration(process.cpu_ms)], ["Connections", count(sample?.connections)]]} /><//>
            <${Panel} title="Redis"><${Facts} rows=${[
                ["State", redis?.state], ["Round trip", redis && duration(redis.round_trip_us / 1000)],
                ["Calls", count(redis?.calls)], ["In flight", count(redis?.in_flight)], ["Connected", redis && `${count(redis.connects)} times`],
                ["Memory", redis && (redis.memory_limit ? `${bytes(redis.memory_bytes)} of ${bytes(redis.memory_limit)}` : bytes(redis.memory_bytes))]]} /><//>
            <${Panel} title="Storage"><${Facts} rows=${[
                ["State", storage?.state], ["Durability", storage?.durability], ["Trouble", storage?.text], ["Mended", storage?.note],
                ["Free space", storage?.free_bytes ? bytes(storage.free_bytes) : ""], ["Log", storage?.log_bytes ? bytes(storage.log_bytes) : ""],
                ["Figures", sample && `${duration(sample.sample_age_ms)} old`]]} /><//>
            <${Panel} title="Redis, the last ten minutes"><${Chart} title="Redis round trip" lines=${REDIS} format=${duration} /><//>
        </div>
    <//>`;
}
