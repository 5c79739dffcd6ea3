// A customer's text in which entities are marked. Places are counted in characters (code points),
// as Python does, not in JavaScript's units.

import { change } from "./api.js";
import { button, el } from "./dom.js";

const WORD = /[\p{L}\p{N}_]/u;
const COLOURS = 6;

export function marker(lesson, project) {
  let text = lesson.text, chars = Array.from(text);
  let marks = lesson.marks.map((mark) => ({ value: "", role: "", group: "", ...mark }));
  let picked = null, editing = false;
  const names = [...new Set([...project.entities.map((one) => one.name), ...marks.map((mark) => mark.entity)])];
  const colour = (name) => `e${Math.max(0, names.indexOf(name)) % COLOURS}`;
  const words = el("p", { class: "said", "aria-label": "What was said" });
  const palette = el("div", { class: "palette", role: "group", "aria-label": "Entity" });
  const node = el("div", { class: "marker" }, words, palette);
  const part = (start, end) => chars.slice(start, end).join("");

  function draw() {
    let at = 0;
    const parts = [];
    for (const mark of marks) {
      parts.push(part(at, mark.start), el("mark", { class: `${colour(mark.entity)}${picked?.mark === mark ? " on" : ""}`, role: "button", tabindex: 0, data: { entity: label(mark) },
        "aria-label": `${part(mark.start, mark.end)}: ${label(mark)}`, onclick: () => selected() || pick(mark), onkeydown: (event) => { if (event.key === "Enter") pick(mark); if (event.key === "Delete") remove(mark); } }, part(mark.start, mark.end)));
      at = mark.end;
    }
    words.replaceChildren(...[...parts, part(at)].filter((one) => one !== ""));
    drawPalette();
  }

  const label = (mark) => [mark.entity, mark.role || mark.group, mark.value && `= ${mark.value}`].filter(Boolean).join(" ");

  function drawPalette() {
    if (!picked) {
      palette.replaceChildren(el("span", { class: "muted" }, names.length ? "Select words to mark an entity, click a marked one to change it." : "The bot knows no entities.", " "), button({ class: "link", onclick: edit }, "Edit the text"));
      return;
    }
    const { mark, start, end } = picked;
    const chip = (name) => button({ class: `plain entity ${colour(name)}`, "aria-pressed": String(mark?.entity === name), onmousedown: (event) => event.preventDefault(), onclick: () => choose(name) }, name);
    palette.replaceChildren(
      el("div", { class: "entities" }, el("span", {}, "“", part(start, end), "” is"), names.map(chip)),
      ...(mark ? [more(mark)] : []));
  }

  function more(mark) {
    const known = project.entities.find((one) => one.name === mark.entity);
    const pickOne = (key, title, options) => options.length > 0 && el("label", {}, title, el("select", { "aria-label": title, onchange: (event) => { mark[key] = event.target.value; draw(); } },
      ["", ...options].map((value) => el("option", { value, selected: value === mark[key] }, value || "—"))));
    return el("div", { class: "more" },
      el("label", {}, "means", el("input", { type: "text", "aria-label": "What it means", placeholder: "the same as it says", value: mark.value, onchange: (event) => { mark.value = event.target.value.trim(); draw(); } })),
      pickOne("role", "role", known?.roles || []), pickOne("group", "group", known?.groups || []),
      button({ class: "link", onclick: () => remove(mark) }, "Remove"), button({ class: "link", onclick: () => { picked = null; draw(); } }, "Done"));
  }

  function pick(mark) {
    picked = { mark, start: mark.start, end: mark.end };
    draw();
  }

  function remove(mark) {
    marks = marks.filter((one) => one !== mark);
    picked = null;
    draw();
  }

  function choose(entity) {
    const { start, end } = picked, said = part(start, end);
    const meant = project.synonyms[said.toLowerCase()] || "";
    const mark = { start, end, entity, role: "", group: "", value: meant === said ? "" : meant };
    marks = [...marks.filter((one) => one.end <= start || one.start >= end), mark].sort((a, b) => a.start - b.start);
    getSelection().removeAllRanges();
    pick(mark);
  }

  // What is selected of the text, in whole words.
  function selected() {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return null;
    const range = selection.getRangeAt(0);
    if (!words.contains(range.startContainer) || !words.contains(range.endContainer)) return null;
    const before = (container, offset) => {
      const until = document.createRange();
      until.selectNodeContents(words);
      until.setEnd(container, offset);
      return Array.from(until.toString()).length;
    };
    let start = before(range.startContainer, range.startOffset), end = before(range.endContainer, range.endOffset);
    while (start < end && /\s/.test(chars[start])) start += 1;
    while (end > start && /\s/.test(chars[end - 1])) end -= 1;
    if (start === end) return null;
    while (start > 0 && WORD.test(chars[start]) && WORD.test(chars[start - 1])) start -= 1;
    while (end < chars.length && WORD.test(chars[end - 1]) && WORD.test(chars[end])) end += 1;
    return { start, end };
  }

  function select() {
    const range = editing ? null : selected();
    if (!range && picked && !picked.mark && words.contains(getSelection().anchorNode)) {
      picked = null;
      drawPalette();
    }
    if (!range) return;
    picked = { ...range, mark: marks.find((mark) => mark.start === range.start && mark.end === range.end) };
    drawPalette();
  }

  function edit() {
    if (editing) return;
    editing = true;
    const area = el("textarea", { rows: 3, "aria-label": "The text, with entities as in the files", value: markup(), onkeydown: (event) => {
      if (event.key === "Escape") { editing = false; restore(); }
      else if (event.key === "Enter" && !event.shiftKey) settle();
      else return;
      event.preventDefault();
    } });
    const wrong = el("div", { class: "wrong", role: "alert" });
    node.replaceChildren(area, wrong, el("div", { class: "row" }, button({ class: "plain", onclick: () => settle() }, "Done"), el("span", { class: "muted" }, "Entities as in the files: ", el("code", {}, "[1042](order_number)"))));
    area.focus();
    node.settling = async () => {
      try {
        const told = await change("design/marked", { text: area.value.replace(/\s+/g, " ") });
        text = told.text;
        chars = Array.from(text);
        marks = told.marks;
        for (const { entity } of marks) if (!names.includes(entity)) names.push(entity);
        return true;
      } catch (error) {
        wrong.textContent = error.message;
        area.focus();
        if (error.told?.at !== undefined) {
          const at = Array.from(area.value.trim()).slice(0, error.told.at).join("").length;
          area.setSelectionRange(at, at + 1);
        }
        return false;
      }
    };
  }

  // Takes over what is being edited; false when that cannot be.
  async function settle() {
    if (!editing) return true;
    if (!(await node.settling())) return false;
    editing = false;
    restore();
    return true;
  }

  function restore() {
    picked = null;
    node.replaceChildren(words, palette);
    draw();
  }

  function markup() {
    let at = 0, made = "";
    for (const mark of marks) {
      const { entity, role, group, value } = mark;
      const all = Object.fromEntries(Object.entries({ entity, role, group, value }).filter(([, given]) => given));
      made += `${part(at, mark.start)}[${part(mark.start, mark.end)}]${Object.keys(all).length > 1 ? JSON.stringify(all) : `(${entity})`}`;
      at = mark.end;
    }
    return made + part(at);
  }

  document.addEventListener("selectionchange", select);
  draw();
  return {
    node, edit, settle,
    value: () => ({ text, marks: marks.map(({ start, end, entity, value, role, group }) => ({ start, end, entity, value, role, group })) }),
    close: () => document.removeEventListener("selectionchange", select),
  };
}
