// A sheet that rises over a phone's screen: a list, a menu, a question.

import { button, el } from "./dom.js";
import { icon } from "./icons.js";

export class Sheet {
  constructor() {
    this.element = el("div", {
      class: "sheet",
      hidden: true,
      onclick: (event) => {
        if (event.target === this.element) this.close();
      },
      onkeydown: (event) => this.key(event),
    });
  }

  key(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
    }
    if (event.key !== "Tab") return;
    const stops = [...this.element.querySelectorAll("button:not([disabled]), input, select, textarea, a[href]")];
    const [first, last] = [stops[0], stops.at(-1)];
    if (document.activeElement === (event.shiftKey ? first : last)) {
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    }
  }

  open(title, ...body) {
    this.back ??= document.activeElement;
    const close = button({ class: "close", "aria-label": "Close", onclick: () => this.close() }, icon("close"));
    this.element.replaceChildren(
      el(
        "div",
        { class: "panel", role: "dialog", "aria-modal": "true", "aria-label": title },
        el("div", { class: "panel-top" }, close, el("h3", {}, title)),
        el("div", { class: "options" }, body),
      ),
    );
    this.element.hidden = false;
    (this.element.querySelector("[autofocus]") || close).focus();
  }

  close() {
    if (this.element.hidden) return;
    this.element.hidden = true;
    this.element.replaceChildren();
    if (this.back?.isConnected) this.back.focus({ preventScroll: true });
    this.back = undefined;
  }

  // Ask for some words; `fields` are {name, label, value}. Resolves when they are given.
  ask(title, fields, verb, note = "") {
    return new Promise((done) => {
      const inputs = fields.map(({ label, value, type = "text" }, n) =>
        el("input", { type, value, "aria-label": label, autofocus: n === 0, autocomplete: "off", step: "any" }));
      const form = el(
        "form",
        {
          class: "question",
          onsubmit: (event) => {
            event.preventDefault();
            this.close();
            done(Object.fromEntries(fields.map(({ name }, n) => [name, inputs[n].value.trim()])));
          },
        },
        fields.map(({ label }, n) => el("label", {}, label, inputs[n])),
        note ? el("p", { class: "note" }, note) : null,
        el("div", { class: "sheet-end" }, el("button", { class: "primary", type: "submit" }, verb)),
      );
      this.open(title, form);
    });
  }
}
