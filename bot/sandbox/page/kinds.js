// How each kind of content looks inside a bubble.

import { anchor, button, el, safeUrl, seeded } from "./dom.js";
import { drawing, icon } from "./icons.js";
import { audio, file, picture, video, voice } from "./players.js";
import { good, money } from "./shop.js";
import { onlyEmoji, words } from "./words.js";

const text = (entry, path, value) => (value ? el("p", { class: "text" }, words(entry, path, value)) : null);

// -- places ---------------------------------------------------------------------------

// Something like a map, drawn here: nobody outside is asked where the customer is.
function map(place) {
  const next = seeded(`${place.latitude.toFixed(3)} ${place.longitude.toFixed(3)}`);
  const shapes = [["rect", { width: 240, height: 120, fill: "#eef0ea" }]];
  for (let n = 0; n < 3; n++) {
    shapes.push(["rect", { x: next() * 190, y: next() * 90, width: 30 + next() * 50, height: 20 + next() * 30, rx: 4, fill: "#cfe6c3" }]);
  }
  const bank = 20 + next() * 60;
  shapes.push(["path", { d: `M-5 ${bank} C 60 ${bank - 30}, 110 ${bank + 50}, 245 ${bank + 10 * next()} l0 14 C 110 ${bank + 66}, 60 ${bank - 14}, -5 ${bank + 14}z`, fill: "#a9d3f0" }]);
  const road = (d, width) => {
    shapes.push(["path", { d, stroke: "#d8d5cb", "stroke-width": width + 1.6, fill: "none" }]);
    shapes.push(["path", { d, stroke: "#fff", "stroke-width": width, fill: "none" }]);
  };
  for (let n = 0; n < 4; n++) road(`M${30 + n * 52 + next() * 24} -4 L${10 + n * 56 + next() * 40} 124`, 3.5);
  for (let n = 0; n < 3; n++) road(`M-4 ${22 + n * 36 + next() * 12} L244 ${14 + n * 36 + next() * 26}`, 3.5);
  road(`M-4 ${80 + next() * 30} Q 120 ${20 + next() * 60} 244 ${60 + next() * 30}`, 6);
  shapes.push(["ellipse", { cx: 120, cy: 66, rx: 8, ry: 3, fill: "#0003" }]);
  shapes.push(["path", { d: "M120 66s14-14 14-26a14 14 0 1 0-28 0c0 12 14 26 14 26z", fill: "#e0413a", stroke: "#fff", "stroke-width": 1.5 }]);
  shapes.push(["circle", { cx: 120, cy: 40, r: 5, fill: "#fff" }]);
  return drawing("0 0 240 120", shapes, "Map");
}

function location(entry, content) {
  const at = `${content.latitude.toFixed(4)}, ${content.longitude.toFixed(4)}`;
  const url = `https://www.openstreetmap.org/?mlat=${content.latitude}&mlon=${content.longitude}`;
  const name = content.name || "Location";
  return anchor(
    url,
    { class: "place" },
    map(content),
    el("span", { class: "place-words" }, el("b", {}, name), el("small", {}, content.address || at)),
  );
}

// -- people ---------------------------------------------------------------------------

function contact(entry, content) {
  const lines = [...(content.phones || []), ...(content.emails || [])];
  return el(
    "div",
    { class: "person" },
    el("span", { class: "portrait", "aria-hidden": "true" }, (content.name || "?").slice(0, 1)),
    el("span", { class: "person-words" }, el("b", {}, content.name || "Contact"), ...lines.map((line) => el("small", {}, line))),
  );
}

// -- buttons in cards ----------------------------------------------------------------

function option(entry, phone, choice) {
  if (choice.url) {
    const url = safeUrl(choice.url);
    return url ? anchor(url, { class: "choice" }, choice.title, icon("link")) : el("span", { class: "choice" }, choice.title);
  }
  return button(
    { class: "choice", data: { payload: choice.payload }, onclick: () => phone.choose(entry, choice) },
    choice.title,
  );
}

function card(entry, phone, given, n) {
  const image = given.image ? picture(given.image, `Picture: ${given.title}`) : null;
  const url = safeUrl(given.url);
  const title = el("b", { class: "card-title" }, words(entry, `cards.${n}.title`, given.title));
  return el(
    "article",
    { class: "card" },
    image,
    el("div", { class: "card-words" }, url ? anchor(url, {}, title) : title, text(entry, `cards.${n}.text`, given.text)),
    given.options?.length ? el("div", { class: "card-buttons" }, given.options.map((o) => option(entry, phone, o))) : null,
  );
}

function cards(entry, content, phone) {
  const all = content.cards.map((c, n) => card(entry, phone, c, n));
  if (all.length === 1) return all[0];
  const rail = el("div", { class: "rail", tabindex: "0", role: "group", "aria-label": `${all.length} cards` }, all);
  const step = (way) => rail.scrollBy({ left: way * (all[0].offsetWidth + 8), behavior: "smooth" });
  const arrow = (way, name, label) => button({ class: `rail-arrow ${name}`, "aria-label": label, onclick: () => step(way) }, icon(name));
  return el("div", { class: "carousel" }, rail, arrow(-1, "back", "Earlier cards"), arrow(1, "next", "Later cards"));
}

// -- the shop -------------------------------------------------------------------------

