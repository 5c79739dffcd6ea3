// Building the page. Content is only ever put in as text nodes, never parsed as HTML.

export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "class") made.className = value;
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  return made;
}

export const button = (props, ...children) => el("button", { type: "button", ...props }, ...children);

// Only addresses that a browser opens without running anything.
export function safeUrl(url) {
  if (!url) return "";
  try {
    const full = new URL(url, location.origin);
    return ["http:", "https:"].includes(full.protocol) ? full.href : "";
  } catch {
    return "";
  }
}

// What is served here can be shown; the page's policy lets nothing else in.
export const isOwn = (url) => Boolean(url) && url.startsWith(`${location.origin}/`);

export function anchor(url, ...children) {
  const href = safeUrl(url);
  return href ? el("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children) : el("span", {}, ...children);
}

export function toast(text, kind = "info") {
  const made = el("div", { class: `toast ${kind}` }, text);
  document.getElementById("toasts").append(made);
  setTimeout(() => made.remove(), kind === "bad" ? 9000 : 4500);
}

// Opens a dialog and returns what its form was sent with, null when it was left.
export function ask({ title, text = "", fields = [], ok = "OK", danger = false, wide = false }) {
  return new Promise((resolve) => {
    let answer = null;
    const cancel = button({ class: "plain", onclick: () => box.close() }, "Cancel");
    const sure = ok && el("button", { type: "submit", class: danger ? "danger" : "primary" }, ok);
    const form = el("form", { method: "dialog", onsubmit: (event) => {
      event.preventDefault();
      answer = Object.fromEntries(fields.filter((f) => f.name).map((f) => [f.name, f.read()]));
      box.close();
    } },
    el("h2", {}, title), text && el("p", { class: "muted" }, text), fields.map((f) => f.node),
    el("div", { class: "row end" }, cancel, sure));
    const box = el("dialog", { class: wide ? "wide" : "", "aria-label": title }, form);
    box.addEventListener("close", () => { box.remove(); resolve(answer); });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && sure) { event.preventDefault(); form.requestSubmit(sure); }
    });
    for (const field of fields) field.close = (value) => { answer = value; box.close(); };
    document.body.append(box);
    box.showModal();
    (form.querySelector("textarea, select, input:not([type=checkbox])") || sure || cancel).focus();
  });
}

export function area(name, label, value = "", hint = "") {
  const input = el("textarea", { rows: 4, "aria-label": label, placeholder: hint, value });
  return { name, read: () => input.value, node: el("label", {}, el("span", {}, label), input) };
}

export function line(name, label, value = "", props = {}) {
  const input = el("input", { type: "text", "aria-label": label, value, ...props });
  return { name, read: () => input.value.trim(), node: el("label", {}, el("span", {}, label), input) };
}

export function check(name, label, on) {
  const input = el("input", { type: "checkbox", checked: on });
  return { name, read: () => input.checked, node: el("label", { class: "check" }, input, label) };
}

export function choose(name, label, options) {
  const input = el("select", { "aria-label": label }, options.map(([value, text]) => el("option", { value }, text)));
  return { name, read: () => input.value, node: el("label", {}, el("span", {}, label), input) };
}
