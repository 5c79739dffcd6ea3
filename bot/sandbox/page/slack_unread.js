// What of the workspace an agent has not looked at yet.

const EVERYBODY = /<!(?:here|channel|everyone)\b/;

export class Unread {
  constructor(workspace) {
    this.workspace = workspace;
    this.seen = new Map();
    this.start = "";
  }

  // What was there before the page was opened counts as seen.
  begin() {
    this.start = [...this.workspace.messages.values()].reduce((last, m) => (m.ts > last ? m.ts : last), "");
  }

  after(messages, agent, place) {
    const seen = this.seen.get(`${agent} ${place}`) || this.start;
    return messages.filter((m) => m.ts > seen && m.user !== agent && !m.deleted);
  }

  look(messages, agent, place) {
    const last = messages.at(-1);
    if (last) this.seen.set(`${agent} ${place}`, last.ts);
  }

  channel(id, agent) {
    const roots = this.workspace.inChannel(id, agent);
    const fresh = this.after(roots, agent, id);
    const threads = roots.filter((root) => this.thread(root, agent));
    const called = [...fresh, ...threads.flatMap((root) => this.after(this.workspace.inThread(root, agent), agent, `${id} ${root.ts}`))];
    const mentions = called.filter((m) => {
      const words = m.text + JSON.stringify(m.blocks || []);
      return words.includes(`<@${agent}>`) || EVERYBODY.test(words);
    });
    return { fresh: fresh.length > 0 || threads.length > 0, mentions: mentions.length };
  }

  thread({ channel, ts }, agent) {
    const replies = this.workspace.inThread({ channel, ts }, agent).filter((m) => m.ts !== ts);
    return this.after(replies, agent, `${channel} ${ts}`).length > 0;
  }
}
