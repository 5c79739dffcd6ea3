// What is in the workspace, and what of it an agent sees.

const key = (message) => `${message.channel} ${message.ts} ${message.ephemeral_for || ""}`;

const isRoot = (message) => !message.thread_ts || message.thread_ts === message.ts;

export const isCard = (message) => message.bot && isRoot(message) && !message.ephemeral_for && !message.deleted && message.blocks?.length > 0;

export class Workspace {
  constructor() {
    this.agents = [];
    this.channels = [];
    this.messages = new Map();
    this.modals = new Map();
    this.views = new Map();
  }

  // The whole of it, as the sandbox has it.
  take(state) {
    this.views.clear();
    this.agents = state.agents;
    this.channels = state.channels;
    this.messages = new Map(state.messages.map((m) => [key(m), m]));
    this.modals = new Map(state.modals.map((m) => [m.view_id, m]));
  }

  // One change; says whether it is a message that was not there before.
  change(event) {
    this.views.clear();
    if (event.what === "message") {
      const fresh = !this.messages.has(key(event.message));
      this.messages.set(key(event.message), event.message);
      return fresh;
    }
    if (event.what === "modal") this.modals.set(event.modal.view_id, event.modal);
    else if (event.what === "modal_closed") this.modals.delete(event.view_id);
    else if (event.what === "gone") {
      for (const [id, m] of this.messages) if (m.channel === event.channel && m.ts === event.ts) this.messages.delete(id);
    }
    return false;
  }

  // What an agent sees, in order and by thread; made once after each change, for every row of
  // the window asks for it.
  view(agent) {
    if (this.views.has(agent)) return this.views.get(agent);
    const all = [...this.messages.values()].filter((m) => !m.ephemeral_for || m.ephemeral_for === agent);
    all.sort((a, b) => (a.ts < b.ts ? -1 : 1));
    const threads = new Map();
    for (const message of all) {
      const name = `${message.channel} ${message.thread_ts || message.ts}`;
      if (!threads.has(name)) threads.set(name, []);
      threads.get(name).push(message);
    }
    this.views.set(agent, { all, threads });
    return { all, threads };
  }

  // The bots' messages in channels that have more than words.
  get cards() {
    return this.view("").all.filter(isCard);
  }

  // What stands in a channel: roots, and replies that were sent to it, too.
  inChannel(channel, agent) {
    return this.view(agent).all.filter((m) => m.channel === channel && (isRoot(m) || m.broadcast));
  }

  inThread({ channel, ts }, agent) {
    return this.view(agent).threads.get(`${channel} ${ts}`) || [];
  }

  repliesTo(root) {
    return this.inThread(root, "").filter((m) => m.ts !== root.ts && !m.deleted);
  }

  root(message) {
    return this.messages.get(key({ channel: message.channel, ts: message.thread_ts }));
  }

  // The modals of an agent, the one in front last.
  modalsOf(agent) {
    return [...this.modals.values()].filter((m) => m.agent === agent);
  }

  person(id) {
    return this.agents.find((a) => a.id === id)?.name || [...this.messages.values()].find((m) => m.user === id)?.name || "";
  }

  // A channel as it is called, with its sign; direct messages are the app's.
  channel(id) {
    const found = this.channels.find((c) => c.id === id);
    return found ? `#${found.name.replace(/^#/, "")}` : "Frontdesk";
  }

  // The channels, and the app's direct messages once there are some.
  channelsOf(agent) {
    const direct = `D${agent.slice(1)}`;
    return [...this.channels, ...([...this.messages.values()].some((m) => m.channel === direct) ? [{ id: direct }] : [])];
  }
}
