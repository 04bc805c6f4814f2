// The tabs of the states with their counts, and the fields of the filter. Both change the address,
// nothing else.
import { count } from "../format.js";
import { html } from "../html.js";
import { useLive } from "../live.js";
import { href } from "../route.js";
import { currentRoute, go, setQuery } from "../router.js";
import { FIELDS, STATES } from "./filter.js";

// Of states that are over only a total since the start is known, which is another thing.
const COUNTED = ["ready", "running", "scheduled", "retrying", "dead"];

export function Tabs({ state }) {
    const { sample } = useLive();
    const { query } = currentRoute();
    return html`<nav class="tabs" aria-label="States">${STATES.map((name) => html`
        <a key=${name} href=${href("jobs", { ...query, state: name, cursor: "", newest: "" })} aria-current=${name === state ? "page" : undefined}>
            ${name}${COUNTED.includes(name) && html` <span class="faint">${count(sample?.jobs?.[name])}</span>`}</a>`)}
    </nav>`;
}

export function FilterBar({ query, limit, wrong, ordered }) {
    const set = (name) => (event) => setQuery({ [name]: event.target.value.trim(), cursor: "" });
    const any = FIELDS.some(([name]) => query[name]);
    return html`<form class="filters" role="search" aria-label="Filter" onSubmit=${(event) => event.preventDefault()}>
        ${FIELDS.map(([name, label, hint], i) => html`<label key=${name} class="filter">${label}
            <input value=${query[name] ?? ""} placeholder=${hint} onChange=${set(name)} data-search=${i === 0 ? "" : undefined}
                autocomplete="off" spellcheck=${false} maxlength="200" aria-invalid=${name === "since" && wrong ? "true" : undefined} /></label>`)}
        <label class="filter">Rows
            <select value=${limit} onChange=${set("limit")}>${[25, 50, 100, 200, 500].map((n) => html`<option key=${n} value=${n}>${n}</option>`)}</select></label>
        ${ordered && html`<label class="filter">Order
            <select value=${query.newest ?? ""} onChange=${set("newest")}><option value="">oldest first</option><option value="true">newest first</option></select></label>`}
        ${any && html`<button type="button" onClick=${() => go("jobs", { state: query.state, limit: query.limit, newest: query.newest })}>Clear</button>`}
        ${wrong && html`<span class="bad" role="alert">${wrong}</span>`}
    </form>`;
}
