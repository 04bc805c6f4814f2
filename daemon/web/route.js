// Addresses of the dashboard: "#/jobs?state=dead&queue=mail" to and from parts. Pure; router.js
// listens to the browser. All filters stand in the address, so that every view can be linked.

function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text; // a lone "%": as it stands
    }
}

// {path: ["jobs", "01J..."], query: {name: text}}
export function parseHash(hash) {
    const text = hash.replace(/^#?\/?/, "");
    const mark = text.indexOf("?");
    const path = (mark < 0 ? text : text.slice(0, mark)).split("/").filter(Boolean).map(decoded);
    const query = Object.fromEntries(new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1)));
    return { path, query };
}

// Members of `query` that are "", null, undefined or false are left out.
export function searchOf(query = {}) {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
        if (value !== "" && value !== null && value !== undefined && value !== false)
            search.set(name, String(value));
    const text = search.toString();
    return text && "?" + text;
}

// href(["jobs", id]) or href("jobs", {state: "dead"})
export function href(path, query) {
    const parts = Array.isArray(path) ? path : [path];
    return "#/" + parts.filter(Boolean).map(encodeURIComponent).join("/") + searchOf(query);
}
