// The frame of a page: title, what belongs beside it, "copy as", content. And a panel within it.
import { html, useEffect } from "../html.js";
import { CopyAs } from "./copy.js";

export function Page({ title, note, jobq, curl, actions, children }) {
    useEffect(() => {
        document.title = `${title} · jobq`;
    }, [title]);
    return html`<div class="page">
        <div class="page-head">
            <h1>${title}</h1>
            ${note && html`<span class="faint">${note}</span>`}
            <span class="grow"></span>
            ${actions}
            <${CopyAs} jobq=${jobq} curl=${curl} />
        </div>
        ${children}
    </div>`;
}

export function Panel({ title, note, wide, children }) {
    return html`<section class=${"panel" + (wide ? " wide" : "")}>
        <div class="panel-head"><h2>${title}</h2>${note && html`<span class="faint">${note}</span>`}</div>
        ${children}
    </section>`;
}
