// The catalogue, and a cart filled from it.

import { button, el } from "./dom.js";
import { icon } from "./icons.js";

const goods = new Map();
let id = "";

export function stock(given, catalogue) {
  for (const one of given) goods.set(one.id, one);
  id = catalogue;
}

export const catalog = () => id;

export const all = () => [...goods.values()];

// A product by its id; one the shop does not have is called by its id.
export const good = (product) => goods.get(product) || { id: product, title: product, price: "", currency: "" };

export const money = (one) => (one.price ? `${one.price} ${one.currency}` : "");

// The rows of a shop's sheet; `order` is called with the lines of a filled cart, where the
// channel can send one.
export function shelves(ids, order, sells) {
  const cart = new Map();
  const send = button({ class: "primary", disabled: true, onclick: () => order(lines()) }, "Place order");
  const lines = () =>
    [...cart].filter(([, n]) => n).map(([product, quantity]) => {
      const { price, currency } = good(product);
      return { product, quantity, price, currency };
    });
  const rows = ids.map(good).map((one) => {
    const count = el("output", { "aria-label": `${one.title} in the cart` }, "0");
    const add = (change) => {
      const next = Math.min(99, Math.max(0, (cart.get(one.id) || 0) + change));
      cart.set(one.id, next);
      count.textContent = next;
      send.disabled = !lines().length;
    };
    const about = el("span", {}, one.title, el("small", {}, money(one)));
    if (!sells) return el("div", { class: "shelf" }, about);
    return el(
      "div",
      { class: "shelf" },
      about,
      button({ class: "step", "aria-label": `One ${one.title} less`, onclick: () => add(-1) }, "−"),
      count,
      button({ class: "step", "aria-label": `One ${one.title} more`, onclick: () => add(1) }, icon("plus")),
    );
  });
  return sells ? [...rows, el("div", { class: "sheet-end" }, send)] : rows;
}
