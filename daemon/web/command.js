// The same thing in a terminal: what a page shows or a button does, as a line for jobq and one for
// curl. Pure. What comes from a job may hold anything, so every word is quoted for the shell.

export function quoted(word) {
    const text = String(word);
    return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'";
}

// jobq("list", "--state", "dead"); undefined, null and "" are left out, with the option before.
export function jobq(...words) {
    const kept = [];
    for (let i = 0; i < words.length; ++i) {
        const value = words[i + 1];
        const option = String(words[i]).startsWith("--") && i + 1 < words.length;
        if (option && (value === undefined || value === null || value === "")) ++i;
        else if (words[i] !== undefined && words[i] !== null && words[i] !== "")
            kept.push(quoted(words[i]));
    }
    return ["jobq", ...kept].join(" ");
}

// Where the page stands, without the last "/".
const here = () => {
    const at = globalThis.location;
    return at ? at.origin + (at.pathname ?? "").replace(/\/[^/]*$/, "") : "";
};

// curl("POST", "/api/v1/jobs", {type: "echo"}); `origin` is what the path stands behind.
export function curl(method, path, body, origin) {
    return curlText(method, path, body === undefined ? undefined : JSON.stringify(body), origin);
}

// The same with JSON text, which stands as it is.
export function curlText(method, path, text, origin = here()) {
    const words = ["curl", "-sS"];
    if (method !== "GET" && !(method === "POST" && text !== undefined)) words.push("-X", method);
    if (text !== undefined)
        words.push("-H", "'Content-Type: application/json'", "-d", quoted(text));
    words.push(quoted(origin + path));
    return words.join(" ");
}
