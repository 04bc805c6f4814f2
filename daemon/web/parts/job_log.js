// What a job wrote: the JSON lines of /log, followed while it runs. The end of it is kept, so that
// a job that writes without end does not fill the browser.
import { below } from "../api.js";
import { html, useEffect, useRef, useState } from "../html.js";

const KEPT = 64 << 10;
const DRAW_MS = 100;

// {pieces: [{attempt, stream, text}], cut, error, open}
function useLog(jid, follow) {
    const [log, setLog] = useState({ pieces: [], cut: false, error: "", open: true });
    useEffect(() => {
        const abort = new AbortController();
        let pieces = [];
        let size = 0;
        let cut = false;
        let open = true;
        let timer = 0;
        const draw = () => {
            timer = 0;
            if (!abort.signal.aborted) setLog({ pieces: [...pieces], cut, error: "", open });
        };
        const take = (line) => {
            const { attempt, stream, text: given, left_out } = JSON.parse(line);
            const text = left_out ? `\n… ${left_out} bytes left out …\n` : given;
            if (text === undefined) return;
            const last = pieces.at(-1);
            if (last && last.attempt === attempt && last.stream === stream) last.text += text;
            else pieces.push({ attempt, stream, text });
            size += text.length;
            while (size > KEPT) {
                const over = size - KEPT;
                const first = pieces[0];
                cut = true;
                size -= Math.min(over, first.text.length);
                if (first.text.length <= over) pieces = pieces.slice(1);
                else first.text = first.text.slice(over);
            }
        };
        const read = async () => {
            const response = await fetch(below(`/api/v1/jobs/${encodeURIComponent(jid)}/log?stdout=true&follow=${follow}`), { signal: abort.signal });
            if (!response.ok) throw new Error((await response.json()).detail);
            const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
            let rest = "";
            for (;;) {
                const { done, value } = await reader.read();
                const lines = (rest + (value ?? "")).split("\n");
                rest = lines.pop();
                for (const line of lines) if (line) take(line);
                if (done) break;
                timer ||= setTimeout(draw, DRAW_MS);
            }
            open = false;
            draw();
        };
        read().catch((error) => abort.signal.aborted || setLog({ pieces, cut, error: error.message, open: false }));
        return () => {
            abort.abort();
            clearTimeout(timer);
        };
    }, [jid, follow]);
    return log;
}

export function JobLog({ jid, running }) {
    const { pieces, cut, error, open } = useLog(jid, running);
    const box = useRef(null);
    // At the end it stays at the end; who has scrolled up is left there.
    const atEnd = useRef(true);
    useEffect(() => {
        if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
    }, [pieces]);
    if (error) return html`<p class="text bad">${error}</p>`;
    if (pieces.length === 0) return html`<p class="text faint">${open ? "No output yet." : "No output."}</p>`;
    let attempt = 0;
    return html`<pre class="text log" ref=${box} tabindex="0" aria-label="Log" onScroll=${({ target }) => {
        atEnd.current = target.scrollHeight - target.scrollTop - target.clientHeight < 8;
    }}>${cut && html`<span class="mark">… the beginning is omitted; <a href=${below(`/api/v1/jobs/${encodeURIComponent(jid)}/log?stdout=true&format=text`)} download=${jid + ".log"}>download</a>\n</span>`}
${pieces.map((piece, i) => {
        const head = piece.attempt !== attempt ? `— attempt ${piece.attempt} —\n` : "";
        attempt = piece.attempt;
        return html`<span key=${i}>${head && html`<span class="mark">${head}</span>`}<span class=${piece.stream === "stdout" ? "out" : "err"} title=${piece.stream}>${piece.text}</span></span>`;
    })}</pre>`;
}
