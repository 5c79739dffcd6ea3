// Slack's mrkdwn as nodes: docs.slack.dev/messaging/formatting-message-text.

import { anchor, el, safeUrl } from "./dom.js";
import { emoji } from "./slack_emoji.js";

// A mark begins after no letter and ends before none, and is none beside a space of no width,
// by which apps show a sign as itself. What is in angle brackets counts as one.
const INSIDE = (mark) => `(?<![\\p{L}\\p{N}\\u200b${mark}])${mark}(?![\\s\\u200b])((?:<[^<>\\n]*>|[^<\\n${mark}])*?)(?<![\\s\\u200b])${mark}(?![\\p{L}\\p{N}\\u200b${mark}])`;
const TOKENS = new RegExp(
  [
    "(?<!\\u200b)`(?!\\u200b)([^`\\n]+)`",
    "<([^<>\\n]+)>",
    INSIDE("\\*"),
    INSIDE("_"),
    INSIDE("~"),
    ":([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):",
    "(https?://[^\\s<>|`]*[^\\s<>|`.,;:!?)\\]*_~'\"])",
  ].join("|"),
  "gu",
);
const ENTITIES = { lt: "<", gt: ">", amp: "&" };
const EVERYBODY = ["here", "channel", "everyone"];

const decoded = (text) => text.replace(/&(lt|gt|amp);/g, (_, name) => ENTITIES[name]);

const shown = (char, name) => el("span", { class: "s-emoji", role: "img", "aria-label": name, title: `:${name}:` }, char);

const DAY_NAMES = new Map([[-1, "yesterday"], [0, "today"], [1, "tomorrow"]]);

function date(told, label) {
  const [, stamp, form] = told.match(/^date\^(\d{1,11})\^([^^]*)/) || [];
  if (!stamp) return label;
  const at = new Date(Number(stamp) * 1000);
  const away = Math.round((new Date(at).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86_400_000);
  const written = at.toLocaleDateString([], { year: "numeric", month: "short", day: "numeric" });
  const day = (form.includes("pretty") && DAY_NAMES.get(away)) || written;
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  return form.replace(/\{(\w+)\}/g, (_, part) => (part.startsWith("time") ? time : part === "ago" ? `${day} ${time}` : day));
}

// What stands in angle brackets: a mention, a date or an address, each with `|` and its words.
function angle(inner, names) {
  const [what, ...rest] = inner.split("|");
  const label = decoded(rest.join("|"));
  const mention = (text, more = "") => el("span", { class: `s-mention ${more}` }, text);
  if (/^@[A-Z0-9]+$/.test(what)) {
    const id = what.slice(1);
    return mention(`@${names.person(id) || label || id}`, id === names.me() ? "me" : "");
  }
  if (/^#[A-Z0-9]+$/.test(what)) return mention(names.channel(what.slice(1)));
  if (what[0] === "!") {
    if (EVERYBODY.includes(what.slice(1))) return mention(`@${what.slice(1)}`, "me");
    if (what.startsWith("!date^")) return date(what.slice(1), label);
    if (what.startsWith("!subteam^")) return mention(label || "@group");
    return null;
  }
  const url = decoded(what);
  if (safeUrl(url)) return anchor(url, {}, label || url);
  if (/^(mailto|tel):[^\s]+$/.test(url)) return el("a", { href: url }, label || url.replace(/^\w+:/, ""));
  return null;
}

const STYLES = ["strong", "em", "s"];

function inline(text, names) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [whole, code, angled, bold, italic, strike, name, url] = match;
    let made = null;
    if (code) made = el("code", {}, decoded(code));
    else if (angled) made = angle(angled, names);
    else if (name) made = emoji(name) ? shown(emoji(name), name) : null;
    else if (url) made = !names.verbatim && safeUrl(decoded(url)) ? anchor(decoded(url), {}, decoded(url)) : null;
    else {
      const n = [bold, italic, strike].findIndex((inside) => inside);
      if (n >= 0) made = el(STYLES[n], {}, inline([bold, italic, strike][n], names));
    }
    if (made === null) continue;
    nodes.push(decoded(text.slice(at, match.index)), made);
    at = match.index + whole.length;
  }
  nodes.push(decoded(text.slice(at)));
  return nodes.filter((node) => node !== "");
}

const QUOTED = /^(?:&gt;|>) ?/;
const QUOTED_ON = /^(?:&gt;|>){3} ?/;

function lines(text, names) {
  const parts = [];
  let quote = null;
  let rest = false;
  for (const line of text.split("\n")) {
    const on = !rest && QUOTED_ON.test(line);
    if (rest || on || QUOTED.test(line)) {
      const words = inline(rest ? line : line.replace(on ? QUOTED_ON : QUOTED, ""), names);
      rest ||= on;
      if (quote) quote.append("\n", ...words);
      else parts.push((quote = el("blockquote", {}, words)));
      continue;
    }
    // A quote is a block already: no line break after it.
    if (parts.length && !quote) parts.push("\n");
    quote = null;
    parts.push(...inline(line, names), ...(line ? [] : [""]));
  }
  return parts;
}

// `names` gives `person(id)`, `channel(id)` and `me()`; `verbatim` leaves bare addresses alone.
export function mrkdwn(text, names) {
  const pieces = String(text ?? "").split(/```\n?([^]*?)\n?```\n?/);
  return pieces.flatMap((piece, n) => {
    if (n % 2) return [el("pre", {}, decoded(piece))];
    const before = n + 1 < pieces.length ? piece.replace(/\n$/, "") : piece;
    return before ? lines(before, names) : [];
  });
}

// Text without marks, in which only emoji are drawn.
export function plain(text) {
  return String(text ?? "")
    .split(/:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):/)
    .map((piece, n) => (n % 2 === 0 ? decoded(piece) : emoji(piece) || `:${piece}:`))
    .join("");
}

// A text object of Block Kit.
export function textObject(object, names) {
  if (!object) return [];
  if (object.type !== "mrkdwn") return [plain(object.text)];
  return mrkdwn(object.text, { ...names, verbatim: Boolean(object.verbatim) });
}

// What was sent, as a person wrote it. The sandbox encodes it again when it is sent.
export function written(text, names) {
  const opened = String(text ?? "").replace(/<([^<>\n]+)>/g, (whole, inner) => {
    const [what, label] = inner.split("|");
    if (what[0] === "@") return `@${names.person(what.slice(1)) || label || what.slice(1)}`;
    if (what[0] === "#") return names.channel(what.slice(1));
    return /^(https?|mailto|tel):/.test(what) ? label || what : whole;
  });
  return decoded(opened);
}
