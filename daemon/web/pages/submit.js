// Submit: not drawn yet.
import { html } from "../html.js";
import { Page } from "../parts/page.js";

export function Submit() {
    return html`<${Page} title="Submit" /> `;
}
