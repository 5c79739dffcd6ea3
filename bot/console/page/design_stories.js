// Stories and rules as pictures that one can follow. The gateway draws them; here they are only
// put in, and only what a picture may hold. The address is #stories?show=intent:greet&about=….

import { look } from "./api.js";
import { button, el, toast } from "./dom.js";

const ELEMENTS = new Set(["svg", "g", "a", "rect", "path", "text", "title"]);
const ATTRIBUTES = new Set(["xmlns", "class", "width", "height", "viewBox", "role", "aria-label", "transform", "x", "y", "rx", "d", "href", "data-box", "data-about", "data-from", "data-to"]);
const SVG = "http://www.w3.org/2000/svg";
const KINDS = { intent: "Intent", response: "Response", action: "Action (code)", form: "Form", slot: "Slot", rule: "Rule", story: "Story", checkpoint: "Checkpoint", topic: "Topic" };
const ZOOMS = [0.35, 0.5, 0.65, 0.8, 1, 1.25, 1.5];

// Where one had scrolled to, by what was shown: going back finds it again.
const kept = new Map();
let zoom = 1;

const fill = (node, ...children) => node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
const address = (show, about = "") => `#stories?${new URLSearchParams({ ...(show && { show }), ...(about && { about }) })}`;

// The picture's elements, nothing but boxes, lines, words and links within this page.
export function drawn(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  for (const part of [parsed, ...parsed.querySelectorAll("*")]) {
    if (part.namespaceURI !== SVG || !ELEMENTS.has(part.localName)) throw new Error("The picture cannot be shown.");
    for (const { name, value } of part.attributes) {
      if (!ATTRIBUTES.has(name) || (name === "href" && !value.startsWith("#stories?"))) throw new Error("The picture cannot be shown.");
    }
  }
  return document.importNode(parsed, true);
}

function faults(data) {
  if (!data.broken.length) return null;
  return el("details", { class: "broken", open: data.broken.length <= 3 },
    el("summary", {}, `${data.broken.length + data.more_broken} faults in the files; what could be read is shown`),
    el("ul", {}, data.broken.map((one) => el("li", {}, el("code", {}, one.at), ` ${one.what}${one.right ? `; ${one.right}` : ""}`))),
    data.more_broken ? el("p", { class: "muted" }, `and ${data.more_broken} more: bot check tells them all`) : null);
}

function searchBox() {
  const list = el("ul", { class: "hits", "aria-label": "Found", hidden: true });
  const input = el("input", { type: "search", placeholder: "Search names, texts and examples", "aria-label": "Search stories and rules", autocomplete: "off" });
  const box = el("div", { class: "search", onkeydown: (event) => { if (event.key === "Escape") list.hidden = true; } }, input, list);
  let asked = 0;
  let timer = 0;
  const find = async () => {
    const turn = (asked += 1);
    const words = input.value.trim();
    if (!words) { list.hidden = true; return; }
    try {
      const { found } = await look("design/stories/search", { q: words.slice(0, 200) });
      if (turn !== asked) return;
      fill(list, found.map((hit) => el("li", {}, el("a", { href: hit.kind === "slot" ? address("", "slot:" + hit.name) : address(`${hit.kind}:${hit.name}`, hit.kind === "topic" ? "" : `${hit.kind}:${hit.name}`) },
        el("span", { class: `kind-${hit.kind} badge` }, KINDS[hit.kind]), el("strong", {}, hit.name), hit.text && el("span", { class: "muted" }, hit.text)))));
      if (!found.length) list.replaceChildren(el("li", { class: "muted none" }, "Nothing has these words."));
      list.hidden = false;
    } catch (error) { toast(error.message, "bad"); }
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, 150); });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    clearTimeout(timer);
    find().then(() => list.querySelector("a")?.focus());
  });
  box.addEventListener("focusout", (event) => { if (event.relatedTarget && !box.contains(event.relatedTarget)) list.hidden = true; });
  return box;
}

