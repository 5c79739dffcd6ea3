// Modals, and the dialog that asks whether a press is meant.

import { button, el } from "./dom.js";
import { icon } from "./icons.js";
import { blocks, drawable } from "./slack_blocks.js";
import { having } from "./slack_context.js";
import { mrkdwn, plain, textObject } from "./slack_text.js";

// The values of a modal's inputs, and the places for their errors.
class Fields {
  constructor(kept) {
    this.kept = kept;
    this.readers = [];
    this.places = new Map();
  }

  read(block, element, reader) {
    this.readers.push({ block, element, reader });
  }

  // What the same input held when the app changed the view.
  held(block, element) {
    return this.kept?.[block.block_id]?.[element.action_id];
  }

  shows(block, place) {
    this.places.set(block.block_id, place);
  }

  get values() {
    const values = {};
    for (const { block, element, reader } of this.readers) (values[block.block_id] ??= {})[element.action_id] = reader();
    return values;
  }

  // As Slack does before it tells the app: what is not optional must be there.
  get missing() {
    const needed = this.readers.filter(({ block, reader }) => block.type === "input" && !block.optional && !reader().length);
    return needed.length ? Object.fromEntries(needed.map(({ block }) => [block.block_id, "Please complete this required field."])) : null;
  }

  tell(errors) {
    for (const [id, place] of this.places) place(errors?.[id] || "");
  }
}

// Slack gives every block an id; what the app left without one is found by this.
const numbered = (given) => given.map((block, n) => ({ block_id: `block-${n}`, ...block }));

// `deeds`: submit(values) → {errors}, close(), press(element, block, value), ask(confirm).
// `kept` are the values of the view it takes the place of.
export function modal({ view }, deeds, kept) {
  const fields = new Fields(kept);
  const told = el("p", { class: "s-error", role: "alert", hidden: true });
  const fail = (text) => {
    told.textContent = text;
    told.hidden = !text;
  };
  const press = (...what) => deeds.press(...what).catch((error) => fail(error.message));
  const body = el("div", { class: "s-modal-body" }, blocks(numbered(drawable(view.blocks)), having(deeds, { press, fields })), told);
  const send = el("button", { type: "submit", class: "s-button primary" }, plain(view.submit?.text) || "Submit");

  async function submit(event) {
    event.preventDefault();
    const { missing } = fields;
    fields.tell(missing);
    fail("");
    if (missing) return;
    send.disabled = true;
    try {
      const { errors } = await deeds.submit(fields.values);
      fields.tell(errors);
      const lost = Object.entries(errors || {}).filter(([id]) => !fields.places.has(id));
      fail(lost.map(([, text]) => text).join(" "));
    } catch (error) {
      fail(error.message);
    } finally {
      send.disabled = false;
      // A disabled button loses the focus, and with it the way out by Escape.
      (made.querySelector(".wrong :is(input, textarea, select)") || send).focus();
    }
  }

  const title = plain(view.title?.text);
  const close = () => deeds.close().catch((error) => fail(error.message));
  const made = el(
    "form",
    { class: "s-modal", role: "dialog", "aria-modal": "true", "aria-label": title, novalidate: true, onsubmit: submit, onkeydown: (e) => e.key === "Escape" && close() },
    el("header", {}, el("h3", {}, title), button({ class: "s-plain", "aria-label": "Close the dialog", onclick: close }, icon("close"))),
    body,
    el("footer", {}, button({ class: "s-button", onclick: close }, plain(view.close?.text) || "Cancel"), view.submit || view.blocks?.some((b) => b.type === "input") ? send : null),
  );
  return { element: el("div", { class: "s-veil" }, made), values: () => fields.values };
}

// Puts the question over `place`; resolves to whether it was confirmed.
export function asks(place, confirm, names) {
  return new Promise((resolve) => {
    const end = (yes) => () => {
      veil.remove();
      resolve(yes);
    };
    const yes = button({ class: `s-button ${confirm.style === "danger" ? "danger full" : "primary"}`, onclick: end(true) }, plain(confirm.confirm?.text) || "Yes");
    const title = plain(confirm.title?.text);
    const text = typeof confirm.text === "string" ? mrkdwn(confirm.text, names) : textObject(confirm.text, names);
    const veil = el(
      "div",
      { class: "s-veil" },
      el(
        "div",
        { class: "s-modal small", role: "alertdialog", "aria-modal": "true", "aria-label": title, onkeydown: (e) => e.key === "Escape" && end(false)() },
        el("header", {}, el("h3", {}, title)),
        el("div", { class: "s-modal-body s-text" }, text),
        el("footer", {}, button({ class: "s-button", onclick: end(false) }, plain(confirm.deny?.text) || "Cancel"), yes),
      ),
    );
    place.append(veil);
    yes.focus();
  });
}
