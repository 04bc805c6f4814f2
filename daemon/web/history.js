// The last minutes of what is charted, as columns: one array of times in seconds, one per name.
// Pure. Filled by the stream's "history" and then by each "sample"; bounded.

export const KEPT = 600;

export function emptyHistory(names = []) {
    return { names, times: [], columns: names.map(() => []) };
}

// rows: [[ms, value...], ...], as the stream has them; null where nothing is known.
export function historyOf(names, rows) {
    const history = emptyHistory(names);
    for (const row of rows.slice(-KEPT)) append(history, row);
    return history;
}

export function append(history, [ms, ...values]) {
    const last = history.times.at(-1);
    if (last !== undefined && ms / 1000 <= last) return; // it was there already
    history.times.push(ms / 1000);
    history.columns.forEach((column, i) => column.push(values[i] ?? null));
    if (history.times.length <= KEPT) return;
    history.times.shift();
    for (const column of history.columns) column.shift();
}

// The columns of these names with the times before them, as uPlot wants it. A name that is not
// there is a column of nothing.
export function columnsOf(history, names) {
    const none = () => history.times.map(() => null);
    const columns = names.map((name) => {
        const at = history.names.indexOf(name);
        return at < 0 ? none() : history.columns[at];
    });
    return [history.times, ...columns];
}

export function lastOf(history, name) {
    const at = history.names.indexOf(name);
    return at < 0 ? null : history.columns[at].at(-1) ?? null;
}
