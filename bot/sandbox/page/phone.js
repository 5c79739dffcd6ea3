// A phone with a messenger on it. What differs between the messengers is its skin.

import { get, post } from "./api.js";
import { customer } from "./customers.js";
import { anchor, bytes, clock, el, icon, linked, safeUrl } from "./dom.js";

const PICTURE_LIMIT = 10 * 1024 * 1024;

export function statusBar() {
  const time = el("span", { class: "status-time" }, clock(new Date().toISOString()));
  return el(
    "div",
    { class: "status", "aria-hidden": "true" },
    time,
    el("span", { class: "status-island" }),
    el("span", { class: "status-signs" }, el("i"), el("i"), el("i"), el("b")),
  );
}

// The frame of a phone with its caption; `screen` is what the phone shows.
export function frame(channel, title, note, action, screen) {
  return el(
    "section",
    { class: `phone ${channel}`, id: `phone-${channel}`, "aria-label": `${title} phone`, data: { channel } },
    el("div", { class: "caption" }, el("div", { class: "who" }, el("h2", {}, title), note), action),
    el("div", { class: "case" }, el("div", { class: "screen" }, statusBar(), screen)),
  );
}

export class Phone {
  constructor(skin, account) {
    this.skin = skin;
    this.channel = skin.channel;
    this.account = account.account;
    this.who = customer(this.channel);
    this.rows = new Map();
    this.entries = new Map();
    this.visible = false;
    this.build(account.name);
    new IntersectionObserver(([seen]) => {
      this.visible = seen.isIntersecting;
      this.look();
    }).observe(this.element);
    document.addEventListener("visibilitychange", () => this.look());
  }

