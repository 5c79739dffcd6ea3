// The customers' mailbox: what the bot mails, above all codes. A button in the bar opens it.

import { button, clock, el } from "./dom.js";
import { icon } from "./icons.js";

// What one looks for in a mail, on a line of its own.
const CODE = /^(\d{6})$/m;

export class Mailbox {
  constructor(bar) {
    this.list = el("ol", { class: "mails" });
    this.panel = el("section", { class: "mailbox", id: "mailbox", "aria-label": "Customers' mailbox", hidden: true }, el("h2", {}, "Mailbox of all customers"), this.list);
    this.flip = button({ class: "mail-flip", "aria-pressed": "false", "aria-controls": "mailbox", onclick: () => this.show(this.panel.hidden) }, icon("mail"), "Mailbox");
    bar.append(this.flip);
    document.body.append(this.panel);
    this.seen = new Set();
    this.draw();
  }

  show(open) {
    this.panel.hidden = !open;
    this.flip.setAttribute("aria-pressed", String(open));
    if (open) this.flip.classList.remove("fresh");
  }

  state(mails) {
    for (const mail of mails || []) this.add(mail);
  }

  came(mail) {
    this.add(mail);
    if (this.panel.hidden) this.flip.classList.add("fresh");
  }

  add(mail) {
    const id = `${mail.key} ${mail.at}`;
    if (this.seen.has(id)) return;
    this.seen.add(id);
    this.list.querySelector(".none")?.remove();
    this.list.prepend(
      el("li", {}, el("p", { class: "mail-head" }, el("b", {}, mail.to), el("time", { datetime: mail.at }, clock(mail.at))), el("h3", {}, mail.subject), el("pre", {}, mail.text.trim().split(CODE).map((part) => (CODE.test(part) ? el("b", {}, part) : part)))),
    );
  }

  draw() {
    this.list.append(el("li", { class: "none" }, "No mail yet. Ask a phone to cancel order 1047 for one."));
  }
}
