// Health: not drawn yet.
import { html } from "../html.js";
import { Page } from "../parts/page.js";

export function Health() {
    return html`<${Page} title="Health" /> `;
}
