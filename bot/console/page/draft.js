// A draft that waits for an agent: to edit and send, to put into the reply, or to discard.

import { anchor, button, el } from "./dom.js";
import { icon } from "./icons.js";

export class DraftCard {
  constructor(app, put) {
    this.app = app;
    this.put = put;
    this.edited = new Map();
    this.node = el("div", { class: "draft", hidden: true });
  }

  show(found, mine) {
    const draft = found?.draft;
    this.node.hidden = !draft;
    const is = JSON.stringify([draft, mine]);
    if (is === this.is) return;
    this.is = is;
    if (!draft) { this.node.replaceChildren(); return; }
    const input = el("textarea", { rows: 2, "aria-label": "Draft of an answer", value: this.edited.get(draft.review) ?? draft.text, oninput: () => this.edited.set(draft.review, input.value) });
    const run = async (event, kind, what) => {
      const all = [...this.node.querySelectorAll("button")];
      all.forEach((b) => { b.disabled = true; });
      const done = await this.app.do(kind, what);
      all.forEach((b) => { b.disabled = false; });
      if (done) this.edited.delete(draft.review);
    };
    const send = button({ class: "primary", disabled: !mine, title: mine ? "" : "Take over to send it",
      onclick: (e) => run(e, "send_draft", { text: input.value.trim(), args: { review: draft.review }, quiet: true }) }, "Send draft");
    this.node.replaceChildren(...[
      el("div", { class: "by" }, icon("spark"), el("b", {}, "Draft"), el("span", { class: "muted" }, " not sent; read it before you send it")),
      input,
      draft.sources.length > 0 && el("div", { class: "sources" }, el("span", { class: "muted" }, "Sources: "), draft.sources.map((s) => {
        const link = anchor(s.url, s.title || s.article || "article");
        link.classList.add("chip");
        return link;
      })),
      el("div", { class: "row end" },
        button({ class: "plain", onclick: (e) => run(e, "discard", { args: { review: draft.review }, quiet: true }) }, "Discard"),
        button({ class: "plain", disabled: !mine, onclick: () => this.put(input.value.trim()) }, "Put into reply"), send),
    ].filter(Boolean));
  }
}