const where = (item) => (item.at ? el("code", { class: "at" }, item.at) : null);

function lineOf(item, show) {
  const href = item.show ? address(item.show, item.show) : item.about ? address(show, item.about) : "";
  const text = href ? el("a", { href, data: item.about ? { about: item.about } : {} }, item.text) : el("span", {}, item.text);
  return el("li", {}, text, item.note && el("span", { class: "muted" }, item.note), where(item));
}

// What is told of a thing beside the picture. `inside` opens another without drawing anew.
function panel(show, inside) {
  const node = el("aside", { class: "about", "aria-label": "About", "aria-live": "polite" });
  let asked = 0;
  const hint = () => el("p", { class: "muted" }, "Choose a name in the picture to read what it says, where it stands and what uses it.");
  const clear = () => { asked += 1; node.classList.remove("open"); node.replaceChildren(hint()); };
  const tell = async (about) => {
    const turn = (asked += 1);
    let told;
    try {
      told = await look("design/stories/about", { of: about });
    } catch (error) {
      if (turn === asked) { node.replaceChildren(el("p", { class: "muted" }, error.message)); node.classList.add("open"); }
      return;
    }
    if (turn !== asked) return;
    node.classList.add("open");
    node.scrollTop = 0;
    fill(node,
      el("header", {}, el("span", { class: `kind-${told.kind} badge` }, KINDS[told.kind]), button({ class: "link close", onclick: () => inside("") }, "Close")),
      el("h2", {}, told.name),
      where(told),
      told.known ? null : el("p", { class: "wrong" }, "It is used, but no file defines it."),
      told.show && told.show !== show ? el("a", { class: "primary follow", href: address(told.show, about) }, "Follow: what comes before and after") : null,
      told.sections.map((section) => el("section", {}, el("h3", {}, section.title),
        el("ul", {}, section.items.map((item) => lineOf(item, show)), section.more ? el("li", { class: "muted" }, `and ${section.more} more`) : null))));
  };
  node.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-about]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    inside(link.dataset.about);
  });
  clear();
  return { node, tell, clear };
}

function zooms(svg, stage) {
  const [wide, high] = [Number(svg.getAttribute("width")), Number(svg.getAttribute("height"))];
  const set = (value) => {
    zoom = value;
    svg.setAttribute("width", Math.round(wide * zoom));
    svg.setAttribute("height", Math.round(high * zoom));
  };
  const step = (by) => set(ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, ZOOMS.reduce((best, z, n) => (Math.abs(z - zoom) < Math.abs(ZOOMS[best] - zoom) ? n : best), 0) + by))]);
  set(zoom);
  return el("span", { class: "zooms" },
    button({ class: "plain", "aria-label": "Smaller", onclick: () => step(-1) }, "−"),
    button({ class: "plain", "aria-label": "Larger", onclick: () => step(1) }, "+"),
    button({ class: "plain", onclick: () => set(Math.max(ZOOMS[0], Math.min(1, (stage.clientWidth - 4) / wide, (stage.clientHeight - 4) / high))) }, "Fit"));
}

// The lines of the box that the pointer or the keyboard is at.
function lighting(svg) {
  const light = (event) => {
    const box = event.target.closest?.("[data-box]")?.dataset.box;
    for (const line of svg.querySelectorAll(".line")) line.classList.toggle("lit", box !== undefined && (line.dataset.from === box || line.dataset.to === box));
  };
  svg.addEventListener("pointerover", light);
  svg.addEventListener("pointerleave", light);
  svg.addEventListener("focusin", light);
}

const LEGEND = [["intent", "what customers say"], ["response", "what the bot says"], ["action", "code"], ["form", "form"], ["done", "on a condition, or going back"], ["opens", "buttons"]];

