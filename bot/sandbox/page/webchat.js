// The phone with a shop's web site and the real widget, loaded from the gateway.

import { button, el } from "./dom.js";
import { frame } from "./frame.js";
import { icon } from "./icons.js";

export class WebChat {
  constructor(account, gateway) {
    this.account = account.account;
    this.gateway = gateway;
    this.page = el("div", { class: "site" });
    this.waiting = el("p", { class: "waiting", role: "status" }, "Waiting for the gateway’s widget…");
    const browser = el(
      "div",
      { class: "app" },
      el("div", { class: "address" }, el("span", { class: "url" }, icon("lock"), "your-site.example"), icon("more")),
      this.page,
    );
    const fresh = button(
      { class: "fresh", "aria-label": "New customer on web chat", title: "New customer", onclick: () => this.renew() },
      icon("person"),
      icon("plus"),
    );
    const note = el("span", { class: "customer" }, "a visitor of your site");
    this.element = frame("webchat", "Web chat", [note], [fresh], browser);
    this.embed();
  }

  // What a site does: the tag, and one script.
  embed() {
    const widget = el("support-chat", { account: this.account, server: this.gateway, inline: true, open: true });
    this.page.replaceChildren(...(customElements.get("support-chat") ? [widget] : [this.waiting, widget]));
  }

  // The gateway may start after the page, and be restarted while it is open.
  gatewayUp() {
    if (this.script || customElements.get("support-chat")) return;
    this.script = el("script", { src: `${this.gateway}/widget.js`, async: true });
    this.script.addEventListener("error", () => {
      this.script.remove();
      this.script = undefined;
      setTimeout(() => this.gatewayUp(), 2000);
    });
    customElements.whenDefined("support-chat").then(() => this.waiting.remove());
    document.head.append(this.script);
  }

  // The widget keeps its visitor in this origin's storage; the page's own keys are "sandbox.*".
  renew() {
    // Gone first, so that it does not write its visitor back.
    this.page.replaceChildren();
    for (const storage of [localStorage, sessionStorage]) {
      for (const key of Object.keys(storage)) {
        if (!key.startsWith("sandbox.")) storage.removeItem(key);
      }
    }
    this.embed();
  }
}
