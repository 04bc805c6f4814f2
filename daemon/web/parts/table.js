// A table whose columns keep their widths:
//   columns  [{key, title, width, number, cell: (row) => ..., sort: (row) => value}]
//   rows, rowKey: (row) => text; empty: what stands there without rows
//   sort {key, down} and onSort(key) when it can be ordered; selected: (row) => bool, onRow(row)
// At most MOST rows are drawn; how many more there are is said.
import { html } from "../html.js";
import { count } from "../format.js";

const MOST = 500;

function Head({ column, sort, onSort }) {
    const sorted = sort && sort.key === column.key;
    const order = sorted ? (sort.down ? "descending" : "ascending") : undefined;
    const mark = sorted ? (sort.down ? "↓" : "↑") : "";
    const inner = onSort && column.sort
        ? html`<button type="button" class="plain sort" onClick=${() => onSort(column.key)}>
            ${column.title}<span class="sort-mark" aria-hidden="true">${mark}</span></button>`
        : column.title;
    return html`<th scope="col" aria-sort=${order} class=${column.number ? "number" : ""}>${inner}</th>`;
}

export function sortedRows(rows, columns, sort) {
    const column = sort && columns.find(({ key }) => key === sort.key);
    if (!column?.sort) return rows;
    const sign = sort.down ? -1 : 1;
    const compared = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    return [...rows].sort((a, b) => sign * compared(column.sort(a), column.sort(b)));
}

export function Table({ caption, columns, rows, rowKey, empty, sort, onSort, onRow, selected }) {
    const drawn = sortedRows(rows, columns, sort).slice(0, MOST);
    return html`<div class="table-box"><table>
        <caption class="off-screen">${caption}</caption>
        <colgroup>${columns.map(({ key, width }) => html`<col key=${key} style=${{ width: width ?? "auto" }} />`)}</colgroup>
        <thead><tr>${columns.map((column) => html`<${Head} key=${column.key} ...${{ column, sort, onSort }} />`)}</tr></thead>
        <tbody>${drawn.map((row) => html`<tr key=${rowKey(row)} class=${selected?.(row) ? "selected" : ""}
            onClick=${onRow && (() => onRow(row))}>
            ${columns.map(({ key, number, cell }) => html`<td key=${key} class=${number ? "number" : ""}>${cell(row)}</td>`)}
        </tr>`)}</tbody>
    </table>
    ${rows.length === 0 && empty}
    ${rows.length > MOST && html`<p class="table-more">and ${count(rows.length - MOST)} more</p>`}
    </div>`;
}
