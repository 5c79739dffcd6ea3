// How far a message of the customer's has come. What was refused is settled too.
const STEPS = { waiting: 0, sent: 1, refused: 1, seen: 2 };
// What is done to a message rather than said: it changes how that one is shown.
const DEEDS = ["edit", "deletion", "reaction"];

/**
 * What this browser knows of the conversation: the token, and what was written both ways.
 *
 * An entry is {id, mine, at, content, reply_to} with, for mine, state (one of `STEPS`) and
 * reason, and for theirs, order, seen, styled and agent. Edits, deletions, reactions and
 * choices are entries like any other, sent in their order and never lost; how the message
 * they are about looks is worked out from them. Several tabs share it.
 */
class Transcript {
  constructor(key) {
    this.key = key;
    this.token = null;
    this.entries = [];
    this.changed = () => {}; // called with each entry that another tab added or changed
    this.storage = Transcript.storage();
    const stored = this.read();
    if (stored) Object.assign(this, { token: stored.token, entries: stored.entries });
  }

  /** Local storage, else that of the tab, else nothing: browsers may forbid either. */
  static storage() {
    for (const name of ["localStorage", "sessionStorage"]) {
      try {
        const found = window[name];
        found.setItem("support-chat", "");
        found.removeItem("support-chat");
        return found;
      } catch {
        continue;
      }
    }
    return null;
  }

  read() {
    try {
      const found = JSON.parse(this.storage.getItem(this.key));
      return found && Array.isArray(found.entries) ? found : null;
    } catch {
      return null;
    }
  }

  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  /** The order to go on after: that of the newest message, or before the first unseen one. */
  get after() {
    const theirs = this.entries.filter((entry) => !entry.mine);
    if (!theirs.length) return 0;
    const unseen = theirs.filter((entry) => !entry.seen).map((entry) => entry.order - 1);
    return Math.max(0, Math.min(theirs[theirs.length - 1].order, ...unseen));
  }

  get unseen() {
    return this.entries.filter((entry) => !entry.mine && !entry.seen);
  }

  get waiting() {
    return this.entries.find((entry) => entry.state === "waiting");
  }

  /** Whether a message is one that was dropped here for its age. */
  forgotten(at) {
    return this.entries.length >= KEPT && at < this.entries[0].at;
  }

  /** How an entry looks after all that was done to it. */
  look(entry) {
    const look = {
      content: entry.content, styled: entry.styled || {}, edited: false, deleted: false,
      mine: "", theirs: "", chosen: [],
    };
    for (const { content, mine, state, styled } of this.entries) {
      if (content.of !== entry.id || state === "refused") continue;
      if (content.kind === "choice") look.chosen.push(content.payload);
      else if (content.kind === "reaction") {
        look[mine ? "mine" : "theirs"] = content.removed ? "" : content.emoji;
      } else if (mine !== entry.mine) continue; // nobody changes what the other one wrote
      else if (content.kind === "deletion") look.deleted = true;
      else if (content.kind === "edit") {
        const field = content.of_file ? "caption" : "text";
        look.content = { ...look.content, [field]: content.text };
        look.styled = { ...look.styled, [field]: styled?.text };
        look.edited = true;
      }
    }
    look.deleted ||= entry.content.kind === "deleted";
    return look;
  }

  /** Take over what another tab stored; return the token found there, null without one. */
  merge() {
    const stored = this.read();
    if (!stored) return null;
    const changed = [];
    for (const theirs of stored.entries) {
      const ours = this.find(theirs.id);
      if (!ours) {
        if (this.forgotten(theirs.at)) continue;
        this.entries.push(theirs);
        changed.push(theirs);
        continue;
      }
      const settles = STEPS[theirs.state] > STEPS[ours.state];
      const gone = theirs.content.kind === "deleted" && ours.content.kind !== "deleted";
      if (!settles && !gone && (!theirs.seen || ours.seen)) continue;
      if (settles) Object.assign(ours, { state: theirs.state, reason: theirs.reason });
      if (gone) ours.content = theirs.content;
      ours.seen = ours.seen || theirs.seen;
      changed.push(ours);
    }
    changed.forEach(this.changed);
    return stored.token;
  }

  save() {
    if (!this.storage) return;
    const token = this.merge(); // else what another tab just wrote would be overwritten
    this.token = this.token || token;
    const spare = this.entries.length - KEPT;
    this.entries = this.entries.filter((entry, at) => at >= spare || entry.state === "waiting");
    const all = { token: this.token, entries: this.entries };
    if (this.write(all)) return;
    // No room left. Small pictures are what fills it.
    all.entries = this.entries.map((entry) =>
      entry.mine && entry.content.kind === "media"
        ? { ...entry, content: { ...entry.content, url: "" } }
        : entry);
    this.write(all);
  }

  write(all) {
    try {
      this.storage.setItem(this.key, JSON.stringify(all));
      return true;
    } catch {
      return false;
    }
  }

  /** Settle a message: `state` is "sent" or "refused". Deleted words are kept nowhere. */
  settle(entry, state, reason) {
    entry.state = state;
    entry.reason = reason;
    const { kind, of } = entry.content;
    const target = kind === "deletion" && state === "sent" && this.find(of);
    if (target) target.content = { kind: "deleted" };
  }

  /** Mark what the bot has answered as read: up to the message `id`, or all without one. */
  answered(id) {
    const last = this.entries.findIndex((entry) => entry.id === id);
    if (id && last < 0) return [];
    const upto = id ? this.entries.slice(0, last + 1) : this.entries;
    const read = upto.filter((entry) => entry.mine && entry.state === "sent");
    for (const entry of read) entry.state = "seen";
    return read;
  }
}
