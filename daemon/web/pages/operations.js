// Operations: what is being done, or was, to all jobs that match a filter.
import { useApi } from "../api.js";
import { curl } from "../command.js";
import { html } from "../html.js";
import { useMayChange } from "../live.js";
import { Empty, Failed } from "../parts/empty.js";
import { inWords } from "../parts/filter.js";
import { operationWords, Progress, stopOperation, took } from "../parts/operation.js";
import { Page } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { Ago, useNow } from "../parts/time.js";
import { href } from "../route.js";

const PATH = "/api/v1/operations";
const MARKS = { running: "▶", finished: "✓", cancelled: "■", failed: "✕" };
const LOOKS = { running: "", finished: "good", cancelled: "warn", failed: "bad" };

const state = (one) => html`<span class=${LOOKS[one.state]}><span aria-hidden="true">${MARKS[one.state]}</span> ${one.state}</span>`;

function Filter({ filter }) {
    const { state: of, all, ...rest } = filter;
    return html`<a href=${href("jobs", { state: of, ...rest })}>${of}${inWords(rest)}</a>`;
}

export function Operations() {
    const { data, error, reload } = useApi(PATH, undefined, { everyMs: 1_000 });
    const mayChange = useMayChange();
    const now = useNow();
    const rows = data?.operations ?? [];
    const columns = [
        { key: "state", title: "State", width: "96px", cell: state },
        { key: "action", title: "Action", width: "72px", cell: (one) => one.action },
        { key: "filter", title: "Jobs", cell: (one) => html`<${Filter} filter=${one.filter} />` },
        { key: "rate", title: "Rate", width: "80px", number: true, cell: (one) => (one.rate ? `${one.rate}/s` : "no limit") },
        { key: "bar", title: "Progress", width: "130px", cell: (one) => html`<${Progress} operation=${one} />` },
        { key: "words", title: "Jobs done", width: "270px",
            cell: (one) => html`${operationWords(one)}${one.trouble && html`<div class="faint clip" title=${one.trouble}>${one.trouble}</div>`}` },
        { key: "began", title: "Began", width: "110px", cell: (one) => html`<${Ago} ms=${one.started_at} />` },
        { key: "took", title: "Took", width: "84px", number: true, cell: (one) => took(one, now) },
        { key: "stop", title: "", width: "72px", cell: (one) => mayChange && one.state === "running" && html`<span class="row-actions">
            <button type="button" disabled=${one.stopping} onClick=${() => stopOperation(one.id)}>Stop</button></span>` },
    ];
    const empty = data && html`<${Empty} title="No operations yet"
        command=${curl("POST", PATH, { action: "retry", filter: { state: "dead", all: true }, rate: 20 })}>
        Actions that you start on <a href="#/jobs">Jobs</a> or <a href="#/dead">Dead</a> for all matching jobs are shown here.<//>`;
    return html`<${Page} title="Operations" note="kept in memory: a restart of jobqd ends and forgets them" curl=${curl("GET", PATH)}>
        ${error && html`<${Failed} error=${error} retry=${reload} />`}
        <${Table} caption="Operations, newest first" columns=${columns} rows=${rows} rowKey=${(one) => one.id} empty=${empty} />
    <//>`;
}
