// The console: what the store says is shown, nothing is guessed beforehand.

import { LoggedOut, deed, events, login, logout, look } from "./api.js";
import { button, el, toast } from "./dom.js";
import { icon } from "./icons.js";
import { Facts } from "./facts.js";
import { List } from "./list.js";
import { Thread } from "./thread.js";

const root = document.getElementById("app");
let app = null;

// The conversation that the address names.
function hashed() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

class App {
  constructor(me) {
    this.me = me;
    this.ended = new AbortController();
    // Who logs out in one tab is out in all of them, at once.
    this.tabs = new BroadcastChannel("frontdesk-logout");
    this.tabs.onmessage = () => this.gone();
    this.id = hashed();
    this.shown = null;
    this.state = el("span", { class: "live", role: "status" }, "connecting");
    this.list = new List(this);
    this.thread = new Thread(this);
    this.facts = new Facts(this);
    root.replaceChildren(
      el("header", { class: "top" },
        el("img", { src: "/console/page/icon.svg", alt: "", width: 24, height: 24 }), el("strong", {}, "Frontdesk"), this.state,
        el("span", { class: "grow" }), el("a", { class: "link", href: "/console/designers" }, "Designers"), el("span", { class: "me" }, me.name),
        button({ class: "icon-only", "aria-label": "Log out", title: "Log out", onclick: () => this.leave() }, icon("out"))),
      el("main", { class: "desk" }, this.list.node, this.thread.node, this.facts.node));
    addEventListener("hashchange", () => this.open(hashed(), false), { signal: this.ended.signal });
    this.clock = setInterval(() => { this.list.tick(); this.facts.tick(); }, 20000);
    this.list.refresh();
    this.open(this.id, false);
  }

  pane(name) {
    document.body.dataset.pane = name;
  }

  open(id, push = true) {
    const other = id !== this.id;
    this.id = id;
    if (push && hashed() !== id) history.pushState(null, "", `#${encodeURIComponent(id)}`);
    if (other) this.shown = null;
    if (other || !id) { this.thread.show(null); this.facts.show(null); }
    this.pane(id ? "thread" : "list");
    this.list.mark();
    this.listen();
    return this.refresh();
  }

  close() {
    this.open("");
  }

  // What changes while the answer is on its way is asked for once more, not each time anew.
  refresh() {
    const id = this.id;
    if (!id) return Promise.resolve();
    if (this.asking?.id === id) { this.asking.again = true; return this.asking.done; }
    const asking = { id };
    this.asking = asking;
    asking.done = this.asked(asking);
    return asking.done;
  }

  async asked(asking) {
    do {
      asking.again = false;
      await this.look(asking.id);
    } while (asking.again && asking.id === this.id && !this.ended.signal.aborted);
    if (this.asking === asking) this.asking = null;
  }

  async look(id) {
    try {
      const found = await look("conversation", { id });
      if (id !== this.id) return;
      this.shown = found;
      this.thread.show(found);
      this.facts.show(found);
    } catch (error) {
      if (id !== this.id) return;
      if (error.status === 404) { toast("There is no such conversation.", "bad"); this.close(); } else this.failed(error, Boolean(this.shown));
    }
  }

  listen() {
    this.stream?.close();
    clearTimeout(this.again);
    const stream = events(this.id);
    this.stream = stream;
    stream.addEventListener("open", () => this.live(true));
    stream.addEventListener("error", async () => {
      this.live(false);
      if (stream.readyState !== EventSource.CLOSED || stream !== this.stream) return;
      // Closed for good: logged out, or a gateway that is not there.
      try {
        await look("me");
      } catch (error) {
        if (error instanceof LoggedOut) return this.failed(error, true);
      }
      this.again = setTimeout(() => { if (stream === this.stream) this.listen(); }, 2000);
    });
    stream.addEventListener("changed", (event) => {
      const told = JSON.parse(event.data);
      this.list.counts(told.counts);
      if (told.lists) this.list.refresh();
      if (told.conversations.includes(this.id)) this.refresh();
    });
  }

  live(on) {
    this.state.textContent = on ? "live" : "reconnecting";
    this.state.classList.toggle("off", !on);
  }

  // `behind` is what nobody pressed anything for.
  failed(error, behind = false) {
    // What was asked before the session ended may fail once another one has begun.
    if (this.ended.signal.aborted) return;
    if (!(error instanceof LoggedOut)) toast(error.message, "bad");
    else if (behind && this.thread.composer.writing) this.out();
    else { this.end(); enter("You have been logged out."); }
  }

  // The page is not taken away under the hands of who is writing.
  out() {
    if (!this.stream) return;
    this.stream.close();
    this.stream = null;
    clearTimeout(this.again);
    this.state.textContent = "logged out";
    this.state.classList.add("off");
    toast("Your session is over. Send what you have begun, and you are asked to log in; it is kept.", "bad");
  }

  // Has something done for the open conversation; returns the result, null when it was refused,
  // undefined when nobody knows: then the same `id` has to be tried again.
  async do(kind, { quiet = false, conversation = this.id, ...what } = {}) {
    try {
      const done = await deed(kind, conversation, what);
      if (!done.ok) toast(done.text || "That was not done.", "bad");
      else if (done.text && !quiet) toast(done.text);
      this.list.refresh();
      if (conversation === this.id) await this.refresh();
      return done.ok ? done : null;
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  end() {
    this.ended.abort();
    this.tabs.close();
    clearInterval(this.clock);
    clearTimeout(this.again);
    this.stream?.close();
    this.stream = null;
    app = null;
  }

  async leave() {
    try {
      await logout();
    } catch (error) {
      return this.failed(error);
    }
    this.tabs.postMessage("out");
    this.gone();
  }

  gone() {
    this.thread.composer.forget();
    this.end();
    enter("");
  }
}

function enter(said) {
  const account = el("input", { type: "text", name: "account", autocomplete: "username", required: true, "aria-label": "Account", autocapitalize: "none", spellcheck: "false" });
  const password = el("input", { type: "password", name: "password", autocomplete: "current-password", required: true, "aria-label": "Password" });
  const wrong = el("p", { class: "wrong", role: "alert" }, said);
  const send = el("button", { type: "submit", class: "primary" }, "Log in");
  const form = el("form", { class: "login", onsubmit: async (event) => {
    event.preventDefault();
    send.disabled = true;
    wrong.textContent = "";
    try {
      await login(account.value.trim(), password.value);
      await begin();
    } catch (error) {
      wrong.textContent = error.message;
      password.select();
    }
    send.disabled = false;
  } },
  el("img", { src: "/console/page/icon.svg", alt: "", width: 44, height: 44 }), el("h1", {}, "Frontdesk"),
  el("label", {}, el("span", {}, "Account"), account), el("label", {}, el("span", {}, "Password"), password), send, wrong);
  root.replaceChildren(el("div", { class: "gate" }, form));
  account.focus();
}

async function begin() {
  try {
    const me = await look("me");
    app = new App(me);
  } catch (error) {
    if (error instanceof LoggedOut) enter("");
    else enter(error.message);
  }
}

begin();
