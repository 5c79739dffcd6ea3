// Choosing an intent: the candidates as they were ranked, or any other by search.

import { button, el } from "./dom.js";
import { percent } from "./design_learn_words.js";

const FOUND = 12;

export function intents(lesson, project, changed) {
  const known = new Map(project.intents.map((one) => [one.name, one]));
  const can = (name) => !known.size || known.has(name);
  const ranked = lesson.ranking.filter(([name]) => can(name)).slice(0, 5);
  // Of what was not understood nobody shall learn, by a mere Enter, that it means nothing.
  const likely = lesson.understood !== "nlu_fallback" && ranked.length ? ranked[0][0] : "";
  let chosen = lesson.decided && can(lesson.decided) ? lesson.decided : likely;
  const list = el("div", { class: "candidates", role: "radiogroup", "aria-label": "Intent" });
  const found = el("div", { class: "candidates found-intents", role: "listbox", "aria-label": "Intents found", hidden: true });
  const search = el("input", { type: "search", placeholder: known.size ? `Another one of ${known.size} intents: name or words of an example` : "Another intent: its name",
    "aria-label": "Find an intent", autocomplete: "off", oninput: seek, onkeydown: key });
  let marked = 0, hits = [];

  function choose(name) {
    chosen = name;
    search.value = "";
    found.hidden = true;
    draw();
    changed();
  }

  function card(name, confidence, props) {
    const of = known.get(name);
    return button({ class: "candidate", ...props },
      el("span", { class: "head" }, el("strong", {}, name), confidence === undefined ? "" : [el("meter", { min: 0, max: 1, value: confidence, "aria-hidden": "true" }), el("span", { class: "sure" }, percent(confidence))],
        of && el("span", { class: "place" }, of.file ? `${of.count} in ${of.file.split("/").pop()}` : "no examples yet")),
      of && of.examples.slice(0, 2).map((text) => el("span", { class: "example" }, text)));
  }

  function draw() {
    const names = ranked.some(([name]) => name === chosen) || !chosen ? ranked : [[chosen], ...ranked];
    list.replaceChildren(...names.map(([name, confidence]) => card(name, confidence, { role: "radio", "aria-checked": String(name === chosen), onclick: (event) => {
      choose(name);
      // By keyboard: where one was, one stays.
      if (event.detail === 0) list.querySelector("[aria-checked=true]").focus();
    } })));
    if (lesson.understood && !can(lesson.understood)) list.append(el("p", { class: "muted gone" }, `${lesson.understood} was understood, which the bot no longer has.`));
    if (!names.length) list.append(el("p", { class: "muted" }, "Nothing was understood. Find the intent below."));
  }

  function seek() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rate = (one) => {
      const name = one.name.toLowerCase(), spoken = name.replaceAll("_", " "), examples = one.examples.join("\n").toLowerCase();
      if (!words.every((w) => name.includes(w) || spoken.includes(w) || examples.includes(w))) return -1;
      return words.filter((w) => name.includes(w)).length * 2 + (name.startsWith(words[0]) ? 1 : 0);
    };
    hits = words.length ? [...known.values()].map((one) => [rate(one), one]).filter(([n]) => n >= 0).sort(([a, x], [b, y]) => b - a || x.name.localeCompare(y.name)).map(([, one]) => one.name) : [];
    if (!known.size && /^\w+$/.test(search.value.trim())) hits = [search.value.trim()];
    marked = 0;
    offer(words.length > 0);
  }

  function offer(asked) {
    found.hidden = !asked;
    found.replaceChildren(...hits.slice(0, FOUND).map((name, n) => card(name, undefined, { role: "option", tabindex: -1, "aria-selected": String(n === marked), onclick: () => choose(name) })));
    if (!hits.length) found.append(el("p", { class: "muted" }, "No intent has this in its name or its examples."));
    else if (hits.length > FOUND) found.append(el("p", { class: "muted" }, `and ${hits.length - FOUND} more`));
    found.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  function key(event) {
    if (event.key === "Escape") { search.value = ""; seek(); search.blur(); }
    else if (event.key === "Enter" && hits[marked]) { choose(hits[marked]); search.blur(); }
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      marked = Math.max(0, Math.min(Math.min(hits.length, FOUND) - 1, marked + (event.key === "ArrowDown" ? 1 : -1)));
      offer(!found.hidden);
    } else return;
    event.preventDefault();
  }

  draw();
  return { node: el("div", {}, list, search, found), value: () => chosen, choose, find: () => search.focus() };
}
