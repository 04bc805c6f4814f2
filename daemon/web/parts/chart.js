// A line chart over the last minutes, by uPlot, fed by the stream:
//   <${Chart} title="Latency" format=${duration} lines=${[{name: "wait_p99", title: "wait p99", colour: "--one"}]}/>
// `name` is one of history's. Its height is fixed. Colours are those of the theme; lines differ by
// dashes too. What the lines say now stands as text above them, for those who can't see them.
import uPlot from "uplot";
import { html, useLayoutEffect, useRef } from "../html.js";
import { columnsOf, KEPT } from "../history.js";
import { useLive } from "../live.js";

const HEIGHT = 150;
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

const CLOCK = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A canvas knows no light-dark(): the browser says what it comes to.
function resolved(name) {
    const probe = document.createElement("span");
    probe.style.color = colour(name);
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
}

function options(lines, format, width, cursor) {
    const axis = { stroke: resolved("--faint"), ticks: { show: false }, font: "11px system-ui" };
    const grid = { stroke: resolved("--line"), width: 1 };
    return {
        width,
        height: HEIGHT,
        padding: [8, 30, 0, 0], // half a label of the time axis
        legend: { show: false },
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false }, sync: { key: "jobq" } },
        scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 1, 1e-6) * 1.08] } },
        series: [{}, ...lines.map((line, i) => ({
            stroke: resolved(line.colour), width: 1.5, dash: DASHES[i % DASHES.length],
            points: { show: false }, spanGaps: false,
        }))],
        axes: [
            { ...axis, grid: { show: false }, size: 24, space: 70,
                values: (_, times) => times.map((s) => CLOCK.format(s * 1000)) },
            { ...axis, grid, size: 58, space: 32, values: (_, values) => values.map(format) },
        ],
        hooks: { setCursor: [cursor] },
    };
}

// The last KEPT seconds, also while there are fewer: a chart that fills does not rescale.
function windowOf(times) {
    const end = times.at(-1) ?? Date.now() / 1000;
    return { min: end - KEPT, max: end };
}

export function Chart({ title, lines, format }) {
    const live = useLive();
    const box = useRef(null), plot = useRef(null), words = useRef(null);
    const names = lines.map(({ name }) => name);

    // The text above: what is under the pointer, else now. Not drawn by preact: the pointer moves often.
    // All of it in the frame of the sample, and no more of it than changed: a page that stays open is cheap.
    const tell = () => {
        const at = plot.current?.cursor.idx;
        lines.forEach((_, i) => {
            const column = plot.current?.data[i + 1];
            const value = at === null || at === undefined ? column?.at(-1) : column?.[at];
            const field = words.current?.children[i]?.lastElementChild;
            const text = format(value ?? null);
            if (field && field.textContent !== text) field.textContent = text;
        });
    };
    useLayoutEffect(() => {
        const make = () => {
            if (!box.current) return; // the page was left meanwhile
            plot.current?.destroy();
            plot.current = new uPlot(options(lines, format, box.current.clientWidth, tell), columnsOf(live.history, names), box.current);
            plot.current.setScale("x", windowOf(live.history.times));
        };
        make();
        const sizes = new ResizeObserver(() => box.current && plot.current.setSize({ width: box.current.clientWidth, height: HEIGHT }));
        if (box.current) sizes.observe(box.current);
        const themes = new MutationObserver(make);
        themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
        const scheme = matchMedia("(prefers-color-scheme: dark)");
        scheme.addEventListener("change", make);
        return () => {
            sizes.disconnect();
            themes.disconnect();
            scheme.removeEventListener("change", make);
            plot.current?.destroy();
            plot.current = null;
        };
    }, []);
    useLayoutEffect(() => {
        if (!plot.current) return;
        plot.current.setData(columnsOf(live.history, names), false);
        plot.current.setScale("x", windowOf(live.history.times));
        tell();
    });
    return html`<div class="chart">
        <ul class="legend" ref=${words} aria-label=${title}>${lines.map((line, i) => html`<li key=${line.name}>
            <svg width="18" height="6" aria-hidden="true"><line x1="0" y1="3" x2="18" y2="3" class=${"line" + line.colour}
                stroke-dasharray=${DASHES[i % DASHES.length].join(" ") || undefined} /></svg>
            <span>${line.title}</span> <b></b></li>`)}</ul>
        <div class="plot" ref=${box}></div>
    </div>`;
}
