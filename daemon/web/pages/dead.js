// Dead: what failed for good, by type and last error, so that a person sees causes, not jobs.
import { useApi } from "../api.js";
import { curl, jobq } from "../command.js";
import { count, plural } from "../format.js";
import { html, useState } from "../html.js";
import { useKeys } from "../keys.js";
import { useLive, useMayChange } from "../live.js";
import { Empty, Failed } from "../parts/empty.js";
import { OperationBar, RateChoice, startOperation } from "../parts/operation.js";
import { Page } from "../parts/page.js";
import { Table } from "../parts/table.js";
import { Ago } from "../parts/time.js";
import { href } from "../route.js";
import { go } from "../router.js";

const PATH = "/api/v1/dead/groups";

const idOf = ({ group }) => group;
const filterOf = ({ filter: { state, ...rest } }) => rest;

function Cause({ group }) {
    return html`<a href=${href("jobs", { state: "dead", newest: "true", ...filterOf(group) })}>${group.error_type || group.reason || "no error"}</a>
        ${group.message && html` <span class="clip-line" title=${group.message}>${group.message}</span>`}`;
}

export function Dead() {
    const { data, error, loading, reload } = useApi(PATH);
    const mayChange = useMayChange();
    const { sample } = useLive();
    const [rate, setRate] = useState(0);
    const [operation, setOperation] = useState("");
    const [at, setAt] = useState(0);
    const groups = data?.groups ?? [];
    const dead = sample?.jobs?.dead ?? data?.total;
    const changed = data && sample?.jobs ? sample.jobs.dead - data.total : 0;

    const begin = async (action, filter, about) => {
        const begun = await startOperation({ action, state: "dead", filter, rate: action === "retry" ? rate : 0, about });
        if (begun) setOperation(begun.id);
    };
    const ofGroup = (action, group) => begin(action, filterOf(group), plural(group.count, "dead job"));
    const everything = (action) => begin(action, {}, `all ${count(dead)} dead jobs`);

    useKeys({
        j: () => setAt(Math.min(groups.length - 1, at + 1)),
        k: () => setAt(Math.max(0, at - 1)),
        Enter: () => groups[at] && go("jobs", { state: "dead", newest: "true", ...filterOf(groups[at]) }),
        r: () => mayChange && groups[at] && ofGroup("retry", groups[at]),
    });

    const columns = [
        { key: "count", title: "Jobs", width: "84px", number: true, cell: (group) => html`<b>${count(group.count)}</b>` },
        { key: "type", title: "Type", width: "170px", cell: (group) => html`<span class="mono">${group.type}</span>` },
        { key: "cause", title: "Last error (# for the parts that differ)", cell: (group) => html`<${Cause} group=${group} />` },
        { key: "newest", title: "Newest", width: "110px", cell: (group) => html`<${Ago} ms=${group.newest_at} />` },
        { key: "oldest", title: "Oldest", width: "110px", cell: (group) => html`<${Ago} ms=${group.oldest_at} />` },
        { key: "example", title: "Example", width: "118px", cell: (group) => html`<a class="mono" href=${href(["job", group.example])}>…${group.example.slice(-10)}</a>` },
        { key: "do", title: "", width: "176px", cell: (group) => mayChange && html`<span class="row-actions">
            <button type="button" onClick=${() => ofGroup("retry", group)}>Requeue</button>
            <button type="button" class="danger" onClick=${() => ofGroup("remove", group)}>Remove</button></span>` },
    ];
    const empty = data && !data.partial && html`<${Empty} title="No dead jobs" command="jobq enqueue fail --max-attempts 1">
        Jobs that have used up their attempts are listed here, grouped by error. To create one with the built-in handler:<//>`;
    const note = data && (data.partial ? `the newest ${count(data.looked_at)} of ${count(data.total)}, by type and error` : `${plural(data.total, "job")}, by type and error`);
    return html`<${Page} title="Dead" note=${note} jobq=${jobq("retry-dead", "--all", "--dry-run")} curl=${curl("GET", PATH)}>
        ${operation && html`<${OperationBar} id=${operation} onEnd=${reload} onClose=${() => setOperation("")} />`}
        <div class="tools">
            ${mayChange && html`<${RateChoice} value=${rate} onChange=${setRate} label="Requeue" />
            <button type="button" disabled=${!dead} onClick=${() => everything("retry")}>Requeue all</button>
            <button type="button" class="danger" disabled=${!dead} onClick=${() => everything("remove")}>Remove all</button>`}
            <span class="grow"></span>
            <a href=${href("jobs", { state: "dead", newest: "true" })}>List the jobs</a>
            <button type="button" class="refresh" onClick=${reload} disabled=${loading}>Refresh${changed > 0 ? ` · ${count(changed)} new` : ""}</button>
        </div>
        ${error && html`<${Failed} error=${error} retry=${reload} />`}
        <${Table} caption="Dead jobs by type and last error" columns=${columns} rows=${groups} rowKey=${idOf} empty=${empty}
            selected=${(group) => groups[at] === group} onRow=${(group) => setAt(groups.indexOf(group))} />
        ${data?.others > 0 && html`<p class="faint">${plural(data.others, "more job")} in smaller groups.</p>`}
    <//>`;
}
