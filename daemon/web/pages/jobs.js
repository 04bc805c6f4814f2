// Jobs: those of a state, filtered, page by page. Rows stand still: what came since is a number on
// the button that loads them. Everything that chooses stands in the address.
import { useApi } from "../api.js";
import { jobq } from "../command.js";
import { count, plural } from "../format.js";
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { useKeys } from "../keys.js";
import { serverNow, useLive, useMayChange } from "../live.js";
import { actOn } from "../parts/bulk.js";
import { confirm } from "../parts/confirm.js";
import { Empty, Failed } from "../parts/empty.js";
import { canDo, DONE, filterOf, inWords, listCommands, STATES } from "../parts/filter.js";
import { FilterBar, Tabs } from "../parts/filter_bar.js";
import { jobColumns } from "../parts/job_columns.js";
import { say } from "../parts/notice.js";
import { OperationBar, RateChoice, startOperation } from "../parts/operation.js";
import { Page } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { go, setQuery } from "../router.js";

const LIVE_STATES = ["ready", "running", "scheduled", "retrying", "dead"];
const WORD = { retry: "Requeue", cancel: "Cancel", remove: "Remove" };
const HINTS = {
    ready: ["No jobs are ready", "jobq enqueue echo --payload '{\"hello\":\"world\"}'"],
    running: ["No jobs are running", "jobq enqueue sleep --payload '[10]'"],
    scheduled: ["No jobs are scheduled", "jobq enqueue echo --in 5m"],
    retrying: ["No jobs are waiting for a retry", "jobq enqueue fail --max-attempts 3"],
    dead: ["No jobs are dead", "jobq enqueue fail --max-attempts 1"],
    succeeded: ["No jobs have succeeded within the retention time", "jobq enqueue echo --wait"],
    cancelled: ["No jobs were cancelled within the retention time", "jobq cancel JID"],
    expired: ["No jobs have expired within the retention time", "jobq enqueue echo --in 10s --expires 5s"],
};

// How many there are in the state now, and how many came since the page was loaded.
function useCount(state, loadedOf) {
    const { sample } = useLive();
    const now = LIVE_STATES.includes(state) ? sample?.jobs?.[state] : undefined;
    const then = useRef({});
    if (then.current.of !== loadedOf) then.current = { of: loadedOf, count: now };
    then.current.count ??= now;
    return { now, more: now === undefined ? 0 : now - then.current.count };
}

function Paging({ query, page, loading }) {
    return html`<nav class="tools" aria-label="Pages of this list">
        <button type="button" disabled=${!query.cursor} onClick=${() => setQuery({ cursor: "" })}>First page</button>
        <button type="button" disabled=${!query.cursor} onClick=${() => history.back()}>Back</button>
        <button type="button" disabled=${!page?.next || loading} onClick=${() => setQuery({ cursor: page.next })}>
            ${page && page.jobs.length === 0 && page.next ? "Search further" : "Next page"}</button>
        <span class="faint">${page ? `${plural(page.jobs.length, "job")} of ${count(page.looked_at)} checked${page.next ? ", there are more" : ""}` : ""}</span>
    </nav>`;
}