function thumbnail(id) {
  const next = seeded(id);
  const hue = Math.round(next() * 360);
  const shapes = [
    ["rect", { width: 60, height: 60, fill: `hsl(${hue} 42% 88%)` }],
    ["circle", { cx: 30, cy: 28, r: 10 + next() * 8, fill: `hsl(${hue} 45% 58%)` }],
    ["rect", { x: 14 + next() * 8, y: 38, width: 22 + next() * 14, height: 12, rx: 3, fill: `hsl(${hue} 40% 42%)` }],
  ];
  return el("span", { class: "thumbnail" }, drawing("0 0 60 60", shapes));
}

function products(entry, content, phone) {
  const items = content.items || [];
  const open = button({ class: "choice wide", "aria-haspopup": "dialog", onclick: () => phone.openShop(items, content) }, items.length === 1 ? "View" : items.length ? "View items" : "View catalogue");
  if (items.length === 1) {
    const one = good(items[0]);
    return [el("div", { class: "goods single" }, thumbnail(one.id), el("b", {}, one.title), el("small", {}, money(one))), text(entry, "text", content.text), open];
  }
  const header = el("div", { class: "goods" }, thumbnail(items[0] || content.catalog || "shop"), el("span", {}, el("b", {}, content.header || "Catalogue"), el("small", {}, items.length ? `${items.length} items` : "All our products")));
  return [header, text(entry, "text", content.text), open];
}

function order(entry, content) {
  const count = content.items.reduce((sum, item) => sum + item.quantity, 0);
  const total = content.items.reduce((sum, item) => sum + item.quantity * Number(item.price || 0), 0);
  const currency = content.items[0]?.currency;
  const lines = content.items.map((item) => el("li", {}, `${item.quantity} × ${good(item.product).title}`));
  return [
    el("div", { class: "goods" }, thumbnail(content.items[0]?.product || ""), el("span", {}, el("b", {}, `${count} ${count === 1 ? "item" : "items"}`), total ? el("small", {}, `${total.toFixed(2)} ${currency} (estimated)`) : null)),
    el("ul", { class: "order-lines" }, lines),
    text(entry, "note", content.note),
  ];
}

// -- the rest -------------------------------------------------------------------------

function media(entry, content) {
  const alt = content.caption ? `Picture: ${content.caption}` : "Picture";
  const makers = {
    image: () => picture(content.url, alt),
    sticker: () => el("div", { class: "sticker" }, picture(content.url, "Sticker")),
    voice: () => voice(content, entry.id),
    audio: () => audio(content),
    video: () => video(content),
    document: () => file(content),
  };
  return [(makers[content.type] || makers.document)(), text(entry, "caption", content.caption)];
}

function album(entry, content) {
  const seen = content.items.filter((item) => ["image", "video"].includes(item.type));
  const tiles = seen.map((item) => (item.type === "image" ? picture(item.url, "Picture") : video(item)));
  const rest = content.items.filter((item) => !seen.includes(item)).map((item) => media({ ...entry, styled: {} }, { ...item, caption: "" }));
  const captions = content.items.map((item) => item.caption).filter(Boolean).join("\n");
  return [tiles.length ? el("div", { class: `mosaic of-${Math.min(4, tiles.length)}` }, tiles) : null, rest, text(entry, "caption", captions)];
}

function template(entry, content) {
  return [content.header ? picture(content.header, "Picture of the message") : null, text(entry, "text", content.text || content.name)];
}

function ask(entry, content, phone) {
  const share = content.wanted === "location" ? () => phone.deeds.location() : () => phone.deeds.number();
  const covered = entry.buttons.length || entry.keyboard?.length;
  const label = content.wanted === "location" ? "Send location" : "Share my number";
  const sign = icon(content.wanted === "location" ? "pin" : "phone");
  return [
    text(entry, "text", content.text),
    covered ? null : button({ class: "choice wide", onclick: share }, sign, label),
  ];
}

const words_of = (entry, content) => text(entry, "text", content.text);

const MAKERS = {
  text: (entry, content) => {
    const made = words_of(entry, content);
    if (made && onlyEmoji(content.text)) made.classList.add("jumbo");
    return made;
  },
  choices: words_of,
  menu: words_of,
  choice: (entry, content) => text(entry, "title", content.title || content.payload),
  unsupported: (entry, content) => el("p", { class: "text gone" }, `A message of a kind this phone does not show (${content.type})`),
  media, album, location, contact, cards, products, order, template, ask,
};

// The parts of a bubble.
export function inside(entry, phone) {
  const { content } = entry;
  const maker = MAKERS[content.kind];
  return [maker ? maker(entry, content, phone) : words_of(entry, { text: entry.text || content.kind })].flat(2).filter(Boolean);
}

// What fills its bubble to the edge.
export function pictured(entry) {
  const { content } = entry;
  if (content.kind === "media") return ["image", "video"].includes(content.type);
  return content.kind === "album" || content.kind === "location" || (content.kind === "template" && Boolean(content.header));
}

// What has no bubble around it.
export function bare(entry) {
  const { content } = entry;
  return (content.kind === "media" && content.type === "sticker") || (content.kind === "text" && onlyEmoji(content.text)) || (content.kind === "cards" && content.cards.length > 1);
}
