// Queues: not drawn yet.
import { html } from "../html.js";
import { Page } from "../parts/page.js";

export function Queues() {
    return html`<${Page} title="Queues" /> `;
}
