// A message in Slack's window: who, when, what, and what can be done with it.

import { button, el, seeded } from "./dom.js";
import { icon } from "./icons.js";
import { blocks, drawable } from "./slack_blocks.js";
import { having } from "./slack_context.js";
import { emoji, REACTIONS } from "./slack_emoji.js";
import { files } from "./slack_files.js";
import { mrkdwn } from "./slack_text.js";

const COLOURS = ["#e8912d", "#2bac76", "#3f7ee8", "#cd2553", "#7b4fbf", "#0e8a9c", "#a8522d"];
const QUICK = REACTIONS.slice(0, 3);

export const time = (ts) => new Date(Number(ts) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

// The app speaks under its own name, or under a customer's.
const APP = "Frontdesk";

export function face(name, bot, size = "") {
  const letters = name.split(/\s+/).map((word) => Array.from(word)[0] || "").slice(0, 2).join("").toUpperCase();
  const colour = bot && name === APP ? "#4a154b" : COLOURS[Math.floor(seeded(name)() * COLOURS.length)];
  return el("span", { class: `s-face ${size}`, style: `background:${colour}`, "aria-hidden": "true" }, bot && name === APP ? icon("bolt") : letters);
}

// The words of a message; blocks take the place of `text`, as in Slack.
function said(message, ctx) {
  if (message.deleted) return el("p", { class: "s-gone" }, icon("trash"), "This message was deleted.");
  const shown = drawable(message.blocks);
  const parts = shown.length ? blocks(shown, having(ctx, { press: ctx.pressIn(message) })) : message.text ? [el("div", { class: "s-text" }, mrkdwn(message.text, ctx.names))] : [];
  const edited = message.edited ? el("span", { class: "s-edited" }, "(edited)") : null;
  const last = parts.at(-1);
  if (edited && last?.classList.contains("s-text")) last.append(" ", edited);
  else if (edited) parts.push(edited);
  return el("div", { class: "s-body" }, parts, files(message.files));
}

function reactions(message, ctx) {
  if (!message.reactions?.length) return null;
  return el(
    "div",
    { class: "s-reactions" },
    message.reactions.map(({ name, users }) => {
      const mine = users.includes(ctx.me);
      const who = users.map((id) => ctx.names.person(id) || id).join(", ");
      return button(
        { class: "s-reaction", "aria-pressed": String(mine), "aria-label": `${name}, ${users.length}`, title: `${who} reacted with :${name}:`, onclick: () => ctx.react(message, name, mine) },
        el("span", { class: "s-emoji" }, emoji(name) || `:${name}:`),
        el("b", {}, String(users.length)),
      );
    }),
  );
}

function footer(message, ctx) {
  const replies = ctx.replies(message);
  if (!replies.length || !ctx.openThread) return null;
  const names = [...new Map(replies.map((r) => [r.name, r.bot])).entries()].slice(0, 4);
  const count = `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`;
  return el(
    "div",
    { class: "s-thread-line" },
    names.map(([name, bot]) => face(name, bot, "small")),
    button({ class: "s-replies", onclick: () => ctx.openThread(message) }, count),
    ctx.unread(message) ? el("span", { class: "s-new" }, "New") : null,
    el("span", { class: "s-faint" }, `Last reply ${time(replies.at(-1).ts)}`),
  );
}

function tools(message, ctx) {
  if (message.deleted || message.ephemeral_for) return null;
  const react = (name) => button({ class: "s-tool", title: `:${name}:`, "aria-label": `React with ${name}`, onclick: () => ctx.react(message, name, false) }, el("span", { class: "s-emoji" }, emoji(name)));
  const tool = (label, sign, onclick) => button({ class: "s-tool", title: label, "aria-label": label, onclick }, icon(sign));
  const more = el("div", { class: "s-palette", hidden: true }, REACTIONS.slice(3).map(react));
  const own = message.user === ctx.me && !message.bot;
  const shortcuts = ctx.shortcuts.map((s) => tool(s.name, "bolt", () => ctx.shortcut(s, message)));
  const made = el(
    "div",
    { class: "s-tools", role: "toolbar", "aria-label": "Message actions" },
    QUICK.map(react),
    tool("Add a reaction", "emoji", () => (more.hidden = !more.hidden)),
    ctx.openThread ? tool("Open the thread", "reply", () => ctx.openThread(message)) : null,
    shortcuts,
    own ? tool("Edit message", "pencil", () => ctx.edit(message)) : null,
    own ? tool("Delete message", "trash", () => ctx.remove(message)) : null,
    more,
  );
  return made;
}

function editor(message, ctx) {
  const field = el("textarea", { class: "s-field", "aria-label": "Edit the message", rows: 2 });
  field.value = ctx.written(message.text);
  const save = () => ctx.save(message, field.value);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      save();
    } else if (event.key === "Escape") ctx.edit(null);
  });
  return el("div", { class: "s-editor" }, field, el("div", { class: "s-actions" }, button({ class: "s-button", onclick: () => ctx.edit(null) }, "Cancel"), button({ class: "s-button primary", onclick: save }, "Save")));
}

// What is said above a message, of who sees it and where else it stands.
function notes(message, ctx) {
  const sent = (icon_, ...words) => el("p", { class: "s-note" }, icon(icon_), el("span", {}, words));
  if (message.ephemeral_for) return sent("lock", "Only visible to you");
  if (!message.broadcast) return null;
  if (!ctx.openThread) return sent("arrow", "Also sent to the channel");
  const root = ctx.root(message);
  return sent("reply", "replied to a thread: ", root ? button({ class: "s-link", onclick: () => ctx.openThread(root) }, ctx.short(root)) : "a message that is gone");
}

// `ctx`: names, me, the deeds, and `openThread` only where the message stands in its channel.
export function article(message, ctx) {
  const name = message.name || ctx.names.person(message.user) || message.user;
  const at = time(message.ts);
  const editing = ctx.editing(message);
  return el(
    "article",
    {
      class: `s-message ${message.ephemeral_for ? "ephemeral" : ""}`,
      "aria-label": `${name}, ${at}`,
      data: { ts: message.ts, thread: message.thread_ts || message.ts, user: message.user },
    },
    notes(message, ctx),
    el("div", { class: "s-side" }, face(name, message.bot), el("time", { "aria-hidden": "true" }, at)),
    el(
      "div",
      { class: "s-content" },
      el("div", { class: "s-who" }, el("b", {}, name), message.bot ? el("span", { class: "s-app" }, "APP") : null, el("time", {}, at)),
      editing ? editor(message, ctx) : said(message, ctx),
      reactions(message, ctx),
      footer(message, ctx),
    ),
    editing ? null : tools(message, ctx),
  );
}
