// Bundles the dashboard: `node build.mjs OUT`. OUT/node_modules is what package-lock.json names;
// bundle.cmake calls this. Written: the bundle, its gzip, and OUT/web_assets.cpp, which puts both
// into the program (daemon/http/web_files.h).
//
// Must stay true: the same sources give the same bytes, and an asset's name changes with them.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? "");
const modules = join(out, "node_modules");
const esbuild = createRequire(join(modules, "x"))("esbuild");

const TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
};

const ending = (name) => name.slice(name.lastIndexOf("."));

function hashed(name, bytes) {
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
    return name.slice(0, name.lastIndexOf(".")) + "-" + hash + ending(name);
}

async function bundled(entry) {
    const result = await esbuild.build({
        entryPoints: [join(here, entry)],
        bundle: true,
        minify: true,
        write: false,
        format: "esm",
        target: ["chrome123", "firefox120", "safari17.5"],
        nodePaths: [modules],
        legalComments: "none", // licenses.txt has them whole
        logLevel: "warning",
    });
    return Buffer.from(result.outputFiles[0].contents);
}

function licenses() {
    const names = Object.keys(JSON.parse(readFileSync(join(here, "package.json"))).dependencies);
    const texts = names.sort().map((name) => {
        const text = readFileSync(join(modules, name, "LICENSE"), "utf8").trim();
        return `--- ${name}, part of this dashboard ---\n\n${text}\n`;
    });
    return Buffer.from(texts.join("\n"));
}

// The page names the assets by their hashed names.
async function makeFiles() {
    const assets = {
        "app.js": await bundled("app.js"),
        "style.css": await bundled("style.css"),
        "icon.svg": readFileSync(join(here, "icon.svg")),
        "licenses.txt": licenses(),
    };
    const names = { "licenses.txt": hashed("licenses.txt", assets["licenses.txt"]) };
    let page = readFileSync(join(here, "index.html"), "utf8");
    const files = [];
    for (const [name, bytes] of Object.entries(assets)) {
        names[name] = hashed(name, bytes);
        page = page.replaceAll(`"assets/${name}"`, `"assets/${names[name]}"`);
        files.push({ name: names[name], bytes });
    }
    files.unshift({ name: "index.html", bytes: Buffer.from(page) });
    return files;
}

const quoted = (text) => JSON.stringify(text);

// Bytes by the assembler's .incbin: the compiler never reads them.
function source(files, folder) {
    const lines = ["// Made by daemon/web/build.mjs.", '#include "daemon/http/web_files.h"', ""];
    const rows = [];
    files.forEach(({ name }, i) => {
        for (const [kind, path] of [["plain", name], ["gzip", name + ".gz"]]) {
            const symbol = `jobq_web_${kind}_${i}`;
            const file = join(folder, path).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
            lines.push(
                `asm(".section .rodata\\n.global ${symbol}\\n.global ${symbol}_end\\n${symbol}:\\n"`,
                `    ${quoted(`.incbin "${file}"\n`)}`,
                `    "${symbol}_end:\\n.byte 0\\n.previous\\n");`,
                `extern "C" const char ${symbol}[], ${symbol}_end[];`);
        }
        const view = (kind) =>
            `{jobq_web_${kind}_${i}, size_t(jobq_web_${kind}_${i}_end - jobq_web_${kind}_${i})}`;
        rows.push(`        {${quoted(name)}, ${quoted(TYPES[ending(name)])},\n` +
                  `         ${view("plain")},\n         ${view("gzip")}},`);
    });
    lines.push("", "namespace jobq {", "", "std::span<const WebFile> web_files() {",
               "    static const WebFile files[] = {", ...rows, "    };", "    return files;", "}",
               "", "std::string_view web_missing() {", '    return "";', "}", "",
               "}  // namespace jobq", "");
    return lines.join("\n");
}

const folder = join(out, "files");
const files = await makeFiles();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
let total = 0;
for (const { name, bytes } of files) {
    const packed = gzipSync(bytes, { level: 9 });
    packed[9] = 255; // the system that packed it: not said, so that all give the same bytes
    writeFileSync(join(folder, basename(name)), bytes);
    writeFileSync(join(folder, basename(name) + ".gz"), packed);
    total += packed.length;
}
writeFileSync(join(out, "web_assets.cpp"), source(files, folder));
console.log(`dashboard: ${files.length} files, ${(total / 1024).toFixed(1)} KiB packed`);
