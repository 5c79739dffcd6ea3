// The right side: who it is, why it came, the case, and what was before.

import { ask, button, el, line } from "./dom.js";
import { icon } from "./icons.js";
import { channelName, date, language, mood, topicName, waiting, when } from "./words.js";

const CONSENT = { all: "Opted out of everything", marketing: "No marketing" };

function fact(title, ...value) {
  const shown = value.filter(Boolean);
  return shown.length ? el("div", { class: "fact" }, el("dt", {}, title), el("dd", {}, shown)) : null;
}

export class Facts {
  constructor(app) {
    this.app = app;
    this.body = el("div", { class: "facts-body" });
    this.node = el("aside", { class: "facts", "aria-label": "Customer and case" },
      el("div", { class: "row end narrow-only" }, button({ class: "icon-only", "aria-label": "Close details", onclick: () => app.pane("thread") }, icon("close"))), this.body);
  }

  tick() {
    if (this.found) this.show(this.found);
  }

  show(found) {
    this.found = found;
    if (!found) { this.drawn = ""; this.body.replaceChildren(); return; }
    const wait = waiting(found.since, found.due);
    // What looks the same stays the same elements: a click that is under way must not miss.
    const { lines, draft, window: _, ...told } = found;
    const is = JSON.stringify([told, wait, found.due && when(found.due), new Date().toDateString()]);
    if (is === this.drawn) return;
    this.drawn = is;
    const feels = mood(found.seen.mood, found.seen.frustrated);
    const others = found.customer.addresses.filter((a) => a !== found.id);
    const c = found.case;
    this.body.replaceChildren(...[
      el("h2", {}, "Customer"),
      el("dl", {},
        fact("Name", found.name),
        fact(channelName(found.channel), found.customer.address),
        fact("Phone", found.customer.phones.join(", ")),
        fact("Also on", others.length > 0 && others.map((a) => button({ class: "link", onclick: () => this.app.open(a) }, channelName(a.split(":")[0])))),
        fact("Language", language(found.seen.language || found.customer.language)),
        fact("Mood", feels && el("span", { class: `mood ${feels[1]}` }, feels[0])),
        fact("Consent", CONSENT[found.opted_out] && el("span", { class: "mood bad" }, CONSENT[found.opted_out])),
        fact("Customer since", date(found.customer.met)),
        fact("Bot", el("a", { class: "link", href: `/console/designers#why?${new URLSearchParams({ conversation: found.id })}` }, "Why it answered as it did"))),
      el("h2", {}, "Remembered"),
      found.memory.length > 0 && el("dl", {}, found.memory.map((m) => this.known(m))),
      el("p", {}, button({ class: "link", onclick: () => this.remember() }, "Remember something")),
      el("h2", {}, "Case"),
      c ? el("dl", {},
        fact("Why it came", topicName(c.topic), c.why && el("div", { class: "muted" }, c.why)),
        fact("Wants", c.summary),
        fact("The bot did", (c.did || []).length > 0 && c.did.map((did) => el("div", { class: "muted" }, did))),
        fact("Priority", el("span", { class: `chip ${c.priority}` }, c.priority)),
        fact("Waits", wait && el("span", { class: `wait ${wait.state}` }, wait.text)),
        fact("Answer due", found.due && when(found.due)),
        fact("Opened", when(c.at), c.opened > 1 && ` (${c.opened} times)`),
        fact("Assigned to", c.agent_name)) : el("p", { class: "muted" }, found.holder === "bot" ? "The bot has this conversation. You can take it over unasked." : "No case is open."),
      found.parts.length > 0 && el("h2", {}, "Also open"),
      found.parts.map((p) => this.old(p)),
      found.before.length > 0 && el("h2", {}, "Previous cases"),
      found.before.map((p) => this.old(p)),
    ].flat().filter(Boolean));
  }

  known(m) {
    const by = { rule: "said in a conversation", model: "summed up", agent: "noted by a colleague", customer: "told by the customer" };
    return el("div", { class: "fact" }, el("dt", {}, m.about),
      el("dd", {}, m.value, " ", button({ class: "link", "aria-label": `Forget ${m.about}`, onclick: () => this.forget(m) }, "Forget"),
        el("div", { class: "muted" }, `${by[m.by] || m.by}, ${date(m.at)}`)));
  }

  async remember() {
    const said = await ask({ title: "Remember something", text: "On all channels of this customer, for a year. Colleagues and the bot see it.",
      fields: [line("about", "What it is about", "", { placeholder: "Shoe size", required: true, maxlength: 60 }), line("text", "What is to be remembered", "", { required: true, maxlength: 200 })], ok: "Remember" });
    if (said?.about && said.text) await this.app.do("remember", { text: said.text, args: { about: said.about } });
  }

  async forget(m) {
    const said = await ask({ title: `Forget ${m.about}?`, text: m.value, ok: "Forget", danger: true });
    if (said) await this.app.do("remember", { args: { key: m.key } });
  }

  old(c) {
    return el("article", { class: "old" },
      el("div", { class: "head" }, el("b", {}, topicName(c.topic)), el("span", { class: "muted" }, when(c.resolved || c.at))),
      c.summary && el("p", {}, c.summary), c.resolution && el("p", { class: "resolution" }, c.resolution),
      el("div", { class: "muted" }, [c.agent_name, c.rating > 0 && "★".repeat(c.rating) + "☆".repeat(5 - c.rating)].filter(Boolean).join(" · ")),
      c.conversation !== this.found.id && button({ class: "link", onclick: () => this.app.open(c.conversation) }, `on ${channelName(c.conversation.split(":")[0])}`));
  }
}
