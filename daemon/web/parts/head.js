// The bar at the top: where one is, where one can go, whether it is live, light or dark.
import { html, useEffect } from "../html.js";
import { count } from "../format.js";
import { useLive } from "../live.js";
import { PAGES } from "../pages.js";
import { href } from "../route.js";
import { applyTheme, useSetting } from "../settings.js";
import { Status } from "./status.js";

function Theme() {
    const [theme, setTheme] = useSetting("theme", "system");
    useEffect(() => applyTheme(theme), [theme]);
    return html`<label class="theme"><span class="off-screen">Colours</span>
        <select value=${theme} onChange=${(event) => setTheme(event.target.value)} title="Colours">
            <option value="system">System</option><option value="light">Light</option><option value="dark">Dark</option>
        </select></label>`;
}

// How many dead there are belongs beside the word: it is what an operator looks for first.
function Badge({ name }) {
    const { sample } = useLive();
    const dead = sample?.jobs?.dead;
    if (name !== "dead" || !dead) return null;
    return html`<span class="badge">${count(dead)}</span>`;
}

export function Head({ page, onHelp }) {
    const { about } = useLive();
    const here = page?.parent ?? page?.name;
    return html`<header class="head">
        <a class="brand" href="#/"><span class="brand-mark" aria-hidden="true"></span>jobq</a>
        <nav aria-label="Pages">${PAGES.filter(({ parent }) => parent === undefined).map(({ name, title, key }) => html`
            <a key=${name} href=${href(name)} aria-current=${here === name ? "page" : undefined} title=${`g ${key}`}>${title}<${Badge} name=${name} /></a>`)}
        </nav>
        <span class="grow"></span>
        ${about?.read_only && html`<span class="tag" title="[listen] http_read_only is set: the dashboard cannot change anything">read only</span>`}
        <${Status} />
        <${Theme} />
        <button type="button" class="plain help-button" aria-label="Keys" title="Keys (?)" onClick=${onHelp}>?</button>
    </header>`;
}
