// What messages and modals need of the window they stand in.

import { asks } from "./slack_modal.js";
import { ofMessages } from "./slack_shortcuts.js";
import { plain, written } from "./slack_text.js";

export const same = (one, other) => one?.channel === other.channel && one?.ts === other.ts;

// The ground with more in it. No spreading: who "me" is changes.
export const having = (ctx, more) => Object.assign(Object.create(ctx), more);

export function context(slack) {
  const { workspace } = slack;
  const names = { person: (id) => workspace.person(id), channel: (id) => workspace.channel(id), me: () => slack.me };
  return {
    names,
    get me() {
      return slack.me;
    },
    shortcuts: ofMessages,
    agents: () => workspace.agents,
    ask: (confirm) => asks(slack.questions, confirm, names),
    replies: (message) => workspace.repliesTo(message),
    root: (message) => workspace.root(message),
    unread: (message) => slack.unread.thread(message, slack.me),
    short: (message) => plain(written(message.text, names)).slice(0, 60) || "a message",
    written: (text) => written(text, names),
    editing: (message) => same(slack.edited, message),
    edit: (message) => slack.edit(message),
    save: (message, text) => slack.save(message, text),
    remove: (message) => slack.remove(message),
    react: (message, name, removed) => slack.do(slack.deeds.react(message, name, removed)),
    shortcut: (shortcut, message) => slack.do(slack.deeds.shortcut(shortcut, message)),
    pressIn: (message) => (element, block, value) => slack.do(slack.deeds.press(message, element, block, value)),
  };
}
