// What several designers' pages draw: places in files, bars, tables that can be sorted.

import { el } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, props = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter(Boolean));
  return made;
}

export const percent = (share, digits = 0) => (share === null || share === undefined || Number.isNaN(share) ? "–" : share > 0 && share < 0.005 ? "<\u00a01\u00a0%" : `${(share * 100).toFixed(digits)}\u00a0%`);
// Puts in what there is: what was left out by a condition is no text.
export const fill = (node, ...children) => node.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
export const whole = (number) => number.toLocaleString("en-GB");
export const place = (text) => text && el("code", { class: "place", title: "file:line" }, text);
// A name that a narrow screen may break after its underscores.
export const name = (text) => text.split(/(?<=[_/])/).flatMap((part, n) => (n ? [el("wbr"), part] : [part]));

// A share between 0 and 1 as a bar; drawn, for the page's policy allows no inline style.
export function bar(share, kind = "") {
  return svg("svg", { class: `bar ${kind}`, viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "of", width: 100, height: 6 }), svg("rect", { class: "is", width: Math.max(0, Math.min(100, share * 100)), height: 6 }));
}

export function tile(value, title, detail = "") {
  return el("div", { class: "tile" }, el("b", {}, value), el("span", {}, title), detail && el("small", { class: "muted" }, detail));
}

// Columns are {title, key, show, class, down}: `show` draws a row's cell, `key` is what it is sorted by,
// `down` begins with the largest. Without a `key` a column cannot be sorted by.
export function table(columns, rows, { label, sorted = -1, most = 0 } = {}) {
  let by = sorted, down = sorted >= 0 && columns[sorted].down, all = false;
  const box = el("div", { class: "scroll" });
  const draw = () => {
    const shown = by < 0 ? rows : [...rows].sort((a, b) => compare(columns[by].key(a), columns[by].key(b)) * (down ? -1 : 1));
    const cut = most && !all && shown.length > most * 1.25 ? shown.slice(0, most) : shown;
    fill(box,
      el("table", { "aria-label": label },
        el("thead", {}, el("tr", {}, columns.map((c, n) => el("th", { class: c.class, scope: "col", "aria-sort": n === by ? (down ? "descending" : "ascending") : null },
          c.key ? el("button", { type: "button", class: "sort", onclick: () => { down = n === by ? !down : Boolean(c.down); by = n; draw(); } }, c.title, n === by && (down ? " ↓" : " ↑")) : c.title)))),
        el("tbody", {}, cut.map((row) => el("tr", {}, columns.map((c) => el("td", { class: c.class }, c.show(row))))))),
      cut.length < shown.length && el("button", { type: "button", class: "plain more", onclick: () => { all = true; draw(); } }, `Show all ${shown.length}`));
  };
  draw();
  return box;
}

// What is not known comes last, whichever way.
function compare(a, b) {
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : -1;
  if (b === null || b === undefined) return 1;
  return typeof a === "string" ? a.localeCompare(b) : a - b;
}

export const noFiles = () => el("p", { class: "hint" }, "The project's files are not on the gateway's host: what was never used, and in which file and line something stands, cannot be told here. Start the gateway in the project's folder.");
