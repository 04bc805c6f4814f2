// "Copy as": the same thing as a command. <${CopyAs} jobq="..." curl="..."/> are two small buttons;
// <${CopyText} text="..."/> is one.
import { html, useEffect, useRef, useState } from "../html.js";
import { say } from "./notice.js";

// Without https or localhost a browser has no clipboard: a text field does it.
export async function copy(text) {
    if (navigator.clipboard && isSecureContext) {
        await navigator.clipboard.writeText(text);
        return;
    }
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "off-screen";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) throw new Error("the browser did not let it");
}

function CopyButton({ text, label, title }) {
    const [done, setDone] = useState(false);
    const timer = useRef(0);
    useEffect(() => () => clearTimeout(timer.current), []);
    const click = async () => {
        try {
            await copy(text);
        } catch {
            say(`The text could not be copied: ${text}`, "bad");
            return;
        }
        setDone(true);
        say(`Copied: ${text}`);
        timer.current = setTimeout(() => setDone(false), 1_500);
    };
    return html`<button type="button" class="copy" onClick=${click} title=${title}>
        <span class=${done ? "invisible" : ""}>${label}</span>
        ${done && html`<span class="copied" aria-hidden="true">✓</span>`}
    </button>`;
}

export function CopyText({ text, what = "text" }) {
    return html`<${CopyButton} text=${text} label="copy" title=${`Copy this ${what}`} />`;
}

export function CopyAs({ jobq, curl }) {
    return html`<span class="copy-as" role="group" aria-label="Copy as a command">
        <span class="faint" aria-hidden="true">copy as</span>
        ${jobq && html`<${CopyButton} text=${jobq} label="jobq" title=${jobq} />`}
        ${curl && html`<${CopyButton} text=${curl} label="curl" title=${curl} />`}
    </span>`;
}
