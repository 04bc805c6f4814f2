// Which jobs a page is about: the filters in its address, what the API wants of them, and the same
// as a command. For Jobs, Dead and Operations. Pure, but for "1h", which is counted back from now.
import { curl, jobq } from "../command.js";

export const STATES = ["ready", "running", "scheduled", "retrying", "dead", "succeeded", "cancelled", "expired"];

// name, label, hint
export const FIELDS = [
    ["queue", "Queue", "name"],
    ["type", "Type", "name"],
    ["tag", "Tag", "name"],
    ["error", "Error", "part of the last error"],
    ["group", "Cause", "id from the page Dead"],
    ["text", "Payload", "part of the payload"],
    ["since", "Since", "1h, or a time"],
];

// What can be done to jobs in a state: as Operations in jobqd has it.
export const ACTIONS = {
    retry: ["dead", "retrying", "scheduled"],
    cancel: ["ready", "scheduled", "retrying", "running", "dead"],
    remove: ["ready", "scheduled", "retrying", "dead", "succeeded", "cancelled", "expired"],
};

export const canDo = (action, state) => ACTIONS[action].includes(state);

export const DONE = { retry: "made ready", cancel: "cancelled", remove: "removed" };

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

// "1h" or "2026-11-24T10:00:00Z" as the API takes it; null: neither.
export function sinceTime(text, now) {
    const age = /^(\d+)([smhd])$/.exec(text.trim());
    const time = new Date(age ? now - age[1] * UNITS[age[2]] : Date.parse(text));
    // An age may be longer than dates can be, or than RFC 3339 can say.
    const iso = Number.isNaN(time.getTime()) ? "" : time.toISOString();
    return /^\d{4}-/.test(iso) ? iso : null;
}

// The conditions of an address: {filter, wrong}; `wrong` says what is not valid.
export function filterOf(query, now = Date.now()) {
    const filter = {};
    for (const [name] of FIELDS) if (query[name]) filter[name] = query[name];
    if (!filter.since) return { filter, wrong: "" };
    const since = sinceTime(filter.since, now);
    if (since) return { filter: { ...filter, since }, wrong: "" };
    delete filter.since;
    return { filter, wrong: `“${query.since}” is neither an age such as 1h nor a time` };
}

// As options of `jobq list` and `jobq retry-dead`.
const optionsOf = (filter) => FIELDS.flatMap(([name]) => [`--${name}`, filter[name]]);

export function listCommands(state, filter, query, limit) {
    const same = jobq("list", "--state", state, ...optionsOf({ ...filter, since: query.since }), "--limit", limit);
    const search = new URLSearchParams({ state, ...filter, limit });
    return { jobq: same, curl: curl("GET", `/api/v1/jobs?${search}`) };
}

export function retryDeadCommand(filter, rate) {
    const which = Object.keys(filter).length ? optionsOf(filter) : ["--all"];
    return jobq("retry-dead", ...which, "--rate", rate ? `${rate}/s` : "");
}

export function operationBody(action, state, filter, rate) {
    const all = Object.keys(filter).length === 0 ? { all: true } : {};
    return { action, filter: { state, ...filter, ...all }, ...(rate ? { rate } : {}) };
}

// The conditions in words, for questions.
export function inWords(filter) {
    const words = FIELDS.filter(([name]) => filter[name])
        .map(([name, label]) => `${label.toLowerCase()} ${name === "since" ? "" : "“"}${filter[name]}${name === "since" ? "" : "”"}`);
    return words.length ? " with " + words.join(", ") : "";
}
