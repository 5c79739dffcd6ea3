// One message as a row of the conversation: its bubble, its buttons, its marks.

import { anchor, button, clock, el, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { bare, inside, pictured } from "./kinds.js";
import { summary } from "./words.js";

const STATES = { pending: "sent", sent: "sent", delivered: "delivered", read: "read", failed: "not delivered" };
const HAPPENED = {
  start: ({ data }) => `You opened the chat${data ? ` by the link “${data}”` : ""}`,
  referral: ({ data }) => `You came by “${data}”`,
  blocked: () => "You blocked this account",
  unblocked: () => "You unblocked this account",
  opt_out: ({ data }) => (data ? `You stopped ${data} messages` : "You stopped messages"),
  opt_in: ({ data }) => (data ? `You allowed ${data} messages again` : "You allowed messages again"),
  moved: ({ data }) => `You changed your number to ${data}`,
};
const REACTIONS = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

// -- what is under and around a bubble -------------------------------------------------

function ticks(entry, skin) {
  const made = el("span", { class: `ticks ${entry.status}`, role: "img", "aria-label": STATES[entry.status] });
  made.append(...[skin.tick(entry.status)].flat());
  return made;
}

function meta(entry, skin) {
  const parts = [entry.edited ? "edited " : "", el("time", { datetime: entry.at }, clock(entry.at))];
  if (entry.direction === "in") parts.push(ticks(entry, skin));
  return el("span", { class: "meta" }, parts);
}

function failure(entry) {
  if (entry.status !== "failed") return null;
  const code = entry.code ? ` (${entry.code})` : "";
  return el("p", { class: "failure" }, icon("warn"), `Not delivered${entry.reason ? `: ${entry.reason}` : ""}${code}`);
}

function reactions(entry) {
  const found = Object.entries(entry.reactions || {});
  if (!found.length) return null;
  const who = { in: "Yours", out: "The bot’s" };
  return el("span", { class: "reactions" }, found.map(([side, emoji]) => el("span", { class: "reaction", role: "img", "aria-label": `Reaction ${emoji}. ${who[side] || side}` }, emoji)));
}

// -- buttons --------------------------------------------------------------------------

// What a button that asks for something makes the customer do.
const asked = ({ ask }) => (ask === "location" ? "location" : "number");

function pressable(entry, given, phone) {
  const { skin } = phone;
  if (given.url) {
    const url = safeUrl(given.url);
    if (!url) return el("span", { class: "choice" }, given.title);
    return anchor(url, { class: "choice" }, skin.buttonIcon ? icon("link") : null, given.title, skin.buttonIcon ? null : icon("link"));
  }
  if (given.ask) {
    return button({ class: "choice", onclick: () => phone.deeds[asked(given)]() }, icon(given.ask === "location" ? "pin" : "phone"), given.title);
  }
  const press = button(
    {
      class: "choice",
      data: { payload: given.payload },
      onclick: () => {
        press.classList.add("waiting");
        phone.choose(entry, given);
      },
    },
    given.image ? el("img", { src: safeUrl(given.image), alt: "", class: "chip-image" }) : skin.buttonIcon ? icon(skin.buttonIcon) : null,
    given.title,
  );
  const state = phone.presses.get(`${entry.id} ${given.payload}`);
  if (state) press.classList.add(state);
  return press;
}

const inRow = (b) => !b.quick && (b.payload !== undefined || b.url || (b.ask && b.text === undefined));

function buttons(entry, phone) {
  const rows = entry.buttons.map((row) => row.filter(inRow)).filter((row) => row.length);
  if (!rows.length) return null;
  return el("div", { class: "buttons" }, rows.map((row) => el("div", { class: "button-row" }, row.map((b) => pressable(entry, b, phone)))));
}

function menuButton(entry, phone) {
  if (!entry.menu) return null;
  const open = () => phone.openList(entry);
  return el("div", { class: "buttons" }, el("div", { class: "button-row" }, button({ class: "choice", "aria-haspopup": "dialog", onclick: open }, icon("list"), entry.menu.label)));
}

// What stands above the composer, or in the keyboard's place, while this is the newest.
export function chips(entry, phone) {
  const rows = (entry.buttons || []).flat().filter((b) => b.quick);
  return rows.map((b) => pressable(entry, b, phone));
}

export function keys(entry, phone) {
  const rows = entry.keyboard ?? entry.buttons.map((row) => row.filter((b) => b.text !== undefined)).filter((row) => row.length);
  if (!entry.keyboard && !rows.length) return null;
  return rows.map((row) =>
    el("div", { class: "button-row" }, row.map((b) => {
      if (b.ask) return button({ onclick: () => phone.deeds[asked(b)]() }, b.title);
      return button({ onclick: () => phone.type(b.text ?? b.title) }, b.title);
    })));
}

// -- the menu of a bubble --------------------------------------------------------------

function closeMenu(phone) {
  const { made, trigger } = phone.menu || {};
  phone.menu = undefined;
  trigger?.setAttribute("aria-expanded", "false");
  made?.remove();
}

function openMenu(entry, phone, row, trigger) {
  closeMenu(phone);
  const { can } = phone;
  const own = entry.direction === "in";
  const done = (deed) => () => {
    closeMenu(phone);
    deed();
  };
  const item = (name, words, deed) => button({ role: "menuitem", onclick: done(deed) }, icon(name), words);
  const mine = entry.reactions?.in;
  const emojis = REACTIONS.map((emoji) =>
    button({ role: "menuitem", class: "emoji", "aria-label": mine === emoji ? `Take ${emoji} off` : `React with ${emoji}`, "aria-pressed": String(mine === emoji), onclick: done(() => phone.react(entry, emoji)) }, emoji));
  const made = el(
    "div",
    { class: "popover", role: "menu", "aria-label": "What to do with the message" },
    can.has("reaction") ? el("div", { class: "emojis" }, emojis) : null,
    can.has("reply") ? item("reply", "Reply", () => phone.composer.quote(entry)) : null,
    own && can.has("edit") && entry.content.kind === "text" ? item("pencil", "Edit", () => phone.composer.change(entry)) : null,
    own && can.has("deletion") ? item("trash", phone.skin.unsend || "Delete", () => phone.say({ content: { kind: "deletion", of: entry.id } })) : null,
  );
  made.addEventListener("keydown", (event) => {
    const stops = [...made.querySelectorAll("button")];
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step) {
      event.preventDefault();
      stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      closeMenu(phone);
      trigger.focus();
    }
  });
  made.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !made.contains(event.relatedTarget)) closeMenu(phone);
  });
  row.append(made);
  phone.menu = { made, trigger };
  trigger.setAttribute("aria-expanded", "true");
  made.scrollIntoView({ block: "nearest" });
  made.querySelector("button").focus({ preventScroll: true });
}

