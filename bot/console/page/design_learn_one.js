// One lesson: what was said, what was meant by it, and the decision.

import { LoggedOut, change } from "./api.js";
import { button, el, toast } from "./dom.js";
import { intents } from "./design_learn_intents.js";
import { makeStory } from "./design_learn_story.js";
import { marker } from "./design_learn_text.js";
import { WHY, outcome } from "./design_learn_words.js";
import { language, when } from "./words.js";

// What a second press of a double click would hit is the next lesson, unseen.
const BREATH = 500;

// `settled(lesson, words, warnings)` is called when it is done with, `again()` to read it anew.
// `next` tells that it came up by itself after a decision, `names` are people's by account.
export function decision({ lesson, project, names, next, settled, again }) {
  const said = marker(lesson, project);
  const chooser = intents(lesson, project, drawButtons);
  const problem = el("div", { class: "problem", role: "alert", hidden: true });
  const sure = button({ class: "primary", onclick: () => confirm() });
  const away = button({ class: "plain", onclick: () => dismiss() }, "Dismiss", el("kbd", {}, "d"));
  // From here on it is changed in its file.
  const written = lesson.status === "written";
  let busy = Boolean(next), working = false;

  function drawButtons() {
    const intent = chooser.value();
    const changed = intent && intent !== (lesson.decided || lesson.understood);
    sure.disabled = busy || !intent;
    away.disabled = busy || lesson.status === "dismissed";
    sure.replaceChildren(working ? "Working …" : !intent ? "Choose an intent" : changed ? `Change to ${intent}` : `Confirm ${intent}`, intent && !working ? el("kbd", {}, "Enter") : "");
  }

  function complain(...words) {
    problem.hidden = !words.length;
    problem.replaceChildren(...words);
    problem.scrollIntoView({ block: "nearest" });
  }

  async function doing(work) {
    if (busy) return;
    busy = working = true;
    drawButtons();
    complain();
    try {
      // What is done with takes no more presses while the next one comes.
      if (await work()) return;
    } catch (error) {
      if (error instanceof LoggedOut) location.assign("/console");
      else if (error.told?.elsewhere) elsewhere(error.told.elsewhere);
      else if (error.status === 409) complain(error.message, " ", button({ class: "link", onclick: again }, "Show it as it is now"));
      else complain(error.again ? `${error.message} Whether it was done is not known; pressing again does it once at most.` : error.message);
    }
    busy = working = false;
    drawButtons();
  }

  function elsewhere({ intent, file, line }) {
    complain(`This is an example of ${intent} already, in ${file}:${line}. It cannot be one of two intents. `,
      button({ class: "link", onclick: () => confirm(true) }, `Move it to ${chooser.value()}`), " or ",
      button({ class: "link", onclick: () => { chooser.choose(intent); complain(); } }, `choose ${intent}`), ".");
  }

  const confirm = (move = false) => !written && chooser.value() && doing(async () => {
    if (!(await said.settle())) return false;
    const told = await change("design/confirm", { id: lesson.id, seen: lesson.status, intent: chooser.value(), move, ...said.value() });
    settled(lesson, told.kept ? `${chooser.value()}: kept, in no file yet. ${told.kept}` : `${chooser.value()}: ${outcome(told)}`, told.warnings);
    return true;
  });

  const dismiss = () => !written && lesson.status !== "dismissed" && doing(async () => {
    await change("design/dismiss", { id: lesson.id, seen: lesson.status });
    settled(lesson, "Dismissed, nothing is learned from it.");
    return true;
  });

  const story = (kind) => makeStory(lesson, kind, (told) => toast(outcome(told)));
  const whys = Object.entries(lesson.reasons).map(([name, detail]) => el("li", {}, WHY[name] || name, detail && detail !== WHY[name]?.toLowerCase() && el("span", { class: "muted" }, ` (${detail})`)));
  const was = lesson.status === "open" ? "" : el("p", { class: `was ${lesson.status}` }, decided(lesson, names));
  if (next) setTimeout(() => { busy = false; drawButtons(); }, BREATH);
  drawButtons();
  return {
    id: lesson.id,
    confirm: () => void confirm(),
    dismiss: () => void dismiss(),
    edit: () => void said.edit(),
    find: () => void chooser.find(),
    close: said.close,
    node: el("div", {},
      el("div", { class: "panel" },
        el("div", { class: "of" }, when(lesson.at), lesson.language && el("span", {}, language(lesson.language)), lesson.alike > 1 && el("span", {}, `${lesson.alike} alike`),
          el("span", { class: "grow" }),
          el("a", { href: `#why?${new URLSearchParams({ conversation: lesson.conversation })}` }, "The conversation, and why"),
          button({ class: "link", onclick: () => story("story") }, "Make a story"), button({ class: "link", onclick: () => story("test") }, "Make a test")),
        was, said.node, el("ul", { class: "reasons" }, whys), others(lesson)),
      written ? problem : [
        el("div", { class: "panel" }, el("h2", {}, "What was meant"), chooser.node),
        el("div", { class: "panel decide" }, problem, el("div", { class: "row" }, sure, away))]),
  };
}

function decided(lesson, names) {
  const who = names[lesson.decided_by] || lesson.decided_by || "Somebody", at = when(lesson.decided_at);
  if (lesson.status === "dismissed") return `${who} dismissed this, ${at}.`;
  const where = lesson.file ? `it stands in ${lesson.file}:${lesson.line}` : "it is in no file yet";
  return `${who} confirmed this as ${lesson.decided}, ${at}; ${where}.`;
}

function others(lesson) {
  const different = lesson.others.filter((one) => one.text !== lesson.text);
  if (!lesson.others.length) return "";
  return el("details", { class: "others" }, el("summary", {}, `${lesson.others.length} more said the same${different.length ? " or nearly" : ""}; they are decided with it`),
    el("ul", {}, lesson.others.map((one) => el("li", {}, one.text, el("span", { class: "muted" }, ` ${when(one.at)}`)))));
}
