// Block Kit as nodes: docs.slack.dev/reference/block-kit.
//
// `ctx` is where the blocks stand: `names` for mentions, `press(element, block, value)` which
// sends what was pressed, `ask(confirm)` which resolves to whether it is meant, `agents`, and in
// a modal `fields`, into which each input puts its reader.

import { anchor, button, el, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { checks, radios, textInput } from "./slack_inputs.js";
import { mrkdwn, plain, textObject } from "./slack_text.js";

const FILES = "/control/slack/files/";

export const fileUrl = (id) => FILES + encodeURIComponent(id);

const pictureUrl = (url) => (url?.startsWith(FILES) ? url : safeUrl(url));

function picture(element, className) {
  const url = element.slack_file?.id ? fileUrl(element.slack_file.id) : pictureUrl(element.image_url || element.slack_file?.url);
  return url ? el("img", { class: className, src: url, alt: element.alt_text || "" }) : null;
}

// -- what can be pressed -----------------------------------------------------------------

async function pressed(control, element, block, value, ctx) {
  if (element.confirm && !(await ctx.ask(element.confirm))) return false;
  control.classList.add("waiting");
  control.setAttribute("aria-busy", "true");
  try {
    await ctx.press(element, block, value);
  } finally {
    control.classList.remove("waiting");
    control.removeAttribute("aria-busy");
  }
  return true;
}

function pressButton(element, block, ctx) {
  const words = plain(element.text?.text);
  const props = { class: `s-button ${element.style || ""}`, "aria-label": element.accessibility_label ? plain(element.accessibility_label) : null };
  const open = safeUrl(element.url);
  if (open) return anchor(open, { ...props, onclick: () => ctx.press(element, block, element.value).catch(() => {}) }, words, icon("link"));
  const made = button({ ...props, data: { action: element.action_id }, onclick: () => pressed(made, element, block, element.value, ctx) }, words);
  return made;
}

const option = ({ text, value }, chosen) => el("option", { value, selected: chosen.includes(value) }, plain(text?.text));

function options(element, chosen) {
  if (!element.option_groups) return (element.options || []).map((o) => option(o, chosen));
  return element.option_groups.map((group) => el("optgroup", { label: plain(group.label?.text) }, group.options.map((o) => option(o, chosen))));
}

function listed(element, ctx, chosen) {
  if (!element.type.endsWith("users_select")) return options(element, chosen);
  return ctx.agents().map(({ id, name }) => el("option", { value: id, selected: chosen.includes(id) }, name));
}

function initial(element) {
  const several = element.initial_options?.map((o) => o.value) || element.initial_users || [];
  return [element.initial_option?.value, element.initial_user, ...several].filter((value) => value !== undefined);
}

function select(element, block, ctx) {
  const several = element.type.startsWith("multi_");
  const words = plain(element.placeholder?.text) || "Choose an option";
  const kept = ctx.fields?.held(block, element);
  const chosen = kept === undefined ? initial(element) : [kept].flat();
  const none = several ? null : el("option", { value: "", selected: !chosen.length }, words);
  const made = el("select", { class: "s-select", multiple: several, "aria-label": words, data: { action: element.action_id } }, none, listed(element, ctx, chosen));
  const picked = () => (several ? [...made.selectedOptions].map((o) => o.value) : made.value);
  if (ctx.fields) ctx.fields.read(block, element, picked);
  else {
    const start = made.value;
    made.addEventListener("change", async () => {
      if (made.value && !(await pressed(made, element, block, picked(), ctx))) made.value = start;
    });
  }
  return made;
}

function overflow(element, block, ctx) {
  const items = (element.options || []).map((o) => {
    const words = plain(o.text?.text);
    const choose = () => {
      fold(false);
      pressed(handle, element, block, o.value, ctx);
    };
    const url = safeUrl(o.url);
    return url ? anchor(url, { role: "menuitem", onclick: choose }, words) : button({ role: "menuitem", onclick: choose }, words);
  });
  const menu = el("div", { class: "s-menu", role: "menu", hidden: true }, items);
  const handle = button({ class: "s-button s-overflow", "aria-label": "More options", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => fold(menu.hidden) }, icon("more"));
  const fold = (open) => {
    menu.hidden = !open;
    handle.setAttribute("aria-expanded", String(open));
    if (open) items[0]?.focus();
  };
  const leave = (event) => {
    if (event.type === "keydown" ? event.key === "Escape" : !made.contains(event.relatedTarget)) fold(false);
  };
  const made = el("span", { class: "s-holder", onkeydown: leave, onfocusout: leave }, handle, menu);
  return made;
}

const SELECTS = ["static_select", "users_select", "multi_static_select", "multi_users_select"];
const TEXTS = ["plain_text_input", "email_text_input", "url_text_input", "number_input"];

function interactive(element, block, ctx) {
  const changed = ctx.fields ? null : (value, control) => pressed(control, element, block, value, ctx);
  const read = (reader) => ctx.fields?.read(block, element, reader);
  const kept = ctx.fields?.held(block, element);
  if (element.type === "button") return pressButton(element, block, ctx);
  if (SELECTS.includes(element.type)) return select(element, block, ctx);
  if (element.type === "overflow") return overflow(element, block, ctx);
  if (element.type === "checkboxes") return checks(element, ctx.names, changed, read, kept);
  if (element.type === "radio_buttons") return radios(element, ctx.names, changed, read, kept);
  if (TEXTS.includes(element.type)) return textInput(element, read, kept);
  if (element.type === "image") return picture(element, "s-accessory");
  return el("span", { class: "s-unknown" }, `[${element.type}]`);
}

// -- the blocks --------------------------------------------------------------------------

function section(block, ctx) {
  const words = block.text ? el("div", { class: "s-text" }, textObject(block.text, ctx.names)) : null;
  const fields = block.fields ? el("div", { class: "s-fields" }, block.fields.map((f) => el("div", { class: "s-text" }, textObject(f, ctx.names)))) : null;
  const beside = block.accessory ? interactive(block.accessory, block, ctx) : null;
  return el("div", { class: "s-section" }, el("div", { class: "s-main" }, words, fields), beside);
}

function context(block, ctx) {
  const parts = (block.elements || []).map((e) => (e.type === "image" ? picture(e, "s-tiny") : el("span", { class: "s-text" }, textObject(e, ctx.names))));
  return el("div", { class: "s-context" }, parts);
}

function image(block) {
  const seen = picture(block, "s-picture");
  return el("figure", { class: "s-image" }, block.title ? el("figcaption", {}, plain(block.title.text)) : null, seen || el("p", {}, block.alt_text || ""));
}

function input(block, ctx) {
  const field = interactive(block.element, block, ctx);
  const label = plain(block.label?.text);
  const control = field.matches("input, textarea, select") ? field : null;
  control?.setAttribute("aria-label", label);
  if (!control) field.setAttribute("aria-label", label);
  const error = el("p", { class: "s-error", role: "alert", hidden: true });
  const made = el(
    "div",
    { class: "s-input", data: { block: block.block_id } },
    el("span", { class: "s-label", "aria-hidden": control ? "true" : null }, label, block.optional ? el("small", {}, " (optional)") : null),
    field,
    block.hint ? el("p", { class: "s-hint" }, plain(block.hint.text)) : null,
    error,
  );
  ctx.fields?.shows(block, (text) => {
    error.textContent = text;
    error.hidden = !text;
    made.classList.toggle("wrong", Boolean(text));
    control?.setAttribute("aria-invalid", String(Boolean(text)));
  });
  return made;
}

const BLOCKS = {
  header: (block) => el("h4", { class: "s-header" }, plain(block.text?.text)),
  divider: () => el("hr", { class: "s-divider" }),
  actions: (block, ctx) => el("div", { class: "s-actions" }, (block.elements || []).map((e) => interactive(e, block, ctx))),
  markdown: (block, ctx) => el("div", { class: "s-text" }, mrkdwn(block.text, ctx.names)),
  section,
  context,
  image,
  input,
};

// What Slack itself makes of written text says the same as `text`, which is drawn instead.
export const drawable = (given) => (given || []).filter((b) => b.type !== "rich_text");

export function blocks(given, ctx) {
  return given.map((block) => (BLOCKS[block.type] ? BLOCKS[block.type](block, ctx) : el("p", { class: "s-unknown" }, `[${block.type}]`)));
}
