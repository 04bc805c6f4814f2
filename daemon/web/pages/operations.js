// Operations: not drawn yet.
import { html } from "../html.js";
import { Page } from "../parts/page.js";

export function Operations() {
    return html`<${Page} title="Operations" /> `;
}
