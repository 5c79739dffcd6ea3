// Slack's window: who you are, channels, messages, a thread, modals.

import { button, el } from "./dom.js";
import { icon } from "./icons.js";
import { deeds, state } from "./slack_api.js";
import { Composer } from "./slack_composer.js";
import { context, having, same } from "./slack_context.js";
import { face } from "./slack_message.js";
import { modal } from "./slack_modal.js";
import { Pane } from "./slack_pane.js";
import { global } from "./slack_shortcuts.js";
import { Unread } from "./slack_unread.js";
import { isCard, Workspace } from "./slack_workspace.js";

const WHO = "sandbox.slack.agent";
const COMMAND = /^(\/[a-z][\w-]*)\s*([^]*)$/i;

export class Slack {
  // `came` is called when a bot's card stands in a channel, `changed` after everything.
  constructor({ came, changed }) {
    this.told = { came, changed };
    this.workspace = new Workspace();
    this.unread = new Unread(this.workspace);
    this.open = false;
    this.modals = new Map();
    this.loads = 0;
    this.early = null;
    this.build();
    document.addEventListener("visibilitychange", () => this.later());
  }

  // -- the window ------------------------------------------------------------------------

  build() {
    const tell = (text) => this.tell(text);
    this.questions = el("div", { class: "s-layer" });
    this.ctx = context(this);
    this.who = el("select", { "aria-label": "You are", onchange: () => this.be(this.who.value) });
    this.portrait = el("span", { class: "s-portrait" });
    this.list = el("div", { class: "s-channels" });
    this.channelName = el("h3", {});
    this.channelPane = new Pane("Messages", having(this.ctx, { openThread: (message) => this.openThread(message) }));
    const hint = [
      global.map((s) => button({ class: "s-plain", title: s.name, "aria-label": s.name, onclick: () => this.do(this.deeds.shortcut(s)) }, icon("bolt"))),
      el("span", { class: "s-faint" }, "/takeover or a message"),
    ];
    this.composer = new Composer({ tell, hint, send: (text, files) => this.sayInChannel(text, files) });
    this.threadName = el("span", { class: "s-faint" });
    this.threadPane = new Pane("Thread", this.ctx);
    this.also = el("input", { type: "checkbox", "aria-label": "Also send to the channel" });
    this.alsoName = el("span", {});
    const also = el("label", { class: "s-faint" }, this.also, " Also send to ", this.alsoName);
    this.reply = new Composer({ tell, hint: also, send: (text, files) => this.sayInThread(text, files) });
    this.reply.label("Reply in thread", "Reply…");
    this.divider = el("p", { class: "s-count" });
    this.nothing = el("div", { class: "s-empty" }, el("b", {}, "Nothing here yet"), el("p", {}, "Ask for a person on one of the phones: the conversation then comes up here as a thread."));
    this.thread = el(
      "aside",
      { class: "s-thread", "aria-label": "Thread", hidden: true },
      el("header", {}, el("h3", {}, "Thread"), this.threadName, button({ class: "s-plain", "aria-label": "Close the thread", onclick: () => this.openThread(null) }, icon("close"))),
      this.threadPane.element,
      this.reply.element,
    );
    this.layer = el("div", { class: "s-layer" });
    this.toast = el("p", { class: "s-toast", role: "status", hidden: true });
    this.element = el(
      "section",
      { class: "s-window", id: "slack", role: "region", "aria-label": "Slack", hidden: true },
      el("header", { class: "s-top" }, el("b", {}, "Larkfield"), el("label", {}, this.portrait, el("span", {}, "You are"), this.who)),
      el(
        "div",
        { class: "s-columns" },
        el("nav", { class: "s-sidebar", "aria-label": "Channels" }, el("h3", {}, "Channels"), this.list),
        el("section", { class: "s-channel", "aria-label": "Channel" }, el("header", {}, this.channelName), this.channelPane.element, this.composer.element),
        this.thread,
      ),
      this.toast,
      this.layer,
      this.questions,
    );
  }

