// A conversation turn by turn: what was said, what was understood, and why the bot answered as it did.

import { look } from "./api.js";
import { button, el, toast } from "./dom.js";
import { bar, fill, name, percent, place, table } from "./design_bits.js";
import { makeStory } from "./design_learn_story.js";
import { outcome } from "./design_learn_words.js";
import { STATUS, channelName, clock, day, language, topicName, when } from "./words.js";

const HAD = { bot: "the bot", waiting: "nobody, the customer waits for a person", agent: "a person", customer: "the bot, bound by the customer's wish" };
const RANKED = 4;

export async function show(node, query, go) {
  node.classList.add("insight");
  const conversation = query.get("conversation") || "", message = query.get("message") || "", before = query.get("before") || "";
  if (!conversation && !message) return found(node, query.get("search") || "", go);
  const asked = Object.fromEntries(Object.entries({ conversation, message, before }).filter(([, value]) => value));
  const told = await look("design/why", asked);
  const turns = told.turns, id = told.conversation;
  const older = told.more && button({ class: "plain", onclick: () => go("why", { conversation: id, before: turns[0].seq }) }, "Older turns");
  const newer = (before || message) && told.newer && button({ class: "plain", onclick: () => go("why", { conversation: id }) }, "Newest turns");
  const lines = [...turns.map((turn) => [turn.at, () => turnNode(turn, turn.message === told.message)]), ...told.said.map((said) => [said.at, () => saidNode(said)])].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  let date = "";
  // Of the session in which the message that was asked for stands, else of the last one.
  const make = (kind) => makeStory({ conversation: id, seq: (turns.find((turn) => turn.message === told.message) || turns.at(-1)).seq }, kind, (written) => toast(outcome(written)));
  fill(node,
    el("div", { class: "panel whose" },
      el("div", {}, el("h2", {}, channelName(id.split(":")[0]), " ", el("code", { class: "place" }, id)), el("p", { class: "muted" }, "Personal data is masked, but for postal addresses.")),
      el("div", { class: "row wrap" },
        el("a", { class: "link", href: "#why" }, "Other conversations"), el("a", { class: "link", href: `/console#${encodeURIComponent(id)}` }, "On the desk"),
        turns.length && [button({ class: "plain", onclick: () => make("story") }, "Make a story"), button({ class: "primary", onclick: () => make("test") }, "Make a test")])),
    told.alone && turnNode(told.alone, true),
    older && el("div", { class: "row end" }, older),
    el("div", { class: "turns" }, lines.map(([at, draw]) => [day(at) !== date && el("h3", { class: "date" }, (date = day(at))), draw()])),
    newer && el("div", { class: "row end" }, newer));
  node.querySelector(".asked")?.scrollIntoView({ block: "center" });
}

async function found(node, text, go) {
  const rows = await look("design/why/conversations", text ? { search: text } : {});
  const input = el("input", { type: "search", value: text, "aria-label": "Conversation or message", placeholder: "Id of a conversation or message, or how it begins: whatsapp:shop:4477…" });
  const form = el("form", { class: "row find", onsubmit: (event) => { event.preventDefault(); const wanted = input.value.trim(); go("why", wanted ? { search: wanted } : {}); } }, input, el("button", { type: "submit", class: "primary" }, "Find"));
  node.replaceChildren(el("section", { class: "panel" }, el("h2", {}, text ? "Conversations found" : "Last conversations"), form,
    rows.length ? table([
      { title: "Last message", key: (r) => r.at, down: true, show: (r) => el("a", { href: `#why?${new URLSearchParams({ conversation: r.id })}` }, when(r.at)) },
      { title: "Said", class: "words-cell", show: (r) => r.said },
      { title: "Understood", class: "wide", key: (r) => r.intent, show: (r) => [...name(r.intent || "–"), r.intent && el("small", { class: "muted" }, ` ${percent(r.confidence)}`)] },
      { title: "Had by", class: "wide", key: (r) => r.by, show: (r) => [r.by === "failed" ? el("span", { class: "chip urgent" }, "failed") : r.by, r.handed && [" ", el("span", { class: "chip high" }, "handed over")]] },
      { title: "Turns", class: "number", down: true, key: (r) => r.turns, show: (r) => r.turns },
      { title: "Conversation", class: "wide", key: (r) => r.id, show: (r) => el("code", { class: "place" }, r.id) },
    ], rows, { label: "Conversations", sorted: 0 }) : el("p", { class: "empty" }, text ? "Nothing of that id. Ids stand in the console's address, in logs and in bot cases show." : "No customer has written yet.")));
  input.focus({ preventScroll: true });
}

const row = (title, ...value) => (value.flat(Infinity).some((v) => v) ? el("div", { class: "fact-row" }, el("dt", {}, title), el("dd", {}, value)) : null);

