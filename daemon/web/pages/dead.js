// Dead: not drawn yet.
import { html } from "../html.js";
import { Page } from "../parts/page.js";

export function Dead() {
    return html`<${Page} title="Dead" /> `;
}