export function Jobs({ query }) {
    const state = STATES.includes(query.state) ? query.state : "ready";
    const limit = [25, 50, 100, 200, 500].includes(Number(query.limit)) ? Number(query.limit) : 50;
    const { filter, wrong } = useMemo(() => filterOf(query, serverNow()), [JSON.stringify(query)]);
    const { data, error, loading, of, reload } = useApi("/api/v1/jobs",
        { state, ...filter, newest: query.newest, limit, cursor: query.cursor });
    const rows = data?.jobs ?? [];
    const mayChange = useMayChange();
    const [loads, setLoads] = useState(0);
    const { now, more } = useCount(state, of + loads);
    const [chosen, setChosen] = useState(new Set());
    const [at, setAt] = useState(0);
    const [rate, setRate] = useState(0);
    const [operation, setOperation] = useState("");
    const shown = data?.jobs;
    useEffect(() => {
        setLoads((n) => n + 1);
        setChosen(new Set());
        setAt(0);
    }, [shown]);
    const actions = ["retry", "cancel", "remove"].filter((action) => mayChange && canDo(action, state));

    const toggle = (jid) => {
        const next = new Set(chosen);
        if (!next.delete(jid)) next.add(jid);
        setChosen(next);
    };
    const actOnChosen = async (action, jids) => {
        const what = plural(jids.length, "job");
        const yes = jids.length === 1 && action === "retry" ? true : await confirm({
            title: `${WORD[action]} ${what}?`, action: WORD[action], danger: action !== "retry",
            text: `${what}: ${jids.slice(0, 3).join(", ")}${jids.length > 3 ? ", …" : ""}`,
            jobq: jobq(action === "remove" ? "rm" : action, ...jids.slice(0, 50)),
        });
        if (!yes) return;
        const { done, failed, first } = await actOn(action, jids);
        if (done) say(`${plural(done, "job")} ${DONE[action]}`);
        if (failed) say(`${plural(failed, "job")} failed: ${first.message}`, "bad");
        reload();
    };
    const actOnAll = async (action) => {
        const any = Object.keys(filter).length === 0;
        const about = any && now !== undefined ? `about ${plural(now, `${state} job`)}`
            : `all ${state} jobs that match` + (now === undefined ? "" : `, of about ${count(now)}`);
        const begun = await startOperation({ action, state, filter, rate: action === "retry" ? rate : 0, about });
        if (begun) setOperation(begun.id);
    };
    useKeys({
        j: () => setAt(Math.min(rows.length - 1, at + 1)),
        k: () => setAt(Math.max(0, at - 1)),
        x: () => rows[at] && toggle(rows[at].jid),
        Enter: () => rows[at] && go(["job", rows[at].jid]),
        r: () => actions.includes("retry") && rows[at] && actOnChosen("retry", chosen.size ? [...chosen] : [rows[at].jid]),
    });

    const columns = jobColumns({ state, rows, chosen, toggle, mayChange,
        all: (on) => setChosen(new Set(on ? rows.map(({ jid }) => jid) : [])) });
    const filtered = Object.keys(filter).length > 0;
    const [title, command] = HINTS[state];
    const empty = data && (data.next
        ? html`<${Empty} title=${`None of the ${count(data.looked_at)} jobs checked so far match`}>There are more jobs. “Search further” continues.<//>`
        : html`<${Empty} title=${filtered ? `No ${state} job${inWords(filter)}` : title} command=${filtered ? "" : command} />`);
    return html`<${Page} title="Jobs" ...${listCommands(state, filter, query, limit)}>
        <${Tabs} state=${state} />
        <${FilterBar} query=${query} limit=${limit} wrong=${wrong} ordered=${["scheduled", "retrying", "dead"].includes(state)} />
        ${operation && html`<${OperationBar} id=${operation} onEnd=${reload} onClose=${() => setOperation("")} />`}
        <div class="tools" aria-busy=${loading}>
            ${actions.map((action) => html`<button key=${action} type="button" class=${action === "retry" ? "" : "danger"} disabled=${chosen.size === 0}
                onClick=${() => actOnChosen(action, [...chosen])}>${WORD[action]} ${chosen.size || ""} chosen</button>`)}
            ${actions.length > 0 && html`<span class="faint">all that match:</span>`}
            ${actions.map((action) => html`<button key=${action + "-all"} type="button" class=${action === "retry" ? "" : "danger"}
                onClick=${() => actOnAll(action)}>${WORD[action]} all…</button>`)}
            ${actions.includes("retry") && html`<${RateChoice} value=${rate} onChange=${setRate} />`}
            <span class="grow"></span>
            <button type="button" class="refresh" disabled=${loading} onClick=${reload}>Refresh${more > 0 ? ` · ${count(more)} more` : more < 0 ? ` · ${count(-more)} fewer` : ""}</button>
        </div>
        ${error && html`<${Failed} error=${error} retry=${reload} />`}
        <${Table} caption=${`Jobs that are ${state}`} columns=${columns} rows=${rows} rowKey=${({ jid }) => jid} empty=${empty}
            selected=${(job) => rows[at] === job} onRow=${(job) => setAt(rows.indexOf(job))} />
        <${Paging} query=${query} page=${data} loading=${loading} />
    <//>`;
}