function menu(entry, phone, row) {
  const { can } = phone;
  const own = entry.direction === "in" && (can.has("edit") || can.has("deletion"));
  if (entry.deleted || !(can.has("reaction") || can.has("reply") || own)) return null;
  const trigger = button(
    { class: "handle", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": `Message menu: ${summary(entry).slice(0, 40)}`, onclick: () => {
      if (trigger.getAttribute("aria-expanded") === "true") closeMenu(phone);
      // As it is now: a row outlives what is said of its message.
      else openMenu(phone.entries.get(entry.id), phone, row, trigger);
    } },
    icon("dots"),
  );
  return el("div", { class: "handles" }, trigger);
}

// -- the row --------------------------------------------------------------------------

function quote(entry, phone) {
  const quoted = entry.quote && phone.entries.get(entry.quote);
  if (!quoted || (entry.content.kind === "choice" && !phone.skin.quotesChoices)) return null;
  const name = quoted.direction === "out" ? quoted.agent || phone.skin.quoteName : "You";
  return el("blockquote", { class: "quote" }, el("b", {}, name), summary(quoted));
}

function referral(entry) {
  const came = entry.referral;
  if (!came) return null;
  const words = came.title || came.ref || came.url || came.source;
  const name = { ad: "Advertisement", link: "Link", post: "Post" }[came.source.toLowerCase()] || came.source;
  return el("div", { class: "came" }, icon("ad"), el("span", {}, el("b", {}, name), words));
}

// Everything of a row that makes it a new drawing; the rest is only updated.
export function looks(entry, phone) {
  const presses = entry.buttons.flat().map((b) => phone.presses.get(`${entry.id} ${b.payload}`));
  const { content, styled, buttons, menu, header, footer, quote, agent, deleted, edited, referral } = entry;
  return JSON.stringify([content, styled, buttons, menu, header, footer, quote, agent, deleted, edited, referral, presses]);
}

// Bring a row's marks up to date without touching what may be playing in it.
export function refresh(row, entry, phone) {
  row.dataset.status = entry.status;
  row.classList.toggle("failed", entry.status === "failed");
  row.querySelector(".meta")?.replaceWith(meta(entry, phone.skin));
  for (const old of row.querySelectorAll(":scope > .reactions, :scope > .failure")) old.remove();
  row.append(...[reactions(entry), failure(entry)].filter(Boolean));
}

export function drawRow(entry, phone) {
  const { skin } = phone;
  const out = entry.direction === "out";
  if (entry.silent) {
    const words = (HAPPENED[entry.content.name] || (() => entry.text || entry.content.kind))(entry.content);
    return el("div", { class: "line-between", data: { id: entry.id, direction: entry.direction, status: entry.status } }, el("span", {}, words));
  }
  const gone = el("p", { class: "text gone" }, icon("ban"), out ? "This message was deleted" : "You deleted this message");
  const body = entry.deleted
    ? [gone]
    : [
        quote(entry, phone),
        referral(entry),
        entry.header && entry.content.kind !== "products" ? el("p", { class: "head" }, entry.header) : null,
        inside(entry, phone),
        entry.footer ? el("p", { class: "foot" }, entry.footer) : null,
      ];
  const bubble = el("div", { class: "bubble" }, body, meta(entry, skin));
  const shown = !entry.deleted;
  bubble.classList.toggle("pictured", shown && pictured(entry));
  bubble.classList.toggle("bare", shown && bare(entry) && !entry.quote);
  bubble.classList.toggle("carded", shown && entry.content.kind === "cards" && entry.content.cards.length === 1);
  const row = el("div", { class: `row ${out ? "theirs" : "own"} kind-${entry.content.kind}`, data: { id: entry.id, direction: entry.direction } });
  if (entry.agent) row.append(el("span", { class: "agent" }, entry.agent));
  row.append(el("span", { class: "aside" }, out ? `${entry.agent || "Bot"}: ` : "You: "), bubble);
  if (out && !entry.deleted) {
    for (const below of [buttons(entry, phone), menuButton(entry, phone)]) {
      if (below) (skin.buttonsInside ? bubble : row).append(below);
    }
  }
  const handle = menu(entry, phone, row);
  if (handle) row.append(handle);
  refresh(row, entry, phone);
  return row;
}
