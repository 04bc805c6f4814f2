// The dashboard and hostile input: 200 strings that would be scripts where text becomes HTML, a page
// of another site that posts, a jobqd that lets nothing be changed.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { eventually, launch, openTab, settled, startDaemon } from "./kit.mjs";

const POOL = '[pool.threads]\nkind = "thread"\nqueues = ["default"]\nslots = 4\n';
let daemon, browser;

before(async () => {
    daemon = await startDaemon(POOL);
    browser = await launch();
});

after(async () => {
    await browser?.close();
    await daemon?.stop();
});

// Ways to break out of where the text stands, times what would run there.
function xssStrings() {
    const run = ["window.xss=1", "alert(1)", "parent.xss=1", "eval('xss=1')"];
    const wraps = [
        (js) => `<script>${js}</script>`, (js) => `"><script>${js}</script>`, (js) => `</title><script>${js}</script>`,
        (js) => `<img src=x onerror=${js}>`, (js) => `"><img src=x onerror="${js}">`, (js) => `'><img src=x onerror='${js}'>`,
        (js) => `<svg onload=${js}>`, (js) => `<svg><script>${js}</script></svg>`, (js) => `<svg/onload=${js}//`, (js) => `<body onload=${js}>`,
        (js) => `<iframe srcdoc="<script>${js}</script>">`, (js) => `<iframe src="javascript:${js}">`, (js) => `<a href="javascript:${js}">x</a>`,
        (js) => `javascript:${js}`, (js) => `data:text/html,<script>${js}</script>`, (js) => `<details open ontoggle=${js}>`,
        (js) => `<input autofocus onfocus=${js}>`, (js) => `<video><source onerror=${js}></video>`, (js) => `<math href="javascript:${js}">x</math>`,
        (js) => `" onmouseover="${js}`, (js) => `' onfocus='${js}' autofocus='`, (js) => `\`;${js};\``, (js) => `\${${js}}`, (js) => `{{${js}}}`,
        (js) => `</textarea><script>${js}</script>`, (js) => `</style><script>${js}</script>`, (js) => `<!--><script>${js}</script>-->`,
        (js) => `]]><script>${js}</script>`, (js) => `<style>@import "javascript:${js}"</style>`, (js) => `<link rel=stylesheet href="javascript:${js}">`,
        (js) => `<meta http-equiv=refresh content="0;javascript:${js}">`, (js) => `<base href="javascript:${js}//">`, (js) => `<object data="javascript:${js}">`,
        (js) => `<embed src="javascript:${js}">`, (js) => `<form><button formaction="javascript:${js}">x</button></form>`, (js) => `<template><script>${js}</script></template>`,
        (js) => `<noscript><p title="</noscript><img src=x onerror=${js}>">`, (js) => `\u2028<script>${js}</script>`, (js) => `\u202e<script>${js}</script>`,
        (js) => `&lt;script&gt;${js}&lt;/script&gt;`, (js) => `&#60;script&#62;${js}&#60;/script&#62;`, (js) => `\\u003cscript\\u003e${js}\\u003c/script\\u003e`,
        (js) => `%3Cscript%3E${js}%3C/script%3E`, (js) => `<scr<script>ipt>${js}</scr</script>ipt>`, (js) => `<ScRiPt>${js}</sCrIpT>`,
        (js) => `<img src="x\` \`<script>${js}</script>"\` \`>`, (js) => `<marquee onstart=${js}>`, (js) => `<p style="x:expression(${js})">`,
        (js) => `__proto__<script>${js}</script>`, (js) => `constructor"onerror="${js}`,
    ];
    return wraps.flatMap((wrap) => run.map(wrap));
}

