// A real conversation as a story or a test: shown as it will stand in its file, then saved.

import { change, look } from "./api.js";
import { button, el } from "./dom.js";

const TYPING = 300;

export function makeStory({ conversation, seq }, kind, saved) {
  let part = { first: "", last: "" };
  const asked = (title = "") => ({ conversation, kind, ...(title ? { title } : {}), ...(part.first ? { first: part.first } : {}), ...(part.last ? { last: part.last } : {}) });
  let draft = null, waits = 0, turn = 0;
  // Drafted anew once the typing has paused, and saved only when that has come.
  const typing = { oninput: () => { clearTimeout(waits); sure.disabled = true; waits = setTimeout(anew, TYPING); }, onkeydown: (event) => { if (event.key === "Enter") event.preventDefault(); } };
  const title = el("input", { type: "text", "aria-label": "Title", ...typing });
  const first = el("input", { type: "text", inputmode: "numeric", "aria-label": "From turn", placeholder: "first", ...typing });
  const last = el("input", { type: "text", inputmode: "numeric", "aria-label": "To turn", placeholder: "last", ...typing });
  const yaml = el("textarea", { class: "yaml", rows: 16, spellcheck: "false", wrap: "off", "aria-label": "YAML", placeholder: "Drafting …" });
  const notes = el("ul", { class: "warnings" });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const sure = el("button", { type: "submit", class: "primary" });

  function draw() {
    if (document.activeElement !== title) title.value = draft.title;
    yaml.value = draft.yaml;
    notes.replaceChildren(...draft.warnings.map((text) => el("li", {}, text)));
    sure.textContent = `Save in ${draft.file}`;
  }

  async function anew() {
    const mine = (turn += 1);
    wrong.textContent = "";
    sure.disabled = true;
    sure.textContent = "Drafting …";
    part = { first: first.value.trim(), last: last.value.trim() };
    try {
      // First the session that the message is of, as a whole.
      const told = await look("design/draft", draft ? asked(title.value.trim()) : { ...asked(), around: seq });
      if (mine !== turn) return;
      if (!draft && told.last) last.value = part.last = String(told.last);
      draft = told;
      draw();
      sure.disabled = false;
    } catch (error) {
      if (mine !== turn) return;
      wrong.textContent = error.message;
      sure.textContent = "Save";
    }
  }

  async function save(event) {
    event.preventDefault();
    if (sure.disabled || !draft) return;
    sure.disabled = true;
    wrong.textContent = "";
    try {
      const told = await change("design/story", { conversation, kind, title: draft.title, file: draft.file, yaml: yaml.value });
      box.close();
      saved(told);
    } catch (error) {
      wrong.textContent = error.message;
      sure.disabled = false;
    }
  }

  const name = kind === "test" ? "A test of this conversation" : "A story of this conversation";
  const box = el("dialog", { class: "wide story", "aria-label": name }, el("form", { method: "dialog", onsubmit: save },
    el("h2", {}, name),
    el("p", { class: "muted" }, kind === "test" ? "The bot has to answer the same again each time that a model is tested." : "The next training learns from it. The names in it are the bot's, change what should have been done."),
    el("label", {}, el("span", {}, "Title"), title),
    el("div", { class: "row part" }, el("label", {}, el("span", {}, "From turn"), first), el("label", {}, el("span", {}, "To turn"), last)),
    notes, yaml, wrong,
    el("div", { class: "row end" }, button({ class: "plain", onclick: () => box.close() }, "Cancel"), sure)));
  box.addEventListener("close", () => { turn += 1; clearTimeout(waits); box.remove(); });
  document.body.append(box);
  box.showModal();
  yaml.focus();
  anew().then(() => yaml.setSelectionRange(0, 0));
}
