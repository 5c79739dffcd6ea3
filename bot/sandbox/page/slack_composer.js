// Where an agent writes: words, files, and in a channel slash commands.

import { button, bytes, el } from "./dom.js";
import { icon } from "./icons.js";

const FILE_LIMIT = 100 * 1024 * 1024;

export class Composer {
  // `send(text, files)` resolves when it is sent; `files` are File objects.
  constructor({ send, tell, hint = null }) {
    this.files = [];
    this.drafts = new Map();
    this.given = { send, tell };
    this.input = el("textarea", { rows: 1, onkeydown: (e) => this.key(e), oninput: () => this.grow(), onpaste: (e) => this.dropped(e, e.clipboardData) });
    this.chooser = el("input", { type: "file", multiple: true, class: "aside", tabindex: "-1", "aria-label": "Attach a file", onchange: () => this.chosen() });
    this.draft = el("div", { class: "s-drafts", hidden: true });
    this.submit = el("button", { type: "submit", class: "s-send", "aria-label": "Send", title: "Send" }, icon("send"));
    this.element = el(
      "form",
      {
        class: "s-composer",
        onsubmit: (e) => {
          e.preventDefault();
          this.send();
        },
        ondragover: (e) => e.preventDefault(),
        ondrop: (e) => this.dropped(e, e.dataTransfer),
      },
      this.input,
      this.draft,
      el("div", { class: "s-row" }, button({ class: "s-plain", title: "Attach a file", "aria-label": "Choose a file", onclick: () => this.chooser.click() }, icon("plus")), this.chooser, hint, this.submit),
    );
  }

  label(words, placeholder) {
    this.input.setAttribute("aria-label", words);
    this.input.placeholder = placeholder;
  }

  // What is written for one thread or channel must not be sent to another.
  turnTo(place) {
    if (this.at === place) return;
    this.drafts.set(this.at, { text: this.input.value, files: this.files });
    const { text, files } = this.drafts.get(place) || { text: "", files: [] };
    Object.assign(this, { at: place, files });
    this.input.value = text;
    this.draw();
  }

  key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.send();
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 130)}px`;
    this.submit.classList.toggle("ready", Boolean(this.input.value.trim() || this.files.length));
  }

  chosen() {
    this.attach([...this.chooser.files]);
    this.chooser.value = "";
  }

  dropped(event, { files }) {
    if (!files.length) return;
    event.preventDefault();
    this.attach([...files]);
  }

  attach(files) {
    if (files.some((file) => file.size > FILE_LIMIT)) return this.given.tell("Files may have up to 100 MB.");
    this.files.push(...files);
    return this.draw();
  }

  draw() {
    const item = (file, n) => {
      const remove = () => {
        this.files.splice(n, 1);
        this.draw();
      };
      return el("span", { class: "s-draft" }, icon("file"), el("span", {}, file.name, el("small", {}, bytes(file.size))), button({ class: "s-plain", "aria-label": `Remove ${file.name}`, onclick: remove }, icon("close")));
    };
    this.draft.replaceChildren(...this.files.map(item));
    this.draft.hidden = !this.files.length;
    this.grow();
  }

  async send() {
    const { files, at } = this;
    const text = this.input.value.trim();
    if (!text && !files.length) return;
    Object.assign(this, { files: [] });
    this.input.value = "";
    this.draw();
    try {
      await this.given.send(text, files);
    } catch (error) {
      this.given.tell(error.message);
      // What could not be sent comes back, unless something else is being written.
      if (this.at !== at) this.drafts.set(at, { text, files });
      else if (!this.input.value && !this.files.length) {
        this.input.value = text;
        this.files = files;
        this.draw();
      }
    }
  }
}
