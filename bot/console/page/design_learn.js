// The inbox of what customers really wrote: a list, one of it open, and what was decided lately.

import { change, look } from "./api.js";
import { button, el, toast } from "./dom.js";
import { decision } from "./design_learn_one.js";
import { REASONS, percent } from "./design_learn_words.js";
import { span, when } from "./words.js";

const STATUSES = { open: "Open", confirmed: "In no file yet", written: "Written", dismissed: "Dismissed" };
const SHOWN_DONE = 6;

export async function show(node, query, go) {
  const status = query.get("status") in STATUSES ? query.get("status") : "open";
  const reason = query.get("reason") in REASONS ? query.get("reason") : "";
  const filter = { ...(status === "open" ? {} : { status }), ...(reason ? { reason } : {}) };
  const list = el("div", { class: "lessons panel", role: "listbox", "aria-label": "Lessons", tabindex: 0 });
  const latest = el("div", { class: "latest", role: "status" });
  const place = el("section", { class: "lesson", "aria-label": "Lesson" });
  const bar = el("div", { class: "learn-bar" });
  const done = el("section", { class: "panel done", "aria-label": "Decided before", hidden: true });
  let rows = [], counts = {}, after = "", project = null, names = {}, open = null, left = false, turn = 0;

  async function read(more = "") {
    const told = await look("design/lessons", { status, reason, after: more });
    rows = more ? [...rows, ...told.rows] : told.rows;
    ({ counts, after } = told);
    draw();
  }

  function draw() {
    const chip = (value, title, count) => button({ class: "plain filter", "aria-pressed": String(value === reason), onclick: () => go("learn", { ...(status === "open" ? {} : { status }), ...(value ? { reason: value } : {}) }) },
      title, count !== undefined && el("span", { class: "number" }, count));
    const states = el("select", { "aria-label": "Which lessons", onchange: () => go("learn", { ...(states.value === "open" ? {} : { status: states.value }), ...(reason ? { reason } : {}) }) },
      Object.entries(STATUSES).map(([value, title]) => el("option", { value, selected: value === status }, `${title} (${counts[value] || 0})`)));
    bar.replaceChildren(
      el("div", { class: "filters", role: "group", "aria-label": "Why they are here", title: "A message with several reasons counts for each" }, chip("", "All", status === "open" ? counts.open : undefined),
        Object.entries(REASONS).map(([value, title]) => chip(value, title, status === "open" ? counts[value] || 0 : undefined))),
      states,
      banner());
    list.replaceChildren(...rows.map(row), after ? button({ class: "link more", onclick: () => read(after).catch(wrong) }, "Show more") : "");
    if (!rows.length) list.append(el("p", { class: "empty" }, empty()));
  }

  function empty() {
    if (status !== "open") return "There is nothing here.";
    return reason && counts.open ? "Nothing is here for this reason." : "Nothing to learn from is left. What customers write and the bot does not understand well comes here by itself.";
  }

  function banner() {
    const notes = [];
    if (project && !project.here) notes.push("The bot's files are not on this host. What you decide is kept, and written with “bot learn write” where they are.");
    else if (project && !project.writable) notes.push("The bot's files cannot be changed here. What you decide is kept, and written with “bot learn write” where they can.");
    const waits = counts.confirmed ? el("div", { class: "notice" }, `${counts.confirmed} decided, in no file yet.`,
      project && project.here && project.writable && button({ class: "link", onclick: write }, "Write now")) : "";
    return [...notes.map((text) => el("div", { class: "notice" }, text)), waits];
  }

  function row(lesson) {
    const chips = Object.keys(lesson.reasons).map((name) => el("span", { class: `chip ${name}` }, REASONS[name] || name));
    return el("div", { class: "lesson-row", role: "option", "aria-selected": String(open?.id === lesson.id), data: { id: lesson.id }, onclick: () => pick(lesson.id, { byHand: true }) },
      el("div", { class: "words" }, lesson.text),
      el("div", { class: "meta" },
        el("span", { class: "guess" }, lesson.intent, lesson.status === "open" && el("span", { class: "sure" }, ` ${percent(lesson.confidence)}`)),
        chips,
        lesson.alike > 1 && el("span", { class: "chip alike", title: `${lesson.alike} messages alike` }, `×${lesson.alike}`),
        el("span", { class: "age", title: when(lesson.at) }, span(Date.now() - new Date(lesson.at)))));
  }

  async function pick(id, { byHand = false, next = false } = {}) {
    const mine = (turn += 1);
    history.replaceState(null, "", `#learn?${new URLSearchParams({ ...filter, id })}`);
    const lesson = await look("design/lesson", { id }).catch((error) => {
      if (mine === turn) place.replaceChildren(el("p", { class: "empty" }, error.message));
      throw error;
    }).catch(wrong);
    if (!lesson || mine !== turn || left) return;
    open?.close();
    open = decision({ lesson, project, names, next, settled, again: () => pick(id) });
    place.replaceChildren(button({ class: "plain narrow back", onclick: () => node.removeAttribute("data-open") }, "← All lessons"), open.node);
    if (byHand) node.dataset.open = "yes";
    for (const one of list.querySelectorAll("[role=option]")) {
      const on = one.dataset.id === id;
      one.setAttribute("aria-selected", String(on));
      if (on) one.scrollIntoView({ block: "nearest" });
    }
  }

  // A lesson is done with: say what became of it, go on with the next one.
  function settled(lesson, words, warnings = []) {
    const item = el("div", { class: "did" }, el("q", {}, lesson.text), el("div", {}, words), warnings.map((text) => el("div", { class: "warning" }, text)));
    const before = latest.firstChild;
    latest.replaceChildren(item);
    if (before) {
      done.hidden = false;
      done.querySelector("h2")?.remove();
      done.replaceChildren(el("h2", {}, "Decided before"), before, ...[...done.children].slice(0, SHOWN_DONE - 1));
    }
    const at = rows.findIndex((one) => one.id === lesson.id);
    rows = rows.filter((one) => one.id !== lesson.id);
    const next = rows[Math.max(0, Math.min(at, rows.length - 1))];
    open?.close();
    open = null;
    draw();
    if (next) pick(next.id, { next: true });
    else nothing();
    read().catch(wrong);
  }

  function nothing() {
    turn += 1;
    node.removeAttribute("data-open");
    history.replaceState(null, "", `#learn?${new URLSearchParams(filter)}`);
    place.replaceChildren(el("p", { class: "empty" }, rows.length ? "Pick one of the list." : "All done."));
  }

  async function write() {
    try {
      const { written } = await change("design/write", {});
      toast(written.length ? `Written: ${written.map((one) => `${one.file}:${one.line}`).join(", ")}` : "There was nothing left to write.");
      await read();
    } catch (error) {
      wrong(error);
    }
  }

  function wrong(error) {
    if (error.status === 401) location.assign("/console");
    toast(error.message, "bad");
  }

  function move(by) {
    const at = rows.findIndex((one) => one.id === open?.id);
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    if (next && next.id !== open?.id) pick(next.id);
  }

  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const target = event.target;
    if (target.closest("input, textarea, select")) return;
    const does = { j: () => move(1), k: () => move(-1), ArrowDown: () => target.closest(".lessons") && move(1), ArrowUp: () => target.closest(".lessons") && move(-1),
      Enter: () => !target.closest("button, a, [role=button]") && open?.confirm(), d: () => open?.dismiss(), e: () => open?.edit(), "/": () => open?.find() }[event.key];
    if (!does || event.repeat && !"jk".includes(event.key)) return;
    if (does() !== false) event.preventDefault();
  }

  const [told, me] = await Promise.all([look("design/project"), look("me"), read()]);
  project = told;
  names = Object.fromEntries(me.people.map((one) => [one.id, one.name]));
  draw();
  node.className = "learn";
  node.replaceChildren(bar, el("div", { class: "learn-grid" }, el("div", { class: "learn-left" }, list,
    el("p", { class: "keys" }, ["j", "k"].map((k) => el("kbd", {}, k)), " next, previous ", el("kbd", {}, "Enter"), " confirm ", el("kbd", {}, "d"), " dismiss ", el("kbd", {}, "e"), " edit ", el("kbd", {}, "/"), " find an intent"), done), el("div", {}, latest, place)));
  const wanted = query.get("id");
  if (wanted) pick(wanted, { byHand: true });
  else if (rows.length) pick(rows[0].id);
  else nothing();
  document.addEventListener("keydown", key);
  return () => {
    left = true;
    document.removeEventListener("keydown", key);
    open?.close();
  };
}
