/*
 * <support-chat>: the customer's side of the web chat, one script without dependencies.
 *
 *   <script src="https://bot.example.com/widget.js" async></script>
 *   <support-chat account="site"></support-chat>
 *
 * or in one tag, whose data- attributes become those of the element:
 *
 *   <script src="https://bot.example.com/widget.js" data-account="site" async></script>
 *
 * Attributes: account; server (the gateway, default: where the script came from); title;
 * lang; open (starts open); inline (fills its container instead of floating).
 * Colours: --support-chat-accent, --support-chat-on-accent.
 *
 * The gateway puts the parts of this directory together inside of one function, with the
 * style before them. Nothing here ever parses HTML: what came over the wire becomes text
 * nodes, and addresses of four harmless schemes.
 */

const ICONS = {
  chat: "M4 5h16v11H10l-5 4v-4H4z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-5 16-3-7z",
  attach: "M12 5v14M5 12h14",
  file: "M7 3h7l5 5v13H7zM14 3v5h5",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  place: "M12 21c-4-5-7-8-7-11a7 7 0 0 1 14 0c0 3-3 6-7 11zM12 8a2 2 0 1 0 .01 0",
  phone: "M6 3h4l1 5-2 1c1 3 3 5 6 6l1-2 5 1v4c0 2-2 3-4 3C10 20 4 14 3 7c0-2 1-4 3-4z",
  person: "M12 12a4 4 0 1 0-.01 0M4 21c0-5 4-7 8-7s8 2 8 7",
  mic: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3M5 11a7 7 0 0 0 14 0M12 18v3",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  outside: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  previous: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  waiting: "M12 3a9 9 0 1 0 .01 0M12 8v4l3 2",
  sent: "M4 13l5 5L20 6",
  seen: "M1 13l5 5L17 7M11 17l1 1L23 7",
  refused: "M12 4v10M12 19h.01",
};

// Times are in milliseconds; the limits are the gateway's.
const TEXT_LIMIT = 4000;
const FILE_BYTES = 10 * 1024 * 1024;
const IMAGE_SIDE = 2048;
const THUMB_SIDE = 320;
const KEPT = 200;
const ACK_TIME = 20000;
const UPLOAD_TIME = 180000;
const TYPING_TIME = 20000;
const EDIT_TIME = 15 * 60000;
const VOICE_TIME = 5 * 60000;
const OFFLINE_NOTICE_AFTER = 2000;
const LONGEST_PAUSE = 30000;
const SILENCE = 60000;
const STABLE = 10000;
const PHONE = /^\+?[0-9][0-9 ()./-]{3,30}[0-9]$/;
const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

const script = document.currentScript;
const HOME = script && script.src ? new URL(script.src).origin : location.origin;

/** Make an element. Strings become text nodes. */
function el(name, props = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function icon(name, label) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon alone, named for those who do not see it. */
function iconButton(className, name, label, type = "button") {
  const made = el("button", { className, type, "aria-label": label }, icon(name));
  made.title = label;
  return made;
}

const PAGES = ["https:", "http:"];
const LINKS = [...PAGES, "mailto:", "tel:"];

/** Return the address when its scheme is one of `schemes`, else null. */
function safe(address, schemes = PAGES) {
  try {
    const url = new URL(String(address || ""));
    return schemes.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Return the address of a picture: also a data URL of a kind that holds no script. */
function safePicture(address) {
  const text = String(address || "");
  return /^data:image\/(png|jpeg|gif|webp);base64,/.test(text) ? text : safe(text);
}

function link(href, ...children) {
  return el("a", { href, target: "_blank", rel: "noopener noreferrer", dir: "auto" }, ...children);
}

/** Return 1234567 as "1.2 MB", in the customer's way of writing numbers. */
function bytes(size, language) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = Math.min(3, Math.floor(Math.log10(Math.max(size, 1)) / 3));
  return new Intl.NumberFormat(language, {
    style: "unit", unit: units[step], unitDisplay: "short", maximumFractionDigits: step > 1 ? 1 : 0,
  }).format(size / 1000 ** step);
}

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID(); // only in secure contexts
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The page the chat is on: without its query, but for what tells where a visitor came from. */
function pageOf() {
  const { origin, pathname, search } = location;
  const kept = [...new URLSearchParams(search)].filter(([name]) =>
    /^(utm_[a-z]+|gclid|msclkid|fbclid)$/.test(name));
  const query = new URLSearchParams(kept).toString();
  return { page: origin + pathname + (query && `?${query}`), page_title: document.title };
}

/** Offer a text as a file; it never leaves the browser for that. */
function save(name, type, text) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  el("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

/** Write a contact as a vCard 3.0 (RFC 2426), the version that every address book reads. */
function vcard({ name, phones = [], emails = [] }) {
  const text = (value) => String(value).replace(/[\\,;]/g, "\\$&").replace(/\r\n?|\n/g, "\\n");
  const lines = ["BEGIN:VCARD", "VERSION:3.0", `N:${text(name)};;;;`, `FN:${text(name)}`];
  for (const phone of phones) lines.push(`TEL:${text(phone)}`);
  for (const email of emails) lines.push(`EMAIL:${text(email)}`);
  return [...lines, "END:VCARD", ""].join("\r\n");
}
