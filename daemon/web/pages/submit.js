// Submit: a form that enqueues one job. What is wrong stands at its field; jobqd's own words count.
import { Problem, sendText } from "../api.js";
import { curlText, jobq } from "../command.js";
import { html, useState } from "../html.js";
import { useMayChange } from "../live.js";
import { Empty } from "../parts/empty.js";
import { Page, Panel } from "../parts/page.js";
import { href } from "../route.js";
import { bodyOf, FIELDS, wordsOf } from "../submit.js";

const PATH = "/api/v1/jobs";

function Field({ name, title, hint, fields, set, bad, children, whole }) {
    const id = "field-" + name, problem = bad?.field === name ? bad.problem : "";
    return html`<div class=${"field" + (whole ? " whole" : "")}><label for=${id}>${title}</label>
        ${children ? children(id) : html`<input id=${id} value=${fields[name] ?? ""} placeholder=${hint} autocomplete="off" spellcheck=${false}
            aria-invalid=${problem ? "true" : undefined} aria-describedby=${problem ? id + "-bad" : undefined}
            onInput=${(event) => set(name, event.target.value)} />`}
        ${problem && html`<span class="bad" id=${id + "-bad"}>${problem}</span>`}</div>`;
}

export function Submit({ query }) {
    const mayChange = useMayChange();
    const [fields, setFields] = useState({ type: query.type ?? "", payload: query.payload ?? "", queue: query.queue ?? "" });
    const [bad, setBad] = useState(null);
    const [made, setMade] = useState("");
    const [busy, setBusy] = useState(false);
    const set = (name, value) => setFields((old) => ({ ...old, [name]: value }));
    const form = { fields, set, bad };
    const submit = async (event) => {
        event.preventDefault();
        const { body, ...wrong } = bodyOf(fields);
        setBad(body ? null : wrong);
        setMade("");
        if (!body) return document.getElementById("field-" + wrong.field)?.focus();
        setBusy(true);
        try {
            setMade((await sendText("POST", PATH, body)).job_id);
        } catch (error) {
            setBad({ field: "", problem: error instanceof Problem ? error.message : String(error) });
        }
        setBusy(false);
    };
    const { body } = bodyOf(fields);
    return html`<${Page} title="Submit" jobq=${jobq(...wordsOf(fields))} curl=${curlText("POST", PATH, body ?? "{}")}>
        <${Panel} title="One job">
            ${mayChange ? html`<form onSubmit=${submit} aria-label="Enqueue a job">
                <div class="submit">
                    <${Field} name="type" title="Type" hint="echo" ...${form} />
                    ${FIELDS.map((field) => html`<${Field} key=${field.name} name=${field.name} title=${field.title} hint=${field.hint} ...${form} />`)}
                    <${Field} name="payload" title="Payload, JSON" whole ...${form}>${(id) => html`<textarea id=${id} rows="8" spellcheck=${false}
                        placeholder='{"to": "someone@example.com"}' value=${fields.payload} onInput=${(event) => set("payload", event.target.value)}
                        aria-invalid=${bad?.field === "payload" ? "true" : undefined}></textarea>`}<//>
                    <div class="whole tools"><button class="primary" type="submit" disabled=${busy}>Enqueue</button>
                        <span role="status">${made && html`Enqueued: <a class="mono" href=${href(["job", made])}>${made}</a>`}</span>
                        <span role="alert" class="bad">${bad && !bad.field ? bad.problem : ""}</span></div>
                </div></form>`
            : html`<${Empty} title="This dashboard is read-only" command="jobq enqueue echo --payload '{}'">[listen] http_read_only is set in the configuration of jobqd.<//>`}
        <//>
    <//>`;
}
