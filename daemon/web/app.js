// The dashboard starts here: the frame, the page the address names, the dialogs.
import { html, render, useEffect, useRef, useState, Component } from "./html.js";
import { startLive } from "./live.js";
import { listenForKeys } from "./keys.js";
import { PAGES, pageOf } from "./pages.js";
import { ConfirmDialog } from "./parts/confirm.js";
import { Failed } from "./parts/empty.js";
import { Head } from "./parts/head.js";
import { Help } from "./parts/help.js";
import { Notices } from "./parts/notice.js";
import { Page } from "./parts/page.js";
import { go, useRoute } from "./router.js";
import { applyTheme, setting } from "./settings.js";

function Nowhere({ path }) {
    return html`<${Page} title="Not found"><p>The page “${path.join("/")}” does not exist. <a href="#/">Overview</a></p><//>`;
}

// A page that throws takes nothing else with it.
class Fence extends Component {
    constructor(props) {
        super(props);
        this.state = { error: null };
    }

    static getDerivedStateFromError(error) {
        return { error };
    }

    render({ children }, { error }) {
        if (!error) return children;
        return html`<${Page} title="An error in this page"><${Failed} error=${{ title: "The page could not be displayed", message: String(error) }}
            retry=${() => this.setState({ error: null })} /><//>`;
    }
}

function App() {
    const { path, query } = useRoute();
    const [help, setHelp] = useState(false);
    const main = useRef(null);
    const page = pageOf(path);
    const name = page?.name;
    useEffect(() => {
        const pages = Object.fromEntries(PAGES.filter(({ key }) => key).map((one) => [one.key, () => go(one.name)]));
        return listenForKeys(pages, () => setHelp(true));
    }, []);
    useEffect(() => scrollTo(0, 0), [name]);
    const Draw = page?.draw ?? Nowhere;
    return html`
        <a class="skip" href="#main" onClick=${(event) => {
            event.preventDefault();
            main.current.focus();
        }}>Skip to the content</a>
        <${Head} page=${page} onHelp=${() => setHelp(true)} />
        <main id="main" tabindex="-1" ref=${main}>
            <${Fence} key=${name ?? "?"}><${Draw} path=${page ? path.slice(1) : path} query=${query} /><//>
        </main>
        <${Notices} />
        <${ConfirmDialog} />
        ${help && html`<${Help} onClose=${() => setHelp(false)} />`}`;
}

applyTheme(setting("theme", "system"));
startLive();
render(html`<${App} />`, document.getElementById("app"));
