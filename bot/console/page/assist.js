// What helps an agent: canned replies, similar cases, actions, templates.

import { ask, button, el, line, toast } from "./dom.js";
import { topicName, when } from "./words.js";

const picked = (fields) => ({ node: el("div", { class: "found" }, fields) });

export async function cannedReply(app, put) {
  const rows = app.me.canned || [];
  const filter = el("input", { type: "search", "aria-label": "Filter canned replies", placeholder: "Filter…", oninput: () => draw() });
  const body = el("div", { class: "found" });
  const field = { node: el("div", {}, filter, body) };
  const draw = () => {
    const word = filter.value.trim().toLowerCase();
    body.replaceChildren(...rows.filter((r) => `${r.key} ${r.title} ${r.text || ""}`.toLowerCase().includes(word)).map((r) =>
      button({ class: "item", onclick: () => field.close(r.key) }, el("span", { class: "what" }, el("strong", {}, r.title || r.key), r.text && el("span", { class: "last" }, r.text)))));
  };
  draw();
  const key = await ask({ title: "Canned replies", fields: [field], ok: "", wide: true });
  if (!key) return;
  const done = await app.do("canned", { args: { key }, quiet: true });
  if (done) put(done.data.text);
}

export async function similar(app, put) {
  const done = await app.do("similar", { quiet: true });
  if (!done) return;
  const cases = done.data.cases || [];
  if (!cases.length) { toast("No resolved case is like this one."); return; }
  const field = picked(cases.map((c) => el("article", { class: "similar" },
    el("div", { class: "muted" }, [topicName(c.topic), c.resolved && when(c.resolved), c.agent].filter(Boolean).join(" · ")),
    el("p", {}, c.summary), el("p", { class: "resolution" }, c.resolution),
    button({ class: "plain", onclick: () => field.close(c.resolution || "") }, "Put into reply"))));
  const text = await ask({ title: "Similar cases", fields: [field], ok: "", wide: true });
  if (text) put(text);
}

// Arguments come as {name, title, value, pattern, optional}.
function fieldsOf(args) {
  return (args || []).map((a) => line(a.name, a.title || a.name, a.value ?? "", { pattern: a.pattern || null, required: !a.optional }));
}

// What is known of an action's arguments: the same action may be there for several orders.
const known = (args) => (args || []).filter((a) => a.value).map((a) => `${a.title || a.name} ${a.value}`).join(", ");

export async function acting(app, put) {
  const done = await app.do("suggest", { quiet: true });
  if (!done) return;
  const actions = done.data.actions || [];
  if (!actions.length) { toast("No action fits here."); return; }
  const field = picked(actions.map((a) => button({ class: "item", onclick: () => field.close(a) },
    el("span", { class: "what" }, el("strong", {}, a.title || a.name), el("span", { class: "last" }, [known(a.args), a.confirm && "asks once more before it is done"].filter(Boolean).join(" · "))))));
  const action = await ask({ title: "Actions", fields: [field], ok: "", wide: true });
  if (!action) return;
  const fields = fieldsOf(action.args);
  const args = await ask({ title: action.title || action.name, text: "It is done for this customer, in your name. The journal keeps who did it.", fields, ok: action.confirm ? "Yes, do it" : "Run", danger: Boolean(action.confirm) });
  if (!args) return;
  const ran = await app.do("act", { args: { action: action.name, args, confirmed: true }, quiet: true });
  if (!ran) return;
  const text = ran.data.text || ran.text;
  const result = { name: "text", read: () => text, node: el("p", { class: "resolution" }, text) };
  const use = await ask({ title: "Done", fields: [result], ok: "Put into reply" });
  if (use) put(use.text);
}

export async function template(app) {
  const found = app.shown, all = (app.me.templates || []).filter((t) => !t.channel || t.channel === found.channel);
  if (!all.length) { toast("data/templates.yml has no template for this channel.", "bad"); return; }
  const field = picked(all.map((t) => button({ class: "item", onclick: () => field.close(t) },
    el("span", { class: "what" }, el("strong", {}, `${t.name} (${t.language})`), el("span", { class: "last" }, t.text)))));
  const chosen = await ask({ title: "Templates", fields: [field], ok: "", wide: true });
  if (!chosen) return;
  const fields = (chosen.parameters || []).map((title, n) => line(String(n), title, "", { required: true }));
  const said = await ask({ title: `Send ${chosen.name}`, text: chosen.text, fields, ok: "Send" });
  if (said) await app.do("template", { args: { name: chosen.name, parameters: fields.map((f) => said[f.name]) }, quiet: true });
}
