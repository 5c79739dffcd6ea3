// The case of a phone, with its caption above and the status bar in it.

import { clock, el } from "./dom.js";

function statusBar(time) {
  return el(
    "div",
    { class: "status" },
    time || el("span", { class: "status-time", "aria-hidden": "true" }, clock(new Date().toISOString())),
    el("span", { class: "status-island", "aria-hidden": "true" }),
    el("span", { class: "status-signs", "aria-hidden": "true" }, el("i"), el("i"), el("i"), el("b")),
  );
}

// `screen` is what the phone shows; `time` a button in the clock's place.
export function frame(channel, title, notes, actions, screen, time) {
  return el(
    "section",
    { class: `phone ${channel}`, id: `phone-${channel}`, "aria-label": `${title} phone`, data: { channel } },
    el("div", { class: "caption" }, el("h2", {}, title), el("div", { class: "holder" }, actions), notes),
    el("div", { class: "case" }, el("div", { class: "screen" }, statusBar(time), screen)),
  );
}
