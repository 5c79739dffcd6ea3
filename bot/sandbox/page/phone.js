// A phone with a messenger on it. What differs between the messengers is its skin.

import { drop, get, post } from "./api.js";
import { chips, drawRow, keys, looks, refresh } from "./bubble.js";
import { beyond, Clock, day } from "./clock.js";
import { Composer } from "./composer.js";
import { Customers } from "./customers.js";
import { Deeds } from "./deeds.js";
import { button, clock, el } from "./dom.js";
import { frame } from "./frame.js";
import { icon } from "./icons.js";
import { Sheet } from "./sheet.js";

export class Phone {
  constructor(skin, account, { can, window_hours: hours }) {
    this.skin = skin;
    this.channel = skin.channel;
    this.account = account.account;
    this.can = new Set(can);
    this.window = hours;
    this.customers = new Customers(this.channel);
    this.clock = new Clock(() => this.showClock());
    this.rows = new Map();
    this.entries = new Map();
    this.presses = new Map();
    this.visible = false;
    this.deeds = new Deeds(this);
    this.sheet = new Sheet();
    this.build(account);
    new IntersectionObserver(([seen]) => {
      this.visible = seen.isIntersecting;
      this.look();
    }).observe(this.element);
    document.addEventListener("visibilitychange", () => this.look());
    setInterval(() => this.showClock(), 20_000);
  }

  get customer() {
    return this.customers.now;
  }

  // -- the screen -----------------------------------------------------------------------

  build({ name, number }) {
    const { skin } = this;
    const shown = name === number ? skin.number(number) : name;
    const face = /^\p{L}/u.test(name) ? name.slice(0, 1) : icon("person");
    this.subtitle = el("p", { class: "subtitle", "aria-live": "polite" }, skin.subtitle);
    const top = el(
      "div",
      { class: "top" },
      icon("back"),
      el("span", { class: "avatar", "aria-hidden": "true" }, face),
      el("div", { class: "names" }, el("h3", {}, shown), this.subtitle),
      skin.actions.map(icon),
    );
    this.log = el("div", { class: "log", role: "log", tabindex: "0", "aria-label": `${skin.title} conversation`, "aria-live": "polite" });
    const intro = skin.intro(() => this.say({ content: skin.start }), name);
    intro.classList.add("intro");
    this.list = el("div", { class: "list" });
    this.dots = el("div", { class: "row theirs typing-row", hidden: true }, el("div", { class: "bubble dots", role: "img", "aria-label": "typing" }, el("i"), el("i"), el("i")));
    this.log.append(el("div", { class: "bottom" }, intro, this.list, this.dots));
    this.keyboard = el("div", { class: "keyboard", hidden: true });
    this.toast = el("p", { class: "toast", role: "status", hidden: true });
    this.banner = el("p", { class: "banner", hidden: true });
    this.composer = new Composer(this);
    const screen = el("div", { class: "app" }, top, this.banner, this.log, this.toast, this.composer.element, this.keyboard, this.sheet.element);
    this.note_ = el("span", { class: "customer" });
    this.chooser = el("select", { class: "chooser", "aria-label": `Customer on ${skin.title}`, onchange: () => this.take(this.chooser.value) });
    const fresh = button({ class: "fresh", "aria-label": `New customer on ${skin.title}`, title: "New customer", onclick: () => this.renew() }, icon("person"), icon("plus"));
    this.time = button({ class: "status-time", "aria-label": `Clock of the ${skin.title} phone`, title: "Move this phone’s clock", onclick: () => this.deeds.time() });
    this.element = frame(this.channel, skin.title, [this.note_], [this.chooser, fresh], screen, this.time);
    this.log.addEventListener("load", () => this.stuck && this.scroll(), true);
    this.log.addEventListener("loadedmetadata", () => this.stuck && this.scroll(), true);
    this.log.addEventListener("scroll", () => (this.stuck = this.atEnd));
    this.stuck = true;
    this.showCustomer();
    this.showClock();
  }

  showCustomer() {
    const { skin, customers } = this;
    this.note_.textContent = skin.number(this.customer.user);
    this.chooser.replaceChildren(...customers.all.map((c) => el("option", { value: c.user }, c.name)));
    this.chooser.value = this.customer.user;
    this.element.classList.toggle("blocked", Boolean(this.customer.blocked));
  }

