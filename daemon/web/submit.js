// The fields of the submit form as the body of POST /api/v1/jobs, and what is wrong with them. Pure.

// What a person may fill in besides type and payload; the others are left to jobqd's defaults.
export const FIELDS = [
    { name: "queue", title: "Queue", hint: "default" },
    { name: "priority", title: "Priority, 1 to 9", hint: "5", whole: true },
    { name: "in", title: "Start no earlier than in", hint: "30s, 5m, 1h" },
    { name: "max_attempts", title: "Maximum attempts", hint: "jobqd's default", whole: true },
    { name: "timeout", title: "Time limit of an attempt", hint: "30s" },
    { name: "idempotency_key", title: "Idempotency key", hint: "none" },
    { name: "tags", title: "Tags", hint: "separated by spaces" },
];

// A hundred years; jobqd itself says what is too long for it.
const LONGEST_MS = 36_525 * 86_400_000;

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

// "1h30m" -> milliseconds; null: it is none.
export function durationMs(text) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
    if (!parts.length || parts.map(([all]) => all).join("") !== text) return null;
    return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit], 0);
}

// {body} or {field, problem}. The payload goes as it was typed: numbers keep all their digits.
export function bodyOf(fields) {
    const type = (fields.type ?? "").trim();
    if (!type) return { field: "type", problem: "A job needs a type, such as echo." };
    const payload = (fields.payload ?? "").trim();
    try {
        if (payload) JSON.parse(payload);
    } catch (error) {
        return { field: "payload", problem: `This is not JSON: ${error.message}` };
    }
    const members = [["type", JSON.stringify(type)]];
    if (payload) members.push(["payload", payload]);
    for (const { name, whole } of FIELDS) {
        const text = (fields[name] ?? "").trim();
        if (!text) continue;
        if (whole && !/^\d+$/.test(text)) return { field: name, problem: "This must be a whole number." };
        if (name === "in") {
            const ms = durationMs(text);
            if (ms === null) return { field: name, problem: "This must be a duration such as 30s, 5m or 1h30m." };
            if (ms > LONGEST_MS) return { field: name, problem: "This is too long." };
            members.push(["delay_ms", String(Math.round(ms))]);
        } else if (name === "tags") {
            members.push([name, JSON.stringify(text.split(/\s+/))]);
        } else {
            members.push([name, whole ? text : JSON.stringify(text)]);
        }
    }
    return { body: "{" + members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",") + "}" };
}

// The same on the command line.
export function wordsOf(fields) {
    const options = ["queue", "priority", "in", "max_attempts", "timeout", "idempotency_key"]
        .flatMap((name) => ["--" + name.replaceAll("_", "-"), (fields[name] ?? "").trim()]);
    const tags = (fields.tags ?? "").trim().split(/\s+/).filter(Boolean).flatMap((tag) => ["--tag", tag]);
    return ["enqueue", (fields.type ?? "").trim() || "TYPE", "--payload", (fields.payload ?? "").trim(), ...options, ...tags];
}
