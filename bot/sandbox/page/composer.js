// Where a customer writes: words, files, a quote, a change to what was written.

import { upload } from "./api.js";
import { button, bytes, el } from "./dom.js";
import { icon } from "./icons.js";
import { chosen } from "./samples.js";
import { summary } from "./words.js";

const FILE_LIMIT = 100 * 1024 * 1024;

export class Composer {
  constructor(phone) {
    this.phone = phone;
    this.files = [];
    const { skin } = phone;
    this.input = el("textarea", {
      rows: "1",
      placeholder: skin.placeholder,
      "aria-label": `Message to the bot on ${skin.title}`,
      oninput: () => this.grow(),
      onkeydown: (event) => this.key(event),
      onpaste: (event) => this.attach([...event.clipboardData.files].map(chosen)),
    });
    this.chooser = el("input", {
      type: "file",
      multiple: true,
      hidden: true,
      "aria-label": `File for ${skin.title}`,
      onchange: () => {
        this.attach([...this.chooser.files].map(chosen));
        this.chooser.value = "";
      },
    });
    this.draft = el("div", { class: "draft", hidden: true });
    this.chips = el("div", { class: "chips", hidden: true });
    this.menu = button({ class: "attach", "aria-label": `More on ${skin.title}`, "aria-haspopup": "dialog", onclick: () => phone.deeds.open() }, icon("plus"));
    this.submit = el("button", { class: "send", type: "submit", "aria-label": `Send on ${skin.title}` }, icon(skin.sendIcon));
    this.element = el(
      "form",
      {
        class: "composer",
        onsubmit: (event) => {
          event.preventDefault();
          this.send();
        },
        ondragover: (event) => event.preventDefault(),
        ondrop: (event) => {
          event.preventDefault();
          this.attach([...event.dataTransfer.files].map(chosen));
        },
      },
      this.chips,
      this.draft,
      el("div", { class: "line" }, this.menu, el("div", { class: "field" }, this.input, skin.fieldIcon ? icon(skin.fieldIcon) : null, this.chooser), this.submit),
    );
  }

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.send();
    } else if (event.key === "Escape") this.reset();
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 110)}px`;
  }

  // -- what will be sent with the words --------------------------------------------------

  attach(files) {
    const big = files.find((file) => file.blob.size > FILE_LIMIT);
    if (big) return this.phone.tell("Files may have up to 100 MB.");
    this.files.push(...files);
    return this.draw();
  }

  quote(entry) {
    Object.assign(this, { quoted: entry, changed: undefined });
    this.draw();
  }

  change(entry) {
    Object.assign(this, { quoted: undefined, changed: entry, files: [] });
    this.input.value = entry.text;
    this.grow();
    this.draw();
  }

  reset() {
    if (this.changed) this.input.value = "";
    Object.assign(this, { quoted: undefined, changed: undefined, files: [] });
    this.grow();
    this.draw();
  }

  preview(file, n) {
    const url = URL.createObjectURL(file.blob);
    const done = () => URL.revokeObjectURL(url);
    const seen = file.type === "image" ? el("img", { src: url, alt: `To be sent: ${file.name}`, onload: done, onerror: done }) : el("span", { class: "draft-file" }, icon({ video: "video", audio: "note" }[file.type] || "file"), file.name, el("small", {}, bytes(file.blob.size)));
    const remove = () => {
      this.files.splice(n, 1);
      this.draw();
    };
    return el("span", { class: "draft-item" }, seen, button({ "aria-label": `Remove ${file.name}`, onclick: remove }, icon("close")));
  }

  draw() {
    const about = this.changed || this.quoted;
    const note = about
      ? el("span", { class: "draft-note" }, icon(this.changed ? "pencil" : "reply"), el("span", {}, el("b", {}, this.changed ? "Edit message" : "Reply"), summary(about)), button({ "aria-label": "Leave it", onclick: () => this.reset() }, icon("close")))
      : null;
    const rows = [note, this.files.length ? el("div", { class: "draft-files" }, this.files.map((f, n) => this.preview(f, n))) : null];
    this.draft.replaceChildren(...rows.filter(Boolean));
    this.draft.hidden = !this.draft.children.length;
    this.phone.scroll();
    this.input.focus();
  }

  offer(chips) {
    this.chips.replaceChildren(...chips);
    this.chips.hidden = !chips.length;
  }

  // -- sending ------------------------------------------------------------------------

  async send() {
    const text = this.input.value.trim();
    const { files, quoted, changed, phone } = this;
    if (!text && !files.length) return;
    this.input.value = "";
    this.reset();
    const reply = quoted ? { reply_to: quoted.id } : {};
    let said;
    if (changed) said = await phone.say({ content: { kind: "edit", of: changed.id, text } });
    else if (files.length) said = await this.sendFiles(files, text, reply);
    else said = await phone.say({ content: { kind: "text", text }, ...reply });
    if (!said && !this.input.value) {
      this.input.value = text;
      this.grow();
    }
  }

  // What is typed, which is not to be sent as text then.
  taken() {
    const words = this.input.value.trim();
    if (words) {
      this.input.value = "";
      this.grow();
    }
    return words;
  }

  async sendFiles(files, caption, more = {}) {
    const { phone } = this;
    let sent;
    try {
      sent = await Promise.all(files.map((file) => upload(file.blob, file.name)));
    } catch (error) {
      phone.tell(error.message);
      return false;
    }
    const batch = sent.map((file, n) => ({
      content: {
        kind: "media",
        type: phone.can.has(files[n].type) ? files[n].type : "document",
        url: file.url,
        mime: file.mime,
        size: file.size,
        filename: file.filename,
        caption: n ? "" : caption,
      },
      ...(n ? {} : more),
    }));
    if (batch.length === 1) return phone.say(batch[0]);
    // One by one where the channel knows no albums.
    const album = phone.can.has("album") ? { album: `${Date.now()}${Math.floor(Math.random() * 1000)}` } : {};
    return phone.say({ batch, together: false, ...album });
  }
}
