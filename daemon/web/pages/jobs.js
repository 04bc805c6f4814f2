// Jobs: not drawn yet.
import { html } from "../html.js";
import { Page } from "../parts/page.js";

export function Jobs() {
    return html`<${Page} title="Jobs" /> `;
}