  build(name) {
    const { skin } = this;
    this.note = el("span", { class: "customer" });
    const fresh = el(
      "button",
      { class: "fresh", type: "button", onclick: () => this.renew(), "aria-label": `New customer on ${skin.title}` },
      icon("person"),
      "New customer",
    );
    this.subtitle = el("p", { class: "subtitle", "aria-live": "polite" }, skin.subtitle);
    const top = el(
      "div",
      { class: "top" },
      icon("back"),
      el("span", { class: "avatar", "aria-hidden": "true" }, name.slice(0, 1)),
      el("div", { class: "names" }, el("h3", {}, name), this.subtitle),
      ...skin.actions.map(icon),
    );
    this.log = el("div", {
      class: "log",
      role: "log",
      tabindex: "0",
      "aria-label": `${skin.title} conversation`,
      "aria-live": "polite",
    });
    this.bottom = el("div", { class: "bottom" }, this.intro());
    this.log.append(this.bottom);
    this.keyboard = el("div", { class: "keyboard", hidden: true });
    this.sheet = el("div", { class: "sheet", hidden: true });
    this.toast = el("p", { class: "toast", role: "status", hidden: true });
    this.screen = el("div", { class: "app" }, top, this.log, this.toast, this.composer(), this.keyboard, this.sheet);
    this.screen.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.closeSheet();
    });
    this.element = frame(this.channel, skin.title, this.note, fresh, this.screen);
    this.name();
  }

  intro() {
    const made = this.skin.intro(() => this.say({ text: "/start" }));
    made.classList.add("intro");
    return made;
  }

  name() {
    this.note.textContent = `${this.who.name} · ${this.skin.number(this.who.user)}`;
  }

  composer() {
    const { skin } = this;
    this.input = el("textarea", {
      rows: "1",
      placeholder: "Message",
      "aria-label": `Message to the bot on ${skin.title}`,
      oninput: () => this.grow(),
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
          event.preventDefault();
          this.send();
        }
      },
      onpaste: (event) => {
        const file = [...event.clipboardData.files].find((f) => f.type.startsWith("image/"));
        if (file) this.attach(file);
      },
    });
    this.chooser = el("input", {
      type: "file",
      accept: "image/png,image/jpeg,image/gif,image/webp",
      hidden: true,
      "aria-label": `Picture for ${skin.title}`,
      onchange: () => {
        if (this.chooser.files[0]) this.attach(this.chooser.files[0]);
        this.chooser.value = "";
      },
    });
    this.draft = el("div", { class: "draft", hidden: true });
    const clip = el(
      "button",
      { class: "attach", type: "button", "aria-label": `Attach a picture on ${skin.title}`, onclick: () => this.chooser.click() },
      icon(skin.attachIcon),
    );
    const send = el("button", { class: "send", type: "submit", "aria-label": `Send on ${skin.title}` }, icon("send"));
    return el(
      "form",
      {
        class: "composer",
        onsubmit: (event) => {
          event.preventDefault();
          this.send();
        },
      },
      this.draft,
      el("div", { class: "line" }, el("div", { class: "field" }, icon("emoji"), this.input, clip, this.chooser), send),
    );
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 110)}px`;
  }

  attach(file) {
    if (file.size > PICTURE_LIMIT) {
      this.tell("Pictures may have up to 10 MB.");
      return;
    }
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      this.picture = reader.result;
      this.draft.replaceChildren(
        el("img", { src: this.picture, alt: `To be sent: ${file.name}` }),
        el("button", { type: "button", "aria-label": "Remove the picture", onclick: () => this.detach() }, icon("close")),
      );
      this.draft.hidden = false;
      this.scroll();
      this.input.focus();
    });
    reader.readAsDataURL(file);
  }

  detach() {
    this.picture = undefined;
    this.draft.hidden = true;
    this.draft.replaceChildren();
  }

  async send() {
    const text = this.input.value.trim();
    const image = this.picture;
    if (!text && !image) return;
    this.input.value = "";
    this.grow();
    this.detach();
    const said = await this.say({ ...(text && { text }), ...(image && { image }) });
    if (!said && !this.input.value) {
      this.input.value = text;
      this.grow();
    }
  }

  async say(what) {
    try {
      await post("say", { channel: this.channel, account: this.account, ...this.who, ...what });
      return true;
    } catch (error) {
      this.tell(error.message);
      return false;
    }
  }

  tell(text) {
    this.toast.textContent = text;
    this.toast.hidden = false;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => (this.toast.hidden = true), 4000);
  }

  // -- what the sandbox says ----------------------------------------------------

  mine(event) {
    return event.channel === this.channel && event.account === this.account && event.user === this.who.user;
  }

  async load() {
    const query = { channel: this.channel, account: this.account, user: this.who.user };
    const { messages } = await get("messages", query);
    this.clear();
    for (const entry of messages) this.show(entry);
    this.look();
  }

  clear() {
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    this.entries.clear();
    this.closeSheet();
    this.idle();
    this.keyboard.hidden = true;
  }

  async renew() {
    this.who = customer(this.channel, true);
    this.name();
    this.clear();
    this.input.focus();
    await this.load();
  }

  show(entry) {
    const known = this.entries.get(entry.id);
    this.entries.set(entry.id, entry);
    if (entry.direction === "out" && !known) this.idle();
    if (entry.kind === "choice") this.pressed(entry);
    if (entry.kind === "choice" && !this.skin.showsChoices) return;
    const stick = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
    const row = this.row(entry);
    const old = this.rows.get(entry.id);
    if (old) old.replaceWith(row);
    else this.bottom.append(row);
    this.rows.set(entry.id, row);
    if (entry.direction === "out") this.offer(entry);
    if (stick || !old) this.scroll();
    if (entry.direction === "out" && entry.status !== "read") this.look();
  }

  scroll() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  typing() {
    this.subtitle.textContent = "typing";
    this.subtitle.classList.add("typing");
    clearTimeout(this.typingTimer);
    this.typingTimer = setTimeout(() => this.idle(), this.skin.typingSeconds * 1000);
  }

  idle() {
    clearTimeout(this.typingTimer);
    this.subtitle.textContent = this.skin.subtitle;
    this.subtitle.classList.remove("typing");
  }

  // The customer sees the phone: messages become read, a moment later and all at once.
  look() {
    clearTimeout(this.lookTimer);
    this.lookTimer = setTimeout(() => {
      const unread = [...this.entries.values()].some((e) => e.direction === "out" && e.status !== "read");
      if (!unread || !this.visible || document.visibilityState !== "visible") return;
      post("read", { channel: this.channel, account: this.account, user: this.who.user }).catch(() => {});
    }, 300);
  }

  // -- drawing ------------------------------------------------------------------

  row(entry) {
    const out = entry.direction === "out";
    const side = out ? "theirs" : "own";
    const content = entry.deleted ? [el("p", { class: "text gone" }, "This message was deleted")] : this.content(entry);
    const bubble = el("div", { class: "bubble" }, content, this.meta(entry));
    bubble.classList.toggle("picture", Boolean(entry.image) && !entry.deleted);
    const row = el(
      "div",
      { class: `row ${side}`, data: { id: entry.id, direction: entry.direction, status: entry.status } },
      el("span", { class: "aside" }, out ? "Bot: " : "You: "),
      bubble,
    );
    if (entry.reaction) row.append(el("span", { class: "reaction", "aria-label": `Reaction ${entry.reaction}` }, entry.reaction));
    if (out && !entry.deleted) {
      const buttons = this.skin.inlineButtons ? this.buttons(entry) : null;
      if (buttons) (this.skin.buttonsInside ? bubble : row).append(buttons);
      if (entry.menu) bubble.append(this.menuButton(entry));
    }
    return row;
  }

  content(entry) {
    const parts = [];
    const quoted = entry.quote && this.entries.get(entry.quote);
    if (quoted && this.skin.showsQuotes) {
      const name = quoted.direction === "out" ? this.skin.quoteName : "You";
      parts.push(el("blockquote", { class: "quote" }, el("b", {}, name), quoted.text || "Picture"));
    }
    if (entry.header) parts.push(el("p", { class: "head" }, entry.header));
    const image = entry.image && safeUrl(entry.image);
    if (image) {
      const alt = entry.text ? `Picture: ${entry.text}` : "Picture";
      const picture = el("img", { src: image, alt, referrerpolicy: "no-referrer", onload: () => this.scroll() });
      picture.addEventListener("error", () => picture.replaceWith(el("p", { class: "missing" }, "This picture cannot be loaded")));
      parts.push(anchor(image, picture));
    }
    const file = entry.file && safeUrl(entry.file.url);
    if (file) {
      const size = entry.file.size ? el("small", {}, bytes(entry.file.size)) : null;
      const card = anchor(file, el("span", { class: "file-icon" }, icon("file")), el("span", {}, entry.file.name, size));
      card.classList.add("file");
      parts.push(card);
    }
    if (entry.location) {
      const { latitude, longitude, name } = entry.location;
      const at = `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`;
      const url = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}`;
      const card = anchor(url, el("span", { class: "map" }, icon("pin")), el("span", {}, name || "Location", el("small", {}, at)));
      card.classList.add("file");
      parts.push(card);
    }
    if (entry.text) parts.push(el("p", { class: "text" }, linked(entry.text)));
    if (entry.footer) parts.push(el("p", { class: "foot" }, entry.footer));
    return parts;
  }

  meta(entry) {
    const words = { pending: "sent", delivered: "delivered", read: "read" };
    const parts = [entry.edited ? "edited " : "", clock(entry.at)];
    if (entry.direction === "in") {
      const ticks = el("span", { class: `ticks ${entry.status}`, role: "img", "aria-label": words[entry.status] || entry.status });
      ticks.append(icon(entry.status === "pending" ? "one" : "two"));
      parts.push(ticks);
    }
    return el("span", { class: "meta" }, parts);
  }

  buttons(entry) {
    const rows = entry.buttons.filter((row) => row.some((b) => b.payload !== undefined || b.url));
    if (!rows.length) return null;
    return el(
      "div",
      { class: "buttons" },
      rows.map((row) => el("div", { class: "button-row" }, row.map((b) => this.button(entry, b)))),
    );
  }

  button(entry, button) {
    if (button.url) {
      const url = safeUrl(button.url);
      if (!url) return el("span", { class: "choice" }, button.title);
      const link = anchor(url, button.title, icon("link"));
      link.classList.add("choice");
      return link;
    }
    const press = el(
      "button",
      { class: "choice", type: "button", data: { payload: button.payload } },
      this.skin.buttonIcon ? icon(this.skin.buttonIcon) : null,
      button.title,
    );
    press.addEventListener("click", () => {
      press.classList.add("waiting");
      this.say({ payload: button.payload, of: entry.id });
    });
    const state = this.presses?.get(`${entry.id} ${button.payload}`);
    if (state) press.classList.add(state);
    return press;
  }

  // A choice marks its button: waiting until the bot took note of it, then used.
  pressed(choice) {
    this.presses ??= new Map();
    const state = choice.status === "read" || this.skin.showsChoices ? "used" : "waiting";
    this.presses.set(`${choice.quote} ${choice.payload}`, state);
    const asked = this.entries.get(choice.quote);
    const row = this.rows.get(choice.quote);
    if (!asked || !row) return;
    const fresh = this.row(asked);
    row.replaceWith(fresh);
    this.rows.set(asked.id, fresh);
  }

  menuButton(entry) {
    return el(
      "div",
      { class: "buttons" },
      el("button", { class: "choice", type: "button", "aria-haspopup": "dialog", onclick: () => this.openSheet(entry) }, icon("list"), entry.menu.label),
    );
  }

  openSheet(entry) {
    // A label of signs alone says nothing as a heading.
    const title = /\p{L}/u.test(entry.menu.label) ? entry.menu.label : entry.text;
    const rows = entry.menu.sections.map((section) => [
      section.title ? el("h4", {}, section.title) : null,
      ...section.rows.map((row) =>
        el(
          "button",
          {
            class: "option",
            type: "button",
            onclick: () => {
              this.closeSheet();
              this.say({ payload: row.id, of: entry.id });
            },
          },
          row.title,
          row.description ? el("small", {}, row.description) : null,
        ),
      ),
    ]);
    const close = el("button", { class: "close", type: "button", "aria-label": "Close the list", onclick: () => this.closeSheet() }, icon("close"));
    this.sheet.replaceChildren(
      el("div", { class: "panel", role: "dialog", "aria-label": title }, el("div", { class: "panel-top" }, close, el("h3", {}, title)), el("div", { class: "options" }, rows.flat())),
    );
    this.sheet.hidden = false;
    close.focus();
  }

  closeSheet() {
    this.sheet.hidden = true;
  }

  // A reply keyboard stands below the composer until the next one.
  offer(entry) {
    const rows = entry.buttons.filter((row) => row.some((b) => b.text !== undefined));
    if (!rows.length || entry.deleted) return;
    this.keyboard.replaceChildren(
      ...rows.map((row) =>
        el("div", { class: "button-row" }, row.map((b) => el("button", { type: "button", onclick: () => this.say({ text: b.text }) }, b.title))),
      ),
    );
    this.keyboard.hidden = false;
  }
}
