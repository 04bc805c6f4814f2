// The dialog of the keys, opened by "?" and by its button.
import { html, useEffect, useRef } from "../html.js";
import { PAGES } from "../pages.js";

const OTHERS = [
    ["/", "Search on this page"],
    ["j k", "Down and up in a list"],
    ["Enter", "Open the row"],
    ["x", "Select the row"],
    ["r", "Requeue the row, or the selected rows"],
    ["p", "Pause or resume"],
    ["?", "This help"],
    ["Esc", "Close, or leave a field"],
];

export function Help({ onClose }) {
    const dialog = useRef(null);
    useEffect(() => dialog.current.showModal(), []);
    return html`<dialog ref=${dialog} class="help" aria-labelledby="help-title" onClose=${onClose}>
        <h2 id="help-title">Keys</h2>
        <div class="help-columns">
            <dl>${PAGES.filter(({ key }) => key).map(({ key, title }) => html`<div key=${key}>
                <dt><kbd>g</kbd> <kbd>${key}</kbd></dt><dd>${title}</dd></div>`)}</dl>
            <dl>${OTHERS.map(([keys, what]) => html`<div key=${keys}>
                <dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${what}</dd></div>`)}</dl>
        </div>
        <form method="dialog"><button type="submit" autofocus>Close</button></form>
    </dialog>`;
}
