// What live traffic used in the last days, how it was answered, and what of the files it never used.

import { look } from "./api.js";
import { button, el } from "./dom.js";
import { bar, name, noFiles, percent, place, svg, table, tile, whole } from "./design_bits.js";
import { channelName, language, when } from "./words.js";

const SPANS = [[1, "Today"], [7, "7 days"], [30, "30 days"]];
const KINDS = [["intents", "Intents"], ["rules", "Rules"], ["stories", "Stories"], ["responses", "Responses"], ["forms", "Forms"], ["actions", "Actions"]];
const BY = {
  rule: ["a rule", ""], story: ["a story", ""], form: ["a form that goes on", ""], knowledge: ["an article", ""], fallback: ["the fallback", "warn"], "handed over": ["handed over to a person", "warn"],
  failed: ["a failure", "bad"], policy: ["what a policy has learned", ""], person: ["a person had it", "quiet"], consent: ["opting in or out", "quiet"], nothing: ["nothing", "warn"],
};

export async function show(node, query, go) {
  node.classList.add("insight");
  const days = SPANS.some(([n]) => String(n) === query.get("days")) ? query.get("days") : "30";
  const kind = KINDS.some(([known]) => known === query.get("show")) ? query.get("show") : "intents";
  const found = await look("design/coverage", { days });
  const spans = el("div", { class: "picks-row" }, el("div", { class: "group", role: "group", "aria-label": "Time" }, SPANS.map(([n, title]) => button({ class: "plain", "aria-pressed": String(n) === days ? "true" : "false", onclick: () => go("coverage", { days: n, show: kind }) }, title))),
    el("span", { class: "muted" }, `since ${found.since}, days begin at midnight UTC`));
  const parts = [spans];
  if (found.behind) parts.push(el("p", { class: "hint" }, found.counted ? `Not everything is counted yet: workers have come to ${new Date(found.counted).toLocaleString("en-GB")}. Look again later.` : "No worker has counted yet, these are the first messages of that time. Is a worker running?"));
  if (!found.files) parts.push(noFiles());
  if (found.blind && found.files) parts.push(el("p", { class: "hint" }, `${whole(found.blind)} messages were counted by workers on hosts without the project's files: which rules and stories answered them is not known, and "never" may be wrong for these.`));
  if (!found.turns) parts.push(el("div", { class: "panel empty" }, "No customer wrote in this time."));
  else parts.push(...told(found));
  parts.push(used(found, kind, (other) => go("coverage", { days, show: other })));
  node.replaceChildren(...parts);
}

function told(found) {
  const by = new Map(found.by), asked = found.turns - (by.get("person") || 0) - (by.get("consent") || 0);
  const share = (...names) => names.reduce((sum, one) => sum + (by.get(one) || 0), 0) / Math.max(1, asked);
  return [
    el("div", { class: "tiles" },
      tile(whole(found.turns), "messages", `${whole(found.conversations)} new conversations`),
      tile(percent(share("rule", "story", "form", "knowledge", "policy")), "answered by the bot", "by what designers wrote"),
      tile(percent(share("knowledge")), "from an article"),
      tile(percent(share("handed over")), "handed over", asked < found.turns ? `of ${whole(asked)} that people did not have` : ""),
      tile(percent(share("fallback", "failed", "nothing")), "without an answer", "fallback or failure")),
    el("div", { class: "cards" },
      el("section", { class: "panel" }, el("h2", {}, "Answered by"), shares(found.by.map(([key, n]) => [BY[key]?.[0] || key, n, BY[key]?.[1] || ""]), found.turns)),
      el("section", { class: "panel" }, el("h2", {}, "Channels"), shares(found.channels.map(([key, n]) => [channelName(key), n, ""]), found.turns), el("h2", { class: "second" }, "Languages"), shares(found.languages.slice(0, 6).map(([key, n]) => [language(key), n, ""]), found.turns)),
      el("section", { class: "panel" }, el("h2", {}, "Messages a day"), daily(found.daily, found.days), el("div", { class: "keys" }, el("span", { class: "key" }, "messages"), el("span", { class: "key unsure" }, "handed over")))),
  ];
}

function shares(rows, all) {
  return el("dl", { class: "shares" }, rows.map(([title, n, kind]) => el("div", { class: kind }, el("dt", {}, title), el("dd", {}, bar(n / all, kind), el("b", {}, percent(n / all)), el("small", { class: "muted" }, whole(n))))));
}

