// The keyboard: "/" to the search field, "?" for help, "g" and a letter to a page, and what the
// page shown adds by useKeys({j: ..., k: ...}). Never while somebody types, nor over a dialog.
import { useLayoutEffect } from "./html.js";

const WAIT_MS = 1_500; // between "g" and the letter
const ofPage = new Set();

function isTyping(target) {
    return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

function search() {
    const field = document.querySelector("[data-search]");
    field?.focus();
    field?.select?.();
    return Boolean(field);
}

// pages: {letter: () => ...}; help: shows the list of keys.
export function listenForKeys(pages, help) {
    let goUntil = 0;
    const pressed = (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === "Escape" && isTyping(event.target)) event.target.blur();
        if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
        const going = Date.now() < goUntil;
        goUntil = 0;
        let done = true;
        if (going && pages[event.key]) pages[event.key]();
        else if (event.key === "g") goUntil = Date.now() + WAIT_MS;
        else if (event.key === "?") help();
        else if (event.key === "/") done = search();
        else done = [...ofPage].some((keys) => (keys.current[event.key]?.(), event.key in keys.current));
        if (done) event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
}

// Before the next key, however fast somebody types: useEffect would come a frame later.
export function useKeys(keys) {
    useLayoutEffect(() => {
        const mine = { current: keys };
        ofPage.add(mine);
        return () => ofPage.delete(mine);
    });
}