function overview(data) {
  const chips = (names) => names.map((name, n) => [n ? ", " : null, el("a", { href: address(`topic:${name}`) }, name)]);
  return el("table", { class: "topics" },
    el("thead", {}, el("tr", {}, ["Topic", "What it is for", "Leads to", "Comes from"].map((title) => el("th", {}, title)))),
    el("tbody", {}, data.topics.map((topic) => el("tr", {},
      el("td", {}, el("a", { href: address(`topic:${topic.name}`) }, el("strong", {}, topic.name)), el("div", { class: "muted" }, topic.counts)),
      el("td", {}, topic.about, topic.forms.length ? el("div", {}, "Forms: ", topic.forms.map((form, n) => [n ? ", " : null, el("a", { href: address(`form:${form}`) }, form)])) : null),
      el("td", {}, chips(topic.leads)), el("td", {}, chips(topic.comes))))));
}

function toldList(data) {
  if (!data.told) return null;
  return el("details", { class: "told" }, el("summary", {}, `${data.told.length} rules and stories of ${data.name}`),
    el("ul", {}, data.told.map((one) => el("li", {}, el("a", { href: address(`${one.kind}:${one.name}`, `${one.kind}:${one.name}`) }, one.name), el("span", { class: "muted" }, one.kind), where(one)))));
}

export async function show(node, query) {
  const shown = query.get("show") || "";
  const data = await look("design/stories", { show: shown });
  node.className = "stories";
  if (data.missing) {
    fill(node, faults(data), el("p", { class: "empty" }, data.missing));
    return undefined;
  }
  const stage = el("div", { class: "stage", tabindex: 0, role: "region", "aria-label": "Picture" });
  const inside = (about) => {
    history.pushState(null, "", address(shown, about));
    mark(about);
  };
  const side = panel(shown, inside);
  let svg = null;
  const mark = (about) => {
    for (const link of svg ? svg.querySelectorAll("a[data-about]") : []) link.classList.toggle("told", link.dataset.about === about);
    if (about) side.tell(about);
    else side.clear();
  };
  const head = el("div", { class: "bar" }, searchBox(),
    shown ? el("nav", { class: "crumbs", "aria-label": "Where you are" }, el("a", { href: "#stories" }, "All topics"), " › ", el("span", { class: "muted" }, KINDS[data.kind], " "), el("strong", {}, data.name)) : el("span", { class: "crumbs" }, el("strong", {}, "All topics")));
  if (data.svg) {
    svg = drawn(data.svg);
    stage.append(svg);
    head.append(zooms(svg, stage));
    lighting(svg);
    svg.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-about]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      inside(link.dataset.about);
    });
  }
  const legend = el("ul", { class: "legend", "aria-label": "Colours" }, LEGEND.map(([kind, text]) => el("li", { class: `key-${kind}` }, text)));
  fill(node, head, faults(data), data.about && el("p", { class: "muted intro" }, data.about),
    shown ? legend : el("p", { class: "muted intro" }, "A topic is a file. The picture shows which topics lead to others, by a form, a question or a button. Choose one, or search."),
    data.notes.map((text) => el("p", { class: "note" }, text)),
    el("div", { class: shown ? "split" : "split whole" }, svg && stage, side.node), toldList(data), data.topics && overview(data));
  const place = kept.get(shown);
  const focus = svg?.querySelector(".focus");
  if (place) [stage.scrollLeft, stage.scrollTop] = place;
  else if (focus) {
    const [box, outer] = [focus.getBoundingClientRect(), stage.getBoundingClientRect()];
    stage.scrollLeft = box.left - outer.left - (outer.width - box.width) / 2;
    stage.scrollTop = box.top - outer.top - (outer.height - box.height) / 2;
  }
  else if (svg) {
    // To where one begins to read, if that is not in sight already.
    const above = svg.querySelector("[data-box]").getBoundingClientRect().top - stage.getBoundingClientRect().top;
    stage.scrollTop = above > stage.clientHeight / 2 ? above - 40 : 0;
  }
  // Where there is room for both, what was asked for is told at once.
  mark(query.get("about") || (innerWidth > 900 && shown && data.kind !== "topic" ? shown : ""));
  return () => kept.set(shown, [stage.scrollLeft, stage.scrollTop]);
}
