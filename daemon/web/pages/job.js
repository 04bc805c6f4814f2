// One job: what it is, why it is where it is, what it was given, did and wrote.
import { useApi } from "../api.js";
import { curl, jobq } from "../command.js";
import { duration } from "../format.js";
import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { useMayChange } from "../live.js";
import { actOn } from "../parts/bulk.js";
import { confirm } from "../parts/confirm.js";
import { CopyAs, CopyText } from "../parts/copy.js";
import { Empty, Failed } from "../parts/empty.js";
import { canDo, DONE } from "../parts/filter.js";
import { JobLog } from "../parts/job_log.js";
import { Attempts, hasLongNumber, JobResult, Payload, Timeline } from "../parts/job_parts.js";
import { say } from "../parts/notice.js";
import { Page, Panel } from "../parts/page.js";
import { Ago, Elapsed } from "../parts/time.js";
import { href } from "../route.js";

const LOOKS = { succeeded: "good", dead: "bad", retrying: "warn", cancelled: "warn", expired: "warn" };
const WORD = { retry: "Retry now", cancel: "Cancel", remove: "Remove" };
const EFFECT = {
    cancel: "A waiting job never starts. A running job is stopped.",
    remove: "The job is removed with its payload and errors.",
};

function Facts({ job }) {
    const rows = [
        ["Type", html`<a class="mono" href=${href("jobs", { state: job.state, type: job.type })}>${job.type}</a>`],
        ["Queue", html`<a href=${href("jobs", { state: job.state, queue: job.queue })}>${job.queue}</a>`],
        ["Priority", job.priority],
        ["Attempts", (job.attempt ?? job.attempts) + (job.max_attempts ? ` of ${job.max_attempts}` : "")],
        ["Enqueued", html`<${Ago} ms=${job.created_at} />`],
        job.state === "running" ? ["Runs for", html`<${Elapsed} since=${job.started_at} />`]
            : ["Ran for", job.duration_ms === undefined ? "" : duration(job.duration_ms)],
        ["Worker", job.worker], ["Exit status", job.exit_code], ["Signal", job.signal],
        ["Timeout", job.timeout_ms && duration(job.timeout_ms)],
        ["Expires", job.expires_at && html`<${Ago} ms=${job.expires_at} />`],
        ["Tags", job.tags?.map((tag) => html`<a key=${tag} class="tag" href=${href("jobs", { state: job.state, tag })}>${tag}</a> `)],
        ["Idempotency key", job.idempotency_key], ["Trace", job.traceparent],
        ["Crashes", job.crashes], ["Batch", job.custom?.bid],
        ["CPU", job.user_cpu_ms === undefined ? "" : `${duration(job.user_cpu_ms)} user, ${duration(job.system_cpu_ms)} system`],
    ];
    return html`<dl class="facts">${rows.filter(([, value]) => value !== undefined && value !== "" && value !== 0)
        .map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

// The same job once more, under a new id.
function again(job) {
    if (job.args === undefined || hasLongNumber(job.args_preview)) return null;
    const { type, queue, priority, args, max_attempts: attempts, tags } = job;
    const body = { type, queue, priority, args, ...(attempts ? { max_attempts: attempts } : {}), ...(tags ? { tags } : {}) };
    // jobq takes a payload: the one argument there is.
    const payload = args.length === 1 ? JSON.stringify(args[0]) : args.length === 0 ? null : undefined;
    const line = payload === undefined ? "" : jobq("enqueue", type, "--queue", queue, "--priority", priority,
        "--max-attempts", attempts, "--payload", payload);
    return { jobq: line, curl: curl("POST", "/api/v1/jobs", body) };
}

export function Job({ path }) {
    const jid = path[0] ?? "";
    const target = `/api/v1/jobs/${encodeURIComponent(jid)}`;
    const { data, error, reload } = useApi(jid ? target : null, undefined, { everyMs: 2_000 });
    const mayChange = useMayChange();
    const job = data?.jid === jid ? data : null;
    const actions = job && mayChange ? ["retry", "cancel", "remove"].filter((action) => canDo(action, job.state)) : [];
    const act = async (action) => {
        const line = jobq(action === "remove" ? "rm" : action, jid);
        if (action !== "retry" && !(await confirm({ title: `${WORD[action]} this job?`, text: `${jid}. ${EFFECT[action]}`,
            action: WORD[action], danger: true, jobq: line }))) return;
        const { done, first } = await actOn(action, [jid]);
        if (done) say(`Job ${DONE[action]}`);
        else say(first.message, "bad");
        reload();
    };
    useKeys({ r: () => actions.includes("retry") && act("retry") });
    const frame = { title: "Job", jobq: jobq("status", jid), curl: curl("GET", target) };
    if (error?.status === 404)
        return html`<${Page} ...${frame}><${Empty} title=${`Job ${jid} does not exist`} command="jobq list --state succeeded --limit 20">
            It was removed, or its retention time has expired. Finished jobs are retained for a day by default.<//><//>`;
    if (!job) return html`<${Page} ...${frame}>${error && html`<${Failed} error=${error} retry=${reload} />`}<//>`;
    const repeat = again(job);
    return html`<${Page} ...${frame} note=${html`<span class="mono">${jid}</span> <${CopyText} text=${jid} what="id" />`}
        actions=${actions.map((action) => html`<button key=${action} type="button" class=${action === "retry" ? "primary" : "danger"} onClick=${() => act(action)}>${WORD[action]}</button>`)}>
        <${Panel} title=${html`<span class=${"tag " + (LOOKS[job.state] ?? "")}>${job.state}</span>`}
            note=${job.cancel_asked ? "cancel requested" : ""} wide><${Facts} job=${job} /><//>
        ${error && html`<${Failed} error=${error} retry=${reload} />`}
        ${job.note && html`<p class="why"><b>${job.state === "dead" ? "Why it ended" : "Why it does not run"}:</b> ${job.note}</p>`}
        <div class="panels">
            <${Payload} job=${job} />
            <${JobResult} job=${job} />
            <${Timeline} job=${job} />
        </div>
        <${Attempts} errors=${job.errors} />
        <${Panel} title="Log" note=${job.state === "running" ? "live" : ""}>
            <${JobLog} key=${job.state + job.attempts} jid=${jid} running=${job.state === "running"} /><//>
        ${job.custom?.bid && html`<${Panel} title="Batch"><ul class="tree"><li>batch <span class="mono">${job.custom.bid}</span>
            <ul><li class="mono">${job.jid} (this job)</li></ul></li></ul><//>`}
        ${repeat && html`<p class="tools"><span class="faint">Enqueue it again:</span> <${CopyAs} ...${repeat} /></p>`}
    <//>`;
}