  showClock() {
    this.time.textContent = clock(this.clock.now.toISOString());
    this.element.classList.toggle("clock-moved", this.clock.moved);
    const late = this.clock.moved && this.window && this.clock.hours > this.window;
    this.banner.hidden = !this.clock.moved;
    this.banner.replaceChildren(
      icon("clock"),
      el("span", {}, `This phone’s clock is ${this.clock.words} back${late ? `, out of the ${this.window}-hour window` : ""}.`),
      button({ onclick: () => this.clock.put(0) }, "Back to now"),
    );
  }

  get atEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
  }

  scroll() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  tell(text) {
    this.toast.textContent = text;
    this.toast.hidden = false;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => (this.toast.hidden = true), 5000);
  }

  // -- what the customer does ---------------------------------------------------------------

  async say(what) {
    const { user, name } = this.customer;
    const sent = this.clock.sent;
    this.stuck = true;
    try {
      await post("say", { channel: this.channel, account: this.account, user, name, ...(sent && { sent }), ...what });
      return true;
    } catch (error) {
      this.tell(error.message);
      return false;
    }
  }

  type(text) {
    return this.say({ content: { kind: "text", text } });
  }

  choose(entry, { payload, title }) {
    return this.say({ content: { kind: "choice", payload, title, of: entry.id } });
  }

  react(entry, emoji) {
    const removed = entry.reactions?.in === emoji;
    return this.say({ content: { kind: "reaction", of: entry.id, emoji, removed } });
  }

  openShop(ids) {
    this.deeds.shop(ids);
  }

  openList(entry) {
    // A label of signs alone says nothing as a heading.
    const title = /\p{L}/u.test(entry.menu.label) ? entry.menu.label : entry.text;
    const pick = (row) => () => {
      this.sheet.close();
      this.choose(entry, { payload: row.id, title: row.title });
    };
    const rows = entry.menu.sections.map((section) => [
      section.title ? el("h4", {}, section.title) : null,
      section.rows.map((row) =>
        button({ class: "option radio", onclick: pick(row) }, el("span", {}, row.title, row.description ? el("small", {}, row.description) : null), el("i", { class: "circle" }))),
    ]);
    this.sheet.open(title, rows);
  }

  // -- who holds the phone --------------------------------------------------------------------

  note(what) {
    this.customers.change(what);
    this.showCustomer();
  }

  // What the customer did to the account, for the menu to offer the opposite.
  happened(name) {
    const what = { blocked: { blocked: true }, unblocked: { blocked: false }, opt_out: { stopped: true }, opt_in: { stopped: false } }[name];
    if (what) this.note(what);
  }

  async moved(user) {
    this.note({ user });
    await this.load();
  }

  async renew() {
    this.customers.add();
    await this.held();
    this.composer.input.focus();
  }

  async join(customer) {
    this.customers.join(customer);
    await this.held();
  }

  async take(user) {
    this.customers.take(user);
    await this.held();
  }

  async held() {
    this.clock.put(0);
    this.composer.reset();
    this.showCustomer();
    this.clear();
    await this.load();
  }

  async forget() {
    await drop("messages", { channel: this.channel, account: this.account, user: this.customer.user });
  }

  // -- what the sandbox says ----------------------------------------------------------------

  mine(event) {
    return event.channel === this.channel && event.account === this.account && event.user === this.customer.user;
  }

  async load() {
    const user = this.customer.user;
    const { messages } = await get("messages", { channel: this.channel, account: this.account, user });
    if (user !== this.customer.user) return;
    this.clear();
    this.stuck = true;
    for (const entry of messages) this.show(entry);
    this.look();
  }

  clear() {
    this.list.replaceChildren();
    this.rows.clear();
    this.entries.clear();
    this.presses.clear();
    this.sheet.close();
    this.idle();
    this.composer.offer([]);
    this.keyboard.hidden = true;
  }

  hidden(entry) {
    return entry.content.kind === "choice" && !this.skin.showsChoices;
  }

  show(entry) {
    const known = this.entries.get(entry.id);
    this.entries.set(entry.id, entry);
    if (entry.direction === "out" && !known) this.idle();
    if (entry.content.kind === "choice") this.pressed(entry);
    if (entry.content.kind === "event") this.happened(entry.content.name);
    if (this.hidden(entry)) return;
    const stick = this.stuck || (!known && entry.direction === "in");
    this.draw(entry, known);
    if (entry.direction === "out") this.offer(entry);
    else if (!known) this.composer.offer([]);
    if (stick) this.scroll();
    this.stuck = stick;
    if (entry.direction === "out" && entry.status !== "read") this.look();
  }

  draw(entry, known) {
    const look = looks(entry, this);
    const old = this.rows.get(entry.id);
    if (old?.look === look) {
      refresh(old.row, entry, this);
      return;
    }
    const row = drawRow(entry, this);
    this.rows.set(entry.id, { row, look });
    if (old) {
      old.row.replaceWith(row);
      return;
    }
    if (!known) this.between(entry);
    this.place(entry, row);
    this.last = entry;
  }

  // The day's heading, and the end of the answering window.
  between(entry) {
    const last = this.list.children.length ? this.last : undefined;
    const line = (text, name = "") => this.list.append(el("div", { class: `line-between ${name}` }, el("span", {}, text)));
    const heading = day(entry.at);
    if (this.skin.days && (!last || day(last.at) !== heading)) line(heading, "day");
    if (entry.direction === "in") this.heard = entry.at;
    else if (beyond(this.heard, entry.at, this.window) && !(last && beyond(this.heard, last.at, this.window))) {
      line(`The ${this.window}-hour window was closed`, "closed");
    }
  }

  // Files that were sent as one stand side by side.
  place(entry, row) {
    const media = ["image", "video"].includes(entry.content.type) && entry.album;
    const group = this.list.lastElementChild;
    if (media && group?.dataset.album === entry.album && group.dataset.side === entry.direction) {
      group.append(row);
      group.classList.toggle("several", group.children.length > 1);
    } else if (media) {
      const side = entry.direction === "in" ? "own" : "theirs";
      this.list.append(el("div", { class: `album-group ${side}`, data: { album: entry.album, side: entry.direction } }, row));
    } else this.list.append(row);
  }

  // A choice marks its button: waiting until the bot took note of it, then used.
  pressed(choice) {
    const { of, payload } = choice.content;
    const asked = this.entries.get(of || choice.quote);
    if (!asked) return;
    const state = choice.status === "read" || this.skin.showsChoices ? "used" : "waiting";
    this.presses.set(`${asked.id} ${payload}`, state);
    if (this.rows.has(asked.id)) this.draw(asked, asked);
  }

  // Quick replies above the composer, and a keyboard below it.
  offer(entry) {
    if (entry.deleted) return;
    const newest = ![...this.entries.values()].some((e) => e.seq > entry.seq && e.direction === "in");
    if (newest) this.composer.offer(chips(entry, this));
    const rows = keys(entry, this);
    if (!rows) return;
    this.keyboard.replaceChildren(...rows);
    this.keyboard.hidden = !rows.length;
  }

  typing({ agent }) {
    const { skin } = this;
    this.idle();
    const words = agent ? `${agent} is typing` : "typing";
    this.subtitle.textContent = words;
    this.subtitle.classList.add("typing");
    this.dots.hidden = !skin.typingBubble;
    if (this.stuck) this.scroll();
    this.typingTimer = setTimeout(() => this.idle(), skin.typingSeconds * 1000);
  }

  idle() {
    clearTimeout(this.typingTimer);
    this.subtitle.textContent = this.skin.subtitle;
    this.subtitle.classList.remove("typing");
    this.dots.hidden = true;
  }

  // The customer sees the phone: messages become read, a moment later and all at once.
  look() {
    clearTimeout(this.lookTimer);
    this.lookTimer = setTimeout(() => {
      const unread = [...this.entries.values()].some((e) => e.direction === "out" && !["read", "failed"].includes(e.status));
      if (!unread || !this.visible || document.visibilityState !== "visible") return;
      post("read", { channel: this.channel, account: this.account, user: this.customer.user }).catch(() => {});
    }, 300);
  }
}
