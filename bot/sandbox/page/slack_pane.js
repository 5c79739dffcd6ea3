// A list of messages that follows what happens without moving what did not change.

import { el } from "./dom.js";
import { article } from "./slack_message.js";

// One person's messages within five minutes stand under one name.
const TOGETHER = 300;

function day(ts) {
  const at = new Date(Number(ts) * 1000);
  if (at.toDateString() === new Date().toDateString()) return "Today";
  return at.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

export class Pane {
  constructor(label, ctx) {
    this.ctx = ctx;
    this.drawn = new Map();
    this.list = el("div", { class: "s-list" });
    this.element = el("div", { class: "s-log", role: "log", tabindex: "0", "aria-label": label }, this.list);
    this.stuck = true;
    this.top = 0;
    this.element.addEventListener("scroll", () => this.scrolled());
    // Pictures make the list longer when they are there; the window makes less of it fit.
    const sizes = new ResizeObserver(() => this.follow());
    sizes.observe(this.list);
    sizes.observe(this.element);
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < 60;
  }

  // Only who scrolls up wants to stay where he is; that the list grew is nobody's wish.
  scrolled() {
    const { scrollTop } = this.element;
    if (this.atEnd) this.stuck = true;
    else if (scrollTop < this.top) this.stuck = false;
    this.top = scrollTop;
  }

  follow() {
    if (this.stuck) this.element.scrollTop = this.element.scrollHeight;
  }

  // Begin anew, at the end: another channel, thread or person.
  clear() {
    this.drawn.clear();
    this.list.replaceChildren();
    this.stuck = true;
  }

  // `between` is a node that goes under the first message, `empty` one for no message at all.
  show(messages, { empty = null, between = null } = {}) {
    const wanted = [];
    const kept = new Map();
    let before = null;
    for (const message of messages) {
      const name = `${message.ts} ${message.ephemeral_for}`;
      const made = this.article(name, message);
      kept.set(name, this.drawn.get(name));
      const apart = !before || day(before.ts) !== day(message.ts);
      if (apart) wanted.push(this.divider(day(message.ts), kept));
      const same = !apart && before.user === message.user && before.name === message.name && Number(message.ts) - Number(before.ts) < TOGETHER;
      made.classList.toggle("follows", Boolean(same && !message.broadcast && !message.ephemeral_for && !(between && before === messages[0])));
      wanted.push(made);
      if (between && message === messages[0]) wanted.push(between);
      before = message;
    }
    if (!messages.length && empty) wanted.push(empty);
    this.drawn = kept;
    this.place(wanted);
    this.follow();
  }

  article(name, message) {
    const old = this.drawn.get(name);
    const { ctx } = this;
    const editing = ctx.editing(message);
    // What is being written must not go when a tick arrives.
    if (old?.editing && editing) return old.element;
    const look = JSON.stringify([message, editing, ctx.openThread ? [ctx.replies(message).length, ctx.replies(message).at(-1)?.ts, ctx.unread(message)] : 0]);
    if (old?.look === look) return old.element;
    const element = article(message, ctx);
    this.drawn.set(name, { look, element, editing });
    return element;
  }

  divider(words, kept) {
    const name = `day ${words}`;
    if (!this.drawn.has(name)) this.drawn.set(name, { element: el("p", { class: "s-day" }, el("span", {}, words)) });
    kept.set(name, this.drawn.get(name));
    return this.drawn.get(name).element;
  }

  place(wanted) {
    const left = new Set(wanted);
    for (const child of [...this.list.children]) if (!left.has(child)) child.remove();
    wanted.forEach((node, n) => {
      if (this.list.children[n] !== node) this.list.insertBefore(node, this.list.children[n] || null);
    });
  }
}