  tell(text) {
    this.toast.textContent = text;
    this.toast.hidden = false;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => (this.toast.hidden = true), 6000);
  }

  do(deed) {
    return deed.catch((error) => this.tell(error.message));
  }

  // -- what happens in the workspace ---------------------------------------------------------

  // What changes while the state is on its way is put upon it afterwards.
  async load() {
    this.loads += 1;
    this.early ??= [];
    const first = !this.workspace.agents.length;
    try {
      this.workspace.take(await state());
      for (const event of this.early) this.workspace.change(event);
    } catch (error) {
      this.tell(error.message);
      return;
    } finally {
      this.loads -= 1;
      if (!this.loads) this.early = null;
    }
    if (first) this.begin();
    const { cards } = this.workspace;
    if (cards.length) this.told.came(cards.at(-1));
    this.later();
  }

  begin() {
    const { agents, channels } = this.workspace;
    this.unread.begin();
    this.who.replaceChildren(...agents.map((a) => el("option", { value: a.id }, a.name)));
    this.at = channels[0]?.id;
    const known = localStorage.getItem(WHO);
    this.be(agents.some((a) => a.id === known) ? known : agents[0]?.id);
  }

  heard(event) {
    this.early?.push(event);
    const fresh = this.workspace.change(event);
    if (fresh && this.me && isCard(event.message)) this.told.came(event.message);
    return this.later();
  }

  // -- where you are -------------------------------------------------------------------------

  be(agent) {
    this.me = agent;
    this.deeds = deeds(agent);
    this.edited = null;
    this.also.checked = false;
    this.who.value = agent;
    localStorage.setItem(WHO, agent);
    this.portrait.replaceChildren(face(this.workspace.person(agent), false, "small"));
    this.channelPane.clear();
    this.threadPane.clear();
    this.draw();
  }

  show(open) {
    this.open = open;
    this.element.hidden = !open;
    this.draw();
  }

  go(channel) {
    if (channel !== this.at) this.channelPane.clear();
    this.at = channel;
    this.openThread(null);
  }

  // Show a message where it stands, with its thread.
  find(message) {
    this.go(message.channel);
    this.openThread(message);
  }

  openThread(root) {
    if (!root || !same(this.root, root)) {
      this.threadPane.clear();
      this.also.checked = false;
    }
    this.root = root && { channel: root.channel, ts: root.thread_ts || root.ts };
    this.draw();
  }

  // -- what you do ---------------------------------------------------------------------------

  sayInChannel(text, files) {
    const [, command, words] = text.match(COMMAND) || [];
    this.channelPane.stuck = true;
    if (command && !files.length) return this.deeds.command(this.at, command, words);
    return this.deeds.say(this.at, "", text, files);
  }

  async sayInThread(text, files) {
    const [, command] = text.match(COMMAND) || [];
    // As Slack itself does; two slashes are no command.
    if (command) throw new Error(`${command} does not work in threads. Write it in the channel.`);
    this.threadPane.stuck = true;
    const broadcast = this.also.checked;
    this.also.checked = false;
    return this.deeds.say(this.root.channel, this.root.ts, text, files, broadcast);
  }

  edit(message) {
    this.edited = message;
    this.draw();
    this.element.querySelector(".s-editor textarea")?.focus();
  }

  async save(message, text) {
    if (!text.trim()) return;
    try {
      await this.deeds.edit(message, text.trim());
      this.edit(null);
    } catch (error) {
      this.tell(error.message);
    }
  }

  async remove(message) {
    const say = (text) => ({ type: "plain_text", text });
    const sure = await this.ctx.ask({ title: say("Delete message"), text: say("Do you want to delete this message? This cannot be undone."), confirm: say("Delete"), style: "danger" });
    if (sure) await this.do(this.deeds.remove(message));
  }

  // -- drawing -------------------------------------------------------------------------------

  // Several changes that come together are drawn once.
  later() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.draw();
    }, 15);
  }

  draw() {
    const { workspace, me } = this;
    if (!workspace.agents.length) return;
    const looking = this.open && !document.hidden;
    const here = workspace.inChannel(this.at, me);
    if (looking) this.unread.look(here, me, this.at);
    if (this.root) this.drawThread(looking);
    this.thread.hidden = !this.root;
    this.element.classList.toggle("threaded", Boolean(this.root));
    const name = workspace.channel(this.at);
    this.channelName.replaceChildren(name);
    this.composer.label(`Message to ${name}`, `Message ${name}`);
    this.composer.turnTo(`${me} ${this.at}`);
    this.channelPane.show(here, { empty: this.nothing });
    this.drawSidebar();
    this.drawModals();
    this.told.changed({ unread: workspace.channelsOf(me).some((c) => this.unread.channel(c.id, me).fresh) });
  }

  drawThread(looking) {
    const { workspace, me, root } = this;
    const messages = workspace.inThread(root, me);
    if (!messages.length) {
      this.root = null;
      return;
    }
    if (looking) this.unread.look(messages, me, `${root.channel} ${root.ts}`);
    const count = workspace.repliesTo(root).length;
    this.divider.replaceChildren(el("span", {}, `${count} ${count === 1 ? "reply" : "replies"}`));
    this.threadName.textContent = workspace.channel(root.channel);
    this.alsoName.textContent = workspace.channel(root.channel);
    this.reply.turnTo(`${me} ${root.channel} ${root.ts}`);
    this.threadPane.show(messages, { between: count && messages[0].ts === root.ts ? this.divider : null });
  }

  drawSidebar() {
    const rows = this.workspace.channelsOf(this.me).map(({ id }) => {
      const { fresh, mentions } = this.unread.channel(id, this.me);
      const name = this.workspace.channel(id);
      const marks = mentions ? el("span", { class: "s-badge", "aria-label": `${mentions} mention${mentions > 1 ? "s" : ""}` }, String(mentions)) : fresh ? el("span", { class: "s-dot", role: "img", "aria-label": "unread" }) : null;
      return button({ class: fresh ? "fresh" : "", "aria-current": id === this.at ? "page" : null, onclick: () => this.go(id) }, el("span", { class: "s-name" }, name), marks);
    });
    const look = rows.map((row) => row.outerHTML).join("");
    if (look !== this.sidebarLook) this.list.replaceChildren(...rows);
    this.sidebarLook = look;
  }

  // Those behind the front one, and other people's, keep what was put into them.
  drawModals() {
    const { workspace } = this;
    const open = workspace.modalsOf(this.me);
    const drawn = new Map([...this.modals].filter(([id]) => workspace.modals.has(id)));
    for (const given of open) {
      const old = this.modals.get(given.view_id);
      const look = JSON.stringify(given);
      drawn.set(given.view_id, old?.look === look ? old : { look, ...this.modal(given, old?.values()) });
    }
    const front = open.at(-1);
    const fresh = front && drawn.get(front.view_id) !== this.modals.get(front.view_id);
    this.modals = drawn;
    const wanted = open.map(({ view_id: id }) => drawn.get(id).element);
    if (wanted.length !== this.layer.children.length || wanted.some((element, n) => this.layer.children[n] !== element)) this.layer.replaceChildren(...wanted);
    wanted.forEach((element, n) => (element.hidden = n < wanted.length - 1));
    if (fresh) wanted.at(-1).querySelector(":is(input, textarea, select, button[type=submit])")?.focus();
  }

  modal(given, kept) {
    const id = given.view_id;
    const deed = {
      press: (element, block, value) => this.deeds.press({ view_id: id }, element, block, value),
      submit: (values) => this.deeds.submit(id, values),
      close: () => this.deeds.close(id),
    };
    return modal(given, having(this.ctx, deed), kept);
  }
}
