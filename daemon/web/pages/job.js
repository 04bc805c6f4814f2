// Job: not drawn yet.
import { html } from "../html.js";
import { Page } from "../parts/page.js";

export function Job() {
    return html`<${Page} title="Job" /> `;
}
