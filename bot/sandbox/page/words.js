// Text with light formatting: styles by code point, and addresses that can be opened.

import { anchor, el, safeUrl } from "./dom.js";

const URLS = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;
const TAGS = { bold: "strong", italic: "em", strike: "s", code: "code" };

function linked(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(URLS)) {
    const url = safeUrl(match[0]);
    if (!url) continue;
    parts.push(text.slice(at, match.index), anchor(url, {}, match[0]));
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts.filter(Boolean);
}

function link(mark, inner) {
  const url = safeUrl(mark.url);
  if (url) return anchor(url, {}, inner);
  return /^(mailto|tel):/.test(mark.url) ? el("a", { href: mark.url }, inner) : inner;
}

// `marks` as in the ledger's `styled`: outer before inner, offsets in code points.
function marked(text, marks) {
  const points = Array.from(text);
  const cuts = [...new Set([0, points.length, ...marks.flatMap((m) => [m.start, m.end])])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, n) => {
    const start = cuts[n];
    const inside = marks.filter((m) => m.start <= start && m.end >= end);
    const words = points.slice(start, end).join("");
    const plain = inside.some((m) => ["link", "code", "pre"].includes(m.style));
    let made = plain ? [words] : linked(words);
    for (const mark of inside.reverse()) {
      if (mark.style === "link") made = [link(mark, made)].flat();
      else if (mark.style === "pre") made = [el("code", { class: "pre" }, made)];
      else if (TAGS[mark.style]) made = [el(TAGS[mark.style], {}, made)];
    }
    return made;
  });
}

// The text of an entry's content at `path`, as the channel's app would show it.
export function words(entry, path, text) {
  const styled = entry.styled?.[path];
  return styled ? marked(styled.words, styled.marks) : linked(text);
}

const EMOJI = /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D\p{Extended_Pictographic}|\p{Emoji_Modifier})*){1,3}$/u;

export const onlyEmoji = (text) => EMOJI.test(text);

// A line for a quote or a screen reader: what an entry is in a few words.
export function summary(entry) {
  const { content } = entry;
  const kinds = {
    image: "Photo", audio: "Audio", voice: "Voice message", video: "Video",
    document: content.filename || "Document", sticker: "Sticker",
    location: content.name || "Location", contact: content.name || "Contact",
    cards: content.cards?.[0]?.title || "Card", order: "Order", products: content.header || "Products",
    album: "Album",
  };
  return entry.text || kinds[content.type] || kinds[content.kind] || "Message";
}
