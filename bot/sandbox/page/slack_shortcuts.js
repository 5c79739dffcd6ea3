// The shortcuts of the desk's app, as its manifest names them: from anywhere, or of a message.

export const SHORTCUTS = [
  { type: "global", callback_id: "desk_inbox", name: "Inbox" },
  { type: "message", callback_id: "desk_canned_here", name: "Canned reply" },
];

export const ofMessages = SHORTCUTS.filter((s) => s.type === "message");
export const global = SHORTCUTS.filter((s) => s.type === "global");