test("200 strings in type, queue, tag, error and payload: refused, or shown as text", async () => {
    const strings = xssStrings();
    assert.equal(strings.length, 200);
    let refused = 0;
    const shown = [];
    for (const text of strings) {
        for (const job of [{ type: text, payload: 1 }, { type: "echo", queue: text.slice(0, 60), payload: 1 }, { type: "echo", tags: [text], payload: 1 }]) {
            const { status } = await daemon.ask("POST", "/api/v1/jobs", job);
            assert.ok(status === 201 || (status >= 400 && status < 500), `${status} for ${text}`);
            refused += status !== 201;
        }
        // A payload and an error may be anything.
        shown.push(await daemon.enqueue({ type: "fail", payload: text, max_attempts: 1 }));
    }
    console.log(`# ${refused} of 600 names refused`);
    await eventually(async () => (await daemon.get("/api/v1/stats")).dead >= 200, 30_000);
    const page = await openTab(browser);
    for (const hash of ["", "jobs?state=ready&limit=500", "jobs?state=dead&limit=500", "jobs?state=succeeded&limit=500", "dead", "queues", "workers", "operations",
        "jobs?state=dead&error=" + encodeURIComponent(strings[0]), "jobs?state=dead&text=" + encodeURIComponent(strings[3])]) {
        await page.goto(`${daemon.origin}/#/${hash}`);
        await page.locator("main h1").waitFor();
        await settled(page);
        assert.equal(await page.evaluate(() => "xss" in window), false, hash);
        assert.equal(await page.locator("main script, main iframe, main img, main object, main embed, main svg script").count(), 0, hash);
    }
    for (const jid of shown.slice(0, 50)) {
        await page.goto(`${daemon.origin}/#/job/${jid}`);
        await page.locator("main h1").filter({ hasText: /./ }).waitFor();
        // In the page, not in the navigation, which has the word at once.
        await page.locator("main").getByText("dead").first().waitFor();
        assert.equal(await page.evaluate(() => "xss" in window), false, jid);
        assert.equal(await page.locator("main script, main iframe, main img").count(), 0, jid);
    }
    await page.locator("main").getByText("<").first().waitFor();  // the last one's text is shown
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("a page of another site can't post, nor read", async () => {
    const count = async () => (await daemon.get("/api/v1/stats")).enqueued;
    const before = await count();
    const site = http.createServer((_, response) => {
        response.writeHead(200, { "Content-Type": "text/html" });
        response.end(`<form id=f method=post enctype="text/plain" action="${daemon.origin}/api/v1/jobs"><input name='{"type":"echo","x":"' value='"}'></form>`);
    });
    await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
    const page = await openTab(browser);
    await page.goto(`http://localhost:${site.address().port}/`);
    const tries = await page.evaluate(async (origin) => {
        const results = [];
        for (const options of [{ method: "POST", mode: "no-cors", body: '{"type":"echo"}' },
            { method: "POST", mode: "cors", headers: { "Content-Type": "application/json" }, body: '{"type":"echo"}' },
            { method: "GET", mode: "cors" }]) {
            try {
                const response = await fetch(origin + "/api/v1/jobs", options);
                results.push(response.type === "opaque" ? "opaque" : await response.text());
            } catch (error) {
                results.push("refused");
            }
        }
        return results;
    }, daemon.origin);
    assert.ok(tries.every((one) => one === "opaque" || one === "refused"), tries.join());
    await Promise.all([page.waitForNavigation(), page.evaluate(() => document.getElementById("f").submit())]);
    assert.match(await page.content(), /FORBIDDEN|INVALID|403|415/);
    assert.equal(await count(), before);
    await page.context().close();
    site.close();
});

test("read-only: no buttons that act, and a POST is refused", async () => {
    const quiet = await startDaemon("[listen]\nhttp_read_only = true\n" + POOL);
    try {
        const { status, json } = await quiet.ask("POST", "/api/v1/jobs", { type: "echo" });
        assert.equal(status, 403);
        assert.match(json.detail, /http_read_only/);
        const page = await openTab(browser);
        await page.goto(quiet.origin + "/#/submit");
        await page.getByText("This dashboard is read-only").waitFor();
        for (const hash of ["queues", "workers", "dead", "jobs?state=dead"]) {
            await page.goto(`${quiet.origin}/#/${hash}`);
            await page.locator("main h1").waitFor();
            assert.equal(await page.getByRole("button", { name: /Clear|Quiet|Stop|Requeue|Remove|Cancel all/ }).count(), 0, hash);
        }
        assert.deepEqual(page.faults, []);
        await page.context().close();
    } finally {
        await quiet.stop();
    }
});
