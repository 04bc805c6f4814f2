// What a person has chosen in this browser: kept in localStorage, one key each, read everywhere
// through useSetting(). A browser that forbids storage forgets at the next load, nothing more.
import { useEffect, useState } from "./html.js";

const PREFIX = "jobq.";
const listeners = new Set();
const kept = new Map();

export function setting(name, fallback) {
    if (kept.has(name)) return kept.get(name);
    try {
        const text = localStorage.getItem(PREFIX + name);
        return text === null ? fallback : JSON.parse(text);
    } catch {
        return fallback;
    }
}

export function keep(name, value) {
    kept.set(name, value);
    try {
        localStorage.setItem(PREFIX + name, JSON.stringify(value));
    } catch {
        // forbidden, or full
    }
    for (const listener of listeners) listener(name, value);
}

export function useSetting(name, fallback) {
    const [value, setValue] = useState(() => setting(name, fallback));
    useEffect(() => {
        const listener = (changed, now) => changed === name && setValue(now);
        listeners.add(listener);
        return () => listeners.delete(listener);
    }, [name]);
    return [value, (now) => keep(name, now)];
}

// "system", "light" or "dark": style.css does the rest.
export function applyTheme(theme) {
    document.documentElement.dataset.theme = theme;
}