function daily(rows, days) {
  const by = new Map(rows.map(([day, n, handed]) => [day, [n, handed]])), first = Date.now() - (days - 1) * 864e5;
  const all = Array.from({ length: days }, (_, n) => { const day = new Date(first + n * 864e5).toISOString().slice(0, 10); return [day, ...(by.get(day) || [0, 0])]; });
  const most = Math.max(1, ...all.map((r) => r[1])), step = 330 / all.length, wide = Math.min(60, Math.max(2, step - 2));
  const label = (day) => new Date(`${day}T12:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return svg("svg", { class: "daily", viewBox: "0 0 330 140", role: "img", "aria-label": "Messages a day" },
    all.map(([day, n, handed], i) => {
      const x = i * step + (step - wide) / 2, high = (n / most) * 104, low = (handed / most) * 104;
      return svg("g", {}, svg("rect", { class: "zone", x: i * step, y: 0, width: step, height: 122 }), svg("rect", { class: "is", x, y: 120 - high, width: wide, height: Math.max(0, high - low), rx: 1 }), svg("rect", { class: "unsure", x, y: 120 - low, width: wide, height: low }), svg("title", {}, `${day}: ${n} messages, ${handed} handed over`));
    }),
    svg("path", { class: "floor", d: "M0 120.5h330" }), svg("text", { x: 0, y: 135 }, label(all[0][0])), all.length > 1 && svg("text", { x: 330, y: 135, "text-anchor": "end" }, label(all.at(-1)[0])), svg("text", { x: 330, y: 10, "text-anchor": "end" }, `most: ${whole(most)}`));
}

function used(found, kind, open) {
  const count = (rows) => [rows.filter((r) => r.known && r.count).length, rows.filter((r) => r.known).length];
  const tabs = el("div", { class: "group", role: "tablist", "aria-label": "What" }, KINDS.map(([key, title]) => {
    const [n, of] = count(found[key]);
    return button({ class: "plain", role: "tab", "aria-selected": key === kind ? "true" : "false", onclick: () => open(key) }, title, el("small", { class: "muted" }, found.files ? ` ${n} of ${of}` : ` ${found[key].filter((r) => r.count).length}`));
  }));
  const rows = found[kind], never = rows.filter((r) => r.known && !r.count), gone = rows.filter((r) => !r.known && r.count);
  const box = el("div", {});
  const filters = [["all", "All", rows], ["never", "Never used", never], found.files && ["gone", "No longer in the files", gone]].filter(Boolean);
  let which = "all", words = "";
  const draw = () => {
    const [, , of] = filters.find(([key]) => key === which);
    const shown = of.filter((r) => r.name.toLowerCase().includes(words));
    box.replaceChildren(shown.length ? listed(kind, shown, found) : el("p", { class: "empty" }, which === "never" ? "All of them were used." : "None."));
    for (const [key] of filters) chosen.querySelector(`[data-key=${key}]`).setAttribute("aria-pressed", key === which ? "true" : "false");
  };
  const chosen = el("div", { class: "group", role: "group", "aria-label": "Which" }, filters.map(([key, title, of]) => button({ class: "plain", data: { key }, onclick: () => { which = key; draw(); } }, title, el("small", { class: "muted" }, ` ${of.length}`))));
  const search = el("input", { type: "search", placeholder: "Filter by name", "aria-label": "Filter by name", oninput: (event) => { words = event.target.value.trim().toLowerCase(); draw(); } });
  draw();
  return el("section", { class: "panel" }, tabs, el("div", { class: "row wrap filters" }, chosen, search), kind === "intents" && el("p", { class: "muted" }, "Confidence is the mean of what was written, not pressed. Not sure: messages whose nearest intent this was, but not near enough; they went to the fallback."), box);
}

function listed(kind, rows, found) {
  const most = Math.max(1, ...rows.map((r) => r.count));
  const intents = kind === "intents";
  const unsure = (r) => (r.low ? r.low / (r.low + r.count) : null);
  return table([
    { title: "Name", key: (r) => r.name, show: (r) => [...name(r.name), !r.known && found.files && r.count > 0 && el("span", { class: "chip" }, "gone")] },
    { title: "Times", class: "number", down: true, key: (r) => r.count, show: (r) => (r.count ? whole(r.count) : el("span", { class: "never" }, "never")) },
    { title: "", class: "bars", show: (r) => r.count > 0 && bar(r.count / most) },
    intents && { title: "Confidence", class: "number", key: (r) => r.mean, show: (r) => percent(r.mean) },
    intents && { title: "Not sure", class: "number", down: true, key: unsure, show: (r) => (r.low ? el("span", { title: `${r.low} messages` }, percent(unsure(r))) : "–") },
    { title: "Last", class: "last", down: true, key: (r) => r.last, show: (r) => (r.last ? when(r.last) : "–") },
    { title: "Where", class: "wide", key: (r) => r.place, show: (r) => place(r.place) || "" },
  ].filter(Boolean), rows, { label: kind, sorted: 1, most: 25 });
}
