// Cron: not drawn yet.
import { html } from "../html.js";
import { Page } from "../parts/page.js";

export function Cron() {
    return html`<${Page} title="Cron" /> `;
}
