// Workers: not drawn yet.
import { html } from "../html.js";
import { Page } from "../parts/page.js";

export function Workers() {
    return html`<${Page} title="Workers" /> `;
}
