// What makes each messenger look and behave like itself.

import { el, icon } from "./dom.js";

export const telegram = {
  channel: "telegram",
  title: "Telegram",
  subtitle: "bot",
  actions: ["more"],
  attachIcon: "clip",
  inlineButtons: true,
  buttonsInside: false,
  showsChoices: false,
  showsQuotes: true,
  quoteName: "Bot",
  // https://core.telegram.org/bots/api#sendchataction
  typingSeconds: 5,
  number: (user) => `id ${user}`,
  intro: (start) =>
    el(
      "div",
      {},
      el("h4", {}, "What can this bot do?"),
      el("p", {}, "It answers through the real Telegram connector. Write something, or begin as customers do:"),
      el("button", { type: "button", class: "start", onclick: start }, "START"),
    ),
};

export const whatsapp = {
  channel: "whatsapp",
  title: "WhatsApp",
  subtitle: "Business account",
  actions: ["video", "phone"],
  attachIcon: "camera",
  inlineButtons: true,
  buttonsInside: true,
  buttonIcon: "reply",
  showsChoices: true,
  showsQuotes: true,
  quoteName: "Business",
  // https://developers.facebook.com/docs/whatsapp/cloud-api/typing-indicators
  typingSeconds: 25,
  number: (user) => `+${user.slice(0, 1)} ${user.slice(1, 4)} ${user.slice(4, 7)} ${user.slice(7)}`,
  intro: () => el("div", {}, icon("lock"), el("span", {}, "Messages stay on this machine. They go through the real WhatsApp connector.")),
};
