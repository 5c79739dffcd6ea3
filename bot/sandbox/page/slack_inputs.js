// Inputs of Block Kit: text, checkboxes, radio buttons.
//
// `read` takes a function that gives the input's value; `changed` is told of it at once, where
// the input stands in a message. `kept` is what it held before it was drawn anew.

import { el } from "./dom.js";
import { plain, textObject } from "./slack_text.js";

const TYPES = { email_text_input: "email", url_text_input: "url", number_input: "number" };

let unique = 0;

export function textInput(element, read, kept) {
  const props = {
    class: "s-field",
    placeholder: plain(element.placeholder?.text),
    maxlength: element.max_length,
    data: { action: element.action_id },
    autofocus: element.focus_on_load,
  };
  const made = element.multiline ? el("textarea", { ...props, rows: 5 }) : el("input", { ...props, type: TYPES[element.type] || "text" });
  made.value = kept ?? element.initial_value ?? "";
  read(() => made.value);
  return made;
}

function choices(element, type, chosen, names) {
  const name = `s-${type}-${(unique += 1)}`;
  const boxes = (element.options || []).map((o) => ({ value: o.value, o, box: el("input", { type, name, value: o.value, checked: chosen.includes(o.value) }) }));
  const rows = boxes.map(({ box, o }) =>
    el("label", { class: "s-choice" }, box, el("span", { class: "s-text" }, textObject(o.text, names), o.description ? el("small", {}, textObject(o.description, names)) : null)));
  const made = el("div", { class: "s-choices", role: type === "radio" ? "radiogroup" : "group", data: { action: element.action_id } }, rows);
  return { made, value: () => boxes.filter(({ box }) => box.checked).map((b) => b.value) };
}

export function checks(element, names, changed, read, kept) {
  const { made, value } = choices(element, "checkbox", kept ?? (element.initial_options || []).map((o) => o.value), names);
  read(value);
  if (changed) made.addEventListener("change", () => changed(value(), made));
  return made;
}

export function radios(element, names, changed, read, kept) {
  const { made, value } = choices(element, "radio", [kept ?? element.initial_option?.value], names);
  read(() => value()[0] ?? "");
  if (changed) made.addEventListener("change", () => changed(value()[0], made));
  return made;
}
