// The designers' pages: a tab a page, each a module of its own that is loaded when it is opened.
// The address is #page?name=value, so that a page can be linked to.

import { LoggedOut, look } from "./api.js";
import { el, toast } from "./dom.js";

// name, title, module; a module exports `async show(node, query, go)`: it fills the node by the
// query (URLSearchParams), `go(page, values)` opens another page. What it returns, if a function,
// is called when the page is left.
const TABS = [
  ["learn", "Learn", "./design_learn.js"],
  ["stories", "Stories and rules", "./design_stories.js"],
  ["matrix", "Confusions", "./design_matrix.js"],
  ["coverage", "Coverage", "./design_coverage.js"],
  ["why", "Conversation", "./design_why.js"],
];

const root = document.getElementById("app");
const nav = el("nav", { class: "tabs", "aria-label": "Designers" });
const page = el("main", { class: "design" });
let leave = null;
let opened = 0;

function go(name, values = {}) {
  const query = new URLSearchParams(values).toString();
  location.hash = query ? `${name}?${query}` : name;
}

async function open() {
  const [name, query] = location.hash.slice(1).split(/\?(.*)/s);
  const tab = TABS.find(([known]) => known === name) || TABS[0];
  const turn = (opened += 1);
  if (typeof leave === "function") leave();
  leave = null;
  nav.replaceChildren(...TABS.map(([known, title]) => el("a", { href: `#${known}`, "aria-current": known === tab[0] ? "page" : null }, title)));
  nav.querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "nearest" });
  document.title = `Frontdesk · ${tab[1]}`;
  const node = el("div", {}, el("p", { class: "empty" }, "Loading …"));
  page.replaceChildren(node);
  page.scrollTop = 0;
  try {
    const module = await import(tab[2]);
    if (turn !== opened) return;
    const left = await module.show(node, new URLSearchParams(query || ""), go);
    if (turn === opened) leave = left;
    else if (typeof left === "function") left();
  } catch (error) {
    if (error instanceof LoggedOut) location.assign("/console");
    else if (turn === opened) {
      node.replaceChildren(el("p", { class: "empty" }, error.message));
      toast(error.message, "bad");
    }
  }
}

async function begin() {
  let me;
  try {
    me = await look("me");
  } catch (error) {
    if (error instanceof LoggedOut) location.assign("/console");
    else root.replaceChildren(el("p", { class: "empty" }, error.message));
    return;
  }
  root.replaceChildren(
    el("header", { class: "top" },
      el("img", { src: "/console/page/icon.svg", alt: "", width: 24, height: 24 }), el("strong", {}, "Frontdesk"), nav,
      el("span", { class: "grow" }), el("a", { href: "/console" }, "Desk"), el("span", { class: "me" }, me.name)),
    page);
  addEventListener("hashchange", open);
  open();
}

begin();
