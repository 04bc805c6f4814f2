// Whether what is shown is live: a word, a mark of its own shape, and the buttons to pause and to
// come back at once. Changes of it are read out, samples are not.
import { html, useState } from "../html.js";
import { useKeys } from "../keys.js";
import { isPaused, reconnect, setPaused, useLive } from "../live.js";
import { Elapsed } from "./time.js";

const WORDS = {
    live: ["●", "live"],
    connecting: ["◌", "connecting"],
    lost: ["▲", "no connection"],
    away: ["▲", "no Redis"],
    paused: ["❚❚", "paused"],
    hidden: ["◌", "hidden"],
};

export function Status() {
    const live = useLive();
    const [paused, keepPaused] = useState(isPaused());
    // Samples come all the same; what they say of jobs is old.
    const redis = live.sample?.redis;
    const state = live.state === "live" && redis && redis.state !== "ready" ? "away" : live.state;
    const [mark, word] = WORDS[state];
    const toggle = () => {
        setPaused(!paused);
        keepPaused(!paused);
    };
    useKeys({ p: toggle });
    return html`<div class="status">
        <span class=${"state " + state} role="status"><span class="state-mark" aria-hidden="true">${mark}</span> ${word}</span>
        ${live.state === "lost" && html`<span class="faint lost-for"><${Elapsed} since=${live.lostAt} /></span>
            <button type="button" onClick=${reconnect}>Retry now</button>`}
        <button type="button" class="pause" aria-pressed=${paused} onClick=${toggle}
            title=${paused ? "Go on with live figures" : "Let the figures stand still"}>${paused ? "Resume" : "Pause"}</button>
    </div>`;
}
