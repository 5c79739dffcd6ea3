// What makes each messenger look and behave like itself.

import { button, el } from "./dom.js";
import { icon } from "./icons.js";

const pair = (status) => icon(status === "pending" ? "one" : "two");
const dashed = (user) => {
  const digits = user.replace(/\D/g, "");
  return digits.length === 11 ? `+${digits[0]} ${digits.slice(1, 4)} ${digits.slice(4, 7)} ${digits.slice(7)}` : user;
};

// How they may differ, with the commonest answer.
const PLAIN = {
  subtitle: "",
  actions: [],
  placeholder: "Message",
  sendIcon: "send",
  fieldIcon: "emoji",
  // Buttons are part of the bubble, with this sign, or stand below it.
  buttonsInside: false,
  buttonIcon: "",
  // A pressed button becomes a message of the customer's, which quotes the question.
  showsChoices: true,
  quotesChoices: false,
  quoteName: "Bot",
  // The dots stand in a bubble, else the subtitle says it.
  typingBubble: false,
  typingSeconds: 5,
  days: true,
  optOut: "Stop messages",
  optIn: "Allow messages again",
  optData: "",
  startNote: "",
  tick: pair,
  number: (user) => `id ${user}`,
};

export const telegram = {
  ...PLAIN,
  channel: "telegram",
  title: "Telegram",
  subtitle: "bot",
  actions: ["more"],
  showsChoices: false,
  // https://core.telegram.org/bots/api#sendchataction
  typingSeconds: 5,
  startNote: "t.me/your_bot?start=WORD",
  intro: (start) =>
    el(
      "div",
      {},
      el("h4", {}, "What can this bot do?"),
      el("p", {}, "It answers through the real Telegram connector. Write something, or begin as customers do:"),
      button({ class: "start", onclick: start }, "START"),
    ),
  // What the button of the intro says.
  start: { kind: "text", text: "/start" },
};

export const whatsapp = {
  ...PLAIN,
  channel: "whatsapp",
  title: "WhatsApp",
  subtitle: "Business account",
  actions: ["video", "phone"],
  buttonsInside: true,
  buttonIcon: "reply",
  quotesChoices: true,
  quoteName: "Business",
  unsend: "Delete for everyone",
  optOut: "Stop offers",
  optIn: "Allow offers again",
  optData: "marketing",
  // https://developers.facebook.com/docs/whatsapp/cloud-api/typing-indicators
  typingSeconds: 25,
  number: dashed,
  intro: () => el("div", {}, icon("lock"), el("span", {}, "Messages stay on this machine. They go through the real WhatsApp connector.")),
};

export const messenger = {
  ...PLAIN,
  channel: "messenger",
  title: "Messenger",
  subtitle: "Typically replies instantly",
  actions: ["phone", "video"],
  placeholder: "Aa",
  buttonsInside: true,
  typingBubble: true,
  unsend: "Unsend",
  optOut: "Stop marketing messages",
  optIn: "Marketing messages again",
  optData: "marketing",
  typingSeconds: 20,
  startNote: "m.me/your.page?ref=WORD",
  quoteName: "Page",
  tick: (status) => (status === "read" ? el("i", { class: "face" }) : icon(status === "pending" ? "ring" : "ringed")),
  intro: (start, name) =>
    el(
      "div",
      {},
      el("span", { class: "avatar big", "aria-hidden": "true" }, name.slice(0, 1)),
      el("h4", {}, name),
      el("p", {}, "Shop · through the real Messenger connector"),
      button({ class: "start", onclick: start }, "Get started"),
    ),
  start: { kind: "event", name: "start", data: "" },
};

export const sms = {
  ...PLAIN,
  channel: "sms",
  title: "SMS",
  subtitle: "",
  placeholder: "Text Message",
  sendIcon: "arrow",
  fieldIcon: "",
  optOut: "Opt out, as the provider tells it",
  optIn: "Opt in again",
  number: dashed,
  tick: (status) => el("span", { class: "tick-words" }, { pending: "Sending…", sent: "Sent", delivered: "Delivered", read: "Read", failed: "Not delivered" }[status]),
  intro: () => el("div", {}, "Text Message · SMS", el("br"), "Reply STOP to be left alone, HELP for help."),
};

export const SKINS = { telegram, whatsapp, messenger, sms };
