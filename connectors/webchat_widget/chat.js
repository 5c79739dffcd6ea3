/** The element: shows the transcript and takes what is typed. */
class SupportChat extends HTMLElement {
  connectedCallback() {
    const account = this.getAttribute("account");
    if (!account) {
      console.error('support-chat: the attribute "account" is missing');
      return;
    }
    const language = this.lang || navigator.language || "en";
    const known = language.split("-")[0].toLowerCase();
    this.spoken = STRINGS[known] ? known : "en";
    this.words = STRINGS[this.spoken];
    this.language = language;
    this.inline = this.hasAttribute("inline");
    const server = (this.getAttribute("server") || HOME).replace(/\/+$/, "");
    const url = `${server}/chat/${encodeURIComponent(account)}`;
    this.transcript = new Transcript(`support-chat ${server} ${account}`);
    this.files = new Files(`support-chat ${server} ${account}`);
    this.line = new Line(url, this.transcript, this.files, language, this);
    this.drawing = new Drawing(this);
    this.nodes = new Map();
    this.unfolded = null; // the id of the message whose tools are shown
    this.build();
    for (const entry of this.transcript.entries) this.show(entry);
    this.transcript.changed = (entry) => {
      this.show(entry);
      this.scroll();
    };
    this.listen();
    this.open = this.inline || this.hasAttribute("open");
    // Someone who never wrote costs no connection until they open the chat.
    if (this.open || this.transcript.token) this.line.start();
    this.refresh();
    this.scroll(true);
  }

  disconnectedCallback() {
    if (!this.line) return;
    this.line.stop();
    this.line = null;
    this.ears.abort();
    this.room.disconnect();
    clearTimeout(this.typingEnd);
    clearTimeout(this.offlineSoon);
    if (this.recording) this.recorded(false);
  }

  build() {
    const { words } = this;
    const root = this.shadowRoot || this.attachShadow({ mode: "open" });
    // A constructed sheet, for pages whose Content-Security-Policy forbids <style>.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.heading = el("h2", { id: "title" }, this.getAttribute("title") || words.title);
    this.closer = iconButton("icon close", "close", words.close);
    this.closer.hidden = this.inline;
    this.log = el("div", {
      className: "log", role: "log", tabIndex: 0, "aria-label": words.log,
      "aria-live": "polite", "aria-relevant": "additions",
    });
    this.dots = el("div", { className: "typing", role: "img", "aria-label": words.typing },
      el("i"), el("i"), el("i"));
    this.notice = el("p", { className: "notice", role: "status" });
    this.about = el("div", { className: "about", hidden: true });
    this.extras = this.buildExtras();
    this.form = this.buildForm();
    this.meter = this.buildMeter();
    this.panel = el("section",
      { className: "panel", id: "panel", role: this.inline ? "region" : "dialog",
        "aria-labelledby": "title" },
      el("header", {}, this.heading, this.closer), this.log, this.notice, this.about,
      this.extras, this.form, this.meter);
    this.badge = el("span", { className: "badge", hidden: true });
    this.launcher = iconButton("launcher", "chat", words.open);
    this.launcher.setAttribute("aria-controls", "panel");
    this.launcher.append(this.badge);
    this.launcher.hidden = this.inline;
    // The empty title keeps the element's own title from showing up as a tooltip.
    const dir = this.spoken === "ar" ? "rtl" : "ltr";
    root.replaceChildren(el("div",
      { className: "all", title: "", lang: this.spoken, dir }, this.panel, this.launcher));
  }

  buildForm() {
    const { words } = this;
    this.input = el("textarea", {
      rows: 1, maxLength: TEXT_LIMIT, placeholder: words.write, enterKeyHint: "send",
      dir: "auto", autocomplete: "off", "aria-label": words.write,
    });
    this.attach = iconButton("icon attach", "attach", words.attach);
    this.attach.setAttribute("aria-expanded", "false");
    this.attach.setAttribute("aria-controls", "extras");
    this.mic = iconButton("icon mic", "mic", words.record);
    this.mic.hidden = !Recording.type;
    return el("form", { className: "compose" }, this.attach, this.input, this.mic,
      iconButton("icon send", "send", words.send, "submit"));
  }

  /** What opens above the field: a file, the location, a phone number. */
  buildExtras() {
    const { words } = this;
    this.file = el("input", { type: "file", multiple: true, hidden: true });
    const button = (name, label, does) => {
      const made = el("button", { type: "button" }, icon(name), label);
      made.onclick = () => does(made);
      return made;
    };
    const place = button("place", words.send_place, (made) => this.place(made));
    place.hidden = !navigator.geolocation;
    return el("div", { className: "extras", id: "extras", role: "group", "aria-label": words.attach,
      hidden: true },
    this.file, button("picture", words.send_file, () => this.file.click()), place,
    button("phone", words.send_phone, () => this.askPhone()));
  }

