// The conversation in the middle: who has it and what may be done, its lines, the composer.

import { area, ask, button, check, choose, el } from "./dom.js";
import { Composer } from "./composer.js";
import { icon } from "./icons.js";
import { lineNode } from "./lines.js";
import { channelName, day } from "./words.js";

export class Thread {
  constructor(app) {
    this.app = app;
    this.drawn = new Map();
    this.head = el("header", { class: "thread-head" });
    this.log = el("div", { class: "log", role: "log", "aria-label": "Conversation", tabindex: "0" });
    this.down = button({ class: "down", "aria-label": "To the newest message", hidden: true, onclick: () => this.bottom() }, icon("down"));
    this.composer = new Composer(app);
    this.nothing = el("div", { class: "nothing" }, el("p", {}, "Choose a conversation."), el("p", { class: "muted" }, "↑ ↓ go through the list, Ctrl+Enter sends, Alt+N writes a note, Alt+R a reply."));
    this.whole = el("div", { class: "whole", hidden: true }, this.head, el("div", { class: "log-box" }, this.log, this.down), this.composer.node);
    this.node = el("section", { class: "thread", "aria-label": "Conversation and answer" }, this.nothing, this.whole);
    this.log.addEventListener("scroll", () => { if (this.atBottom()) this.down.hidden = true; });
    // A picture that arrives late makes its line taller.
    this.log.addEventListener("load", () => { if (this.stuck) this.bottom(); }, true);
  }

  atBottom() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
  }

  bottom() {
    this.log.scrollTop = this.log.scrollHeight;
    this.stuck = true;
    this.down.hidden = true;
  }

  show(found) {
    this.nothing.hidden = Boolean(found);
    this.whole.hidden = !found;
    if (!found) {
      this.drawn.clear();
      this.log.replaceChildren();
      this.id = "";
      this.composer.show(null);
      return;
    }
    const fresh = this.id !== found.id;
    this.id = found.id;
    const newest = this.newest;
    this.newest = found.lines.at(-1)?.id;
    this.stuck = fresh || this.atBottom();
    this.drawHead(found);
    this.drawLines(found);
    this.composer.show(found);
    if (this.stuck) this.bottom();
    else if (newest !== this.newest) this.down.hidden = false;
  }

  drawLines(found) {
    const of = new Map(found.lines.filter((l) => l.provider).map((l) => [l.provider, l]));
    const kept = new Map(), nodes = [];
    let date = "";
    for (const line of found.lines) {
      if (day(line.at) !== date) { date = day(line.at); nodes.push(el("div", { class: "day" }, el("span", {}, date))); }
      const quoted = line.of ? of.get(line.of) : null;
      const mine = line.deed.startsWith(`console:${this.app.me.account}:`);
      const is = JSON.stringify([line, quoted?.text]);
      const before = this.drawn.get(line.id);
      const entry = before?.is === is ? before : { is, node: lineNode(line, quoted, found.name, mine && ((kind, of) => this.change(kind, of))) };
      kept.set(line.id, entry);
      nodes.push(entry.node);
    }
    this.drawn = kept;
    if (nodes.length === this.log.childNodes.length && nodes.every((n, i) => n === this.log.childNodes[i] || n.className === "day")) return;
    const top = this.log.scrollTop;
    this.log.replaceChildren(...nodes);
    this.log.scrollTop = top;
  }

  drawHead(found) {
    const me = this.app.me.account, mine = found.holder === "agent" && found.agent === me;
    const state = found.holder === "agent" ? (mine ? "You have it" : `${found.agent_name} has it`) : found.holder === "bot" ? "With the bot" : "Waits for a person";
    const made = [
      !mine && button({ class: found.holder === "agent" ? "plain" : "primary", onclick: (e) => this.run(e, "take"), disabled: found.holder === "agent", title: found.holder === "agent" ? `${found.agent_name} has it` : "" }, "Take over"),
      button({ class: "plain", onclick: (e) => this.assign(e, found) }, "Assign"),
      found.holder !== "bot" && button({ class: "plain", onclick: (e) => this.back(e) }, "Back to bot"),
      (found.case || mine) && button({ class: mine ? "primary" : "plain", onclick: (e) => this.resolve(e) }, "Resolve"),
      !found.case && found.before.some((c) => c.conversation === found.id) && button({ class: "plain", onclick: (e) => this.run(e, "reopen") }, "Reopen"),
    ];
    const is = JSON.stringify([found.id, found.name, state, found.agent, Boolean(found.case), found.before.length]);
    if (is === this.headIs) return;
    this.headIs = is;
    this.head.replaceChildren(
      button({ class: "icon-only narrow", "aria-label": "Back to the list", onclick: () => this.app.close() }, icon("back")),
      el("span", { class: `channel ${found.channel}` }, icon(found.channel)),
      el("div", { class: "title" }, el("h1", {}, found.name), el("div", { class: "muted" }, channelName(found.channel), " · ", el("span", { class: `holder ${found.holder} ${mine ? "mine" : ""}` }, state))),
      el("div", { class: "deeds" }, made.filter(Boolean)),
      button({ class: "icon-only facts-toggle", "aria-label": "Details", onclick: () => this.app.pane(document.body.dataset.pane === "facts" ? "thread" : "facts") }, icon("info")));
  }

  async run(event, kind, what) {
    const pressed = event.currentTarget;
    if (pressed) pressed.disabled = true;
    await this.app.do(kind, what);
    if (pressed) pressed.disabled = false;
  }

  async assign(event, found) {
    const pressed = { currentTarget: event.currentTarget };
    const others = this.app.me.people.filter((p) => p.id !== found.agent);
    const said = await ask({ title: "Assign the conversation", fields: [choose("to", "To", others.map((p) => [p.id, p.id === this.app.me.account ? `${p.name} (you)` : p.name]))], ok: "Assign" });
    if (said?.to) await this.run(pressed, "assign", { args: said });
  }

  async back(event) {
    const pressed = { currentTarget: event.currentTarget };
    const said = await ask({ title: "Give it back to the bot", text: "The bot answers from now on, and tells the customer so once.", fields: [area("text", "For colleagues (optional)")], ok: "Back to bot" });
    if (said) await this.run(pressed, "back", { text: said.text });
  }

  async resolve(event) {
    const pressed = { currentTarget: event.currentTarget };
    const said = await ask({ title: "Resolve", text: "The bot answers from now on. Colleagues find the resolution when something like it comes again.",
      fields: [area("text", "Resolution", "", "What was done, in a sentence or two"), check("rate", "Ask the customer for a rating", this.app.me.rate)], ok: "Resolve" });
    if (said) await this.run(pressed, "resolve", { text: said.text.trim(), args: said.rate ? {} : { rate: false } });
  }

  async change(kind, of) {
    const customer = of.who === "agent";
    const said = kind === "edit"
      ? await ask({ title: customer ? "Change the message" : "Change the note", text: customer ? "It is changed for the customer where the channel can do that." : "", fields: [area("text", "Text", of.text)], ok: "Change" })
      : await ask({ title: customer ? "Delete the message" : "Delete the note", text: customer ? "It is taken back from the customer where the channel can do that." : "", ok: "Delete", danger: true });
    if (said) await this.app.do(kind, { text: said.text || "", args: { of: of.deed } });
  }
}
