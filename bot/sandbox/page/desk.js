// The agents' side on the page: Slack's window, its button in the bar, the link to the console.

import { anchor, button, el, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { Slack } from "./slack.js";

const CLOSED = "sandbox.slack.closed";

// Slack beside the phones, and what opens and closes it.
export class Desk {
  constructor({ bar, stage }) {
    this.slack = new Slack({ came: (card) => this.came(card), changed: ({ unread }) => this.flip.classList.toggle("fresh", unread && !this.slack.open) });
    this.flip = button({ class: "slack-flip", "aria-pressed": "false", "aria-controls": "slack", onclick: () => this.choose(!this.slack.open) }, icon("hash"), "Slack");
    this.console = el("span", {});
    bar.append(this.console, this.flip);
    stage.append(this.slack.element);
    this.tab = button({ onclick: () => this.jump() }, "Slack");
  }

  state({ console: found }) {
    const url = safeUrl(found?.url);
    const title = "The logins are in the terminal that make run was started in.";
    this.console.replaceChildren(...(url ? [anchor(url, { class: "console-link", title }, "Console")] : []));
  }

  show(open) {
    this.slack.show(open);
    this.flip.setAttribute("aria-pressed", String(open));
    document.body.classList.toggle("slack-open", open);
  }

  // By hand; a window that was closed by hand does not open by itself in this sitting.
  choose(open) {
    sessionStorage.setItem(CLOSED, open ? "" : "1");
    this.show(open);
    if (open) this.jump();
  }

  jump() {
    if (!this.slack.open) return this.choose(true);
    return this.slack.element.scrollIntoView({ behavior: "smooth", inline: "center", block: "nearest" });
  }

  // The first card opens the window at its thread.
  came(card) {
    if (this.slack.open || this.shown || sessionStorage.getItem(CLOSED)) return;
    this.shown = true;
    this.show(true);
    this.slack.find(card);
  }
}
