// What stands where there is nothing yet: what would be here, and the command that puts it there.
import { html } from "../html.js";
import { CopyText } from "./copy.js";

export function Empty({ title, children, command }) {
    return html`<div class="empty">
        <p class="empty-title">${title}</p>
        ${children && html`<p>${children}</p>`}
        ${command && html`<p class="command-line"><code>${command}</code><${CopyText} text=${command} what="command" /></p>`}
    </div>`;
}

// In place of what could not be asked for.
export function Failed({ error, retry }) {
    return html`<div class="failed" role="alert">
        <p><strong>${error.title || "The request failed"}.</strong> ${error.message}</p>
        ${retry && html`<button type="button" onClick=${retry}>Try again</button>`}
    </div>`;
}
