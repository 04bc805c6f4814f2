// Short messages at the foot of the page: say("done"), say("it failed: ...", "bad"). They are read
// out politely, at most one at a time; bad ones stay until they are closed.
import { html, useEffect, useState } from "../html.js";

const STAY_MS = 4_000, MOST = 3;
let notices = [];
let last = 0;
let draw = null;

export function say(text, kind = "good") {
    const notice = { id: ++last, text, kind };
    notices = [...notices, notice].slice(-MOST);
    draw?.(notices);
    if (kind !== "bad") setTimeout(() => close(notice.id), STAY_MS);
}

function close(id) {
    notices = notices.filter((notice) => notice.id !== id);
    draw?.(notices);
}

export function Notices() {
    const [shown, setShown] = useState(notices);
    useEffect(() => {
        draw = setShown;
        return () => (draw = null);
    }, []);
    return html`<div class="notices" aria-live="polite">
        ${shown.map(({ id, text, kind }) => html`<div key=${id} class=${"notice " + kind}>
            <span><b>${kind === "bad" ? "Failed" : "Done"}</b> ${text}</span>
            <button type="button" class="plain" aria-label="Close this message" onClick=${() => close(id)}>×</button>
        </div>`)}
    </div>`;
}
