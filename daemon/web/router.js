// The address bar as state: useRoute() draws anew when it changes, go() changes it.
import { useEffect, useState } from "./html.js";
import { href, parseHash } from "./route.js";

export function currentRoute() {
    return parseHash(location.hash);
}

export function useRoute() {
    const [route, setRoute] = useState(currentRoute);
    useEffect(() => {
        const changed = () => setRoute(currentRoute());
        addEventListener("hashchange", changed);
        return () => removeEventListener("hashchange", changed);
    }, []);
    return route;
}

// replace: no step of its own in the history, for a filter that is being typed.
export function go(path, query, { replace = false } = {}) {
    const to = href(path, query);
    if (!replace) {
        location.hash = to;
        return;
    }
    history.replaceState(null, "", to);
    dispatchEvent(new HashChangeEvent("hashchange"));
}

// The same page with other filters.
export function setQuery(changes, options) {
    const { path, query } = currentRoute();
    go(path, { ...query, ...changes }, options);
}
