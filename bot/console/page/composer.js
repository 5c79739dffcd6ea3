// Where agents write. A reply and a note have texts of their own, for each conversation: what was
// begun as one never goes out as the other, nor to somebody else.

import { upload, uuid } from "./api.js";
import { acting, cannedReply, similar, template } from "./assist.js";
import { button, el, toast } from "./dom.js";
import { DraftCard } from "./draft.js";
import { icon } from "./icons.js";
import { bytes, when } from "./words.js";

// By account, for as long as the page is open: a session that ends takes nothing along.
const BEGUN = new Map();

export class Composer {
  constructor(app) {
    this.app = app;
    if (!BEGUN.has(app.me.account)) BEGUN.set(app.me.account, new Map());
    this.begun = BEGUN.get(app.me.account);
    this.busy = new Set();
    this.tabs = Object.fromEntries([["reply", "Reply"], ["note", "Note"]].map(([mode, title]) => [mode,
      button({ role: "tab", "aria-selected": "false", onclick: () => this.turn(mode, true), title: mode === "note" ? "Alt+N" : "Alt+R" }, mode === "note" && icon("lock"), title)]));
    this.hint = el("span", { class: "hint", role: "status" });
    this.input = el("textarea", { rows: 3, "aria-label": "Reply to the customer", oninput: () => { this.now().text = this.input.value; this.state(); } });
    this.files = el("div", { class: "attached" });
    this.picker = el("input", { type: "file", multiple: true, hidden: true, "aria-label": "Files to attach", onchange: () => this.attach() });
    const tool = (name, title, run) => button({ class: "tool", onclick: run, title }, icon(name), el("span", {}, title));
    this.tools = {
      attach: tool("clip", "Attach", () => this.picker.click()),
      draft: tool("spark", "Draft", (e) => this.helped(e, () => app.do("draft", { quiet: true }))),
      canned: tool("list", "Canned", (e) => this.helped(e, () => cannedReply(app, (text) => this.put(text)))),
      template: tool("stamp", "Template", (e) => this.helped(e, () => template(app))),
      similar: tool("layers", "Similar", (e) => this.helped(e, () => similar(app, (text) => this.put(text)))),
      act: tool("bolt", "Actions", (e) => this.helped(e, () => acting(app, (text) => this.put(text)))),
    };
    this.send = button({ class: "primary send", onclick: () => this.go() }, "Send");
    this.draft = new DraftCard(app, (text) => this.put(text));
    this.box = el("div", { class: "composer", data: { mode: "note" } },
      el("div", { class: "modes", role: "tablist", "aria-label": "Reply or note" }, this.tabs.reply, this.tabs.note, this.hint),
      this.input, this.files, this.picker, el("div", { class: "tools" }, Object.values(this.tools), el("span", { class: "grow" }), el("kbd", {}, "Ctrl+Enter"), this.send));
    this.node = el("div", { class: "write" }, this.draft.node, this.box);
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target === this.input) { event.preventDefault(); this.go(); }
    });
    document.addEventListener("keydown", (event) => {
      const mode = { n: "note", r: "reply" }[event.key.toLowerCase()];
      if (event.altKey && mode && this.found && !document.querySelector("dialog[open]")) { event.preventDefault(); this.turn(mode, true); this.input.focus(); }
    }, { signal: app.ended.signal });
  }

  // Nothing of what was begun is left for who logs in next.
  forget() {
    this.begun.clear();
  }

  // Whether anything was begun and not sent.
  get writing() {
    return [...this.begun.values()].some((one) => one.text.trim() || one.files.length);
  }

  // What was begun in the open conversation, in the present mode.
  now(mode = this.mode) {
    const key = `${mode} ${this.found?.id}`;
    if (!this.begun.has(key)) this.begun.set(key, { text: "", files: [] });
    return this.begun.get(key);
  }

  show(found) {
    const other = found?.id !== this.found?.id, had = this.mine;
    this.found = found;
    this.mine = Boolean(found) && found.holder === "agent" && found.agent === this.app.me.account;
    this.draft.show(found, this.mine);
    if (!found) return;
    if (other) this.turn(this.mine ? "reply" : "note");
    else if (!had && this.mine && !this.now("note").text) this.turn("reply");
    this.state();
  }

  turn(mode, focus = false) {
    this.mode = mode;
    this.box.dataset.mode = mode;
    for (const [name, tab] of Object.entries(this.tabs)) tab.setAttribute("aria-selected", String(name === mode));
    this.input.value = this.now().text;
    this.input.setAttribute("aria-label", mode === "note" ? "Internal note" : "Reply to the customer");
    this.input.placeholder = mode === "note" ? "A note for colleagues. The customer never sees it." : "Write to the customer…";
    this.drawFiles();
    this.state();
    if (focus) this.input.focus();
  }

  // Why no reply can be written, "" when it can.
  barred() {
    const found = this.found;
    if (found.opted_out === "all") return "The customer has opted out: nothing may be sent.";
    if (!this.mine) return found.holder === "agent" ? `${found.agent_name} has this conversation.` : "Take over to reply.";
    if (!found.window.open) return found.window.closes ? `The answering window closed ${when(found.window.closes)}: send a template.` : "The answering window is closed: send a template.";
    return "";
  }

  state() {
    if (!this.found) return;
    const reply = this.mode === "reply", barred = reply ? this.barred() : "";
    const busy = this.busy.has(this.found.id);
    this.input.disabled = Boolean(barred) || busy;
    this.send.textContent = busy ? "Sending…" : reply ? "Send" : "Add note";
    this.send.disabled = Boolean(barred) || busy || !(this.now().text.trim() || this.now().files.length);
    this.hint.textContent = reply ? barred : "Only colleagues see this";
    this.hint.classList.toggle("barred", Boolean(barred));
    this.tools.attach.disabled = Boolean(barred) || !reply;
    this.tools.template.hidden = this.found.window.open && !this.app.me.templates?.some((t) => t.channel === this.found.channel);
    this.tools.template.disabled = !this.mine;
    this.tools.canned.hidden = !this.app.me.canned?.length;
  }

  async helped(event, run) {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    pressed.classList.add("working");
    try {
      await run();
    } finally {
      pressed.disabled = false;
      pressed.classList.remove("working");
      this.state();
    }
  }

  // Puts words of an assistant's into the reply, behind what is there.
  put(text) {
    if (!text || !this.found) return;
    this.turn("reply");
    const begun = this.now();
    begun.text = begun.text.trim() ? `${begun.text.trimEnd()}\n\n${text}` : text;
    this.input.value = begun.text;
    this.state();
    this.input.focus();
  }

  async attach() {
    const begun = this.now("reply"), conversation = this.found.id;
    for (const file of this.picker.files) {
      if (file.size > this.app.me.most_bytes) { toast(`${file.name} is larger than ${bytes(this.app.me.most_bytes)}.`, "bad"); continue; }
      try {
        begun.files.push(await upload(file, conversation));
      } catch (error) {
        this.app.failed(error);
      }
    }
    this.picker.value = "";
    this.drawFiles();
    this.state();
  }

  drawFiles() {
    const begun = this.now();
    this.files.replaceChildren(...begun.files.map((file) => el("span", { class: "chip" }, icon("clip"), `${file.name} · ${bytes(file.size)}`,
      button({ class: "icon-only", "aria-label": `Remove ${file.name}`, onclick: () => { begun.files.splice(begun.files.indexOf(file), 1); this.drawFiles(); this.state(); } }, icon("close")))));
  }

  async go() {
    if (this.send.disabled || !this.found) return;
    const id = this.found.id, begun = this.now(), kind = this.mode === "note" ? "note" : "say";
    this.busy.add(id);
    this.state();
    // Sending again what perhaps was sent is the same deed, as long as it says the same.
    const is = JSON.stringify([kind, begun.text.trim(), begun.files]);
    if (begun.is !== is) Object.assign(begun, { is, id: uuid() });
    const done = await this.app.do(kind, { id: begun.id, conversation: id, text: begun.text.trim(), files: kind === "say" ? begun.files : [], quiet: true });
    this.busy.delete(id);
    if (done !== undefined) begun.is = "";
    if (done) { begun.text = ""; begun.files = []; }
    if (this.found?.id === id) {
      this.input.value = this.now().text;
      this.drawFiles();
      this.state();
      this.input.focus();
    }
  }
}
