// Operations on all jobs that match: asked for, begun, and shown while they run.
import { get, send } from "../api.js";
import { curl } from "../command.js";
import { count, duration } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { useMayChange } from "../live.js";
import { confirm } from "./confirm.js";
import { inWords, operationBody, retryDeadCommand } from "./filter.js";
import { say } from "./notice.js";

const PATH = "/api/v1/operations";
const LOOK_MS = 700;

export const RATES = [0, 1, 5, 20, 100, 500];

export function RateChoice({ value, onChange, label = "Rate" }) {
    return html`<label class="inline-field">${label}
        <select value=${value} onChange=${(event) => onChange(Number(event.target.value))}>
            ${RATES.map((rate) => html`<option key=${rate} value=${rate}>${rate ? `${rate} per second` : "no limit"}</option>`)}
        </select></label>`;
}

const WHAT = {
    retry: ["Requeue", "become ready again now, with all their attempts", false],
    cancel: ["Cancel", "never start, and running ones are stopped", true],
    remove: ["Remove", "are removed with their payloads and errors", true],
};

// Asks, then begins it. The operation, or null. `about`: how many there may be, in words.
export async function startOperation({ action, state, filter, rate = 0, about }) {
    const body = operationBody(action, state, filter, rate);
    const [word, effect, danger] = WHAT[action];
    const empty = Object.keys(filter).length === 0;
    const yes = await confirm({
        title: `${word} ${about}?`,
        text: `All jobs that are ${state} now${inWords(filter)} ${effect}${rate ? `, ${rate} per second` : ""}. ` +
            `Jobs that arrive later are not affected. The operation runs in jobqd, and you can stop it.`,
        action: word,
        danger,
        typed: action !== "retry" && empty ? state : undefined,
        jobq: action === "retry" && state === "dead" ? retryDeadCommand(filter, rate) : "",
        curl: curl("POST", PATH, body),
    });
    if (!yes) return null;
    try {
        return await send("POST", PATH, body);
    } catch (error) {
        say(error.message, "bad");
        return null;
    }
}

export async function stopOperation(id) {
    try {
        await send("DELETE", `${PATH}/${encodeURIComponent(id)}`);
        say("The operation was stopped");
    } catch (error) {
        say(error.message, "bad");
    }
}

// 0 to 1, or null when nobody knows.
export function share(operation) {
    if (operation.state === "finished") return 1;
    if (!operation.total) return null;
    return Math.min(0.99, operation.looked_at / operation.total);
}

export function Progress({ operation }) {
    const part = share(operation);
    const label = `${count(operation.done)} done, ${count(operation.looked_at)} checked`;
    return html`<progress class=${"bar " + operation.state} aria-label=${label} max="1" value=${part ?? undefined}></progress>`;
}

export function operationWords(operation) {
    const { done, failed, looked_at: looked, total, state } = operation;
    const of = total !== undefined && state === "running" ? ` of about ${count(total)}` : "";
    return `${count(done)} done` + (failed ? `, ${count(failed)} refused` : "") + `, ${count(looked)}${of} checked`;
}

export function took(operation, now) {
    const end = operation.ended_at ? Date.parse(operation.ended_at) : now;
    return duration(Math.max(0, end - Date.parse(operation.started_at)));
}

// One that was begun on this page; onEnd() once it is over.
export function OperationBar({ id, onEnd, onClose }) {
    const [operation, setOperation] = useState(null);
    const mayChange = useMayChange();
    useEffect(() => {
        let timer = 0;
        let over = false;
        const look = async () => {
            try {
                const now = await get(`${PATH}/${encodeURIComponent(id)}`);
                if (over) return;
                setOperation(now);
                if (now.state !== "running") return void onEnd?.(now);
            } catch (error) {
                if (over) return;
                if (error.status === 404) return void onClose();
            }
            timer = setTimeout(look, LOOK_MS);
        };
        look();
        return () => {
            over = true;
            clearTimeout(timer);
        };
    }, [id]);
    if (!operation) return null;
    const running = operation.state === "running";
    return html`<div class="operation-bar" role="status">
        <b>${operation.action}</b> <span>${operation.state}</span>
        <${Progress} operation=${operation} />
        <span class="faint">${operationWords(operation)}</span>
        ${operation.trouble && html`<span class="warn">${operation.trouble}</span>`}
        <span class="grow"></span>
        <a href="#/operations">Operations</a>
        ${running && mayChange && html`<button type="button" onClick=${() => stopOperation(id)} disabled=${operation.stopping}>Stop</button>`}
        ${!running && html`<button type="button" onClick=${onClose}>Close</button>`}
    </div>`;
}