  /** What stands in the place of the field while a voice note is recorded. */
  buildMeter() {
    const { words } = this;
    this.clock = el("span", { className: "clock", role: "timer", dir: "ltr" });
    const cancel = iconButton("icon cancel", "close", words.cancel);
    const send = iconButton("icon send", "send", words.send);
    cancel.onclick = () => this.recorded(false);
    send.onclick = () => this.recorded(true);
    return el("div", { className: "compose meter", hidden: true, role: "group",
      "aria-label": words.recording },
    cancel, el("i", { className: "red" }), el("span", { className: "label" }, words.recording),
    this.clock, send);
  }

  listen() {
    this.ears = new AbortController();
    const on = (target, event, does) =>
      target.addEventListener(event, does, { signal: this.ears.signal });
    on(this.launcher, "click", () => this.toggle(!this.open));
    on(this.closer, "click", () => this.toggle(false));
    on(this.panel, "keydown", (event) => {
      if (event.key === "Escape") this.leave();
    });
    on(this.form, "submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    on(this.input, "keydown", (event) => {
      // Enter also ends the composition of an input method, and then sends nothing.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    on(this.log, "scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.log;
      this.atEnd = scrollHeight - scrollTop - clientHeight < 60;
    });
    // Room is lost to notices, to longer drafts and to the keyboards of phones.
    this.room = new ResizeObserver(() => this.scroll());
    this.room.observe(this.log);
    on(this.input, "input", () => this.fit());
    on(this.input, "paste", (event) => {
      if (!event.clipboardData.files.length) return;
      event.preventDefault();
      this.send(event.clipboardData.files);
    });
    on(this.panel, "dragover", (event) => event.preventDefault());
    on(this.panel, "drop", (event) => {
      event.preventDefault();
      this.send(event.dataTransfer.files);
    });
    on(this.attach, "click", () => this.unfold(this.extras.hidden));
    on(this.mic, "click", () => this.record());
    on(this.file, "change", () => {
      this.send([...this.file.files]);
      this.file.value = "";
    });
    on(document, "visibilitychange", () => {
      if (document.visibilityState !== "visible") return;
      this.line.nudge();
      this.look();
    });
    on(window, "online", () => this.line.restart());
    // An open socket would keep the page out of the browser's back/forward cache.
    on(window, "pagehide", () => this.line.drop());
    on(window, "pageshow", (event) => event.persisted && this.line.restart());
    on(window, "storage", (event) => {
      if (event.key !== this.transcript.key) return;
      const token = this.transcript.merge();
      if (token && token !== this.transcript.token) {
        this.transcript.token = token;
        if (this.line.welcomed) this.line.restart();
      }
      this.refresh();
      this.line.pump();
    });
  }

  /** Whether the customer can see what arrives. */
  get watched() {
    return this.open && document.visibilityState === "visible";
  }

  /** Leave what is going on, one thing at a time, and the chat last. */
  leave() {
    if (this.recording) this.recorded(false);
    else if (this.unfolded) this.tools(null);
    else if (!this.extras.hidden) this.unfold(false);
    else if (!this.about.hidden) this.setAbout(null);
    else if (!this.inline) this.toggle(false);
  }

  toggle(open) {
    this.open = open;
    this.toggleAttribute("open", open);
    this.refresh();
    if (!open) {
      this.launcher.focus();
      return;
    }
    this.line.start();
    this.look();
    this.scroll(true);
    this.input.focus();
  }

  /** Tell that everything shown was read. */
  look() {
    const { unseen } = this.transcript;
    if (!this.watched || !unseen.length) return;
    this.line.seen(unseen[unseen.length - 1]);
    this.transcript.save();
    this.refresh();
  }

  refresh() {
    const count = this.open ? 0 : this.transcript.unseen.length;
    this.panel.hidden = !this.open;
    this.launcher.setAttribute("aria-expanded", String(this.open));
    const label = this.open ? this.words.close : this.words.open;
    this.launcher.title = label;
    this.launcher.setAttribute("aria-label",
      count ? `${label} (${this.words.unread.replace("{n}", count)})` : label);
    this.badge.hidden = !count;
    this.badge.textContent = count > 99 ? "99+" : String(count);
  }

  submit() {
    const text = this.input.value;
    if (!text.trim()) return;
    const { editing, replying } = this;
    this.input.value = "";
    this.setAbout(null);
    this.fit();
    if (editing) this.write({ kind: "edit", of: editing, text });
    else this.write({ kind: "text", text }, replying);
  }

  unfold(open) {
    this.extras.hidden = !open;
    this.attach.setAttribute("aria-expanded", String(open));
    if (open) this.extras.querySelector("button:not([hidden])").focus();
    else this.attach.focus();
  }

  /** Send files, one message each. */
  async send(files) {
    if (!this.extras.hidden) this.unfold(false);
    for (const file of files) {
      const type = file.type.split("/")[0];
      let made = { blob: file, thumb: "", name: file.name };
      if (/^image\/(jpeg|png|gif|webp|bmp|avif)$/.test(file.type)) made = await prepared(file);
      if (!this.line) return; // removed from the page meanwhile
      if (!made) this.tell(this.words.not_an_image);
      else if (made.blob.size > FILE_BYTES) this.tell(this.words.too_big);
      else {
        const kind = made.thumb ? "image" : ["audio", "video"].includes(type) ? type : "document";
        await this.keep(kind, made);
      }
    }
  }

  async keep(type, { blob, thumb, name }) {
    const id = newId();
    // First the file, for a message without its file would be lost.
    await this.files.put(id, blob);
    if (!this.line) return;
    const content = { kind: "media", type, url: thumb, mime: blob.type, filename: name };
    this.write({ ...content, size: blob.size }, this.replying, id);
    if (this.replying) this.setAbout(null);
  }

  async record() {
    try {
      this.recording = await Recording.begin();
    } catch {
      this.tell(this.words.no_microphone);
      return;
    }
    if (!this.line) {
      this.recorded(false);
      return;
    }
    const tick = () => {
      const { seconds } = this.recording;
      this.clock.textContent =
        `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      if (seconds * 1000 >= VOICE_TIME) this.recorded(true);
    };
    this.tell("");
    this.form.hidden = true;
    this.meter.hidden = false;
    this.ticking = setInterval(tick, 500);
    tick();
    this.meter.querySelector(".send").focus();
  }

  async recorded(send) {
    const { recording } = this;
    this.recording = null;
    clearInterval(this.ticking);
    this.form.hidden = false;
    this.meter.hidden = true;
    const blob = await recording.end();
    if (!this.line) return;
    this.mic.focus();
    if (!send || !blob.size) return;
    const ending = blob.type.startsWith("audio/mp4") ? "m4a" : blob.type.split(/[/;]/)[1];
    this.keep("voice", { blob, thumb: "", name: `voice.${ending}` });
  }

  /** Ask the browser where the customer is, who is asked by it, and send that. */
  place(button) {
    if (!this.extras.hidden) this.unfold(false);
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      button.disabled = false;
      const { latitude, longitude } = coords;
      if (!this.line) return;
      this.write({ kind: "location", latitude, longitude }, this.replying);
      if (this.replying) this.setAbout(null);
    }, () => {
      button.disabled = false;
      if (this.line) this.tell(this.words.no_place);
    }, { enableHighAccuracy: true, timeout: 20000, maximumAge: 60000 });
  }

  askPhone() {
    this.unfold(false);
    const form = this.drawing.phone(this.words.send_phone);
    form.addEventListener("submit", (event) => {
      if (!event.target.querySelector("input").value) this.setAbout(null);
    });
    this.setAbout(form);
    form.querySelector("input").focus();
  }

  /** Show what the next message is about (nodes), or nothing with null. */
  setAbout(node) {
    if (this.editing) {
      this.input.value = "";
      this.fit();
    }
    this.editing = this.replying = undefined;
    this.about.hidden = !node;
    if (!node) {
      this.about.replaceChildren();
      return;
    }
    const cancel = iconButton("icon", "close", this.words.cancel);
    cancel.onclick = () => {
      this.setAbout(null);
      this.input.focus();
    };
    this.about.replaceChildren(node, cancel);
  }

  reply(entry) {
    const words = gist(this.transcript.look(entry), this.words);
    this.setAbout(el("div", { className: "quote", dir: "auto" },
      el("strong", {}, this.words.replying), words));
    this.replying = entry.id;
    this.tools(null);
    this.input.focus();
  }

  edit(entry) {
    const { text } = this.transcript.look(entry).content;
    this.setAbout(el("div", { className: "quote" }, el("strong", {}, this.words.editing)));
    this.editing = entry.id;
    this.tools(null);
    this.input.value = text;
    this.fit();
    this.input.focus();
  }

  remove(entry) {
    this.tools(null);
    if (this.editing === entry.id || this.replying === entry.id) this.setAbout(null);
    this.write({ kind: "deletion", of: entry.id });
    this.input.focus({ preventScroll: true });
  }

  react(entry, emoji) {
    const removed = this.transcript.look(entry).mine === emoji;
    this.tools(null);
    this.write({ kind: "reaction", of: entry.id, emoji, removed });
  }

  choose(entry, option) {
    const { content, chosen } = this.transcript.look(entry);
    if (content.kind === "cards" ? chosen.includes(option.payload) : chosen.length) return;
    this.write({ kind: "choice", payload: option.payload, title: option.title, of: entry.id });
    this.input.focus({ preventScroll: true });
  }

  /** Keep what the customer said, before anything else can go wrong, then send it. */
  write(content, reply_to = undefined, id = newId()) {
    const entry = { id, mine: true, at: Date.now(), content, reply_to, state: "waiting" };
    this.transcript.entries.push(entry);
    this.transcript.save();
    this.show(entry);
    this.scroll(!DEEDS.includes(content.kind));
    if (this.line.welcomed) this.tell("");
    this.line.start();
    this.line.pump();
  }

  connected(yes, title) {
    if (yes) {
      clearTimeout(this.offlineSoon);
      this.offlineSoon = null;
      if (title && !this.getAttribute("title")) this.heading.textContent = title;
      this.tell("");
      return;
    }
    this.typing(false);
    this.offlineSoon ??= setTimeout(() => this.tell(this.words.offline), OFFLINE_NOTICE_AFTER);
  }

  arrived(entry) {
    if (!DEEDS.includes(entry.content.kind)) this.typing(false);
    this.show(entry);
    this.refresh();
    this.scroll();
  }

  settled(entry) {
    this.show(entry);
    const said = this.transcript.entries.filter((one) => !DEEDS.includes(one.content.kind));
    if (entry.state === "sent" && said[said.length - 1] === entry) this.typing(true);
    if (entry.state === "refused" && DEEDS.includes(entry.content.kind)) {
      this.tell(this.words[entry.reason] || this.words.refused);
    }
  }

  typing(on) {
    clearTimeout(this.typingEnd);
    this.dots.remove();
    if (!on) return;
    this.log.append(this.dots);
    this.scroll();
    this.typingEnd = setTimeout(() => {
      this.dots.remove();
      if (this.doubted) return;
      // Perhaps nobody answers. But if the server's store was set back (restored from a
      // backup), its orders begin below ours: once, ask for everything.
      this.doubted = this.line.whole = true;
      this.line.restart();
    }, TYPING_TIME);
  }

  tell(text) {
    this.notice.textContent = text;
  }

  fit() {
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight + 2}px`;
  }

  /** Show the newest message, unless the customer has scrolled back to read. */
  scroll(always = false) {
    if (always) this.atEnd = true;
    if (this.atEnd) this.log.scrollTop = this.log.scrollHeight;
  }

  /** Put an entry into the log, or draw anew what has changed of it and of what it is about. */
  show(entry) {
    const about = this.transcript.find(entry.content.of);
    if (about) this.draw(about);
    this.draw(entry);
  }

  draw(entry) {
    if (DEEDS.includes(entry.content.kind)) return;
    let row = this.nodes.get(entry.id);
    const look = this.transcript.look(entry);
    if (!row) {
      row = el("div", {});
      row.parts = {};
      row.foot = el("div", { className: "foot" });
      this.nodes.set(entry.id, row);
      if (this.dots.isConnected) this.dots.before(row);
      else this.log.append(row);
    }
    const wide = look.content.kind === "cards" && !look.deleted ? "wide" : "";
    row.className = `row ${entry.mine ? "mine" : "theirs"} ${entry.state || ""} ${wide}`;
    const { chosen, mine, theirs } = look;
    const open = this.unfolded === entry.id;
    const state = entry.mine && entry.state;
    const carried = wide && chosen;
    this.part(row, "bubble", [look.content, look.deleted, carried], () => this.bubble(entry, look));
    this.part(row, "reactions", [mine, theirs], () => this.reactions(look));
    this.part(row, "answers", [chosen, look.deleted], () => this.drawing.answers(entry, look));
    if (!row.foot.isConnected) row.append(row.foot);
    this.part(row, "meta", [state, entry.reason, look.edited, look.deleted],
      () => this.meta(entry, look), row.foot);
    this.part(row, "handle", [look.deleted], () => this.handle(entry, look), row.foot);
    this.part(row, "tools", [open, mine], () => (open ? this.toolbar(entry, look) : null));
  }

  /**
   * Draw one part of a row, if what it shows (`key`) has changed.
   *
   * A row drawn anew as a whole would be read out again, and its buttons lose the focus.
   */
  part(row, name, key, draw, place = row) {
    const seen = JSON.stringify(key);
    const old = row.parts[name];
    if (old && old.seen === seen) return;
    // An empty slot keeps the place.
    const node = draw() || el("span", { hidden: true });
    row.parts[name] = { seen, node };
    if (old) old.node.replaceWith(node);
    else place.append(node);
  }

  bubble(entry, look) {
    const { words } = this;
    const speaker = entry.mine ? words.you : entry.agent ? `${entry.agent}:` : words.them;
    const bare = ["cards"].includes(look.content.kind) || look.content.type === "sticker";
    const quoted = entry.reply_to && this.transcript.find(entry.reply_to);
    return el("div", { className: bare && !look.deleted ? "bubble bare" : "bubble", dir: "auto" },
      // A <bdi>, or our own word would decide which way theirs are read.
      el("bdi", { className: entry.agent ? "agent" : "aside" }, speaker, " "),
      quoted && !look.deleted ? this.quote(quoted) : null,
      ...this.drawing.body(entry, look));
  }

  quote(entry) {
    const made = el("button", { type: "button", className: "quote", dir: "auto" },
      gist(this.transcript.look(entry), this.words));
    made.onclick = () => {
      const row = this.nodes.get(entry.id);
      if (row) row.scrollIntoView({ block: "nearest" });
    };
    return made;
  }

  reactions(look) {
    const { words } = this;
    const put = [[look.mine, words.you], [look.theirs, words.them]].filter(([emoji]) => emoji);
    if (!put.length) return null;
    return el("div", { className: "reactions" }, ...put.map(([emoji, who]) =>
      el("span", {}, el("span", { className: "aside" }, who, " "), emoji)));
  }

  meta(entry, look) {
    const { words } = this;
    const time = new Date(entry.at);
    const clock = time.toLocaleTimeString(this.language, { hour: "2-digit", minute: "2-digit" });
    const meta = el("div", { className: "meta" },
      look.edited && !look.deleted ? words.edited : null,
      el("time", { dateTime: time.toISOString() }, clock));
    if (entry.mine) {
      const refused = entry.state === "refused";
      const label = words[refused ? entry.reason : entry.state];
      meta.append(icon(entry.state, refused ? "" : label));
      if (refused) meta.append(label || words.refused);
    }
    return meta;
  }

  /** The button that shows what can be done with a message. */
  handle(entry, look) {
    if (look.deleted) return null;
    const button = iconButton("more", "more", this.words.more);
    button.setAttribute("aria-expanded", "false");
    button.onclick = () => this.tools(this.unfolded === entry.id ? null : entry);
    return button;
  }

  /** Show the tools of one message, or of none. */
  tools(entry) {
    const before = this.unfolded;
    this.unfolded = entry ? entry.id : null;
    for (const id of [before, this.unfolded]) {
      const one = id && this.transcript.find(id);
      if (!one) continue;
      this.show(one);
      const handle = this.nodes.get(id).parts.handle.node;
      handle.setAttribute("aria-expanded", String(id === this.unfolded));
      if (id === before) handle.focus({ preventScroll: true });
    }
    const row = entry && this.nodes.get(entry.id);
    if (!row) return;
    row.parts.tools.node.scrollIntoView({ block: "nearest" });
    row.parts.tools.node.querySelector("button").focus({ preventScroll: true });
  }

  toolbar(entry, look) {
    const { words } = this;
    const button = (label, does) => {
      const made = el("button", { type: "button" }, label);
      made.onclick = () => does.call(this, entry);
      return made;
    };
    const bar = el("div", { className: "tools", role: "group", "aria-label": words.more });
    if (!entry.mine) {
      for (const emoji of EMOJI) {
        const made = button(emoji, () => this.react(entry, emoji));
        made.className = "emoji";
        made.setAttribute("aria-pressed", String(look.mine === emoji));
        bar.append(made);
      }
    }
    bar.append(button(words.reply, this.reply));
    const young = Date.now() - entry.at < EDIT_TIME;
    if (entry.mine && look.content.kind === "text" && young && entry.state !== "refused") {
      bar.append(button(words.edit, this.edit));
    }
    if (entry.mine && entry.state !== "refused") bar.append(button(words.remove, this.remove));
    return bar;
  }
}

customElements.define("support-chat", SupportChat);

if (script && script.dataset.account) {
  const chat = document.createElement("support-chat");
  for (const [name, value] of Object.entries(script.dataset)) chat.setAttribute(name, value);
  const add = () => document.body.append(chat);
  if (document.body) add();
  else document.addEventListener("DOMContentLoaded", add);
}
