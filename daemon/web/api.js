// Requests to jobqd's HTTP API, see jobq-http(7). What goes wrong is thrown as a Problem with
// jobqd's own words. useApi() asks for what a page shows, and keeps the old answer while the next
// is under way, so that nothing jumps.
import { useCallback, useEffect, useRef, useState } from "./html.js";
import { searchOf } from "./route.js";

export class Problem extends Error {
    constructor({ status = 0, code = "", title = "", detail = "", retryable = false }) {
        super(detail || title || `HTTP status ${status}`);
        Object.assign(this, { status, code, title, detail, retryable });
    }
}

const TIMEOUT_MS = 30_000;

async function problemOf(response) {
    try {
        return new Problem({ status: response.status, ...(await response.json()) });
    } catch {
        return new Problem({ status: response.status, title: response.statusText });
    }
}

// A path of jobqd as a link from its page, which may stand below another path, behind a proxy.
export const below = (path) => path.replace(/^\//, "");

async function ask(address, options = {}) {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
    let response;
    try {
        response = await fetch(below(address), { ...options, signal });
    } catch (error) {
        if (options.signal?.aborted) throw error;
        throw new Problem({ code: "UNAVAILABLE", retryable: true,
            detail: limit.aborted ? "jobqd did not answer within 30 seconds"
                : "jobqd can't be reached; check that it is running" });
    }
    if (!response.ok) throw await problemOf(response);
    return response;
}

export function address(path, query) {
    return path + searchOf(query);
}

// The answer as JSON.
export async function get(path, query, signal) {
    return (await ask(address(path, query), { signal })).json();
}

// The answer as text, and no more of it than `limit` characters: {text, cut}.
export async function getText(path, query, limit, signal) {
    const response = await ask(address(path, query), { signal });
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
        const { done, value } = await reader.read();
        text += decoder.decode(value, { stream: !done });
        if (done) return { text, cut: false };
        if (text.length <= limit) continue;
        reader.cancel();
        return { text: text.slice(0, limit), cut: true };
    }
}

// POST or DELETE; `body` goes as JSON when it is there.
export function send(method, path, body) {
    return sendText(method, path, body === undefined ? undefined : JSON.stringify(body));
}

// The same with JSON text, which goes as it is.
export async function sendText(method, path, text) {
    const options = { method };
    if (text !== undefined) {
        options.headers = { "Content-Type": "application/json" };
        options.body = text;
    }
    const response = await ask(path, options);
    return response.status === 204 ? null : response.json();
}

// {data, error, loading, reload}. path null: nothing is asked. everyMs: again, so long after the
// answer before, never while one is under way, and not while the tab is hidden.
export function useApi(path, query, { everyMs = 0 } = {}) {
    const [state, setState] = useState({ data: null, error: null, loading: path !== null, of: "" });
    const [turn, setTurn] = useState(0);
    const target = path === null ? null : address(path, query);
    const timer = useRef(0);
    useEffect(() => {
        if (target === null) return undefined;
        const abort = new AbortController();
        setState((old) => ({ ...old, loading: true }));
        get(target, undefined, abort.signal).then(
            (data) => setState({ data, error: null, loading: false, of: target }),
            (error) => {
                if (abort.signal.aborted) return;
                setState((old) => ({ ...old, error, loading: false }));
            }).finally(() => {
            if (abort.signal.aborted || !everyMs) return;
            const again = () => (document.hidden ? (timer.current = setTimeout(again, everyMs))
                : setTurn((old) => old + 1));
            timer.current = setTimeout(again, everyMs);
        });
        return () => {
            abort.abort();
            clearTimeout(timer.current);
        };
    }, [target, turn, everyMs]);
    const reload = useCallback(() => setTurn((old) => old + 1), []);
    return { ...state, reload };
}
