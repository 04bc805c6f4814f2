// Asks before something is changed: `if (await confirm({...})) ...`. One dialog for the whole page,
// drawn by app.js.
//   title, text     what will happen, to what, to how many
//   action          the word on the button
//   danger          red, and the other button has the focus
//   typed           a text that has to be typed first
//   jobq, curl      the same as a command
import { html, useEffect, useRef, useState } from "../html.js";
import { CopyAs } from "./copy.js";

let show = null;

export function confirm(question) {
    return new Promise((answer) => show({ ...question, answer }));
}

export function ConfirmDialog() {
    const [question, setQuestion] = useState(null);
    const [typed, setTyped] = useState("");
    const dialog = useRef(null);
    useEffect(() => {
        show = (next) => {
            setTyped("");
            setQuestion(next);
        };
        return () => (show = null);
    }, []);
    useEffect(() => {
        if (question && !dialog.current.open) dialog.current.showModal();
    }, [question]);
    if (!question) return null;
    const { title, text, action, danger, typed: wanted, jobq, curl } = question;
    const end = (yes) => {
        dialog.current?.close();
        setQuestion(null);
        question.answer(yes);
    };
    const ready = !wanted || typed === wanted;
    return html`<dialog ref=${dialog} class="ask" aria-labelledby="ask-title" onCancel=${(event) => {
        event.preventDefault();
        end(false);
    }}>
        <form onSubmit=${(event) => {
            event.preventDefault();
            if (ready) end(true);
        }}>
            <h2 id="ask-title">${title}</h2>
            <p>${text}</p>
            ${wanted && html`<label class="field">Type <code>${wanted}</code> to continue
                <input value=${typed} onInput=${(event) => setTyped(event.target.value)}
                    autocomplete="off" spellcheck=${false} autofocus /></label>`}
            <div class="ask-foot">
                <${CopyAs} jobq=${jobq} curl=${curl} />
                <span class="grow"></span>
                <button type="button" onClick=${() => end(false)} autofocus=${danger && !wanted}>Cancel</button>
                <button type="submit" class=${danger ? "danger" : "primary"} disabled=${!ready}
                    autofocus=${!danger}>${action}</button>
            </div>
        </form>
    </dialog>`;
}
