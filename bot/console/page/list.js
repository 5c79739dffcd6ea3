// The inbox: tabs, and a row for each conversation, the most urgent first.

import { look } from "./api.js";
import { ask, button, el } from "./dom.js";
import { icon } from "./icons.js";
import { channelName, span, topicName, waiting, when } from "./words.js";

const VIEWS = [["waiting", "Waiting"], ["mine", "Mine"], ["all", "All open"], ["bot", "With bot"], ["closed", "Closed"]];
const EMPTY = {
  waiting: "Nobody waits for a person.", mine: "You have no conversation. Take one over from Waiting.",
  all: "Nothing is open.", bot: "The bot talks to nobody yet.", closed: "No case has been closed yet.",
};

export class List {
  constructor(app) {
    this.app = app;
    this.view = "waiting";
    this.rows = [];
    this.drawn = new Map();
    this.much = el("p", { class: "empty" }, "There are more; the most urgent are shown.");
    this.tabs = new Map(VIEWS.map(([view, title]) => {
      const count = el("span", { class: "count" });
      const tab = button({ role: "tab", "aria-selected": String(view === this.view), onclick: () => this.select(view), data: { view } }, title, count);
      return [view, { tab, count }];
    }));
    const find = el("input", { type: "search", "aria-label": "Find conversations", placeholder: "Find by name, words or order…" });
    this.body = el("div", { class: "rows", role: "list", "aria-label": "Conversations" });
    this.node = el("section", { class: "inbox", "aria-label": "Inbox" },
      el("form", { class: "find", role: "search", onsubmit: (event) => { event.preventDefault(); if (find.value.trim()) this.find(find.value.trim()); } }, icon("search"), find),
      el("div", { class: "tabs", role: "tablist", "aria-label": "Lists" }, [...this.tabs.values()].map((t) => t.tab)), this.body);
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.counts(app.me.counts);
  }

  counts(counts = {}) {
    for (const [view, { count }] of this.tabs) count.textContent = counts[view] ? counts[view] : "";
    document.title = counts.waiting ? `(${counts.waiting}) Frontdesk` : "Frontdesk";
  }

  select(view) {
    this.view = view;
    for (const [name, { tab }] of this.tabs) tab.setAttribute("aria-selected", String(name === view));
    this.rows = [];
    this.loaded = false;
    this.draw(false);
    return this.refresh(true);
  }

  key(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const all = [...this.body.querySelectorAll("button.item")];
    const at = all.indexOf(document.activeElement);
    const next = all[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) { event.preventDefault(); next.focus(); }
  }

  // What changes while the answer is on its way is asked for once more, not each time anew.
  async refresh(pressed = false) {
    if (this.asking === this.view) { this.stale = true; return; }
    const view = this.view;
    this.asking = view;
    this.stale = false;
    try {
      const { rows, more } = await look("inbox", { view });
      if (view === this.view) { this.rows = rows; this.loaded = true; this.draw(more); }
    } catch (error) {
      if (view === this.view) this.app.failed(error, !pressed);
    }
    if (this.asking === view) this.asking = "";
    if (this.stale && view === this.view) { clearTimeout(this.soon); this.soon = setTimeout(() => this.refresh(), 150); }
  }

  tick() {
    this.draw(this.more);
  }

  // Rows that look the same stay the same elements: a click that is under way must not miss.
  draw(more) {
    this.more = more;
    const kept = new Map();
    for (const row of this.rows) {
      const is = JSON.stringify([row, waiting(row.since, row.due), row.conversation === this.app.id]);
      const key = `${row.conversation} ${row.case}`, before = this.drawn.get(key);
      kept.set(key, before?.is === is ? before : { is, node: this.item(row) });
    }
    this.drawn = kept;
    const nodes = [...kept.values()].map((entry) => entry.node);
    if (more) nodes.push(this.much);
    if (!nodes.length && this.loaded) nodes.push(el("p", { class: "empty" }, EMPTY[this.view]));
    if (nodes.length === this.body.childNodes.length && nodes.every((n, i) => n === this.body.childNodes[i])) return;
    const focused = document.activeElement?.closest?.("button.item")?.dataset.id;
    this.body.replaceChildren(...nodes);
    if (focused) [...this.body.querySelectorAll("button.item")].find((b) => b.dataset.id === focused)?.focus({ preventScroll: true });
  }

  item(row) {
    const wait = waiting(row.since, row.due);
    const who = { customer: "", bot: "Bot: ", agent: `${row.last.name || "Agent"}: ` }[row.last.who] ?? "";
    const time = wait ? el("span", { class: `wait ${wait.state}`, title: wait.title }, wait.text)
      : el("span", { class: "wait quiet" }, when(row.resolved || row.last.at));
    const holder = row.holder === "agent" ? (row.agent === this.app.me.account ? "you" : row.agent_name) : row.holder === "bot" ? "bot" : "waiting";
    return el("div", { role: "listitem" }, button({
      class: `item ${row.conversation === this.app.id ? "open" : ""}`, data: { id: row.conversation, priority: row.priority || "none" },
      "aria-current": row.conversation === this.app.id ? "true" : null, onclick: () => this.app.open(row.conversation),
    },
    el("span", { class: `channel ${row.channel}`, title: channelName(row.channel) }, icon(row.channel), el("span", { class: "sr" }, channelName(row.channel))),
    el("span", { class: "what" },
      el("span", { class: "head" }, el("strong", {}, row.name), time),
      el("span", { class: "last" }, who && el("b", {}, who), row.last.text || row.summary),
      el("span", { class: "chips" },
        row.urgency >= 2 && el("span", { class: `chip ${row.priority}` }, row.priority),
        row.topic && el("span", { class: "chip" }, topicName(row.topic)),
        row.language && el("span", { class: "chip" }, row.language),
        row.rating > 0 && el("span", { class: "chip" }, `${"★".repeat(row.rating)}`),
        el("span", { class: `holder ${row.holder}` }, holder)))));
  }

  mark() {
    this.draw(this.more);
  }

  async find(text) {
    const done = await this.app.do("find", { conversation: "", text, quiet: true });
    if (!done) return;
    const found = done.data.conversations || [];
    const result = { node: el("div", { class: "found" }, found.length ? found.map((row) => button({ class: "item", onclick: () => result.close(row.id) },
      el("span", { class: "what" }, el("span", { class: "head" }, el("strong", {}, row.name || row.id), el("span", { class: "wait quiet" }, row.at ? span(Date.now() - new Date(row.at)) : "")),
        el("span", { class: "last" }, row.last || ""))))
      : el("p", { class: "empty" }, "Nothing was found.")) };
    const id = await ask({ title: `Found for “${text}”`, fields: [result], ok: "", wide: true });
    if (id) this.app.open(id);
  }
}