function turnNode(turn, asked) {
  return el("article", { class: `turn ${asked ? "asked" : ""} ${turn.failure ? "failed" : ""}`, "aria-label": `Turn ${turn.seq || ""}` },
    el("div", { class: "talk" },
      el("div", { class: "bubble-in" }, turn.said, el("time", { datetime: turn.at }, clock(turn.at))),
      turn.replies.map((reply) => el("div", { class: `bubble-out ${reply.by ? "agent" : ""}` }, reply.text, el("small", { title: STATUS[reply.status]?.[1] || reply.status }, reply.by && `${reply.by} `, STATUS[reply.status]?.[0] || reply.status, reply.reason && ` ${reply.reason}`))),
      !turn.replies.length && turn.by && el("p", { class: "muted" }, "Nothing was said.")),
    el("dl", { class: "because" },
      row("Note", turn.note),
      ranking(turn),
      row("Entities", turn.entities.map((e) => el("span", { class: "chip", title: e.by && `found by ${e.by}` }, `${e.name} = ${e.value}`))),
      turn.by && turn.by !== "bot" && row("Had by", HAD[turn.by] || turn.by),
      row("Did", turn.steps.length > 0 && el("ol", { class: "steps" }, turn.steps.map(step))),
      row("Slots", Object.entries(turn.slots).map(([slot, value]) => el("span", { class: "chip" }, `${slot} = ${value}`))),
      turn.answered && row("From articles", el("div", {}, `${turn.answered.how}, confidence ${turn.answered.confidence.toFixed(2)}`), turn.answered.sources.map((s) => el("div", {}, el("code", { class: "place" }, s))), turn.answered.why.map((w) => el("div", { class: "muted" }, w))),
      turn.tools && turn.tools.length > 0 && row("Tools", turn.tools.map((t) => el("div", {}, el("code", { class: "place" }, t.tool), ` ${t.args}: ${t.verdict}`, el("div", { class: "muted" }, `${t.result} (${t.ms} ms)`)))),
      turn.handed && row("Handed over", el("span", { class: `chip ${turn.handed.priority}` }, turn.handed.priority), ` ${topicName(turn.handed.topic)}`, el("div", { class: "muted" }, turn.handed.why)),
      seen(turn.seen),
      row("Consent", turn.consent),
      row("Told", turn.told && `that somebody will come, ${when(turn.told)}`),
      turn.failure && row("Failed", el("b", { class: "worse" }, turn.failure), turn.detail && el("details", {}, el("summary", {}, "Where"), el("pre", {}, turn.detail))),
      row("With", turn.folded.map((id) => el("code", { class: "place" }, id))),
      el("div", { class: "foot" }, [turn.seq > 0 && `turn ${turn.seq}`, turn.took_ms > 0 && `${turn.took_ms} ms`, turn.model && `model ${turn.model.slice(0, 40)}`].filter(Boolean).join(" · "), " ",
        el("a", { href: `#why?${new URLSearchParams({ message: turn.message })}`, title: "Link to this message" }, el("code", {}, turn.message)))));
}

function ranking(turn) {
  if (!turn.ranking.length) return null;
  const line = (r, n) => el("div", { class: `ranked ${n === 0 ? "first" : ""}` }, el("span", {}, name(r.intent)), bar(r.confidence, n === 0 ? (r.confidence < 0.5 ? "warn" : "good") : ""), el("b", {}, percent(r.confidence)));
  const rest = turn.ranking.slice(RANKED);
  return row("Understood", turn.ranking.slice(0, RANKED).map(line), rest.length > 0 && el("details", {}, el("summary", {}, `${rest.length} more`), rest.map((r, n) => line(r, n + 1))));
}

function step(one) {
  return el("li", {}, el("b", {}, name(one.action)), one.policy && el("span", { class: "muted" }, ` ${one.policy} ${one.confidence.toFixed(2)}`),
    one.source && el("div", {}, "because: ", one.source, " ", place(one.place)),
    one.responses.map(([said, at]) => el("div", {}, "said: ", name(said), " ", place(at))));
}

function seen(s) {
  if (!s) return null;
  const felt = `mood ${signed(s.mood)}, this message ${signed(s.sentiment)}, urgency ${s.urgency.toFixed(2)}`;
  return row("Seen", `${language(s.language)} (${percent(s.sure)}), ${felt}`, s.frustrated && el("span", { class: "chip high" }, "frustrated"),
    s.sensitive && el("div", {}, el("span", { class: "chip urgent" }, topicName(s.sensitive)), ` ${s.sensitive_why}`),
    s.why.length > 0 && el("details", {}, el("summary", {}, "Reasons"), s.why.map((why) => el("div", { class: "muted" }, why))));
}

const signed = (x) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(2)}`;

function saidNode(said) {
  return el("article", { class: "turn other" }, el("div", { class: "talk" }, el("div", { class: "bubble-out agent" }, said.text, el("small", {}, `${said.by || "unasked"}, ${clock(said.at)}`))), el("p", { class: "muted" }, said.by ? "A person said this." : "The bot was not asked: a notice, or words of a rule of the desk."));
}
