// One line of a conversation: a customer's, the bot's, an agent's, a note, or what happened.

import { anchor, button, el, isOwn, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { STATUS, bytes, clock } from "./words.js";

// What an entry of the journal says, before its own words.
const HAPPENED = {
  opened: "A case was opened", reopened: "opened the case again", taken: "took the conversation over", assigned: "gave the conversation away",
  returned: "gave the conversation back to the bot", resolved: "resolved the case", rated: "The customer rated the conversation",
  reminded: "Reminder", drafted: "asked for a draft", acted: "ran an action", translated: "In our language", edited: "changed a message", deleted: "took a message back",
  sensed: "From the customer's file",
};

// `change` edits or deletes what the agent has said here, where that is the agent's own.
export function lineNode(line, quoted, customer, change) {
  const own = change && line.deed && el("span", { class: "own" },
    button({ class: "link", onclick: () => change("edit", line) }, "Edit"), button({ class: "link", onclick: () => change("delete", line) }, "Delete"));
  if (line.kind === "note" && line.who === "desk") {
    return el("article", { class: "line note", "aria-label": `Internal note by ${line.name}` },
      el("div", { class: "by" }, icon("lock"), el("b", {}, "Internal note"), ` · ${line.name || "Agent"}`, own, el("time", { datetime: line.at }, clock(line.at))),
      el("div", { class: `text ${line.text ? "" : "gone"}` }, line.text || line.about || "taken back"));
  }
  if (line.who === "desk") {
    const does = HAPPENED[line.kind] || "";
    const head = does && does[0] === does[0].toLowerCase() ? `${line.name || "A rule"} ${does}` : does;
    const told = line.kind === "drafted" ? "" : line.text || line.about;
    return el("div", { class: `line event ${line.kind}` }, el("span", {}, [head, told].filter(Boolean).join(": ") || line.kind, " ", el("time", { datetime: line.at }, clock(line.at))));
  }
  const who = { customer: line.name || customer, bot: "Bot", agent: line.name || "Agent" }[line.who];
  const why = line.who === "customer" && el("a", { class: "own why", href: `/console/designers#why?${new URLSearchParams({ message: line.id })}`, title: "What the bot made of this message" }, "Why");
  const kind = { edit: "changed a message", deletion: "took a message back", reaction: "reacted" }[line.kind];
  return el("article", { class: `line ${line.who} ${line.status}`, "aria-label": `${line.who === "customer" ? "Customer" : line.who === "bot" ? "Bot" : "Agent"} ${who}` },
    el("div", { class: "by" }, el("b", {}, who), kind && ` ${kind}`, line.who === "bot" && el("span", { class: "tag" }, "bot")),
    el("div", { class: "bubble" },
      quoted && el("blockquote", {}, quoted.text.slice(0, 140)),
      line.files.map(fileNode),
      text(line) && el("div", { class: `text ${line.kind === "deletion" ? "gone" : ""}` }, text(line)),
      line.translated && el("div", { class: "translated", title: "Translated by the bot" }, icon("webchat"), line.translated),
      line.options.length > 0 && el("div", { class: "options" }, line.options.map((title) => el("span", {}, title))),
      el("div", { class: "meta" }, own, why, el("time", { datetime: line.at }, clock(line.at)), ticks(line))));
}

function text(line) {
  if (line.kind === "deletion") return "message deleted";
  // The words in brackets say what the file beside them shows.
  if (line.files.length && line.text.startsWith("[")) return line.text.replace(/^\[[^\]]*\]\s*/, "");
  return line.text;
}

function ticks(line) {
  if (!line.status || line.who === "customer" || !STATUS[line.status]) return null;
  const [sign, words] = STATUS[line.status];
  const reason = ["failed", "held", "dropped", "unknown"].includes(line.status) && line.reason ? `: ${line.reason}` : "";
  return el("span", { class: `ticks ${line.status}`, role: "img", "aria-label": words + reason, title: words + reason }, sign + reason);
}

function fileNode(file) {
  const url = safeUrl(file.url);
  const name = file.name || file.type || "file";
  if (file.status === "refused") return el("div", { class: "file gone" }, icon("file"), `${name} was not kept: ${file.reason}`);
  if (!url) return el("div", { class: "file" }, icon("file"), `${name} is being fetched…`);
  if (isOwn(url)) {
    if (["image", "sticker"].includes(file.type) || file.mime.startsWith("image/")) return anchor(file.url, el("img", { class: "picture", src: url, alt: name, loading: "lazy" }));
    if (["audio", "voice"].includes(file.type)) return el("audio", { controls: true, preload: "none", src: url, "aria-label": name });
    if (file.type === "video") return el("video", { controls: true, preload: "metadata", src: url, "aria-label": name });
  }
  const link = anchor(file.url, icon("file"), el("span", {}, name), file.size > 0 && el("small", {}, bytes(file.size)));
  link.classList.add("file");
  return link;
}
