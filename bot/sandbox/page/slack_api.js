// What agents do in Slack, by the sandbox's control API.

import { get, post } from "./api.js";

async function uploaded(file) {
  const path = `/control/slack/files?${new URLSearchParams({ name: file.name })}`;
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: await file.arrayBuffer() });
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(data.error || `the sandbox answered ${answer.status}`);
  return data.id;
}

const of = ({ channel, ts }) => ({ channel, ts });

// What became of a press that the app did not acknowledge.
const WORDS = {
  operation_timeout: "Frontdesk did not answer in time. Try again?",
  dispatch_failed: "Frontdesk could not be reached. Try again?",
};

// The deeds of one agent.
export function deeds(agent) {
  const act = (deed, body) =>
    post(`slack/${deed}`, { agent, ...body }).catch((error) => {
      throw new Error(WORDS[error.message] || error.message);
    });
  return {
    async say(channel, threadTs, text, files, broadcast = false) {
      const ids = await Promise.all(files.map(uploaded));
      return act("message", { channel, ...(threadTs && { thread_ts: threadTs }), text, ...(ids.length && { files: ids }), ...(broadcast && { broadcast }) });
    },
    edit: (message, text) => act("edit", { ...of(message), text }),
    remove: (message) => act("delete", of(message)),
    react: (message, name, removed) => act("react", { ...of(message), name, ...(removed && { removed }) }),
    // `place` is a message, or a modal by its {view_id}.
    press: (place, element, block, value) =>
      act("press", { ...(place.view_id ? { view_id: place.view_id } : of(place)), action_id: element.action_id, ...(block.block_id && { block_id: block.block_id }), ...(value !== undefined && { value }) }),
    command: (channel, command, text) => act("command", { channel, command, text }),
    shortcut: (shortcut, message) => act("shortcut", { callback_id: shortcut.callback_id, ...(message && of(message)) }),
    submit: (viewId, values) => act("submit", { view_id: viewId, values }),
    close: (viewId) => act("close", { view_id: viewId }),
  };
}

export const state = () => get("slack/state");
