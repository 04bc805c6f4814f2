// Numbers, sizes and times as people read them. Pure. Lengths stay the same from one second to the
// next as far as can be, so that nothing jumps.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

// 12431 -> "12,431"
export function count(n) {
    return n === null || n === undefined || Number.isNaN(n) ? "–" : whole.format(n);
}

// 12431 -> "12.4k"
export function short(n) {
    if (n === null || n === undefined || Number.isNaN(n)) return "–";
    for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
        const value = n / size;
        if (value >= 0.99995) return value.toFixed(value < 99.95 ? 1 : 0) + letter;
    }
    return whole.format(n);
}

// Per second: 0.4 -> "0.4", 12.3 -> "12", 15300 -> "15.3k"
export function rate(n) {
    if (n === null || n === undefined || Number.isNaN(n)) return "–";
    if (n === 0) return "0";
    return n < 9.95 ? n.toFixed(1) : short(n);
}

// 1536 -> "1.5 KiB"
export function bytes(n) {
    if (n === null || n === undefined) return "–";
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    while (n >= 1023.5 && unit < units.length - 1) {
        n /= 1024;
        ++unit;
    }
    return (unit === 0 || n >= 99.95 ? n.toFixed(0) : n.toFixed(1)) + " " + units[unit];
}

// Milliseconds: 0.4 -> "0.4 ms", 850 -> "850 ms", 2300 -> "2.3 s", 75000 -> "1m 15s"
export function duration(ms) {
    if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
    if (ms < 0) ms = 0;
    if (ms === 0) return "0 ms";
    if (ms < 9.95) return ms.toFixed(1) + " ms";
    if (ms < 999.5) return ms.toFixed(0) + " ms";
    const s = ms / 1000;
    if (s < 59.95) return s.toFixed(1) + " s";
    const pairs = [[86_400, "d", 3_600, "h"], [3_600, "h", 60, "m"], [60, "m", 1, "s"]];
    for (const [big, one, small, two] of pairs) {
        if (s < big) continue;
        return `${Math.floor(s / big)}${one} ${Math.floor((s % big) / small)}${two}`;
    }
    return "1m 0s"; // 59.95 to 60 s
}

// "3m 5s ago", "in 2.0 s"; both in milliseconds since 1970.
export function ago(then, now) {
    const distance = now - then;
    if (Math.abs(distance) < 1000) return "now";
    const text = duration(Math.abs(distance));
    return distance > 0 ? text + " ago" : "in " + text;
}

// "2026-11-24 17:03:09Z"
export function utc(ms) {
    return new Date(ms).toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
}

// One job, two jobs: plural(2, "job") -> "2 jobs"
export function plural(n, noun) {
    return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}
